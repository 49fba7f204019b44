"""How many sheets were inserted, so that no sheet is lost."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SheetCountPlace
from kiosk.ui.samples.visit_states import filing


@dataclass(frozen=True)
class SheetCountView:
    """The question, or the difference to the scanned number in words."""

    title: str
    text: str
    typed: str = ""
    has_keypad: bool = False
    has_mismatch: bool = False
    has_missing_sheet: bool = False


def view(app: AppState) -> SheetCountView:
    """Return the question, or the difference to the scanned number in words."""
    _, ngettext = app.translate.gettext, app.translate.ngettext
    place = app.visit.place_as(SheetCountPlace)
    if place.declared is None:
        return SheetCountView(
            _("How many sheets did you put in?"),
            _("Count sheets of paper, not pages. So no sheet is lost."),
            place.typed,
            place.has_keypad,
        )
    scanned = app.visit.documents.scanned_sheets()
    declared = ngettext("You put in {n} sheet.", "You put in {n} sheets.", place.declared)
    came = ngettext("{n} sheet was scanned.", "{n} sheets were scanned.", scanned)
    is_missing = scanned < place.declared
    text = (
        _("Two sheets may have gone through together. Scan the missing one.")
        if is_missing
        else _("Perhaps a sheet went through twice. Look the pages over.")
    )
    return SheetCountView(
        f"{declared} {came}", text, has_mismatch=True, has_missing_sheet=is_missing
    )


SAMPLES = {
    "sheet_count": filing(SheetCountPlace()),
    "sheet_count-pad": filing(SheetCountPlace("12", has_keypad=True)),
    "sheet_count-fewer": filing(SheetCountPlace(declared=4)),
    "sheet_count-more": filing(SheetCountPlace(declared=2)),
}
