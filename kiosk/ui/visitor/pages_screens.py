"""The scanned pages: one large with its remarks, thumbnails, one alone, where to move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.theme import Tone
from kiosk.ui.visitor.filing_screen import FilingScreen, picture
from kiosk.ui.visitor.paper_views import PageRemark, PageReviewView, Thumbnail
from kiosk.ui.widgets.graphics import Surface


class PageReviewBase(FilingScreen):
    """Base of the screens that show scanned pages."""

    step = 2

    def title(self, view: PageReviewView) -> tuple[str, str]:
        """Return the document that is looked over."""
        title, step = super().title(view)
        return view.label or title, step

    def grid(
        self, view: PageReviewView, columns: int, rows: int, on_tap: Any = None
    ) -> list[Widget]:
        """Return rows of thumbnails, and the buttons for more of them."""
        kit = self.kit
        each = rows * columns
        pages = max(1, -(-len(view.thumbnails) // each))
        places = [thumbnail.position for thumbnail in view.thumbnails]
        at = places.index(view.chosen) // each if view.chosen in places else 0
        page = at if view.page is None else min(view.page, pages - 1)
        cells: list[Widget] = [
            self.thumbnail(thumbnail, thumbnail.position == view.chosen, on_tap)
            for thumbnail in view.thumbnails[page * each : (page + 1) * each]
        ]
        cells += [kit.spacer() for _n in range(each - len(cells))]
        lines: list[Widget] = [
            kit.row(*cells[n : n + columns], gap=14) for n in range(0, each, columns)
        ]
        for line in lines:
            line.spacing = kit.theme.gap
        if pages > 1:
            lines.append(self._steps(page, pages))
        return lines

    def _steps(self, page: int, pages: int) -> Widget:
        kit, review = self.kit, self.app.visit.page_review
        less = (lambda: review.show_thumbnails(page - 1)) if page else None
        more = (lambda: review.show_thumbnails(page + 1)) if page + 1 < pages else None
        return kit.row(
            kit.button("pages.less", "", less, icon="chevron-left", wide=True),
            kit.fitted_text(
                f"{page + 1} / {pages}", "body", weight="tabular", align="center", lines=1
            ),
            kit.button("pages.more", "", more, icon="chevron-right", wide=True),
            gap=12,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def thumbnail(self, thumbnail: Thumbnail, chosen: bool, on_tap: Any = None) -> Widget:
        """Return the thumbnail of one page."""
        kit, review = self.kit, self.app.visit.page_review
        height = round(kit.theme.font("small") * 1.3)
        number = kit.fitted_text(
            str(thumbnail.position), "small", align="center", weight="semibold", lines=1
        )
        parts: list[Widget] = [number]
        if thumbnail.is_flagged:
            parts.append(kit.icon("alert", 24, "caution"))
        foot = kit.row(*parts, size_hint_y=None, height=height)
        tap = on_tap or review.select
        return kit.touchable_card(
            f"page.{thumbnail.position}",
            str(thumbnail.position),
            lambda: tap(thumbnail.position),
            picture(kit, thumbnail.picture),
            foot,
            chosen=chosen,
            padding=8,
            gap=4,
        )

    def layout_tap(self, layout: str) -> Callable[[], None]:
        """Return a tap that sets the layout."""
        return lambda: self.app.visit.page_review.set_layout(layout)

    def flags(self, view: PageReviewView) -> list[Widget]:
        """Return the button that shows only the pages that may be hard to read."""
        kit, _, review = self.kit, self.kit.translate.gettext, self.app.visit.page_review
        if not view.flagged_count:
            return []
        words = _("All pages") if view.flagged_only else self._flagged(view.flagged_count)
        return [
            kit.button("pages.flagged", words, review.toggle_flagged_filter, icon="alert-outline",
                       style="chosen" if view.flagged_only else "plain", wide=True, pad=12)
        ]  # fmt: skip

    def _flagged(self, count: int) -> str:
        """Return how many pages need a look; the number alone where there is little room."""
        kit = self.kit
        if kit.theme.compact or kit.theme.text_size > 2:
            return str(count)
        return kit.translate.ngettext("{n} to look at", "{n} to look at", count)


class PageReviewScreen(PageReviewBase):
    """One page large with its remarks, thumbnails of all pages, one primary action."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the chosen page, what can be done with it, thumbnails."""
        kit = self.kit
        large = kit.row(self._large(view), self._tools(view), gap=18)
        card = kit.card(large, padding=16, size_hint_x=0.64)
        return kit.row(card, self._contact(view), gap=20, padding=(24, 14))

    def _large(self, view: PageReviewView) -> Widget:
        kit = self.kit
        return kit.touchable_card(
            "pages.large",
            view.title,
            self.layout_tap("large"),
            picture(kit, view.picture),
            padding=4,
            size_hint_x=0.44,
        )

    def _tools(self, view: PageReviewView) -> Widget:
        kit = self.kit
        compact = kit.theme.compact
        title = kit.fitted_text(
            view.title, "heading", wid="pages.title", weight="semibold", lines=2, size_hint_y=None,
            height=round(kit.theme.font("heading") * 1.35),
        )  # fmt: skip
        remarks = [self._remark_row(remark) for remark in view.remarks[: 1 if compact else 2]]
        columns = 3 if compact else 2
        buttons = self._buttons(words=not compact)
        lines = [
            kit.row(*buttons[n : n + columns], size_hint_y=None, height=kit.theme.target)
            for n in range(0, len(buttons), columns)
        ]
        for line in lines:
            line.spacing = kit.theme.gap
        box = kit.column(*lines, size_hint_y=None)
        box.spacing = kit.theme.gap
        box.height = len(lines) * kit.theme.target + (len(lines) - 1) * kit.theme.gap
        return kit.column(
            title, kit.column(*remarks, gap=8), box, gap=8 if compact else 12, size_hint_x=0.7
        )

    def _buttons(self, *, words: bool) -> list[Widget]:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        review = app.visit.page_review
        tools: list[tuple[str, str, str, Callable[[], None], Any]] = [
            ("rotate", _("Rotate"), "rotate-right", lambda: app.spawn(review.rotate()), "plain"),
            ("retake", _("Retake"), "camera-retake-outline", review.retake, "plain"),
            ("move", _("Move"), "swap-horizontal", self.layout_tap("move"), "plain"),
            ("insert", _("Insert"), "table-row-plus-before", review.insert, "plain"),
            ("enlarge", _("Enlarge"), "magnify-plus-outline", self.layout_tap("large"), "plain"),
            ("delete", _("Delete"), "trash-can-outline", review.delete, "danger"),
        ]
        return [
            kit.button(f"pages.{wid}", label if words else "", tap, icon=icon, wide=True, pad=4,
                       style=style, once=wid == "rotate")
            for wid, label, icon, tap, style in tools
        ]  # fmt: skip

    def _remark_row(self, remark: PageRemark) -> Widget:
        kit = self.kit
        icons: dict[Tone, str] = {"good": "check", "caution": "alert-outline", "fault": "alert"}
        colour = remark.tone if remark.tone in ("good", "caution", "fault") else "quiet"
        row = kit.row(
            kit.icon(icons.get(remark.tone, "timer-sand"), 26, colour),
            kit.fitted_text(
                remark.text, "small", wid="pages.check", colour=colour, weight="medium"
            ),
            gap=10,
            padding=(12, 4),
        )
        fill = {"good": "good_tint", "caution": "caution_tint", "fault": "fault_tint"}
        Surface(row, kit.colour(fill.get(remark.tone, "neutral")), None, kit.px(14), 0)
        return row

    def _contact(self, view: PageReviewView) -> Widget:
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        compact = kit.theme.compact
        columns, rows = (2, 1) if compact else (3, 2)
        lines = self.grid(view, columns, rows)
        if compact and (view.can_undo or len(lines) > 1):
            lines = lines[:2] if not view.can_undo else lines[:1]
        whole = kit.button("pages.all", _("All pages"), self.layout_tap("all"),
                           icon="view-grid-outline", wide=True, pad=10)  # fmt: skip
        tools = kit.row(*self.flags(view), whole, size_hint_y=None, height=kit.theme.target)
        tools.spacing = kit.theme.gap
        parts: list[Widget] = list(lines)
        if len(view.thumbnails) > columns * rows or view.flagged_count:
            parts.append(tools)
        if view.can_undo:
            parts.append(
                kit.button("pages.undo", _("Take the deleted page back"), visit.page_review.undo,
                           icon="undo", wide=True, style="primary", pad=10)
            )  # fmt: skip
        else:
            parts.append(
                kit.button("pages.add", _("More sheets?"), visit.scan.begin,
                           icon="tray-arrow-down", style="tint", wide=True, pad=10)
            )  # fmt: skip
        box = kit.column(*parts, size_hint_x=0.36)
        box.spacing = kit.theme.gap
        return box

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return aids, later, help and the one primary action."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        call = kit.button("pages.call", "", visit.call_secretary, icon="bell-ring-outline")
        count = kit.fitted_text(
            view.count, "body", wid="pages.count", colour="quiet", align="right"
        )
        return [
            *self.aids(),
            *self.park_button(),
            call,
            count,
            kit.button("pages.done", _("All pages done"), visit.page_review.finish,
                       icon_after="arrow-right", style="primary", kind="lead", max_width=460),
        ]  # fmt: skip


