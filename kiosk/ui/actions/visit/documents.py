"""Documents of the filing: present or missing, number of sheets, originals on paper."""

from __future__ import annotations

from kiosk.errors import KioskError
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.actions.visit.scan import Scan
from kiosk.ui.formatting import append_key
from kiosk.ui.registry import DocumentsPlace, OriginalsPlace, SheetCountPlace

MAX_SHEET_DIGITS = 3


class DocumentList:
    """Records what the visitor hands in; no answer makes the kiosk refuse the filing (R14).

    Args:
        visit: the visit with its filing.
        scan: scans one more document.
    """

    def __init__(self, visit: VisitContext, scan: Scan) -> None:
        self._visit, self._scan = visit, scan

    def show(self, page: int = 0, chosen: str = "") -> None:
        """Show the documents; ``chosen`` large, or the next missing one."""
        self._visit.show(DocumentsPlace(chosen, page))

    def skip(self, slot: str, skipped: bool = True) -> None:
        """Record ``slot`` as missing, or as present after all."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.try_action(lambda: filing.skip_slot(slot, skipped))
            self.show()

    def add(self, slot: str) -> None:
        """Scan one more document of the same type."""
        filing = self._visit.filing
        if filing is not None and self._visit.try_action(lambda: filing.add_slot(slot)):
            self._scan.begin()

    def finish(self) -> None:
        """Record all empty slots as missing and show the summary."""
        for view in self._visit.slots:
            if not view.pages and not view.slot.skipped:
                self.skip(view.slot.id)
        self._visit.show_summary()

    # -- sheets --------------------------------------------------------------------------------

    def type_sheet_count(self, key: str) -> None:
        """Type one digit of the number of sheets."""
        if place := self._visit.at(SheetCountPlace):
            typed = append_key(place.typed, key, MAX_SHEET_DIGITS)
            self._visit.show(SheetCountPlace(typed, has_keypad=True))

    def show_sheet_keypad(self) -> None:
        """Show the keypad for more than nine sheets."""
        self._visit.show(SheetCountPlace(has_keypad=True))

    def set_sheet_count(self, count: int) -> None:
        """Store the declared number of sheets; show a difference to the scanned number."""
        filing = self._visit.filing
        if filing is None:
            return
        try:
            counts = filing.declare_sheets(count, filing.record.slot)
        except KioskError:
            return
        if counts.has_mismatch:
            self._visit.show(SheetCountPlace(declared=count))
        else:
            self._visit.advance_to(DocumentsPlace())

    def submit_sheet_count(self) -> None:
        """Store the typed number of sheets."""
        place = self._visit.at(SheetCountPlace)
        if place and place.typed:
            self.set_sheet_count(int(place.typed))

    def scanned_sheets(self) -> int:
        """Return how many sheets of this document were scanned."""
        slot = self._visit.record.slot
        return next((v.sheets.scanned for v in self._visit.slots if v.slot.id == slot), 0)

    def accept_sheet_count(self) -> None:
        """Accept the scanned number of sheets."""
        self.set_sheet_count(self.scanned_sheets())

    def recount_sheets(self) -> None:
        """Ask for the number of sheets again."""
        self._visit.show(SheetCountPlace())

    # -- originals -----------------------------------------------------------------------------

    def ask_originals(self) -> None:
        """Ask for originals that do not fit the scanner."""
        self._visit.show(OriginalsPlace())

    def toggle_original(self, name: str) -> None:
        """Add ``name`` to the list of originals, or remove it."""
        now = self._visit.record.not_scanned
        others = tuple(original for original in now if original != name)
        self._visit.update_filing(not_scanned=others if name in now else (*now, name))
        self._visit.notify_change()
