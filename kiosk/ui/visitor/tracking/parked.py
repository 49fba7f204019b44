"""The ticket of the parked filing."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.printing.ticket import format_code, normalise_code
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ParkedPlace
from kiosk.ui.samples.visit_states import TICKET, visit
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.printing import printer_line


@dataclass(frozen=True)
class ParkedView:
    """The ticket; its code is shown if printing failed."""

    title: str
    code: str
    until: str
    reference: str
    printer: str
    printer_tone: Tone
    can_print: bool
    shows_code: bool


def view(app: AppState) -> ParkedView:
    """Return the ticket; its code is shown if printing failed."""
    _, place = app.translate.gettext, app.visit.place_as(ParkedPlace)
    title = _("Your papers are kept. Go on later.")
    if place.hearing_started:
        title = _("A hearing begins. Your papers are kept.")
    code = format_code(normalise_code(place.ticket.code) or place.ticket.code)
    printer, tone = printer_line(app.translate, place)
    return ParkedView(
        title=title,
        code=code,
        until=_("Kept until {time}", time=f"{place.ticket.expires_at:%d.%m.%Y %H:%M}"),
        reference=f"KIOSK-TICKET:{code.replace('-', '')}",
        printer=printer,
        printer_tone=tone,
        can_print=place.printing != "printing",
        shows_code=place.printing == "failed",
    )


NO_PAPER = ParkedPlace(TICKET, 1088.0, "failed", "printer_no_paper", hearing_started=True)
SAMPLES = {
    "parked": visit(ParkedPlace(TICKET, 1088.0, "printed")),
    "parked-no-paper": visit(NO_PAPER),
}
