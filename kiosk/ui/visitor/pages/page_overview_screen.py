"""Thumbnails of all pages; flagged pages are marked."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.visitor.pages.page_review import PageReviewView
from kiosk.ui.visitor.pages.thumbnail_screen import ThumbnailScreen


class PageOverviewScreen(ThumbnailScreen):
    """Thumbnails of all pages; flagged pages are marked."""

    def body(self, view: PageReviewView) -> Widget:
        """Return as many thumbnails as fit."""
        columns = 6 if self.kit.theme.compact else 10
        return self.kit.column(*self.grid(view, columns, 2), gap="touch", padding=(24, 14))

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, the filter, the count."""
        flags = self.flags(view)
        for flag in flags:
            flag.size_hint_x = 0.5
        count = self.kit.fitted_text(
            view.count, "body", wid="pages.count", colour="quiet", align="right"
        )
        return [self.back(self.layout_tap("both")), *self.aids(), *flags, count]
