"""The technician's self-test: view and samples (no Kivy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.api.reports import Limit
from kiosk.api.sync import LinkCheckStep
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

LEVELS_CHECK, PICTURE_CHECK = "microphones", "camera"


@dataclass(frozen=True)
class CheckRow:
    """One check in the list, with its newest result in words."""

    check: str
    name: str
    status: str
    tone: Tone


@dataclass(frozen=True)
class CurrentCheck:
    """The check shown large: running, asking, its result, or its history.

    Attributes:
        lines: sentences, then measured values, those outside their limits first.
        levels: name and label of each microphone whose level is shown.
        shows_picture: the camera's picture is shown.
        has_history: earlier results can be shown.
    """

    check: str
    title: str
    status: str
    tone: Tone
    lines: tuple[str, ...]
    question: str = ""
    can_answer: bool = False
    levels: tuple[tuple[str, str], ...] = ()
    shows_picture: bool = False
    has_history: bool = False


@dataclass(frozen=True)
class SelfTestView:
    """The technician's screen.

    Attributes:
        shows_list: all checks are shown, not the current one.
        page: of the list, or of the lines of the current check.
        report: what became of the report; empty: nothing yet.
        summary: counts of the results, or how far the run is.
        can_print: a report can be printed.
    """

    rows: tuple[CheckRow, ...]
    current_check: CurrentCheck
    shows_list: bool
    page: int
    is_history: bool
    is_running: bool
    report: str
    report_tone: Tone
    can_save_again: bool
    can_print: bool
    summary: str


def view(app: AppState) -> SelfTestView:
    """Return what the screen shows."""
    context, microphones = app.view_context(), app.shown_recorder_state.microphones
    names = tuple((m.name, context.role_label(m)) for m in microphones)
    place = app.secretary.place
    shown = place if isinstance(place, SelfTestPlace) else SelfTestPlace()
    return self_test_view(context, app.self_test.state, shown, names)


def self_test_view(
    context: ViewContext,
    state: SelfTestState,
    place: SelfTestPlace,
    microphones: tuple[tuple[str, str], ...],
) -> SelfTestView:
    """Return the list of checks, or the one that runs or was picked.

    Args:
        place: check picked by the technician; a running one comes first.
        microphones: name and label of each, for their live levels.
    """
    is_running = state.running is not None or bool(state.waiting)
    check = state.running or place.chosen or _worst(state)
    words = MeasuredWords(context.translate, context.zone, dict(microphones))
    is_history = place.shows_history and not is_running
    if is_history:
        current = _history(context, state, check, words)
    else:
        current = _current_check(context, state, check, words, microphones)
    report, tone = _report(context, state)
    return SelfTestView(
        rows=tuple(_row(context, state, check) for check in CHECKS),
        current_check=current,
        shows_list=place.chosen is None and state.running is None,
        page=place.page,
        is_history=is_history,
        is_running=is_running,
        report="" if is_running else report,
        report_tone=tone,
        can_save_again=state.can_save_again,
        can_print=bool(state.results) and not is_running,
        summary=_summary(context, state),
    )


def _worst(state: SelfTestState) -> str:
    """Return the first check that failed, else the first."""
    failed = [c for c in CHECKS if c in state.results and state.results[c].state == "failed"]
    return next(iter(failed), CHECKS[0])


def _row(context: ViewContext, state: SelfTestState, check: str) -> CheckRow:
    status, tone = check_status(context, state, check)
    return CheckRow(check, context.translate.gettext(CHECK_NAMES[check]), status, tone)


def check_status(context: ViewContext, state: SelfTestState, check: str) -> tuple[str, Tone]:
    """Return a check's result in a word or two, and its tone."""
    _ = context.translate.gettext
    if state.running == check:
        return _("Running…"), "accent"
    if check in state.waiting:
        return _("Waiting"), "plain"
    result = state.results.get(check, CheckResult(check, "never_tested"))
    return _result_status(context, result), _tone(result)


def _tone(result: CheckResult) -> Tone:
    tones: Mapping[CheckState, Tone] = {"passed": "good", "failed": "fault"}
    return tones.get(result.state, "plain")


def _result_status(context: ViewContext, result: CheckResult) -> str:
    """Return the state, with the value that says most where it passed."""
    status = context.translate.gettext(STATE_NAMES[result.state])
    value = ""
    if result.state == "passed":
        value = MeasuredWords(context.translate, context.zone).headline(result)
    return " · ".join(part for part in (status, value) if part)


