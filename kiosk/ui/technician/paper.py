"""The receipt printer, its paper and a test print: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.config import PrinterSettings
from kiosk.hardware.receipt_printer import PrinterStatus
from kiosk.locale import N_
from kiosk.ui.actions.paper_actions import PaperActions, PaperState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PaperPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.theme import Tone

PROBLEMS = {
    "printer_no_paper": (
        N_("The printer has no paper."),
        N_("Put a new roll in. The screen shows it at once."),
    ),
    "printer_cover_open": (N_("The printer’s cover is open."), N_("Close the cover.")),
    "printer_absent": (N_("The printer is not found."), N_("Check its cable and its power.")),
    "printer_silent": (
        N_("The printer does not answer."),
        N_("Switch it off and on. Check its cable."),
    ),
}
"""Sentence and remedy where nobody waits for a receipt."""


@dataclass(frozen=True)
class PaperView:
    """State of the printer, what to do, and what came of the test print."""

    text: str
    tone: Tone
    remedy: str
    result: str
    can_print: bool


def view(app: AppState) -> PaperView:
    """Return what the screen shows."""
    _, paper = app.translate.gettext, app.paper
    state = paper.state
    if not paper.is_fitted:
        return PaperView(_("No receipt printer is set up."), "plain", "", "", False)
    text, tone, remedy = _status(app, state)
    return PaperView(text, tone, remedy, _result(app, state), not state.printing)


def _status(app: AppState, state: PaperState) -> tuple[str, Tone, str]:
    _ = app.translate.gettext
    if not app.paper.answers and state.problem in ("", "printer_unconfirmed"):
        text = _("This printer tells nothing of its paper. Print a test and look.")
        return text, "plain", ""
    if state.problem:
        found = PROBLEMS.get(state.problem)
        if found is None:
            alarm = alarm_of(state.problem)
            return alarm.say(app.translate), "caution", alarm.remedy(app.translate, staff=True)
        return _(found[0]), "caution", _(found[1])
    if state.status is None:
        return _("One moment…"), "plain", ""
    if not state.status.online:
        return _("The printer is there, but not ready."), "caution", _("Press its feed button.")
    if state.status.paper_low:
        return _("The paper is nearly at its end."), "caution", _("Put a new roll in soon.")
    return _("The printer is ready; it has paper."), "good", ""


def _result(app: AppState, state: PaperState) -> str:
    _ = app.translate.gettext
    if state.printing:
        return _("A test is being printed…")
    if state.printing is None or state.problem not in ("", "printer_unconfirmed"):
        return ""
    if state.problem:
        return alarm_of(state.problem).say(app.translate)
    return _("The test is printed. Every letter and the dark bar must be whole.")


def _state(**changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(PaperPlace(), who=service_states.TECHNICIAN)(app)
        printer = PrinterSettings(port="/dev/usb/lp0")
        settings = app.settings.model_copy(update={"printer": printer})
        app.paper = PaperActions(settings, app.notify_observers)
        app.paper.state = PaperState(is_asked=True, **changes)

    return prepare


SAMPLES: dict[str, Prepare] = {
    "paper": _state(status=PrinterStatus(online=True, paper_low=False)),
    "paper-low": _state(status=PrinterStatus(online=True, paper_low=True), printing=True),
    "paper-none": _state(problem="printer_no_paper", printing=False),
    "paper-printed": _state(status=PrinterStatus(online=True, paper_low=False), printing=False),
}
