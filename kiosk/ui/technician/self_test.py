"""The technician's self-test: view and samples (no Kivy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.clocks import parse_wall
from kiosk.selftest import CHECKS, CheckResult
from kiosk.selftest.labels import CHECK_NAMES, QUESTIONS, STATE_NAMES
from kiosk.selftest.model import CheckState
from kiosk.selftest.words import MeasuredWords
from kiosk.ui.actions.self_test_runner import SelfTestState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SelfTestPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext

LEVELS_CHECK = "microphones"


@dataclass(frozen=True)
class CheckRow:
    """One check in the list, with its newest result in words."""

    check: str
    name: str
    status: str
    tone: Tone
    chosen: bool


@dataclass(frozen=True)
class CurrentCheck:
    """The check shown large: running, asking, or its result."""

    title: str
    status: str
    tone: Tone
    lines: tuple[str, ...]
    question: str
    can_answer: bool
    levels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SelfTestView:
    """The technician's screen."""

    rows: tuple[CheckRow, ...]
    current_check: CurrentCheck
    is_running: bool
    report: str
    report_tone: Tone
    can_save_again: bool
    summary: str


def view(app: AppState) -> SelfTestView:
    """Return what the screen shows."""
    context, microphones = app.view_context(), app.shown_recorder_state.microphones
    names = tuple((m.name, context.role_label(m)) for m in microphones)
    chosen = getattr(app.secretary.place, "chosen", None)
    return self_test_view(context, app.self_test.state, chosen, names)


def self_test_view(
    context: ViewContext,
    state: SelfTestState,
    chosen: str | None,
    microphones: tuple[tuple[str, str], ...],
) -> SelfTestView:
    """Return the list of checks and the one shown large.

    Args:
        chosen: check picked by the technician; a running one comes first.
        microphones: name and label of each, for their live levels.
    """
    shown = state.running or chosen or _worst(state)
    rows = tuple(_row(context, state, check, shown == check) for check in CHECKS)
    report, tone = _report(context, state)
    return SelfTestView(
        rows=rows,
        current_check=_current_check(context, state, shown, microphones),
        is_running=state.running is not None or bool(state.waiting),
        report=report,
        report_tone=tone,
        can_save_again=state.can_save_again,
        summary=_summary(context, state),
    )


def _worst(state: SelfTestState) -> str:
    """Return the first check that failed, else the first."""
    failed = [c for c in CHECKS if c in state.results and state.results[c].state == "failed"]
    return next(iter(failed), CHECKS[0])


def _row(context: ViewContext, state: SelfTestState, check: str, chosen: bool) -> CheckRow:
    status, tone = check_status(context, state, check)
    return CheckRow(check, context.translate.gettext(CHECK_NAMES[check]), status, tone, chosen)


def check_status(context: ViewContext, state: SelfTestState, check: str) -> tuple[str, Tone]:
    """Return a check's result in a word or two, and its tone."""
    _ = context.translate.gettext
    if state.running == check:
        return _("Running…"), "accent"
    if check in state.waiting:
        return _("Waiting"), "plain"
    result = state.results.get(check, CheckResult(check, "never_tested"))
    status = _(STATE_NAMES[result.state])
    if result.state != "passed":
        return status, "fault" if result.state == "failed" else "plain"
    value = MeasuredWords(context.translate, context.zone).headline(result)
    return " · ".join(part for part in (status, value) if part), "good"


def _current_check(
    context: ViewContext, state: SelfTestState, check: str, microphones: tuple[tuple[str, str], ...]
) -> CurrentCheck:
    _ = context.translate.gettext
    status, tone = check_status(context, state, check)
    running = state.running == check
    if not running:
        lines = _result_lines(context, state.results.get(check), dict(microphones))
    elif check == LEVELS_CHECK:
        lines = [_("Go round the room and speak into each microphone.")]
    else:
        lines = []
    question = _(QUESTIONS[state.question]) if running and state.question else ""
    return CurrentCheck(
        title=_(CHECK_NAMES[check]),
        status=status,
        tone=tone,
        lines=tuple(lines),
        question=question,
        can_answer=bool(question) and state.question != "badge_held",
        levels=microphones if check == LEVELS_CHECK else (),
    )


