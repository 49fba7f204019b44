"""Asks whether a case exists already, and for its number."""

from __future__ import annotations

from dataclasses import replace

from kiosk.filing.form.cases import case_number_in_code
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.formatting import append_key
from kiosk.ui.registry import CaseNumberPlace, CasePlace

MAX_CASE_NUMBER_LENGTH = 40


class CaseQuestion:
    """Stores in the filing which case it belongs to; the visitor may leave it out.

    Args:
        visit: the visit with its filing.
    """

    def __init__(self, visit: VisitContext) -> None:
        self._visit = visit

    def ask(self) -> None:
        """Ask whether a case exists already."""
        self._visit.show(CasePlace())

    def start_new(self, kind: str) -> None:
        """Declare that the filing starts a new case of ``kind``."""
        self._visit.update_filing(case_kind=kind or None, case_number=None, case_known=None)
        self.skip()

    def skip(self) -> None:
        """Continue with the applicant; the case stays as it is known."""
        self._visit.advance_to(self._visit.applicant_place())

    def enter_number(self) -> None:
        """Ask for the number of an existing case."""
        self._visit.show(CaseNumberPlace(self._visit.record.case_number or ""))

    def change_number(self) -> None:
        """Change the number that was looked up."""
        self._visit.change_place(CaseNumberPlace, is_searching=False, found=None, key_page=0)

    def type_number(self, key: str) -> None:
        """Type one character of the case number (``""``: delete the last)."""
        place = self._visit.at(CaseNumberPlace)
        if place and not place.is_searching:
            typed = append_key(place.typed, key, MAX_CASE_NUMBER_LENGTH)
            self._visit.show(replace(place, typed=typed, found=None))

    def show_next_keys(self) -> None:
        """Show the next page of keys."""
        if place := self._visit.at(CaseNumberPlace):
            self._visit.show(replace(place, key_page=place.key_page + 1))

    def is_summons(self, text: str) -> bool:
        """Return whether ``text`` names a case and a case is asked for now."""
        is_asked = isinstance(self._visit.place, CasePlace | CaseNumberPlace)
        return is_asked and case_number_in_code(text) is not None

    async def find(self, text: str = "") -> None:
        """Look up the case: ``text`` from a summons, or the typed number."""
        place = self._visit.at(CaseNumberPlace)
        typed = text or (place.typed if place else "")
        if not typed.strip():
            return
        searching = CaseNumberPlace(case_number_in_code(typed) or typed, is_searching=True)
        self._visit.show(searching)
        found = await self._visit.filing_service.find_case(typed)
        if self._visit.place == searching:
            self._visit.show(CaseNumberPlace(found.number, found=found))

    def accept(self) -> None:
        """Store the case that was looked up, known or not (R14)."""
        place = self._visit.at(CaseNumberPlace)
        if place is None or place.found is None:
            return
        found, kinds = place.found, self._visit.filing_service.rules.case_kinds
        changes: dict[str, str] = {"case_number": found.number, "case_known": found.state}
        if found.kind is not None and found.kind in kinds:
            changes["case_kind"] = found.kind
        self._visit.update_filing(**changes)
        self.skip()
