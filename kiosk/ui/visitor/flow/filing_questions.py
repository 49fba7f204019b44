"""What the visitor says: the case, who files, which documents, how many sheets, the fee.

Nothing here is needed: each step can be left out with one tap, and nothing refuses the filing.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.form.applicant import advice
from kiosk.filing.form.cases import case_in_code
from kiosk.filing.form.fee import Choice
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Applicant
from kiosk.ui.places import (
    AskingFee,
    ChoosingCase,
    Counting,
    Gathering,
    Introducing,
    NamingCase,
    NamingOriginals,
)

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)

LONGEST_NUMBER = 40
LONGEST_NAME = 120
NUMBERS = {"iin": 12, "bin": 12, "phone": 16}
ENTRIES: dict[str, tuple[str, ...]] = {
    "person": ("iin", "name", "phone"),
    "entity": ("bin", "organisation", "name", "phone"),
}
LARGEST_AMOUNT_DIGITS = 12


class Telling:
    """What the visitor says about the filing.

    Args:
        visit: the visit; its filing keeps what was said.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def _describe(self, **changes: object) -> bool:
        filing = self._visit.filing
        return filing is not None and self._visit.attempt(lambda: filing.describe(**changes))

    # -- the case ------------------------------------------------------------------------------

    def ask_case(self) -> None:
        """Ask whether there is a case already."""
        self._visit.go(ChoosingCase())

    def new_case(self, kind: str) -> None:
        """It begins a case of ``kind``."""
        self._describe(case_kind=kind or None, case_number=None, case_known=None)
        self._introduce()

    def leave_case_out(self) -> None:
        """The visitor does not know the case, or does not want to say it."""
        self._introduce()

    def _introduce(self) -> None:
        self._visit.go_on(self._introducing())

    def name_case(self) -> None:
        """Type the number of an existing case."""
        filing = self._visit.filing
        self._visit.go(NamingCase((filing.filing.case_number or "") if filing else ""))

    def name_case_again(self) -> None:
        """Change the number that was looked up."""
        place = self._visit.place
        if isinstance(place, NamingCase):
            self._visit.go(NamingCase(place.typed))

    def case_key(self, key: str) -> None:
        """Type one character of the case number (``""``: delete the last)."""
        place = self._visit.place
        if isinstance(place, NamingCase) and not place.asking:
            typed = _typed(place.typed, key, LONGEST_NUMBER)
            self._visit.go(replace(place, typed=typed, found=None))

    def is_summons(self, text: str) -> bool:
        """Return whether ``text``, held to the reader, names a case and that is wanted now."""
        wanted = isinstance(self._visit.place, ChoosingCase | NamingCase)
        return wanted and case_in_code(text) is not None

    async def find_case(self, text: str = "") -> None:
        """Look the case up: ``text`` from a summons, or what was typed."""
        place = self._visit.place
        typed = text or (place.typed if isinstance(place, NamingCase) else "")
        if not typed.strip():
            return
        number = case_in_code(typed) or typed
        self._visit.go(NamingCase(number, asking=True))
        found = await self._visit.desk.find_case(typed)
        if self._visit.place == NamingCase(number, asking=True):
            self._visit.go(NamingCase(found.number, found=found))

    def take_case(self) -> None:
        """Keep the case that was looked up, known or not (R14)."""
        place = self._visit.place
        if isinstance(place, NamingCase) and place.found is not None:
            found = place.found
            changes: dict[str, object] = {"case_number": found.number, "case_known": found.state}
            if found.kind is not None and found.kind in self._visit.desk.rules.case_kinds:
                changes["case_kind"] = found.kind
            self._describe(**changes)
            self._introduce()

    # -- who files -----------------------------------------------------------------------------

    @property
    def applicant(self) -> Applicant:
        """Who files, as far as it was said."""
        filing = self._visit.filing
        return filing.filing.applicant if filing else Applicant()

    def _introducing(self) -> Introducing:
        known = self.applicant
        return Introducing(known, ENTRIES[known.kind][0])

    def ask_who(self) -> None:
        """Ask who files."""
        self._visit.go(self._introducing())

    def who_kind(self, kind: str) -> None:
        """A person or an organisation files."""
        place = self._visit.place
        if isinstance(place, Introducing) and kind in ENTRIES:
            applicant = place.applicant.model_copy(update={"kind": kind})
            self._visit.go(replace(place, applicant=applicant, entry=ENTRIES[kind][0]))

    def who_entry(self, entry: str) -> None:
        """Type another entry."""
        place = self._visit.place
        if isinstance(place, Introducing):
            self._visit.go(replace(place, entry=entry))

    def who_key(self, key: str) -> None:
        """Type one character; a number that is whole leads to the next entry."""
        place = self._visit.place
        if not isinstance(place, Introducing):
            return
        before = str(getattr(place.applicant, place.entry))
        most = NUMBERS.get(place.entry, LONGEST_NAME)
        text = _typed(before, _cased(before, key, place), most)
        applicant = place.applicant.model_copy(update={place.entry: text})
        place = replace(place, applicant=applicant)
        if place.entry in ("iin", "bin") and len(text) == NUMBERS[place.entry] and key:
            problems = advice(applicant, self._visit.desk.rules)
            if place.entry not in problems:
                entries = ENTRIES[applicant.kind]
                place = replace(place, entry=entries[entries.index(place.entry) + 1])
        self._visit.go(place)

    def next_entry(self) -> None:
        """Type the entry after this one (a small screen shows one at a time)."""
        place = self._visit.place
        if isinstance(place, Introducing):
            entries = ENTRIES[place.applicant.kind]
            after = entries[(entries.index(place.entry) + 1) % len(entries)]
            self._visit.go(replace(place, entry=after))

    def turn_keys(self) -> None:
        """Show the next page of keys."""
        place = self._visit.place
        if isinstance(place, Introducing | NamingCase):
            self._visit.go(replace(place, keys=place.keys + 1))

    def capitals(self) -> None:
        """Write in capitals, or not any more."""
        place = self._visit.place
        if isinstance(place, Introducing):
            self._visit.go(replace(place, capitals=not place.capitals))

    def who_done(self) -> None:
        """Keep who files, as far as it was said, and go on to the paper."""
        place = self._visit.place
        if not isinstance(place, Introducing) or not self._describe(applicant=place.applicant):
            return
        if self._visit.summing_up:
            self._visit.confirm()
        elif self._visit.pages:
            self._visit.go(Gathering())
        else:
            self._visit.scan.begin()

    # -- documents in turn ---------------------------------------------------------------------

    def slots(self) -> tuple[SlotView, ...]:
        """Return the documents of the filing."""
        return self._visit.filing.slots() if self._visit.filing else ()

    def gather(self, page: int = 0, chosen: str = "") -> None:
        """Show the documents; ``chosen`` large, or the next that is not there."""
        self._visit.go(Gathering(chosen, page))

    def skip(self, slot: str, skipped: bool = True) -> None:
        """There is nothing for ``slot``: it is written down as missing; or there is, after all."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.attempt(lambda: filing.skip_slot(slot, skipped))
            self._visit.go(Gathering())

    def one_more(self, slot: str) -> None:
        """Scan one more document of the same type."""
        filing = self._visit.filing
        if filing is not None and self._visit.attempt(lambda: filing.add_slot(slot)):
            self._visit.scan.begin()

    def nothing_more(self) -> None:
        """Whatever is not there is missing: on to the summary."""
        filing = self._visit.filing
        if filing is None:
            return
        for view in self.slots():
            if not view.pages and not view.slot.skipped:
                slot = view.slot.id
                self._visit.attempt(lambda slot=slot: filing.skip_slot(slot))  # type: ignore[misc]
        self._visit.confirm()

    # -- sheets --------------------------------------------------------------------------------

    def sheets_key(self, key: str) -> None:
        """Type one digit of the number of sheets."""
        place = self._visit.place
        if isinstance(place, Counting):
            self._visit.go(Counting(_typed(place.typed, key, 3), pad=True))

    def more_sheets(self) -> None:
        """More than nine sheets: type the number."""
        self._visit.go(Counting(pad=True))

    def sheets(self, count: int | None) -> None:
        """Keep how many sheets the visitor put in; say so when another number was scanned."""
        filing = self._visit.filing
        if filing is None:
            return
        try:
            told = filing.count_sheets(count, filing.filing.slot)
        except KioskError:
            return
        if told.differs:
            self._visit.go(Counting(said=count))
        else:
            self._visit.go_on(Gathering())

    def sheets_typed(self) -> None:
        """The number of sheets was typed."""
        place = self._visit.place
        if isinstance(place, Counting) and place.typed:
            self.sheets(int(place.typed))

    def scanned(self) -> int:
        """Return how many sheets of this document were scanned."""
        filing = self._visit.filing
        slot = filing.filing.slot if filing else ""
        return next((v.sheets.scanned for v in self.slots() if v.slot.id == slot), 0)

    def sheets_right(self) -> None:
        """What was scanned is right."""
        self.sheets(self.scanned())

    def count_again(self) -> None:
        """The visitor counts again."""
        self._visit.go(Counting())

    # -- originals -----------------------------------------------------------------------------

    def ask_originals(self) -> None:
        """Ask what does not fit the scanner."""
        self._visit.go(NamingOriginals())

    def original(self, name: str) -> None:
        """Put ``name`` onto the list of originals to be handed in, or take it off."""
        filing = self._visit.filing
        if filing is not None:
            now = filing.filing.not_scanned
            after = tuple(one for one in now if one != name) if name in now else (*now, name)
            self._describe(not_scanned=after)
            self._visit.changed()

    # -- the state fee -------------------------------------------------------------------------

    def fees(self) -> tuple[Choice, ...]:
        """Return the fees that may be due."""
        return self._visit.desk.fees(self._visit.filing) if self._visit.filing else ()

    def ask_fee(self) -> None:
        """Ask what is needed for a hint about the state fee."""
        filing = self._visit.filing
        if filing is None:
            return
        known, choices = filing.filing.fee, self._visit.desk.fees(filing)
        fee = known.fee if known else None
        if fee is None and len(choices) == 1:
            fee = choices[0].id
        amount = f"{known.amount:f}" if known and known.amount is not None else ""
        exemption = known.exemption if known else None
        choosing = "amount" if fee or not choices else "fee"
        self._reckon(AskingFee(fee, amount, exemption, choosing))  # type: ignore[arg-type]

    def _reckon(self, place: AskingFee) -> None:
        """Show what may be due, by what was said so far; it is kept with the filing."""
        filing, hint = self._visit.filing, None
        if filing is not None:
            try:
                amount = Decimal(place.amount) if place.amount else None
                hint = self._visit.desk.fee(
                    filing, fee_id=place.fee, amount=amount, exemption=place.exemption
                )
            except (KioskError, InvalidOperation) as error:
                log.info("fee: %s", error)
        self._visit.go(replace(place, hint=hint))

    def _fee(self, **changes: object) -> None:
        place = self._visit.place
        if isinstance(place, AskingFee):
            self._reckon(replace(place, **changes))  # type: ignore[arg-type]

    def choose_fee(self, fee: str) -> None:
        """It is this fee."""
        self._fee(fee=fee, choosing="amount", page=0)

    def amount_key(self, key: str) -> None:
        """Type one digit of the amount of the claim."""
        place = self._visit.place
        if isinstance(place, AskingFee):
            self._fee(amount=_typed(place.amount, key, LARGEST_AMOUNT_DIGITS).lstrip("0"))

    def fee_choice(self, choosing: str, page: int = 0) -> None:
        """Choose the fee or an exemption, or type the amount."""
        self._fee(choosing=choosing, page=page)

    def exempt(self, ground: str | None) -> None:
        """Name a ground of exemption, or none; the court decides."""
        self._fee(exemption=ground, choosing="amount", page=0)

    def fee_done(self) -> None:
        """Enough about the fee."""
        self._visit.go_on(Gathering())


def _typed(text: str, key: str, most: int) -> str:
    """Return ``text`` with one more character; ``""`` deletes the last."""
    return (text + key)[:most] if key else text[:-1]


def _cased(before: str, key: str, place: Introducing) -> str:
    """Return ``key`` as it is written here: a name's first letter is a capital."""
    begins = not before or before[-1] in " -«"
    return key if place.capitals or begins else key.lower()
