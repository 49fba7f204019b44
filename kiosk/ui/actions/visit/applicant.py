"""Asks who files; everything may be left out."""

from __future__ import annotations

from dataclasses import replace

from kiosk.filing.form.applicant import field_problems
from kiosk.ui.actions.visit.context import APPLICANT_FIELDS, VisitContext
from kiosk.ui.actions.visit.scan import Scan
from kiosk.ui.formatting import append_key
from kiosk.ui.registry import ApplicantPlace, DocumentsPlace

MAX_NAME_LENGTH = 120
NUMBER_LENGTHS = {"iin": 12, "bin": 12, "phone": 16}


class ApplicantForm:
    """Fields of the applicant; they are stored in the filing when the visitor continues.

    Args:
        visit: the visit with its filing.
        scan: begins when the applicant is known and nothing has been scanned yet.
    """

    def __init__(self, visit: VisitContext, scan: Scan) -> None:
        self._visit, self._scan = visit, scan

    def ask(self) -> None:
        """Ask who files."""
        self._visit.show(self._visit.applicant_place())

    def set_kind(self, kind: str) -> None:
        """Set whether a person or an organisation files."""
        place = self._visit.at(ApplicantPlace)
        if place and kind in APPLICANT_FIELDS:
            applicant = place.applicant.model_copy(update={"kind": kind})
            field = APPLICANT_FIELDS[kind][0]
            self._visit.show(replace(place, applicant=applicant, active_field=field))

    def select_field(self, field: str) -> None:
        """Select the field that is typed in."""
        self._visit.change_place(ApplicantPlace, active_field=field)

    def type(self, key: str) -> None:
        """Type one character; a complete number selects the next field."""
        place = self._visit.at(ApplicantPlace)
        if place is None:
            return
        field = place.active_field
        before = str(getattr(place.applicant, field))
        most = NUMBER_LENGTHS.get(field, MAX_NAME_LENGTH)
        text = append_key(before, _with_case(before, key, place), most)
        place = replace(place, applicant=place.applicant.model_copy(update={field: text}))
        is_complete = bool(key) and field in ("iin", "bin") and len(text) == most
        if is_complete:
            problems = field_problems(place.applicant, self._visit.filing_service.rules)
            if field not in problems:
                place = replace(place, active_field=_field_after(place))
        self._visit.show(place)

    def select_next_field(self) -> None:
        """Select the next field (a small screen shows one at a time)."""
        if place := self._visit.at(ApplicantPlace):
            self._visit.show(replace(place, active_field=_field_after(place)))

    def show_next_keys(self) -> None:
        """Show the next page of keys."""
        if place := self._visit.at(ApplicantPlace):
            self._visit.show(replace(place, key_page=place.key_page + 1))

    def toggle_capitals(self) -> None:
        """Switch capitals on or off."""
        if place := self._visit.at(ApplicantPlace):
            self._visit.show(replace(place, has_capitals=not place.has_capitals))

    def finish(self) -> None:
        """Store the applicant, as far as known, and continue with the paper."""
        visit = self._visit
        place = visit.at(ApplicantPlace)
        if place is None or not visit.update_filing(applicant=place.applicant):
            return
        if visit.returns_to_summary:
            visit.show_summary()
        elif visit.pages:
            visit.show(DocumentsPlace())
        else:
            self._scan.begin()


def _field_after(place: ApplicantPlace) -> str:
    """Return the field after the active one; the first follows the last."""
    fields = APPLICANT_FIELDS[place.applicant.kind]
    return fields[(fields.index(place.active_field) + 1) % len(fields)]


def _with_case(before: str, key: str, place: ApplicantPlace) -> str:
    """Return ``key`` as a capital at the beginning of a word, else as capitals are set."""
    is_first = not before or before[-1] in " -«"
    return key if place.has_capitals or is_first else key.lower()
