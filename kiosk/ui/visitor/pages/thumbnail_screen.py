"""Base of the screens that show scanned pages as thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.pages.page_review import PageReviewView
from kiosk.ui.visitor.scan.thumbnails import Thumbnail
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import picture
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import Style


class ThumbnailScreen(FilingScreen):
    """Base of the screens that show scanned pages."""

    step = 2

    def title(self, view: PageReviewView) -> tuple[str, str]:
        """Return the document that is reviewed."""
        title, step = super().title(view)
        return view.label or title, step

    def grid(
        self,
        view: PageReviewView,
        columns: int,
        rows: int,
        on_tap: Callable[[int], None] | None = None,
    ) -> list[Widget]:
        """Return rows of thumbnails, and the buttons for more of them."""
        kit, each = self.kit, rows * columns
        pages = max(1, -(-len(view.thumbnails) // each))
        positions = [thumbnail.position for thumbnail in view.thumbnails]
        page = positions.index(view.chosen) // each if view.chosen in positions else 0
        if view.page is not None:
            page = min(view.page, pages - 1)
        tap = on_tap or self.visit.page_review.select
        shown = view.thumbnails[page * each : (page + 1) * each]
        cells = kit.filled(
            [self._thumbnail(item, item.position == view.chosen, tap) for item in shown], each
        )
        lines: list[Widget] = list(kit.grid(cells, columns))
        if pages > 1:
            lines.append(self._steps(page, pages))
        return lines

    def _steps(self, page: int, pages: int) -> Widget:
        kit, show = self.kit, self.visit.page_review.show_thumbnails
        less, more = kit.pager("pages", page, pages, show, sideways=True, wide=True)
        number = kit.fitted_text(
            f"{page + 1} / {pages}", "body", weight="tabular", align="center", lines=1
        )
        return kit.row(less, number, more, gap=12, size_hint_y=None, height=kit.theme.target)

    def _thumbnail(self, thumbnail: Thumbnail, chosen: bool, tap: Callable[[int], None]) -> Widget:
        kit, text = self.kit, str(thumbnail.position)
        parts: list[Widget] = [
            kit.fitted_text(text, "small", align="center", weight="semibold", lines=1)
        ]
        if thumbnail.is_flagged:
            parts.append(kit.icon("alert", 24, "caution"))
        foot = kit.row(*parts, size_hint_y=None, height=round(kit.theme.font("small") * 1.3))
        return kit.touchable_card(
            f"page.{text}",
            text,
            partial(tap, thumbnail.position),
            picture(kit, thumbnail.picture),
            foot,
            chosen=chosen,
            padding=8,
            gap=4,
        )

    def layout_tap(self, layout: str) -> Tap:
        """Return a tap that sets the layout."""
        return partial(self.visit.page_review.set_layout, layout)

    def flags(self, view: PageReviewView) -> list[Widget]:
        """Return the button that shows only the pages that may be hard to read."""
        kit, translate, count = self.kit, self.kit.translate, view.flagged_count
        if not count:
            return []
        text = translate.ngettext("{n} to look at", "{n} to look at", count)
        if view.flagged_only:
            text = translate.gettext("All pages")
        elif kit.theme.compact or kit.theme.text_size > 2:
            text = str(count)
        style: Style = "chosen" if view.flagged_only else "plain"
        return [
            kit.button("pages.flagged", text, self.visit.page_review.toggle_flagged_filter,
                       icon="alert-outline", style=style, wide=True, pad=12)
        ]  # fmt: skip
