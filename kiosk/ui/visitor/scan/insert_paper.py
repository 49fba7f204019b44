"""The kiosk waits for paper, in the feeder or on the glass."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import InsertPaperPlace, ScanningPlace
from kiosk.ui.samples.visit_states import visit
from kiosk.ui.visitor.scan.thumbnails import Thumbnail, make_thumbnails


@dataclass(frozen=True)
class InsertPaperView:
    """Paper is expected or moves; ``label``: of the document."""

    title: str
    lines: tuple[str, ...]
    thumbnails: tuple[Thumbnail, ...]
    count: str
    label: str
    scanning: bool
    glass: bool
    duplex: bool
    retake: bool


def view(app: AppState) -> InsertPaperView:
    """Return what to do with the paper, and the pages so far."""
    visit, place = app.visit, app.visit.place
    assert isinstance(place, InsertPaperPlace | ScanningPlace)
    title, *lines = instructions(app, place)
    waiting = place if isinstance(place, InsertPaperPlace) else None
    count = app.translate.ngettext("{n} page scanned", "{n} pages scanned", place.kept)
    return InsertPaperView(
        title=title,
        lines=tuple(lines),
        thumbnails=make_thumbnails(visit.slot_pages, visit.checks),
        count=count if place.kept else "",
        label=app.labels.document_type(visit.record.find_slot(visit.record.slot).type),
        scanning=waiting is None,
        glass=waiting is not None and waiting.glass,
        duplex=waiting is not None and waiting.duplex,
        retake=place.retake is not None,
    )


def instructions(app: AppState, place: InsertPaperPlace | ScanningPlace) -> tuple[str, ...]:
    """Return the title and the sentences below it."""
    _ = app.translate.gettext
    by_itself = _("Scanning begins by itself.")
    if isinstance(place, ScanningPlace):
        return (_("Scanning…"), _("Wait until the last sheet is through."))
    if place.glass:
        title = _("Lay sheet {n} on the glass, face down", n=place.kept + 1)
        if place.retake is not None:
            title = _("Lay the sheet on the glass, face down")
        scan = _("Close the cover, then touch “Scan this sheet”.")
        return (title, scan, _("A bound paper goes sheet by sheet."))
    if place.is_sheet_missing:
        title = _("One sheet is still missing. Put it in alone")
        return (title, by_itself, _("“That is all” goes on without it."))
    if place.retake is not None:
        return (_("Put this one sheet in again"), by_itself)
    if place.kept:
        return (_("Put the next sheets in"), by_itself)
    staples = _("Take out staples and paper clips first.")
    direction = _("Text facing you, top edge down.")
    return (_("Put your sheets into the scanner"), staples, direction, by_itself)


SAMPLES = {
    "insert_paper": visit(InsertPaperPlace()),
    "insert_paper-again": visit(InsertPaperPlace(3, is_sheet_missing=True), 3),
    "insert_paper-more": visit(InsertPaperPlace(3), 3),
    "insert_paper-retake": visit(InsertPaperPlace(3, retake=2), 3),
    "insert_paper-glass": visit(InsertPaperPlace(1, glass=True), 1),
}
