"""Looking the scanned pages over: turn, retake, delete with undo, move, insert."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.filing.model import Page
from kiosk.ui.places import Counting, Gathering, Looking

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit


class Review:
    """What the visitor does to the pages of one document.

    Args:
        visit: the visit, at :class:`Looking`.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def place_of(self, number: int) -> int:
        """Return the place (from 1) of page ``number`` in its document; after the last for none."""
        pages = self._visit.slot_pages
        places = {page.number: n for n, page in enumerate(pages, start=1)}
        return places.get(number, len(pages) + 1)

    def _change(self, **changes: object) -> None:
        place = self._visit.place
        if isinstance(place, Looking):
            self._visit.go(replace(place, **changes))  # type: ignore[arg-type]

    def open(self, slot: str) -> None:
        """Look over the pages of ``slot``."""
        filing = self._visit.filing
        if filing is not None and self._visit.attempt(lambda: filing.choose_slot(slot)):
            self._visit.go(Looking())

    def choose(self, number: int) -> None:
        """Show the ``number``-th page large, beside the small ones."""
        place = self._visit.place
        shape = "large" if isinstance(place, Looking) and place.shape == "large" else "both"
        self._change(chosen=number, shape=shape)

    def turn_thumbnails(self, page: int) -> None:
        """Show another page of the thumbnails."""
        self._change(page=page)

    def only_flagged(self) -> None:
        """Show only the pages that may be hard to read, or all again."""
        place = self._visit.place
        if isinstance(place, Looking):
            self._change(flagged=not place.flagged, page=0)

    def shape(self, shape: str) -> None:
        """Show one page beside the small ones, one alone, all, or where to move it."""
        self._change(shape=shape, page=None)

    def chosen(self) -> Page | None:
        """Return the page that is shown large."""
        place, pages = self._visit.place, self._visit.slot_pages
        if not isinstance(place, Looking) or not 1 <= place.chosen <= len(pages):
            return None
        return pages[place.chosen - 1]

    async def rotate(self) -> None:
        """Turn the chosen page clockwise."""
        page, filing = self.chosen(), self._visit.filing
        if page is not None and filing is not None:
            await filing.turn(page.number)
            self._visit.changed()

    def retake(self) -> None:
        """Scan the chosen page again."""
        page = self.chosen()
        if page is not None:
            self._visit.scan.retake(page.number)

    def insert(self) -> None:
        """Scan pages that belong before the chosen one."""
        place = self._visit.place
        if isinstance(place, Looking):
            self._visit.scan.insert(place.chosen)

    def delete(self) -> None:
        """Take the chosen page out; it can be taken back."""
        page, filing = self.chosen(), self._visit.filing
        if page is not None and filing is not None:
            if not self._visit.attempt(lambda: filing.delete(page.number)):
                return
            left = len(self._visit.slot_pages)
            place = self._visit.place
            chosen = place.chosen if isinstance(place, Looking) else 1
            self._change(chosen=max(1, min(chosen, left)), deleted=page.number, shape="both")

    def undo(self) -> None:
        """Take the deleted page back."""
        place, filing = self._visit.place, self._visit.filing
        if isinstance(place, Looking) and place.deleted and filing is not None:
            number = place.deleted
            if self._visit.attempt(lambda: filing.restore(number)):
                self._change(chosen=self.place_of(number), deleted=None)

    def move(self, place: int) -> None:
        """Move the chosen page to ``place`` (from 1) of this document."""
        page, filing = self.chosen(), self._visit.filing
        if page is not None and filing is not None:
            self._visit.attempt(lambda: filing.move(page.number, place))
            self._change(chosen=self.place_of(page.number), shape="both", page=None)

    def move_to(self, slot: str) -> None:
        """Move the chosen page to the end of another document."""
        page, filing = self.chosen(), self._visit.filing
        if page is None or filing is None:
            return
        last = len(filing.filing.pages_of(slot)) + 1
        self._visit.attempt(lambda: filing.move(page.number, last, slot))
        if self._visit.slot_pages:
            place = self._visit.place
            chosen = place.chosen if isinstance(place, Looking) else 1
            chosen = min(chosen, len(self._visit.slot_pages))
            self._change(chosen=chosen, shape="both", page=None)
        else:
            self._visit.go(Gathering())

    def done(self) -> None:
        """All pages of this document are there: ask for the sheets, unless that was told."""
        filing = self._visit.filing
        if filing is None or not self._visit.slot_pages:
            self._visit.go(Gathering())
            return
        view = next(view for view in filing.slots() if view.slot.id == filing.filing.slot)
        if view.sheets.said is None or view.sheets.differs:
            self._visit.go(Counting())
        else:
            self._visit.go_on(Gathering())
