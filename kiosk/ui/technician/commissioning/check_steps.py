"""Steps with checks: camera, printer and scanner, network, court keys, report (no Kivy)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.alarms import alarm_of
from kiosk.commissioning.labels import STEP_NAMES
from kiosk.commissioning.record import CHECKS_OF_STEP
from kiosk.locale import N_
from kiosk.selftest import CheckResult
from kiosk.selftest.labels import CHECK_NAMES, QUESTIONS, STATE_NAMES
from kiosk.ui.app_state import AppState
from kiosk.ui.technician.commissioning.code_views import key_extras, network_extras, saved_lines
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.theme import Tone

MAX_PORTS = 4
TEXTS = {
    "camera": N_("Turn the camera until the whole room is in the picture. Then test it."),
    "paper": N_("Put paper into the printer and a sheet into the scanner. Then test both."),
    "network": N_("Without a network all else works: recordings wait here. Test it, or skip it."),
    "court_keys": N_("Closed hearings need them. They come with the registration: later is fine."),
}


def check_view(app: AppState, base: StepView) -> StepView:
    """Return a step that runs checks: its results, and the test."""
    _, state, step = app.translate.gettext, app.commissioning.state, base.step
    if state.question:
        return question_view(app, base)
    lines = tuple(check_line(app, check) for check in CHECKS_OF_STEP[step])
    choices: list[Choice] = []
    if step == "paper":
        port = app.commissioning.settings().printer.port
        choices = [
            Choice(f"printer:{path}", path, _("This is the printer"), is_marked=path == port)
            for path in app.commissioning.ports()[:MAX_PORTS]
            if not state.running
        ]
    more_lines, more_choices = _extras(app, step)
    if not state.running:
        choices += more_choices
    is_tested = any(check in state.record.checks for check in CHECKS_OF_STEP[step])
    if not state.running:
        choices.append(Choice(f"check:{step}", _("Test again") if is_tested else _("Test now")))
    picture = None
    if step == "camera":
        recorder = app.shown_recorder_state
        picture = recorder.preview.path if recorder.camera.state == "ok" else ""
    return replace(
        base,
        text=_(TEXTS[step]),
        lines=(*lines, *more_lines),
        choices=tuple(choices),
        columns=1 if picture is not None else 3,
        picture=picture,
        primary=_("Next"),
        primary_tap="finish_checked" if is_tested and not state.running else "",
    )


def _extras(app: AppState, step: str) -> tuple[list[tuple[str, Tone]], list[Choice]]:
    """Return what a step has besides its checks."""
    _ = app.translate.gettext
    if step == "network":
        return network_extras(app)
    if step == "court_keys":
        return key_extras(app)
    if step == "camera":
        return [], [Choice("camera", _("Set the picture"), _("Focus, zoom, brightness"))]
    return [], [Choice("scanners", _("Look for scanners"))]


def question_view(app: AppState, base: StepView) -> StepView:
    """Return a question of a check to the person."""
    _, question = app.translate.gettext, app.commissioning.state.question
    assert question is not None
    choices = () if question == "badge_held" else (
        Choice("no", _("No")), Choice("yes", _("Yes")),
    )  # fmt: skip
    return replace(
        base, text=_(QUESTIONS[question]), choices=choices, columns=2, can_skip=False,
        can_go_back=False,
    )  # fmt: skip


def check_line(app: AppState, check: str) -> tuple[str, Tone]:
    """Return name, result and remedy of a check in a line."""
    _, state = app.translate.gettext, app.commissioning.state
    name = _(CHECK_NAMES[check])
    if state.running == check:
        return f"{name}: {_('Running…')}", "accent"
    row = state.record.checks.get(check)
    if row is None:
        return f"{name}: {_(STATE_NAMES['never_tested'])}", "plain"
    result = CheckResult.from_json(row)
    words = f"{name}: {_(STATE_NAMES[result.state])}"
    if result.code:
        words += f". {alarm_of(result.code).say(app.translate, name)}"
    tones: dict[str, Tone] = {"passed": "good", "failed": "fault"}
    return words, tones.get(result.state, "plain")


def report_view(app: AppState, base: StepView) -> StepView:
    """Return what is done, what is open, and the button that makes the report."""
    _, state = app.translate.gettext, app.commissioning.state
    if state.question:
        return question_view(app, base)
    record, report = state.record, app.commissioning.report.state
    still = [_(STEP_NAMES[step]) for step in record.unfinished if step != "report"]
    lines: list[tuple[str, Tone]] = []
    if state.running:
        name = CHECK_NAMES.get(state.running)
        running = _(name) if name else _("The report is being signed…")
        lines.append((f"{_('Running…')} {running}", "accent"))
    if still:
        lines.append((_("Still open: {steps}", steps=", ".join(still)), "caution"))
    shown = replace(
        base,
        text=_("What was not tested is tested now. The report is signed and kept as the baseline."),
        lines=tuple(lines),
        primary=_("Make the report"),
        primary_tap="" if state.running else "report",
        can_skip=False,
    )
    is_made = record.result("report").state == "done" and report.report is not None
    return _made_view(app, shown) if is_made and not state.running else shown


def _made_view(app: AppState, base: StepView) -> StepView:
    """Return where the signed report has got to, and what can be done with it."""
    _, report = app.translate.gettext, app.commissioning.report.state
    lines = list(base.lines)
    if report.is_delivered:
        lines.append((_("The central system has the report."), "good"))
    else:
        lines.append((_("It is delivered as soon as there is a network."), "plain"))
    if report.printing == "printing":
        lines.append((_("The report is being printed…"), "accent"))
    elif report.printing == "printed":
        lines.append((_("The report is printed."), "good"))
    elif report.printing:
        lines.append((alarm_of(report.printing).say(app.translate), "fault"))
    lines += saved_lines(app)
    choices = [
        Choice("save", _("Save the profile onto a stick"), _("For a room like this one")),
        Choice("report", _("Make the report again")),
    ]
    if app.commissioning.settings().printer.port and report.printing != "printing":
        choices.insert(0, Choice("print", _("Print the report")))
    return replace(
        base,
        text=_("The report is signed and kept as the baseline."),
        lines=tuple(lines),
        choices=tuple(choices),
        columns=2,
        primary=_("Done"),
        primary_tap="show:",
    )