def _result_lines(
    context: ViewContext, result: CheckResult | None, names: Mapping[str, str]
) -> list[str]:
    _ = context.translate.gettext
    if result is None or result.state == "never_tested":
        return [alarm_of("never_tested").remedy(context.translate, staff=True)]
    lines: list[str] = []
    if result.code and result.state != "passed":
        alarm = alarm_of(result.code)
        lines += [alarm.say(context.translate), alarm.remedy(context.translate, staff=True)]
    tested = parse_wall(result.at)
    if tested:
        day = tested.astimezone(context.zone).strftime("%d.%m.%Y")
        lines.append(_("Tested {date} {time}", date=day, time=context.clock_text(tested)))
    words = MeasuredWords(context.translate, context.zone, names)
    lines += [line.text for line in words.lines(result)]
    return [line for line in lines if line]


def _report(context: ViewContext, state: SelfTestState) -> tuple[str, Tone]:
    _ = context.translate.gettext
    match state.report:
        case None:
            return "", "plain"
        case "saved":
            return _("The report is saved and goes to the central system."), "good"
        case code:
            unsaved = _("The report is not saved yet.")
            return f"{unsaved} {context.alarm_text(code)}", "fault"


def _summary(context: ViewContext, state: SelfTestState) -> str:
    _ = context.translate.gettext
    states = [state.results[c].state if c in state.results else "never_tested" for c in CHECKS]
    passed, failed = states.count("passed"), states.count("failed")
    rest = len(states) - passed - failed
    counts = {"passed": passed, "failed": failed, "rest": rest}
    return _("Passed {passed}, failed {failed}, not tested {rest}", **counts)


# -- samples -------------------------------------------------------------------------------------


def _result(
    check: str, state: CheckState = "passed", code: str | None = None, **measured: Any
) -> CheckResult:
    return CheckResult(check, state, code, measured, 1.2, service_states.at(8, 10))


DONE = {
    result.check: result
    for result in (
        _result("camera", fps=25.0, dropped=0),
        _result(
            "microphones",
            judge={"state": "ok", "level_db": -21.0, "noise_db": -62.0, "heard": True},
            witness={"state": "ok", "level_db": -23.5, "noise_db": -58.5, "heard": False},
        ),
        _result("scanner", open_ms=210, options={"resolution": 300}),
        _result("receipt_printer", "failed", "printer_no_paper"),
        _result("badge_reader"),
        _result("panel", "skipped", "not_confirmed"),
        _result("storage", free_bytes=212 * 10**9, write_mb_s=88.1),
        _result("clock", synchronised=True, battery=False),
        _result("machine", temperature_c=61.3, is_under_voltage=False, wear_percent=20),
        _result("link", down_mbit=4.8, up_mbit=2.1, rtt_ms=31.0, loss=0.0, jitter_ms=2.2),
        _result("delivery", delivered=True, central_sha256_match=True, delivery_ms=812),
    )
}
BEGUN = SelfTestState({"camera": DONE["camera"]}, tuple(DONE)[2:], "microphones")


def _with(state: SelfTestState, chosen: str | None = None) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(SelfTestPlace(chosen), who=service_states.TECHNICIAN)(app)
        app.self_test.state = state

    return prepare


SAMPLES: dict[str, Prepare] = {
    "self_test-never": _with(SelfTestState()),
    "self_test-microphones": _with(BEGUN),
    "self_test-question": _with(SelfTestState(DONE, ("storage", "clock"), "panel", "lamp_seen")),
    "self_test-badge": _with(SelfTestState(DONE, ("panel",), "badge_reader", "badge_held")),
    "self_test-done": _with(SelfTestState(DONE, report="saved")),
    "self_test-link": _with(SelfTestState(DONE, report="saved"), "link"),
    "self_test-unsaved": _with(SelfTestState(DONE, report="disk_full", can_save_again=True)),
}
