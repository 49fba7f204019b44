"""Questions about the filing: case, applicant, documents, sheets, originals, state fee.

Every question can be skipped with one tap, and no answer makes the kiosk refuse the filing.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.form.applicant import field_problems
from kiosk.filing.form.cases import case_number_in_code
from kiosk.filing.form.fee import FeeOption
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Applicant
from kiosk.ui.registry import (
    ApplicantPlace,
    CaseNumberPlace,
    CasePlace,
    DocumentsPlace,
    FeePlace,
    OriginalsPlace,
    SheetCountPlace,
)

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)

MAX_CASE_NUMBER_LENGTH = 40
MAX_NAME_LENGTH = 120
NUMBER_LENGTHS = {"iin": 12, "bin": 12, "phone": 16}
APPLICANT_FIELDS: dict[str, tuple[str, ...]] = {
    "person": ("iin", "name", "phone"),
    "entity": ("bin", "organisation", "name", "phone"),
}
MAX_AMOUNT_DIGITS = 12


class FilingQuestions:
    """Asks about the filing and stores the visitor's answers in it.

    Args:
        visit: the visit; its filing keeps what was said.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def _update_filing(self, **changes: object) -> bool:
        filing = self._visit.filing
        return filing is not None and self._visit.try_action(
            lambda: filing.update_details(**changes)
        )

    # -- the case ------------------------------------------------------------------------------

    def ask_case(self) -> None:
        """Ask whether a case exists already."""
        self._visit.show(CasePlace())

    def new_case(self, kind: str) -> None:
        """Declare that the filing starts a new case of ``kind``."""
        self._update_filing(case_kind=kind or None, case_number=None, case_known=None)
        self._ask_applicant_next()

    def skip_case(self) -> None:
        """Leave the case out: the visitor does not know it or does not want to give it."""
        self._ask_applicant_next()

    def _ask_applicant_next(self) -> None:
        self._visit.advance_to(self._applicant_place())

    def enter_case_number(self) -> None:
        """Ask for the number of an existing case."""
        filing = self._visit.filing
        self._visit.show(CaseNumberPlace((filing.record.case_number or "") if filing else ""))

    def change_case_number(self) -> None:
        """Change the number that was looked up."""
        place = self._visit.place
        if isinstance(place, CaseNumberPlace):
            self._visit.show(CaseNumberPlace(place.typed))

    def type_case_number(self, key: str) -> None:
        """Type one character of the case number (``""``: delete the last)."""
        place = self._visit.place
        if isinstance(place, CaseNumberPlace) and not place.is_searching:
            typed = _append_key(place.typed, key, MAX_CASE_NUMBER_LENGTH)
            self._visit.show(replace(place, typed=typed, found=None))

    def is_summons(self, text: str) -> bool:
        """Return whether ``text`` names a case and a case is asked for now."""
        wanted = isinstance(self._visit.place, CasePlace | CaseNumberPlace)
        return wanted and case_number_in_code(text) is not None

    async def find_case(self, text: str = "") -> None:
        """Look up the case: ``text`` from a summons, or the typed number."""
        place = self._visit.place
        typed = text or (place.typed if isinstance(place, CaseNumberPlace) else "")
        if not typed.strip():
            return
        number = case_number_in_code(typed) or typed
        self._visit.show(CaseNumberPlace(number, is_searching=True))
        found = await self._visit.filing_service.find_case(typed)
        if self._visit.place == CaseNumberPlace(number, is_searching=True):
            self._visit.show(CaseNumberPlace(found.number, found=found))

    def accept_case(self) -> None:
        """Store the case that was looked up, known or not (R14)."""
        place = self._visit.place
        if isinstance(place, CaseNumberPlace) and place.found is not None:
            found = place.found
            changes: dict[str, object] = {"case_number": found.number, "case_known": found.state}
            if found.kind is not None and found.kind in self._visit.filing_service.rules.case_kinds:
                changes["case_kind"] = found.kind
            self._update_filing(**changes)
            self._ask_applicant_next()

    # -- who files -----------------------------------------------------------------------------

    @property
    def applicant(self) -> Applicant:
        """The applicant, as far as known."""
        filing = self._visit.filing
        return filing.record.applicant if filing else Applicant()

    def _applicant_place(self) -> ApplicantPlace:
        known = self.applicant
        return ApplicantPlace(known, APPLICANT_FIELDS[known.kind][0])

    def ask_applicant(self) -> None:
        """Ask who files."""
        self._visit.show(self._applicant_place())

    def set_applicant_kind(self, kind: str) -> None:
        """Set whether a person or an organisation files."""
        place = self._visit.place
        if isinstance(place, ApplicantPlace) and kind in APPLICANT_FIELDS:
            applicant = place.applicant.model_copy(update={"kind": kind})
            self._visit.show(
                replace(place, applicant=applicant, active_field=APPLICANT_FIELDS[kind][0])
            )

    def select_field(self, field: str) -> None:
        """Select the field that is typed in."""
        place = self._visit.place
        if isinstance(place, ApplicantPlace):
            self._visit.show(replace(place, active_field=field))

    def type_in_field(self, key: str) -> None:
        """Type one character; a complete number selects the next field."""
        place = self._visit.place
        if not isinstance(place, ApplicantPlace):
            return
        before = str(getattr(place.applicant, place.active_field))
        most = NUMBER_LENGTHS.get(place.active_field, MAX_NAME_LENGTH)
        text = _append_key(before, _with_case(before, key, place), most)
        applicant = place.applicant.model_copy(update={place.active_field: text})
        place = replace(place, applicant=applicant)
        if (
            place.active_field in ("iin", "bin")
            and len(text) == NUMBER_LENGTHS[place.active_field]
            and key
        ):
            problems = field_problems(applicant, self._visit.filing_service.rules)
            if place.active_field not in problems:
                fields = APPLICANT_FIELDS[applicant.kind]
                place = replace(place, active_field=fields[fields.index(place.active_field) + 1])
        self._visit.show(place)

    def select_next_field(self) -> None:
        """Select the next field (a small screen shows one at a time)."""
        place = self._visit.place
        if isinstance(place, ApplicantPlace):
            fields = APPLICANT_FIELDS[place.applicant.kind]
            after = fields[(fields.index(place.active_field) + 1) % len(fields)]
            self._visit.show(replace(place, active_field=after))

    def show_next_keys(self) -> None:
        """Show the next page of keys."""
        place = self._visit.place
        if isinstance(place, ApplicantPlace | CaseNumberPlace):
            self._visit.show(replace(place, key_page=place.key_page + 1))

    def toggle_capitals(self) -> None:
        """Switch capitals on or off."""
        place = self._visit.place
        if isinstance(place, ApplicantPlace):
            self._visit.show(replace(place, has_capitals=not place.has_capitals))

    def finish_applicant(self) -> None:
        """Store the applicant, as far as known, and continue with the paper."""
        place = self._visit.place
        if not isinstance(place, ApplicantPlace) or not self._update_filing(
            applicant=place.applicant
        ):
            return
        if self._visit.returns_to_summary:
            self._visit.show_summary()
        elif self._visit.pages:
            self._visit.show(DocumentsPlace())
        else:
            self._visit.scan.begin()

    # -- documents in turn ---------------------------------------------------------------------

    def slots(self) -> tuple[SlotView, ...]:
        """Return the documents of the filing."""
        return self._visit.filing.slots() if self._visit.filing else ()

    def show_documents(self, page: int = 0, chosen: str = "") -> None:
        """Show the documents; ``chosen`` large, or the next missing one."""
        self._visit.show(DocumentsPlace(chosen, page))

    def skip_document(self, slot: str, skipped: bool = True) -> None:
        """Record ``slot`` as missing, or as present after all."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.try_action(lambda: filing.skip_slot(slot, skipped))
            self._visit.show(DocumentsPlace())

    def add_document(self, slot: str) -> None:
        """Scan one more document of the same type."""
        filing = self._visit.filing
        if filing is not None and self._visit.try_action(lambda: filing.add_slot(slot)):
            self._visit.scan.begin()

    def finish_documents(self) -> None:
        """Record all empty slots as missing and show the summary."""
        filing = self._visit.filing
        if filing is None:
            return
        for view in self.slots():
            if not view.pages and not view.slot.skipped:
                slot = view.slot.id
                self._visit.try_action(lambda slot=slot: filing.skip_slot(slot))  # type: ignore[misc]
        self._visit.show_summary()

    # -- sheets --------------------------------------------------------------------------------

    def type_sheet_count(self, key: str) -> None:
        """Type one digit of the number of sheets."""
        place = self._visit.place
        if isinstance(place, SheetCountPlace):
            self._visit.show(SheetCountPlace(_append_key(place.typed, key, 3), has_keypad=True))

    def show_sheet_keypad(self) -> None:
        """Show the keypad for more than nine sheets."""
        self._visit.show(SheetCountPlace(has_keypad=True))

    def set_sheet_count(self, count: int | None) -> None:
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
        place = self._visit.place
        if isinstance(place, SheetCountPlace) and place.typed:
            self.set_sheet_count(int(place.typed))

    def scanned_sheets(self) -> int:
        """Return how many sheets of this document were scanned."""
        filing = self._visit.filing
        slot = filing.record.slot if filing else ""
        return next((v.sheets.scanned for v in self.slots() if v.slot.id == slot), 0)

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
        filing = self._visit.filing
        if filing is not None:
            now = filing.record.not_scanned
            after = (
                tuple(original for original in now if original != name)
                if name in now
                else (*now, name)
            )
            self._update_filing(not_scanned=after)
            self._visit.notify_change()

    # -- the state fee -------------------------------------------------------------------------

    def fee_options(self) -> tuple[FeeOption, ...]:
        """Return the fees that may be due."""
        return (
            self._visit.filing_service.fee_options(self._visit.filing) if self._visit.filing else ()
        )

    def ask_fee(self) -> None:
        """Ask what is needed for a hint about the state fee."""
        filing = self._visit.filing
        if filing is None:
            return
        known, choices = filing.record.fee, self._visit.filing_service.fee_options(filing)
        fee = known.fee if known else None
        if fee is None and len(choices) == 1:
            fee = choices[0].id
        amount = f"{known.amount:f}" if known and known.amount is not None else ""
        exemption = known.exemption if known else None
        choosing = "amount" if fee or not choices else "fee"
        self._show_fee_hint(FeePlace(fee, amount, exemption, choosing))  # type: ignore[arg-type]

    def _show_fee_hint(self, place: FeePlace) -> None:
        """Show the fee for the answers so far; they are stored in the filing."""
        filing, hint = self._visit.filing, None
        if filing is not None:
            try:
                amount = Decimal(place.amount) if place.amount else None
                hint = self._visit.filing_service.fee_hint(
                    filing, fee_id=place.fee, amount=amount, exemption=place.exemption
                )
            except (KioskError, InvalidOperation) as error:
                log.info("fee: %s", error)
        self._visit.show(replace(place, hint=hint))

    def _change_fee(self, **changes: object) -> None:
        place = self._visit.place
        if isinstance(place, FeePlace):
            self._show_fee_hint(replace(place, **changes))  # type: ignore[arg-type]

    def choose_fee(self, fee: str) -> None:
        """Choose ``fee``."""
        self._change_fee(fee=fee, choosing="amount", page=0)

    def type_amount(self, key: str) -> None:
        """Type one digit of the amount of the claim."""
        place = self._visit.place
        if isinstance(place, FeePlace):
            self._change_fee(amount=_append_key(place.amount, key, MAX_AMOUNT_DIGITS).lstrip("0"))

    def show_fee_options(self, choosing: str, page: int = 0) -> None:
        """Show the fees, the exemptions, or the keypad for the amount."""
        self._change_fee(choosing=choosing, page=page)

    def choose_exemption(self, ground: str | None) -> None:
        """Choose a ground of exemption, or none; the court decides."""
        self._change_fee(exemption=ground, choosing="amount", page=0)

    def finish_fee(self) -> None:
        """Finish the questions about the fee."""
        self._visit.advance_to(DocumentsPlace())


def _append_key(text: str, key: str, most: int) -> str:
    """Return ``text`` with one more character; ``""`` deletes the last."""
    return (text + key)[:most] if key else text[:-1]


def _with_case(before: str, key: str, place: ApplicantPlace) -> str:
    """Return ``key`` in the case that is written here: a name's first letter is a capital."""
    is_first = not before or before[-1] in " -«"
    return key if place.has_capitals or is_first else key.lower()