def _current_check(
    context: ViewContext,
    state: SelfTestState,
    check: str,
    words: MeasuredWords,
    microphones: tuple[tuple[str, str], ...],
) -> CurrentCheck:
    _ = context.translate.gettext
    status, tone = check_status(context, state, check)
    running = state.running == check
    question = _(QUESTIONS[state.question]) if running and state.question else ""
    if running:
        lines = _running_lines(context, state, check)
    else:
        lines = _result_lines(context, state.results.get(check), words)
    return CurrentCheck(
        check=check,
        title=_(CHECK_NAMES[check]),
        status=status,
        tone=tone,
        lines=tuple(lines),
        question=question,
        can_answer=bool(question) and state.question != "badge_held",
        levels=microphones if check == LEVELS_CHECK else (),
        shows_picture=check == PICTURE_CHECK,
        has_history=bool(state.history.get(check)),
    )


def _running_lines(context: ViewContext, state: SelfTestState, check: str) -> list[str]:
    """Return what the person is to do, and the numbers so far."""
    _ = context.translate.gettext
    step = state.progress
    if check == LEVELS_CHECK:
        return [_("Go round the room and speak into each microphone.")]
    if step is None:
        return []
    names = {
        "call": _("A call is tried over the line"),
        "load": _("The line is filled in both directions"),
    }
    return [
        names[step.phase],
        _("{n} of {total} s", n=round(step.seconds), total=round(step.of_seconds)),
    ]


def _result_lines(
    context: ViewContext, result: CheckResult | None, words: MeasuredWords
) -> list[str]:
    _ = context.translate.gettext
    if result is None or result.state == "never_tested":
        return [alarm_of("never_tested").remedy(context.translate, staff=True)]
    lines: list[str] = []
    if result.code and result.state != "passed":
        alarm = alarm_of(result.code)
        lines += [alarm.say(context.translate), alarm.remedy(context.translate, staff=True)]
    lines += [line.text for line in words.lines(result)]
    tested = parse_wall(result.at)
    if tested:
        lines.append(
            _("Tested {date} {time}", date=_day(context, tested), time=context.clock_text(tested))
        )
    return [line for line in lines if line]


def _day(context: ViewContext, when: datetime) -> str:
    return when.astimezone(context.zone).strftime("%d.%m.%Y")


def _history(
    context: ViewContext, state: SelfTestState, check: str, words: MeasuredWords
) -> CurrentCheck:
    """Return what changed since the time before, then the earlier results, newest first."""
    _ = context.translate.gettext
    results = state.history.get(check, ())
    lines: list[str] = []
    if len(results) > 1:
        changes = words.changes(results[0], results[1])
        lines.append(_("Since the time before:") if changes else _("As the time before."))
        lines += changes
    for result in results:
        when = parse_wall(result.at)
        date = f"{_day(context, when)} {context.clock_text(when)}" if when else ""
        lines.append(f"{date} · {_result_status(context, result)}")
        if result.code and result.state != "passed":
            lines[-1] += f" · {alarm_of(result.code).say(context.translate)}"
    status, tone = check_status(context, state, check)
    title = _("{check}: earlier results", check=_(CHECK_NAMES[check]))
    return CurrentCheck(check, title, status, tone, tuple(lines), has_history=True)


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
    if state.running or state.waiting:
        return _("Checks still to come: {n}", n=len(state.waiting))
    states = [state.results[c].state if c in state.results else "never_tested" for c in CHECKS]
    passed, failed = states.count("passed"), states.count("failed")
    rest = len(states) - passed - failed
    counts = {"passed": passed, "failed": failed, "rest": rest}
    return _("Passed {passed}, failed {failed}, not tested {rest}", **counts)


# -- samples -------------------------------------------------------------------------------------


def _result(
    check: str, outcome: CheckState = "passed", code: str | None = None, **measured: Any
) -> CheckResult:
    return CheckResult(check, outcome, code, measured, 1.2, service_states.at(8, 10))


