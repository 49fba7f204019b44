"""Reviews the scanned pages: rotate, retake, delete with undo, move, insert."""

from __future__ import annotations

from kiosk.filing.model import Page
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.actions.visit.scan import Scan
from kiosk.ui.registry import DocumentsPlace, PageReviewPlace, SheetCountPlace


class PageReview:
    """Changes the pages of one document, at :class:`PageReviewPlace`.

    Args:
        visit: the visit with its filing.
        scan: scans pages again, or further pages.
    """

    def __init__(self, visit: VisitContext, scan: Scan) -> None:
        self._visit, self._scan = visit, scan

    def _change(self, **changes: object) -> None:
        self._visit.change_place(PageReviewPlace, **changes)

    def open(self, slot: str) -> None:
        """Review the pages of ``slot``."""
        filing = self._visit.filing
        if filing is not None and self._visit.try_action(lambda: filing.choose_slot(slot)):
            self._visit.show(PageReviewPlace())

    def select(self, number: int) -> None:
        """Show the page at position ``number`` large."""
        place = self._visit.at(PageReviewPlace)
        layout = "large" if place and place.layout == "large" else "both"
        self._change(chosen=number, layout=layout)

    def show_thumbnails(self, page: int) -> None:
        """Show another page of the thumbnails."""
        self._change(page=page)

    def toggle_flagged_filter(self) -> None:
        """Show only the pages that may be hard to read, or all pages."""
        if place := self._visit.at(PageReviewPlace):
            self._change(flagged_only=not place.flagged_only, page=0)

    def set_layout(self, layout: str) -> None:
        """Set the layout: one page with thumbnails, one alone, all, or where to move it."""
        self._change(layout=layout, page=None)

    @property
    def _position(self) -> int:
        """The position (from 1) of the selected page."""
        place = self._visit.at(PageReviewPlace)
        return place.chosen if place else 1

    def selected_page(self) -> Page | None:
        """Return the page that is shown large."""
        pages = self._visit.slot_pages if self._visit.at(PageReviewPlace) else ()
        return pages[self._position - 1] if 1 <= self._position <= len(pages) else None

    async def rotate(self) -> None:
        """Rotate the selected page clockwise."""
        page, filing = self.selected_page(), self._visit.filing
        if page is not None and filing is not None:
            await filing.rotate_page(page.number)
            self._visit.notify_change()

    def retake(self) -> None:
        """Scan the selected page again."""
        if page := self.selected_page():
            self._scan.retake(page.number)

    def insert(self) -> None:
        """Scan pages that belong before the selected page."""
        if place := self._visit.at(PageReviewPlace):
            self._scan.insert(place.chosen)

    def delete(self) -> None:
        """Delete the selected page; it can be restored."""
        page, filing = self.selected_page(), self._visit.filing
        if page is None or filing is None:
            return
        if self._visit.try_action(lambda: filing.delete_page(page.number)):
            chosen = max(1, min(self._position, len(self._visit.slot_pages)))
            self._change(chosen=chosen, deleted=page.number, layout="both")

    def undo(self) -> None:
        """Restore the deleted page."""
        place, filing = self._visit.at(PageReviewPlace), self._visit.filing
        if place and place.deleted and filing is not None:
            number = place.deleted
            if self._visit.try_action(lambda: filing.restore_page(number)):
                self._change(chosen=self._visit.position_of(number), deleted=None)

    def move(self, position: int) -> None:
        """Move the selected page to ``position`` (from 1) of this document."""
        page, filing = self.selected_page(), self._visit.filing
        if page is not None and filing is not None:
            self._visit.try_action(lambda: filing.move_page(page.number, position))
            chosen = self._visit.position_of(page.number)
            self._change(chosen=chosen, layout="both", page=None)

    def move_to_document(self, slot: str) -> None:
        """Move the selected page to the end of another document."""
        page, filing = self.selected_page(), self._visit.filing
        if page is None or filing is None:
            return
        last = len(filing.record.pages_of(slot)) + 1
        self._visit.try_action(lambda: filing.move_page(page.number, last, slot))
        if self._visit.slot_pages:
            chosen = min(self._position, len(self._visit.slot_pages))
            self._change(chosen=chosen, layout="both", page=None)
        else:
            self._visit.show(DocumentsPlace())

    def finish(self) -> None:
        """Finish this document: ask for the sheet count, unless it was declared."""
        visit = self._visit
        if not visit.slot_pages:
            visit.show(DocumentsPlace())
            return
        view = next(view for view in visit.slots if view.slot.id == visit.record.slot)
        if view.sheets.declared is None or view.sheets.has_mismatch:
            visit.show(SheetCountPlace())
        else:
            visit.advance_to(DocumentsPlace())
