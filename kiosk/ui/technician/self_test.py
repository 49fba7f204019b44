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
    value = _headline_value(context, result)
    parts = (value,) if value and check == "link" else (status, value)
    return " · ".join(part for part in parts if part), "good"


def _headline_value(context: ViewContext, result: CheckResult) -> str:
    """Return the measured value that says most; empty: none."""
    _ = context.translate.gettext

    def number(value: float) -> str:
        text = f"{value:.1f}"
        return text if context.translate.language == "en" else text.replace(".", ",")

    match result.check, result.measured:
        case "camera", {"fps": fps}:
            return _("{n} frames/s", n=number(fps))
        case "link", {"down_mbit": down, "up_mbit": up}:
            return _("{down} / {up} Mbit/s", down=number(down), up=number(up))
        case "scanner", {"resolution": resolution}:
            return _("{n} dpi", n=resolution)
        case "storage", {"free_bytes": free}:
            return _("{n} GB", n=number(free / 1e9))
        case _:
            return ""


def _current_check(
    context: ViewContext, state: SelfTestState, check: str, microphones: tuple[tuple[str, str], ...]
) -> CurrentCheck:
    _ = context.translate.gettext
    status, tone = check_status(context, state, check)
    running = state.running == check
    if not running:
        lines = _result_lines(context, state.results.get(check))
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


def _result_lines(context: ViewContext, result: CheckResult | None) -> list[str]:
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
    lines += _measured_lines(result.measured)
    return [line for line in lines if line]


def _measured_lines(measured: Mapping[str, Any], max_lines: int = 6) -> list[str]:
    """Return measured values for the technician, as ``name: value`` (names as in the report)."""
    flat: list[str] = []
    for key, value in measured.items():
        if isinstance(value, Mapping):
            inner = ", ".join(f"{k} {_format_measured(v)}" for k, v in list(value.items())[:3])
            flat.append(f"{key}: {inner}")
        elif not isinstance(value, list | tuple):
            flat.append(f"{key}: {_format_measured(value)}")
    return flat[:max_lines]


def _format_measured(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, Mapping):
        return "/".join(_format_measured(v) for v in list(value.values())[:2])
    return str(value)[:32]


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
        _result("microphones", judge={"rms_db": -21.0}, witness={"rms_db": -23.5}),
        _result("scanner", resolution=300, seconds_to_open=0.02),
        _result("receipt_printer", "failed", "printer_no_paper"),
        _result("badge_reader"),
        _result("panel", "skipped", "not_confirmed"),
        _result("storage", free_bytes=212 * 10**9, write_mib_s=88.1),
        _result("clock"),
        _result("machine", temperature_c=61.3, is_under_voltage=False, wear_percent=20),
        _result("link", down_mbit=4.8, up_mbit=2.1, rtt_ms=31.0, loss=0.0, jitter_ms=2.2),
        _result("delivery", seconds=0.8),
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
