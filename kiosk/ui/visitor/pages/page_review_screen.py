"""One page large with its remarks, thumbnails of all pages, one primary action."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.theme import Tone
from kiosk.ui.visitor.pages.page_review import PageRemark, PageReviewView
from kiosk.ui.visitor.pages.thumbnail_screen import ThumbnailScreen
from kiosk.ui.visitor.widgets import picture
from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.touchable import Tap

REMARK_ICONS: dict[Tone, str] = {"good": "check", "caution": "alert-outline", "fault": "alert"}


class PageReviewScreen(ThumbnailScreen):
    """One page large with its remarks, thumbnails of all pages, one primary action."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the selected page, what can be done with it, thumbnails."""
        kit = self.kit
        page = kit.touchable_card("pages.large", view.title, self.layout_tap("large"),
                                  picture(kit, view.picture), padding=4,
                                  size_hint_x=0.44)  # fmt: skip
        card = kit.card(kit.row(page, self._tools(view), gap=18), padding=16, size_hint_x=0.64)
        return kit.row(card, self._thumbnails(view), gap=20, padding=(24, 14))

    def _tools(self, view: PageReviewView) -> Widget:
        """Return title, remarks and buttons of the selected page."""
        kit, theme = self.kit, self.kit.theme
        height = round(theme.font("heading") * 1.35)
        title = kit.fitted_text(view.title, "heading", wid="pages.title", weight="semibold",
                                lines=2, size_hint_y=None, height=height)  # fmt: skip
        remarks = [self._remark(remark) for remark in view.remarks[: 1 if theme.compact else 2]]
        columns, buttons = 3 if theme.compact else 2, self._buttons()
        rows = len(buttons) // columns
        lines = (kit.touch_line(*buttons[n * columns :][:columns]) for n in range(rows))
        grid = kit.column(*lines, gap="touch", size_hint_y=None)
        grid.height = rows * theme.target + (rows - 1) * theme.gap
        gap = 8 if theme.compact else 12
        return kit.column(title, kit.column(*remarks, gap=8), grid, gap=gap, size_hint_x=0.7)

    def _buttons(self) -> list[Widget]:
        _, review = self.kit.translate.gettext, self.visit.page_review

        def button(name: str, text: str, icon: str, on_tap: Tap | None, **options: Any) -> Widget:
            label = "" if self.kit.theme.compact else text
            return self.kit.button(
                f"pages.{name}", label, on_tap, icon=icon, wide=True, pad=4, **options
            )

        return [
            button("rotate", _("Rotate"), "rotate-right", self.spawning(review.rotate), once=True),
            button("retake", _("Retake"), "camera-retake-outline", review.retake),
            button("move", _("Move"), "swap-horizontal", self.layout_tap("move")),
            button("insert", _("Insert"), "table-row-plus-before", review.insert),
            button("enlarge", _("Enlarge"), "magnify-plus-outline", self.layout_tap("large")),
            button("delete", _("Delete"), "trash-can-outline", review.delete, style="danger"),
        ]

    def _remark(self, remark: PageRemark) -> Widget:
        kit, is_toned = self.kit, remark.tone in REMARK_ICONS
        colour = remark.tone if is_toned else "quiet"
        icon = kit.icon(REMARK_ICONS.get(remark.tone, "timer-sand"), 26, colour)
        text = kit.fitted_text(remark.text, "small", wid="pages.check", colour=colour,
                               weight="medium")  # fmt: skip
        row = kit.row(icon, text, gap=10, padding=(12, 4))
        fill = kit.colour(f"{remark.tone}_tint" if is_toned else "neutral")
        Surface(row, fill, None, kit.px(14), 0)
        return row

    def _thumbnails(self, view: PageReviewView) -> Widget:
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        compact = kit.theme.compact
        columns, rows = (2, 1) if compact else (3, 2)
        parts = self.grid(view, columns, rows)
        if compact:
            parts = parts[: 1 if view.can_undo else 2]
        if len(view.thumbnails) > columns * rows or view.flagged_count:
            every = kit.button("pages.all", _("All pages"), self.layout_tap("all"),
                               icon="view-grid-outline", wide=True, pad=10)  # fmt: skip
            parts.append(kit.touch_line(*self.flags(view), every))
        if view.can_undo:
            last = kit.button("pages.undo", _("Take the deleted page back"), visit.page_review.undo,
                              icon="undo", wide=True, style="primary", pad=10)  # fmt: skip
        else:
            last = kit.button("pages.add", _("More sheets?"), visit.scan.begin,
                              icon="tray-arrow-down", style="tint", wide=True, pad=10)  # fmt: skip
        return kit.column(*parts, last, gap="touch", size_hint_x=0.36)

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return aids, later, help and the one primary action."""
        _, finish = self.kit.translate.gettext, self.visit.page_review.finish
        return [
            *self.aids(),
            *self.park_button(),
            self.call_button("pages.call", words=False),
            self.kit.fitted_text(
                view.count, "body", wid="pages.count", colour="quiet", align="right"
            ),
            self.primary("pages.done", _("All pages done"), finish, max_width=460),
        ]