class PageOverviewScreen(PageReviewBase):
    """Thumbnails of all pages; flagged pages are marked."""

    def body(self, view: PageReviewView) -> Widget:
        """Return as many small pages as fit."""
        kit = self.kit
        columns, rows = (6, 2) if kit.theme.compact else (10, 2)
        box = kit.column(*self.grid(view, columns, rows), padding=(24, 14))
        box.spacing = kit.theme.gap
        return box

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, the filter, the count."""
        kit, _ = self.kit, self.kit.translate.gettext
        flags = self.flags(view)
        for flag in flags:
            flag.size_hint_x = 0.5
        return [
            kit.button("back", _("Back"), self.layout_tap("both"), icon="arrow-left"),
            *self.aids(),
            *flags,
            kit.fitted_text(view.count, "body", wid="pages.count", colour="quiet", align="right"),
        ]


class PageEnlargedScreen(PageReviewBase):
    """One page alone, as large as the screen allows."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the page between the ways to its neighbours."""
        kit, review = self.kit, self.app.visit.page_review
        places = [thumbnail.position for thumbnail in view.thumbnails]
        before = [place for place in places if place < view.chosen]
        after = [place for place in places if place > view.chosen]
        less = (lambda: review.select(before[-1])) if before else None
        more = (lambda: review.select(after[0])) if after else None
        return kit.row(
            kit.centred(kit.button("page.before", "", less, icon="chevron-left"), size_hint_x=0.14),
            picture(kit, view.picture),
            kit.centred(kit.button("page.after", "", more, icon="chevron-right"), size_hint_x=0.14),
            padding=(10, 4),
        )

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, turn, which page it is."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        return [
            kit.button("back", _("Back"), self.layout_tap("both"), icon="arrow-left"),
            kit.fitted_text(view.title, "body", wid="pages.title", align="center"),
            kit.button(
                "pages.rotate",
                _("Rotate"),
                lambda: app.spawn(app.visit.page_review.rotate()),
                icon="rotate-right",
                once=True,
            ),
        ]


