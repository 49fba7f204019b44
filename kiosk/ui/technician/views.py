"""What the technician's screen says: pure functions of the self-test's state, without Kivy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.selftest import CHECKS, Result
from kiosk.selftest.labels import CHECK_NAMES, QUESTIONS, STATE_NAMES
from kiosk.ui.facts import moment
from kiosk.ui.here import Here
from kiosk.ui.technician.bench import BenchState
from kiosk.ui.theme import Tone

LEVELS_OF = "microphones"


@dataclass(frozen=True)
class CheckRow:
    """One check in the list, with its newest result in words."""

    check: str
    name: str
    word: str
    tone: Tone
    chosen: bool


@dataclass(frozen=True)
class Now:
    """The check shown large: running, asking, or its result."""

    title: str
    word: str
    tone: Tone
    lines: tuple[str, ...]
    question: str
    can_answer: bool
    levels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SelfTestView:
    """The technician's screen."""

    rows: tuple[CheckRow, ...]
    now: Now
    runs: bool
    report: str
    report_tone: Tone
    summary: str


def selftest_view(
    here: Here,
    state: BenchState,
    chosen: str | None,
    microphones: tuple[tuple[str, str], ...],
) -> SelfTestView:
    """Return the list of checks and the one shown large.

    Args:
        chosen: check picked by the technician; a running one comes first.
        microphones: name and label of each, for their live levels.
    """
    shown = state.running or chosen or _worst(state)
    rows = tuple(_row(here, state, check, shown == check) for check in CHECKS)
    report, tone = _report(here, state)
    return SelfTestView(
        rows=rows,
        now=_now(here, state, shown, microphones),
        runs=state.running is not None or bool(state.waiting),
        report=report,
        report_tone=tone,
        summary=_summary(here, state),
    )


def _worst(state: BenchState) -> str:
    """Return the first check that failed, else the first."""
    failed = [c for c in CHECKS if c in state.results and state.results[c].state == "failed"]
    return next(iter(failed), CHECKS[0])


def _row(here: Here, state: BenchState, check: str, chosen: bool) -> CheckRow:
    word, tone = word_of(here, state, check)
    return CheckRow(check, here.say.gettext(CHECK_NAMES[check]), word, tone, chosen)


def word_of(here: Here, state: BenchState, check: str) -> tuple[str, Tone]:
    """Return a check's result in a word or two, and its tone."""
    _ = here.say.gettext
    if state.running == check:
        return _("Running…"), "accent"
    if check in state.waiting:
        return _("Waiting"), "plain"
    result = state.results.get(check)
    if result is None:
        never = STATE_NAMES["never_tested"]
        return _(never), "plain"
    word = _(STATE_NAMES[result.state])
    if result.state == "passed":
        value = headline_value(here, result)
        if value and check == "link":
            return value, "good"
        return (f"{word} · {value}" if value else word), "good"
    return word, "fault" if result.state == "failed" else "plain"


def headline_value(here: Here, result: Result) -> str:
    """Return the one measured value that says most."""
    _, measured = here.say.gettext, result.measured
    match result.check:
        case "camera" if "fps" in measured:
            return _("{n} frames/s", n=_number(here, measured["fps"]))
        case "link" if "down_mbit" in measured and "up_mbit" in measured:
            down, up = _number(here, measured["down_mbit"]), _number(here, measured["up_mbit"])
            return _("{down} / {up} Mbit/s", down=down, up=up)
        case "scanner" if "resolution" in measured:
            return _("{n} dpi", n=measured["resolution"])
        case "storage" if "free_bytes" in measured:
            return _("{n} GB", n=_number(here, float(measured["free_bytes"]) / 1e9))
        case _:
            return ""


def _number(here: Here, value: Any) -> str:
    text = f"{float(value):.1f}"
    return text if here.say.language == "en" else text.replace(".", ",")


def _now(
    here: Here, state: BenchState, check: str, microphones: tuple[tuple[str, str], ...]
) -> Now:
    _ = here.say.gettext
    word, tone = word_of(here, state, check)
    running = state.running == check
    result = state.results.get(check)
    lines: list[str] = []
    if running and check == LEVELS_OF:
        lines.append(_("Go round the room and speak into each microphone."))
    elif not running and result is not None:
        lines = _result_lines(here, result)
    elif not running:
        lines.append(alarm_of("never_tested").remedy(here.say, staff=True))
    question = _(QUESTIONS[state.question]) if running and state.question else ""
    return Now(
        title=_(CHECK_NAMES[check]),
        word=word,
        tone=tone,
        lines=tuple(lines),
        question=question,
        can_answer=bool(question) and state.question != "badge_held",
        levels=microphones if check == LEVELS_OF else (),
    )


def _result_lines(here: Here, result: Result) -> list[str]:
    _ = here.say.gettext
    lines: list[str] = []
    if result.state == "never_tested":
        return [alarm_of("never_tested").remedy(here.say, staff=True)]
    if result.code and result.state != "passed":
        alarm = alarm_of(result.code)
        lines += [alarm.say(here.say), alarm.remedy(here.say, staff=True)]
    tested = moment(result.at)
    if tested:
        day = tested.astimezone(here.zone).strftime("%d.%m.%Y")
        lines.append(_("Tested {date} {time}", date=day, time=here.time(tested)))
    lines += measured_lines(result.measured)
    return [line for line in lines if line]


def measured_lines(measured: Mapping[str, Any], most: int = 6) -> list[str]:
    """Return measured values for the technician, as ``name: value`` (names as in the report)."""
    flat: list[str] = []
    for key, value in measured.items():
        if isinstance(value, Mapping):
            inner = ", ".join(f"{k} {_short(v)}" for k, v in list(value.items())[:3])
            flat.append(f"{key}: {inner}")
        elif not isinstance(value, list | tuple):
            flat.append(f"{key}: {_short(value)}")
    return flat[:most]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, Mapping):
        return "/".join(_short(v) for v in list(value.values())[:2])
    return str(value)[:32]


def _report(here: Here, state: BenchState) -> tuple[str, Tone]:
    _ = here.say.gettext
    match state.report:
        case None:
            return "", "plain"
        case "saved":
            return _("The report is saved and goes to the central system."), "good"
        case code:
            alarm = alarm_of(code)
            return f"{alarm.say(here.say)} {alarm.remedy(here.say, staff=True)}", "fault"


def _summary(here: Here, state: BenchState) -> str:
    _ = here.say.gettext
    states = [state.results[c].state if c in state.results else "never_tested" for c in CHECKS]
    passed, failed = states.count("passed"), states.count("failed")
    return _(
        "Passed {passed}, failed {failed}, not tested {rest}",
        passed=passed,
        failed=failed,
        rest=len(states) - passed - failed,
    )
