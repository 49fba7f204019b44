"""The scanned pages of one document: one large with its remarks, thumbnails of all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.alarms import alarm_of
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.service import PageChecked
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import PAGE_ADVICE, visit
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.scan.thumbnails import Thumbnail, file_stamp, make_thumbnails


@dataclass(frozen=True)
class PageRemark:
    """One result of the page checks, in words."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class PageReviewView:
    """The selected page, its remarks, and the thumbnails; shown in four layouts.

    ``others``: id and label of the documents to which a page can be moved.
    """

    title: str
    label: str
    picture: Path | None
    stamp: int
    remarks: tuple[PageRemark, ...]
    thumbnails: tuple[Thumbnail, ...]
    chosen: int
    page: int | None
    count: str
    flagged_count: int
    flagged_only: bool
    can_undo: bool
    others: tuple[tuple[str, str], ...]


def view(app: AppState) -> PageReviewView:
    """Return the selected page, its remarks, and all thumbnails (or the flagged ones)."""
    _, visit, record, labels = app.translate.gettext, app.visit, app.visit.record, app.labels
    place, pages, checks = visit.place_as(PageReviewPlace), visit.slot_pages, visit.checks
    thumbnails = make_thumbnails(pages, checks)
    flagged = tuple(thumbnail for thumbnail in thumbnails if thumbnail.is_flagged)
    is_filtered = place.flagged_only and bool(flagged)
    chosen = max(1, min(place.chosen, len(pages)))
    check = checks.get(pages[chosen - 1].number) if pages else None
    picture = check.preview if check else None
    return PageReviewView(
        title=_("Page {n} of {m}", n=chosen, m=len(pages)) if pages else _("No pages"),
        label=labels.document_type(record.find_slot(record.slot).type),
        picture=picture,
        stamp=file_stamp(picture),
        remarks=_remarks(app, check) if pages else (),
        thumbnails=flagged if is_filtered else thumbnails,
        chosen=chosen,
        page=place.page,
        count=app.translate.ngettext("{n} page", "{n} pages", len(pages)),
        flagged_count=len(flagged),
        flagged_only=is_filtered,
        can_undo=place.deleted is not None,
        others=tuple(
            (slot.id, labels.document_type(slot.type))
            for slot in record.slots
            if slot.id != record.slot
        ),
    )


def _remarks(app: AppState, check: PageChecked | None) -> tuple[PageRemark, ...]:
    _ = app.translate.gettext
    if check is None:
        return (PageRemark("plain", _("The page is being looked at…")),)
    found = []
    for code in check.advice:
        advice = ADVICE.get(code)
        if advice is None:
            found.append(PageRemark("fault", alarm_of(code).say(app.translate)))
        elif advice.is_fixed:
            found.append(PageRemark("good", _(advice.sentence)))
        else:
            found.append(PageRemark("caution", f"{_(advice.sentence)} {_(advice.remedy)}".strip()))
    if all(remark.tone == "good" for remark in found):
        found.insert(0, PageRemark("good", _("Sharp and complete")))
    return tuple(found)


SAMPLES = {
    "page_review": visit(PageReviewPlace(2), 3, PAGE_ADVICE),
    "page_review-blurred": visit(PageReviewPlace(3), 3, PAGE_ADVICE),
    "page_review-many": visit(PageReviewPlace(7), 14, PAGE_ADVICE),
    "page_review-flagged": visit(PageReviewPlace(3, flagged_only=True), 14, PAGE_ADVICE),
    "page_review-undo": visit(PageReviewPlace(1, deleted=3), 2),
}