class PageMoveScreen(PageReviewBase):
    """Where to move a page: before another page, to the end, to another document."""

    def body(self, view: PageReviewView) -> Widget:
        """Return the small pages at the left, the other documents at the right."""
        kit, _, review = self.kit, self.kit.translate.gettext, self.app.visit.page_review
        compact = kit.theme.compact
        columns, rows = (3, 1) if compact else (5, 2)
        note = kit.fitted_text(_("Touch the page before which it belongs"), "body", weight="medium",
                               size_hint_y=None, height=kit.px(56), lines=2)  # fmt: skip
        left = kit.column(note, *self.grid(view, columns, rows, review.move), gap=10)
        others = [
            kit.button(f"move.{slot}", label, self._to(slot), wide=True, height=-1, left=True,
                       pad=16)
            for slot, label in view.others[: 3 if compact else 5]
        ]  # fmt: skip
        others += [kit.spacer() for _n in range((3 if compact else 5) - len(others))]
        title = kit.fitted_text(
            _("Or to another document"),
            "body",
            weight="medium",
            size_hint_y=None,
            height=kit.px(56),
            lines=2,
        )
        right = kit.column(title, *others, gap=12, size_hint_x=0.5)
        right.spacing = kit.theme.gap
        return kit.row(left, right, gap=24, padding=(24, 12))

    def _to(self, slot: str) -> Callable[[], None]:
        return lambda: self.app.visit.page_review.move_to_document(slot)

    def footer(self, view: PageReviewView) -> list[Widget]:
        """Return back, which page it is, to the end."""
        kit, _, review = self.kit, self.kit.translate.gettext, self.app.visit.page_review
        last = len(self.app.visit.slot_pages) + 1
        return [
            kit.button("back", _("Back"), self.layout_tap("both"), icon="arrow-left"),
            kit.fitted_text(view.title, "body", wid="pages.title", align="center"),
            kit.button("move.end", _("To the end"), lambda: review.move(last),
                       icon_after="arrow-right"),
        ]  # fmt: skip
