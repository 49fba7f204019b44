"""Slots of a filing: documents that belong to its type, present or missing.

They never refuse a filing: a skipped or empty slot is recorded as missing (R14).
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.errors import StepRefusedError
from kiosk.filing.model import Filing, Page, Slot
from kiosk.locale import Language
from kiosk.rules import Rules


@dataclass(frozen=True)
class SheetCount:
    """Sheets of paper, declared by the person and scanned (both sides are one sheet)."""

    declared: int | None
    scanned: int

    @property
    def has_mismatch(self) -> bool:
        """Whether the person declared another number."""
        return self.declared is not None and self.declared != self.scanned


@dataclass(frozen=True)
class SlotView:
    """A slot for the screen.

    Attributes:
        slot: the slot itself.
        label: its document type in the visitor's language, numbered if there are several.
        pages: its kept pages, in order.
        sheets: count of its sheets.
        is_missing: whether it is empty though the court expects it, or skipped.
    """

    slot: Slot
    label: str
    pages: tuple[Page, ...]
    sheets: SheetCount
    is_missing: bool


def slots_of_type(rules: Rules, document_type: str) -> tuple[Slot, ...]:
    """Return the slots of ``document_type`` by the rules data."""
    return tuple(
        Slot(id=slot.type, type=slot.type, required=slot.required, many=slot.many)
        for slot in rules.document_type(document_type).slots
    )


def slot_views(filing: Filing, rules: Rules, language: Language) -> tuple[SlotView, ...]:
    """Return every slot of ``filing`` in order."""
    return tuple(
        SlotView(
            slot=slot,
            label=slot_label(filing, slot, rules, language),
            pages=filing.pages_of(slot.id),
            sheets=SheetCount(slot.sheets_said, _count_sheets(filing.pages_of(slot.id))),
            is_missing=is_missing(filing, slot),
        )
        for slot in filing.slots
    )


def slot_label(filing: Filing, slot: Slot, rules: Rules, language: Language) -> str:
    """Return the name of a slot's document, numbered if there are several of the type."""
    label = rules.document_type(slot.type).label.text(language)
    same = [other.id for other in filing.slots if other.type == slot.type]
    return f"{label} {same.index(slot.id) + 1}" if len(same) > 1 else label


def is_missing(filing: Filing, slot: Slot) -> bool:
    """Return whether a slot is recorded as missing."""
    return not filing.pages_of(slot.id) and (slot.required or slot.skipped)


def sheet_count(filing: Filing) -> SheetCount:
    """Return the sheet count of the whole filing.

    If the person counted only by slot, the sum is the declared number.
    """
    said = filing.sheets_said
    counted = [slot.sheets_said for slot in filing.slots if slot.sheets_said is not None]
    if said is None and counted:
        said = sum(counted)
    return SheetCount(said, _count_sheets(filing.kept_pages))


def _count_sheets(pages: tuple[Page, ...]) -> int:
    return len({page.sheet_key for page in pages})


def with_slot_added(filing: Filing, slot: str) -> tuple[Filing, Slot]:
    """Return the filing with another slot of the type of ``slot``, and that slot, now current.

    Raises:
        StepRefusedError: the type allows only one.
    """
    model = filing.find_slot(slot)
    if not model.many:
        raise StepRefusedError(f"only one {model.type}")
    count = sum(other.type == model.type for other in filing.slots)
    new_slots = Slot(id=f"{model.type}-{count + 1}", type=model.type, many=True)
    return filing.with_slot(new_slots).model_copy(update={"slot": new_slots.id}), new_slots


def with_slot_skipped(filing: Filing, slot: str, skipped: bool = True) -> Filing:
    """Return the filing with a slot skipped or not skipped.

    Raises:
        StepRefusedError: it has pages.
    """
    if skipped and filing.pages_of(slot):
        raise StepRefusedError("there are pages in it")
    return filing.with_slot(filing.find_slot(slot).model_copy(update={"skipped": skipped}))


def with_document_type(filing: Filing, document_type: str, rules: Rules) -> Filing:
    """Return the filing with another document type; pages stay in slots of the same type.

    The main document's pages go to the new type's first slot. Other pages without a slot go to its
    last one.
    """
    new_slots = slots_of_type(rules, document_type)
    ids = {slot.id for slot in new_slots}
    added_slots = tuple(
        slot
        for slot in filing.slots
        if slot.id not in ids and any(new.type == slot.type and new.many for new in new_slots)
    )
    known = {slot.id: slot for slot in filing.slots}
    slots = [
        known[slot.id].model_copy(update={"required": slot.required, "many": slot.many})
        if slot.id in known
        else slot
        for slot in new_slots
    ]
    slots += added_slots
    ids |= {slot.id for slot in added_slots}
    main = filing.slots[0].id

    def reassign_page(page: Page) -> Page:
        if page.slot in ids:
            return page
        slot = new_slots[0].id if page.slot == main else new_slots[-1].id
        return page.model_copy(update={"slot": slot})

    value = filing.model_copy(
        update={
            "document_type": document_type,
            "slots": tuple(slots),
            "slot": filing.slot if filing.slot in ids else new_slots[0].id,
            "pages": tuple(reassign_page(page) for page in filing.pages),
        }
    )
    return Filing.model_validate(value.model_dump())
