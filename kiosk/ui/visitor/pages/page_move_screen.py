"""Where to move a page: before another page, to the end, to another document."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.pages.page_review import PageReviewView
from kiosk.ui.visitor.pages.thumbnail_screen import ThumbnailScreen


class PageMoveScreen(ThumbnailScreen):
    """Where to move a page: before another page, to the end, to another document."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the thumbnails at the left, the other documents at the right."""
        kit, _, review = self.kit, self.kit.translate.gettext, self.visit.page_review
        columns, rows, count = (3, 1, 3) if kit.theme.compact else (5, 2, 5)
        note = self._note(_("Touch the page before which it belongs"))
        left = kit.column(note, *self.grid(view, columns, rows, review.move), gap=10)
        others = [
            kit.button(f"move.{slot}", label, partial(review.move_to_document, slot), wide=True,
                       height=-1, left=True, pad=16)
            for slot, label in view.others[:count]
        ]  # fmt: skip
        title = self._note(_("Or to another document"))
        right = kit.column(title, *kit.filled(others, count), gap="touch", size_hint_x=0.5)
        return kit.row(left, right, gap=24, padding=(24, 12))

    def _note(self, text: str) -> Widget:
        height = self.kit.px(56)
        return self.kit.fitted_text(
            text, "body", weight="medium", size_hint_y=None, height=height, lines=2
        )

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, which page it is, to the end."""
        kit, _, review = self.kit, self.kit.translate.gettext, self.visit.page_review
        last = len(self.visit.slot_pages) + 1
        return [
            self.back(self.layout_tap("both")),
            kit.fitted_text(view.title, "body", wid="pages.title", align="center"),
            kit.button(
                "move.end", _("To the end"), partial(review.move, last), icon_after="arrow-right"
            ),
        ]
