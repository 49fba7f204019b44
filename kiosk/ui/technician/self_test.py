"""View of the self-test screen (no Kivy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.selftest import CHECKS, CheckResult
from kiosk.selftest.labels import CHECK_NAMES, QUESTIONS, STATE_NAMES
from kiosk.ui.actions.self_test_runner import SelfTestState
from kiosk.ui.service_models import parse_time
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
    summary: str


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
    result = state.results.get(check)
    if result is None:
        never = STATE_NAMES["never_tested"]
        return _(never), "plain"
    status = _(STATE_NAMES[result.state])
    if result.state == "passed":
        value = headline_value(context, result)
        if value and check == "link":
            return value, "good"
        return (f"{status} · {value}" if value else status), "good"
    return status, "fault" if result.state == "failed" else "plain"


def headline_value(context: ViewContext, result: CheckResult) -> str:
    """Return the one measured value that says most."""
    _, measured = context.translate.gettext, result.measured
    match result.check:
        case "camera" if "fps" in measured:
            return _("{n} frames/s", n=_format_number(context, measured["fps"]))
        case "link" if "down_mbit" in measured and "up_mbit" in measured:
            down, up = (
                _format_number(context, measured["down_mbit"]),
                _format_number(context, measured["up_mbit"]),
            )
            return _("{down} / {up} Mbit/s", down=down, up=up)
        case "scanner" if "resolution" in measured:
            return _("{n} dpi", n=measured["resolution"])
        case "storage" if "free_bytes" in measured:
            return _("{n} GB", n=_format_number(context, float(measured["free_bytes"]) / 1e9))
        case _:
            return ""


def _format_number(context: ViewContext, value: Any) -> str:
    text = f"{float(value):.1f}"
    return text if context.translate.language == "en" else text.replace(".", ",")


def _current_check(
    context: ViewContext, state: SelfTestState, check: str, microphones: tuple[tuple[str, str], ...]
) -> CurrentCheck:
    _ = context.translate.gettext
    status, tone = check_status(context, state, check)
    running = state.running == check
    result = state.results.get(check)
    lines: list[str] = []
    if running and check == LEVELS_CHECK:
        lines.append(_("Go round the room and speak into each microphone."))
    elif not running and result is not None:
        lines = _result_lines(context, result)
    elif not running:
        lines.append(alarm_of("never_tested").remedy(context.translate, staff=True))
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


def _result_lines(context: ViewContext, result: CheckResult) -> list[str]:
    _ = context.translate.gettext
    lines: list[str] = []
    if result.state == "never_tested":
        return [alarm_of("never_tested").remedy(context.translate, staff=True)]
    if result.code and result.state != "passed":
        alarm = alarm_of(result.code)
        lines += [alarm.say(context.translate), alarm.remedy(context.translate, staff=True)]
    tested = parse_time(result.at)
    if tested:
        day = tested.astimezone(context.zone).strftime("%d.%m.%Y")
        lines.append(_("Tested {date} {time}", date=day, time=context.clock_text(tested)))
    lines += measured_lines(result.measured)
    return [line for line in lines if line]


def measured_lines(measured: Mapping[str, Any], max_lines: int = 6) -> list[str]:
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
            alarm = alarm_of(code)
            return (
                f"{alarm.say(context.translate)} {alarm.remedy(context.translate, staff=True)}",
                "fault",
            )


def _summary(context: ViewContext, state: SelfTestState) -> str:
    _ = context.translate.gettext
    states = [state.results[c].state if c in state.results else "never_tested" for c in CHECKS]
    passed, failed = states.count("passed"), states.count("failed")
    return _(
        "Passed {passed}, failed {failed}, not tested {rest}",
        passed=passed,
        failed=failed,
        rest=len(states) - passed - failed,
    )
