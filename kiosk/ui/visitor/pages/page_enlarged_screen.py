"""One page alone, as large as the screen allows."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.pages.page_review import PageReviewView
from kiosk.ui.visitor.pages.thumbnail_screen import ThumbnailScreen
from kiosk.ui.visitor.widgets import picture


class PageEnlargedScreen(ThumbnailScreen):
    """One page alone, as large as the screen allows."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the page between the ways to its neighbours."""
        kit = self.kit
        positions = [thumbnail.position for thumbnail in view.thumbnails]
        before = [position for position in positions if position < view.chosen]
        after = [position for position in positions if position > view.chosen]
        return kit.row(
            self._neighbour("page.before", "chevron-left", before[-1:]),
            picture(kit, view.picture),
            self._neighbour("page.after", "chevron-right", after[:1]),
            padding=(10, 4),
        )

    def _neighbour(self, wid: str, icon: str, position: list[int]) -> Widget:
        tap = partial(self.visit.page_review.select, *position) if position else None
        return self.kit.centred(self.kit.button(wid, "", tap, icon=icon), size_hint_x=0.14)

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, which page it is, rotate."""
        kit, rotate = self.kit, self.spawning(self.visit.page_review.rotate)
        text = kit.translate.gettext("Rotate")
        return [
            self.back(self.layout_tap("both")),
            kit.fitted_text(view.title, "body", wid="pages.title", align="center"),
            kit.button("pages.rotate", text, rotate, icon="rotate-right", once=True),
        ]
