"""The documents of the filing: which are there, which is next, which are missing."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.filing.form.fee import PAYMENT_PROOF_SLOT
from kiosk.filing.form.required_documents import SlotView
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import DocumentsPlace
from kiosk.ui.samples.visit_states import filing
from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class DocumentRow:
    """One document of the filing: ``state`` in words, ``tone`` its colours."""

    id: str
    label: str
    state: str
    tone: Tone
    icon: str


@dataclass(frozen=True)
class DocumentsView:
    """The documents of the filing, and the chosen one."""

    rows: tuple[DocumentRow, ...]
    chosen: str
    label: str
    note: str
    pages: int
    skipped: bool
    many: bool
    fee: bool
    page: int
    originals: str


def view(app: AppState) -> DocumentsView:
    """Return the documents; the next one is neither present nor skipped."""
    _, ngettext = app.translate.gettext, app.translate.ngettext
    place, slots, originals = (
        app.visit.place_as(DocumentsPlace),
        app.visit.slots,
        app.visit.record.not_scanned,
    )
    rows = tuple(_row(app, slot, slots) for slot in slots)
    waiting = [view for view in slots if not view.pages and not view.slot.skipped]
    known = {view.slot.id: view for view in slots}
    chosen = known.get(place.chosen) or (waiting[0] if waiting else slots[-1])
    row = next(row for row in rows if row.id == chosen.slot.id)
    if chosen.slot.skipped:
        note = _("Written down as missing. You may bring it later.")
    elif chosen.pages:
        note = row.state
    elif chosen.slot.required:
        note = _("The court expects this document.")
    else:
        note = _("If you have it with you.")
    return DocumentsView(
        rows=rows,
        chosen=chosen.slot.id,
        label=row.label,
        note=note,
        pages=len(chosen.pages),
        skipped=chosen.slot.skipped,
        many=chosen.slot.many,
        fee=chosen.slot.type == PAYMENT_PROOF_SLOT,
        page=place.page,
        originals=ngettext("{n} original on paper", "{n} originals on paper", len(originals))
        if originals
        else "",
    )


def _row(app: AppState, view: SlotView, slots: tuple[SlotView, ...]) -> DocumentRow:
    same = [other.slot.id for other in slots if other.slot.type == view.slot.type]
    label = app.labels.document_type(view.slot.type)
    if len(same) > 1:
        label = f"{label} {same.index(view.slot.id) + 1}"
    state, tone, icon = _state(app, view)
    return DocumentRow(view.slot.id, label, state, tone, icon)


def _state(app: AppState, view: SlotView) -> tuple[str, Tone, str]:
    """Return the state in words, its colours and its icon."""
    if view.pages:
        count = app.translate.ngettext("{n} page", "{n} pages", len(view.pages))
        return (
            (count, "caution", "alert-outline")
            if view.sheets.has_mismatch
            else (count, "good", "check")
        )
    if view.slot.skipped:
        return app.translate.gettext("missing"), "plain", "minus-circle-outline"
    return "", "plain", "file-document-outline"


POWER = "power_of_attorney"
SAMPLES = {
    "documents": filing(DocumentsPlace()),
    "documents-fee": filing(DocumentsPlace("fee_receipt"), declared=3),
    "documents-skipped": filing(DocumentsPlace(POWER), skipped=(POWER,), originals=("Диск",)),
    "documents-there": filing(DocumentsPlace("claim"), declared=4),
}
