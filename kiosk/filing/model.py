"""The filing as stored in ``filing.json``, and its states.

::

    draft --submit--> submitted --register--> registered ----deliver--> delivered
                          |                        ^
                          +--no answer--> provisional --reconcile--+

A draft is wiped if it is not submitted; everything else is kept. After the ``submitted`` marker
sync delivers the filing and keeps its own state; the state here is this package's.

Format 2 has slots: every page belongs to a slot, and each slot becomes a document. A draft of
format 1 is read with all pages in the slot of its document type.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kiosk.clocks import format_wall
from kiosk.filing.errors import NoPagesError, StepRefusedError
from kiosk.locale import Language

FilingState = Literal["draft", "submitted", "provisional", "registered", "delivered"]

_NEXT_STATES: dict[FilingState, frozenset[FilingState]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"provisional", "registered"}),
    "provisional": frozenset({"registered", "delivered"}),
    "registered": frozenset({"delivered"}),
    "delivered": frozenset(),
}


class FilingModel(BaseModel):
    """Part of ``filing.json``: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(FilingModel):
    """A page of the document.

    Attributes:
        number: number of its file ``pages/NNNN.jpg``; it never changes and is never used again.
        turn: degrees clockwise by which the person or the kiosk (``page_upside_down``) turned it.
        advice: codes of :mod:`kiosk.filing.imaging.page_advice`, most severe first.
        skew: degrees of the text's skew, counter-clockwise; the document is straightened.
        checked: whether the kiosk has checked the page.
        deleted: deleted by the person, who can restore it until submission.
        slot: id of the slot it belongs to.
        sheet: number of the sheet's first page, the same for both sides.
    """

    number: int
    turn: Literal[0, 90, 180, 270] = 0
    advice: tuple[str, ...] = ()
    skew: float = 0.0
    checked: bool = False
    deleted: bool = False
    slot: str = ""
    sheet: int | None = None

    @property
    def sheet_key(self) -> int:
        """Number of its sheet, the same for both sides."""
        return self.number if self.sheet is None else self.sheet


class Slot(FilingModel):
    """A place for one document of the filing.

    Attributes:
        id: the type, or ``<type>-2``, ``-3``, ... where there are several of it.
        type: document type id.
        required: whether the court expects it; an empty slot never refuses the filing (R14).
        many: whether there may be another one of the type.
        skipped: the person has no such document.
        sheets_said: number of its sheets of paper as the person counted them.
    """

    id: str
    type: str
    required: bool = False
    many: bool = False
    skipped: bool = False
    sheets_said: int | None = None


class Document(FilingModel):
    """A submitted file.

    Attributes:
        path: name in the filing's folder.
        type: document type id.
        pages: number of its pages.
        sha256: hexadecimal.
        size: bytes.
        part: number from 1 if the document had to be split; ``parts`` is their count.
        slot: id of the slot whose pages it holds.
    """

    path: str
    type: str
    pages: int
    sha256: str
    size: int
    part: int = 1
    parts: int = 1
    slot: str = ""


class Applicant(FilingModel):
    """The applicant, as far as the person gave the data.

    For a legal entity (``kind``), ``organisation`` and ``bin`` are the entity's; ``name``, ``iin``
    and ``phone`` are those of its representative.
    """

    kind: Literal["person", "entity"] = "person"
    name: str = ""
    iin: str = ""
    phone: str = ""
    organisation: str = ""
    bin: str = ""


class FeeStatement(FilingModel):
    """The state fee as declared and computed: a hint, never a reason to refuse (R14).

    Attributes:
        fee: id of a row of table 10.
        amount: amount in tenge, as the person declared it (of the claim, or what is disputed).
        documents: number of documents to copy, as the person declared it.
        pages: number of their pages.
        hint: the fee in tenge; None if it cannot be computed.
        mrp: monthly index used.
        paid_on: date of payment, ``YYYY-MM-DD``.
        exemption: id of the ground that the person named; the court decides.
    """

    fee: str
    amount: Decimal | None = None
    documents: int | None = None
    pages: int | None = None
    hint: Decimal | None = None
    mrp: Decimal | None = None
    paid_on: str | None = None
    exemption: str | None = None


