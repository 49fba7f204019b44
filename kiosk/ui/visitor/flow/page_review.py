"""Reviews the scanned pages: rotate, retake, delete with undo, move, insert."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.filing.model import Page
from kiosk.ui.registry import DocumentsPlace, PageReviewPlace, SheetCountPlace

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit


class PageReview:
    """Changes the pages of one document.

    Args:
        visit: the visit, at :class:`PageReviewPlace`.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def position_of(self, number: int) -> int:
        """Return the position (from 1) of page ``number``, or after the last if it is unknown."""
        pages = self._visit.slot_pages
        places = {page.number: n for n, page in enumerate(pages, start=1)}
        return places.get(number, len(pages) + 1)

    def _change(self, **changes: object) -> None:
        place = self._visit.place
        if isinstance(place, PageReviewPlace):
            self._visit.show(replace(place, **changes))  # type: ignore[arg-type]

    def open(self, slot: str) -> None:
        """Review the pages of ``slot``."""
        filing = self._visit.filing
        if filing is not None and self._visit.try_action(lambda: filing.choose_slot(slot)):
            self._visit.show(PageReviewPlace())

    def select(self, number: int) -> None:
        """Show the page at position ``number`` large."""
        place = self._visit.place
        layout = (
            "large" if isinstance(place, PageReviewPlace) and place.layout == "large" else "both"
        )
        self._change(chosen=number, layout=layout)

    def show_thumbnails(self, page: int) -> None:
        """Show another page of the thumbnails."""
        self._change(page=page)

    def toggle_flagged_filter(self) -> None:
        """Show only the pages that may be hard to read, or all pages."""
        place = self._visit.place
        if isinstance(place, PageReviewPlace):
            self._change(flagged_only=not place.flagged_only, page=0)

    def set_layout(self, layout: str) -> None:
        """Set the layout: one page with thumbnails, one alone, all, or where to move it."""
        self._change(layout=layout, page=None)

    def selected_page(self) -> Page | None:
        """Return the page that is shown large."""
        place, pages = self._visit.place, self._visit.slot_pages
        if not isinstance(place, PageReviewPlace) or not 1 <= place.chosen <= len(pages):
            return None
        return pages[place.chosen - 1]

    async def rotate(self) -> None:
        """Rotate the selected page clockwise."""
        page, filing = self.selected_page(), self._visit.filing
        if page is not None and filing is not None:
            await filing.rotate_page(page.number)
            self._visit.notify_change()

    def retake(self) -> None:
        """Scan the selected page again."""
        page = self.selected_page()
        if page is not None:
            self._visit.scan.retake(page.number)

    def insert(self) -> None:
        """Scan pages that belong before the selected page."""
        place = self._visit.place
        if isinstance(place, PageReviewPlace):
            self._visit.scan.insert(place.chosen)

    def delete(self) -> None:
        """Delete the selected page; it can be restored."""
        page, filing = self.selected_page(), self._visit.filing
        if page is not None and filing is not None:
            if not self._visit.try_action(lambda: filing.delete_page(page.number)):
                return
            left = len(self._visit.slot_pages)
            place = self._visit.place
            chosen = place.chosen if isinstance(place, PageReviewPlace) else 1
            self._change(chosen=max(1, min(chosen, left)), deleted=page.number, layout="both")

    def undo(self) -> None:
        """Restore the deleted page."""
        place, filing = self._visit.place, self._visit.filing
        if isinstance(place, PageReviewPlace) and place.deleted and filing is not None:
            number = place.deleted
            if self._visit.try_action(lambda: filing.restore_page(number)):
                self._change(chosen=self.position_of(number), deleted=None)

    def move(self, position: int) -> None:
        """Move the selected page to ``position`` (from 1) of this document."""
        page, filing = self.selected_page(), self._visit.filing
        if page is not None and filing is not None:
            self._visit.try_action(lambda: filing.move_page(page.number, position))
            self._change(chosen=self.position_of(page.number), layout="both", page=None)

    def move_to_document(self, slot: str) -> None:
        """Move the selected page to the end of another document."""
        page, filing = self.selected_page(), self._visit.filing
        if page is None or filing is None:
            return
        last = len(filing.record.pages_of(slot)) + 1
        self._visit.try_action(lambda: filing.move_page(page.number, last, slot))
        if self._visit.slot_pages:
            place = self._visit.place
            chosen = place.chosen if isinstance(place, PageReviewPlace) else 1
            chosen = min(chosen, len(self._visit.slot_pages))
            self._change(chosen=chosen, layout="both", page=None)
        else:
            self._visit.show(DocumentsPlace())

    def finish(self) -> None:
        """Finish this document: ask for the sheet count, unless it was declared."""
        filing = self._visit.filing
        if filing is None or not self._visit.slot_pages:
            self._visit.show(DocumentsPlace())
            return
        view = next(view for view in filing.slots() if view.slot.id == filing.record.slot)
        if view.sheets.declared is None or view.sheets.has_mismatch:
            self._visit.show(SheetCountPlace())
        else:
            self._visit.advance_to(DocumentsPlace())