DONE = {
    result.check: result
    for result in (
        _result("camera", fps=25.0, dropped=0),
        _result(
            "microphones",
            judge={
                "state": "ok",
                "level_db": -21.0,
                "noise_db": -62.0,
                "speech_db": -24.5,
                "heard": True,
            },
            witness={"state": "ok", "level_db": -23.5, "noise_db": -58.5, "heard": False},
        ),
        _result(
            "speaker",
            loudspeaker={"rise_db": 23.5, "microphone": "judge"},
            headphones={"heard": True},
        ),
        _result(
            "speech_transmission",
            judge={"index": 0.71, "quality": "good", "level_db": -27.1},
            witness={"index": 0.62, "quality": "good", "level_db": -31.4},
        ),
        _result("headset", "skipped", "not_fitted"),
        _result("scanner", open_ms=210, options={"resolution": 300}),
        _result("receipt_printer", "failed", "printer_no_paper"),
        _result("badge_reader"),
        _result("panel", "skipped", "not_confirmed"),
        _result(
            "touch", top_left=1.2, top_right=0.8, bottom_right=2.1, bottom_left=1.9, middle=0.4
        ),
        _result("storage", free_bytes=212 * 10**9, write_mb_s=88.1),
        _result("clock", synchronised=True, battery=False),
        _result("mirror", state="ok", free_bytes=98 * 10**9, write_mb_s=31.0),
        _result("certificate", days_left=212, ends="2027-06-22T04:00:00Z", clock_trusted=True),
        _result("machine", temperature_c=61.3, is_under_voltage=False, wear_percent=20),
        _result("link", down_mbit=4.8, up_mbit=2.1, rtt_ms=31.0, loss=0.0, jitter_ms=2.2),
        _result("court_keys", "failed", "court_key_unproven", state="unproven"),
        _result("delivery", delivered=True, central_sha256_match=True, delivery_ms=812),
    )
}
BEGUN = SelfTestState({"camera": DONE["camera"]}, tuple(DONE)[2:], "microphones")
SLOW = CheckResult(
    "link",
    "failed",
    "link_below",
    {"down_mbit": 4.8, "up_mbit": 0.4, "rtt_ms": 31.0, "loss": 0.012, "bearer": "cellular"},
    9.4,
    service_states.at(8, 10),
    {"up_mbit": -1.7},
    {"down_mbit": Limit(least=2.0), "up_mbit": Limit(least=2.0)},
)
LESS_CLEAR = CheckResult(
    "speech_transmission",
    "failed",
    "sweep_changed",
    {
        "judge": {"index": 0.7, "quality": "good", "level_db": -27.4},
        "witness": {"index": 0.41, "quality": "poor", "level_db": -39.0},
    },
    8.1,
    service_states.at(8, 10),
    {"judge.index": -0.01, "witness.index": -0.21},
    {"judge.index": Limit(least=0.61), "witness.index": Limit(least=0.52)},
)
HISTORY = {"link": (SLOW, DONE["link"], DONE["link"])}


def _with(state: SelfTestState, chosen: str | None = None, *, history: bool = False) -> Prepare:
    place = SelfTestPlace(chosen, shows_history=history)

    def prepare(app: AppState) -> None:
        staff_at(place, who=service_states.TECHNICIAN)(app)
        app.self_test.state = state

    return prepare


SAMPLES: dict[str, Prepare] = {
    "self_test-never": _with(SelfTestState()),
    "self_test-microphones": _with(BEGUN),
    "self_test-camera": _with(SelfTestState(waiting=tuple(DONE)[1:], running="camera")),
    "self_test-measuring": _with(
        SelfTestState(
            DONE,
            ("delivery",),
            "link",
            progress=LinkCheckStep(phase="load", seconds=1.9, of_seconds=2.9),
        )
    ),
    "self_test-question": _with(SelfTestState(DONE, ("storage", "clock"), "panel", "lamp_seen")),
    "self_test-badge": _with(SelfTestState(DONE, ("panel",), "badge_reader", "badge_held")),
    "self_test-done": _with(SelfTestState(DONE, report="saved")),
    "self_test-failed": _with(SelfTestState(DONE, report="saved"), "receipt_printer"),
    "self_test-link": _with(SelfTestState({**DONE, "link": SLOW}, history=HISTORY), "link"),
    "self_test-machine": _with(SelfTestState(DONE), "machine"),
    "self_test-speaker": _with(SelfTestState(DONE), "speaker"),
    "self_test-transmission": _with(
        SelfTestState({**DONE, "speech_transmission": LESS_CLEAR}), "speech_transmission"
    ),
    "self_test-history": _with(
        SelfTestState({**DONE, "link": SLOW}, history=HISTORY),
        "link",
        history=True,
    ),
    "self_test-unsaved": _with(SelfTestState(DONE, report="disk_full", can_save_again=True)),
}