class Filing(FilingModel):
    """Content of ``filing.json`` (of a draft: encrypted in ``draft.sealed``).

    Attributes:
        case_known: result of a look-up: ``known``, ``unknown``, or ``unchecked`` (no list and no
            connection); an unknown number is accepted too.
        slots: in the order of scanning.
        slot: slot of the next pages.
    """

    format: Literal[2] = 2
    id: str = Field(default_factory=lambda: str(uuid4()))
    state: FilingState = "draft"
    language: Language = "kk"
    document_type: str
    case_kind: str | None = None
    case_number: str | None = None
    case_known: Literal["known", "unknown", "unchecked"] | None = None
    applicant: Applicant = Applicant()
    fee: FeeStatement | None = None
    created_at: str = Field(default_factory=format_wall)
    submitted_at: str | None = None
    delivered_at: str | None = None
    pages: tuple[Page, ...] = ()
    sheets_said: int | None = None
    not_scanned: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    slots: tuple[Slot, ...] = ()
    slot: str = ""

    @model_validator(mode="before")
    @classmethod
    def _migrate_format_1(cls, value: object) -> object:
        """Give a filing without slots (format 1) the slot of its document type."""
        if not isinstance(value, dict):
            return value
        value = {**value, "format": 2} if value.get("format") == 1 else dict(value)
        kind = value.get("document_type")
        if kind and not value.get("slots"):
            value["slots"] = ({"id": kind, "type": kind, "required": True},)
        return value

    @model_validator(mode="after")
    def _assign_missing_slots(self) -> Filing:
        ids = {slot.id for slot in self.slots}
        first = self.slots[0].id
        if self.slot not in ids:
            object.__setattr__(self, "slot", first)
        if any(page.slot not in ids for page in self.pages):
            assigned = (
                page if page.slot in ids else page.model_copy(update={"slot": first})
                for page in self.pages
            )
            object.__setattr__(self, "pages", tuple(assigned))
        return self

    # -- pages -------------------------------------------------------------------------------
    @property
    def kept_pages(self) -> tuple[Page, ...]:
        """Pages to submit, slot by slot, in order."""
        return tuple(page for slot in self.slots for page in self.pages_of(slot.id))

    def pages_of(self, slot: str) -> tuple[Page, ...]:
        """Return the kept pages of a slot, in order."""
        return tuple(page for page in self.pages if page.slot == slot and not page.deleted)

    @property
    def next_page(self) -> int:
        """Number of the next page to scan."""
        return max((page.number for page in self.pages), default=0) + 1

    def page(self, number: int) -> Page:
        """Return page ``number``; raise :class:`StepRefusedError` if there is none."""
        for page in self.pages:
            if page.number == number:
                return page
        raise StepRefusedError(f"no page {number}")

    def with_page(self, page: Page) -> Filing:
        """Return the filing with ``page`` in its place, or at the end of its slot.

        A page without a slot goes to the current slot. A page scanned again keeps its place and
        its sheet. A missing page that comes late goes where its number belongs.
        """
        self._require_state("draft")
        old = next((known for known in self.pages if known.number == page.number), None)
        slot = page.slot or (old.slot if old else self.slot)
        sheet = page.sheet if page.sheet is not None or old is None else old.sheet
        page = page.model_copy(update={"slot": self.find_slot(slot).id, "sheet": sheet})
        if old is not None:
            pages = tuple(page if known is old else known for known in self.pages)
        else:
            at = self._insertion_index(page.number)
            pages = (*self.pages[:at], page, *self.pages[at:])
        return self.model_copy(update={"pages": pages})

    def _insertion_index(self, number: int) -> int:
        """Return the index at which a new page with this number belongs."""
        earlier = max((page.number for page in self.pages if page.number < number), default=0)
        if all(page.number < number for page in self.pages):
            return len(self.pages)
        numbers = [page.number for page in self.pages]
        return numbers.index(earlier) + 1 if earlier else 0

    def with_page_moved(self, number: int, position: int, slot: str | None = None) -> Filing:
        """Return the filing with page ``number`` at ``position`` (from 1) of a slot's kept pages.

        Args:
            number: the page.
            position: its new position; beyond the end means last.
            slot: its new slot; None for its own.
        """
        self._require_state("draft")
        page = self.page(number)
        target_slot = self.find_slot(slot or page.slot).id
        page = page.model_copy(update={"slot": target_slot})
        others = [other for other in self.pages if other.number != number]
        kept = [other.number for other in others if other.slot == target_slot and not other.deleted]
        index = min(max(position, 1), len(kept) + 1) - 1
        numbers = [other.number for other in others]
        at = numbers.index(kept[index]) if index < len(kept) else len(others)
        return self.model_copy(update={"pages": (*others[:at], page, *others[at:])})

    # -- slots -------------------------------------------------------------------------------
    def find_slot(self, slot: str) -> Slot:
        """Return slot ``slot``; raise :class:`StepRefusedError` if there is none."""
        for found in self.slots:
            if found.id == slot:
                return found
        raise StepRefusedError(f"no slot {slot}")

    def with_slot(self, slot: Slot) -> Filing:
        """Return the filing with ``slot`` in its place, or after the slots of its type."""
        self._require_state("draft")
        if any(old.id == slot.id for old in self.slots):
            slots = tuple(slot if old.id == slot.id else old for old in self.slots)
        else:
            last = max(
                (n for n, old in enumerate(self.slots) if old.type == slot.type),
                default=len(self.slots) - 1,
            )
            slots = (*self.slots[: last + 1], slot, *self.slots[last + 1 :])
        return self.model_copy(update={"slots": slots})

    # -- states ------------------------------------------------------------------------------
    def with_state(self, state: FilingState, **changes: object) -> Filing:
        """Return the filing in its next ``state``.

        Raises:
            StepRefusedError: the state does not follow the present one.
        """
        if state not in _NEXT_STATES[self.state]:
            raise StepRefusedError(f"{state} does not follow {self.state}")
        return self.model_copy(update={"state": state, **changes})

    def as_submitted(self, documents: tuple[Document, ...], at: datetime | None = None) -> Filing:
        """Return the filing, submitted with ``documents``.

        Raises:
            NoPagesError: it has no pages or documents.
        """
        if not self.kept_pages or not documents:
            raise NoPagesError("nothing to hand in")
        return self.with_state("submitted", documents=documents, submitted_at=format_wall(at))

    def _require_state(self, state: FilingState) -> None:
        if self.state != state:
            raise StepRefusedError(f"the filing is {self.state}, not {state}")
