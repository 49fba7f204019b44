"""The scanned pages: one large with its checks, all small, one alone, where to move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.paper_views import Check, PagesView, Thumb
from kiosk.ui.visitor.step import FilingPage, picture
from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.kit import Kit


class Pages(FilingPage):
    """What the screens of pages share."""

    step = 2

    def title(self, view: PagesView) -> tuple[str, str]:
        """Return the document that is looked over."""
        title, step = super().title(view)
        return view.label or title, step

    def grid(self, view: PagesView, columns: int, rows: int, on_tap: Any = None) -> list[Widget]:
        """Return rows of small pages, and the way to more of them."""
        kit = self.kit
        each = rows * columns
        pages = max(1, -(-len(view.thumbs) // each))
        places = [thumb.place for thumb in view.thumbs]
        at = places.index(view.chosen) // each if view.chosen in places else 0
        page = at if view.page is None else min(view.page, pages - 1)
        cells: list[Widget] = [
            self.thumb(thumb, thumb.place == view.chosen, on_tap)
            for thumb in view.thumbs[page * each : (page + 1) * each]
        ]
        cells += [kit.space() for _n in range(each - len(cells))]
        lines: list[Widget] = [
            kit.row(*cells[n : n + columns], gap=14) for n in range(0, each, columns)
        ]
        for line in lines:
            line.spacing = kit.theme.gap
        if pages > 1:
            lines.append(self._steps(page, pages))
        return lines

    def _steps(self, page: int, pages: int) -> Widget:
        kit, review = self.kit, self.desk.visit.review
        less = (lambda: review.turn_thumbnails(page - 1)) if page else None
        more = (lambda: review.turn_thumbnails(page + 1)) if page + 1 < pages else None
        return kit.row(
            kit.button("pages.less", "", less, icon="chevron-left", wide=True),
            kit.fit(f"{page + 1} / {pages}", "body", weight="tabular", align="center", lines=1),
            kit.button("pages.more", "", more, icon="chevron-right", wide=True),
            gap=12,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def thumb(self, thumb: Thumb, chosen: bool, on_tap: Any = None) -> Widget:
        """Return one small page."""
        kit, review = self.kit, self.desk.visit.review
        height = round(kit.theme.font("small") * 1.3)
        number = kit.fit(str(thumb.place), "small", align="center", weight="semibold", lines=1)
        parts: list[Widget] = [number]
        if thumb.flagged:
            parts.append(kit.icon("alert", 24, "caution"))
        foot = kit.row(*parts, size_hint_y=None, height=height)
        tap = on_tap or review.choose
        return kit.touchable_card(
            f"page.{thumb.place}",
            str(thumb.place),
            lambda: tap(thumb.place),
            picture(kit, thumb.picture),
            foot,
            chosen=chosen,
            padding=8,
            gap=4,
        )

    def shape(self, shape: str) -> Callable[[], None]:
        """Return a tap that shows the pages another way."""
        return lambda: self.desk.visit.review.shape(shape)

    def flags(self, view: PagesView) -> list[Widget]:
        """Return the button that shows only the pages that may be hard to read."""
        kit, _, review = self.kit, self.kit.say.gettext, self.desk.visit.review
        if not view.flagged:
            return []
        words = _("All pages") if view.only_flagged else self._flagged(view.flagged)
        return [
            kit.button("pages.flagged", words, review.only_flagged, icon="alert-outline",
                       style="chosen" if view.only_flagged else "plain", wide=True, pad=12)
        ]  # fmt: skip

    def _flagged(self, count: int) -> str:
        """Return how many pages need a look; the number alone where there is little room."""
        kit = self.kit
        if kit.theme.compact or kit.theme.text_size > 2:
            return str(count)
        return kit.say.ngettext("{n} to look at", "{n} to look at", count)


class PagesPage(Pages):
    """One page large with its checks in words, all pages small, one primary action."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.pages", desk)

    def body(self, view: PagesView) -> Widget:
        """Return the chosen page, what can be done with it, thumbnails."""
        kit = self.kit
        large = kit.row(self._large(view), self._tools(view), gap=18)
        card = kit.card(large, padding=16, size_hint_x=0.64)
        return kit.row(card, self._contact(view), gap=20, padding=(24, 14))

    def _large(self, view: PagesView) -> Widget:
        kit = self.kit
        return kit.touchable_card(
            "pages.large",
            view.title,
            self.shape("large"),
            picture(kit, view.picture),
            padding=4,
            size_hint_x=0.44,
        )

    def _tools(self, view: PagesView) -> Widget:
        kit = self.kit
        compact = kit.theme.compact
        title = kit.fit(
            view.title, "heading", wid="pages.title", weight="semibold", lines=2, size_hint_y=None,
            height=round(kit.theme.font("heading") * 1.35),
        )  # fmt: skip
        checks = [self._check(check) for check in view.checks[: 1 if compact else 2]]
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
            title, kit.column(*checks, gap=8), box, gap=8 if compact else 12, size_hint_x=0.7
        )

    def _buttons(self, *, words: bool) -> list[Widget]:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        review = desk.visit.review
        tools: list[tuple[str, str, str, Callable[[], None], Any]] = [
            ("rotate", _("Rotate"), "rotate-right", lambda: desk.do(review.rotate()), "plain"),
            ("retake", _("Retake"), "camera-retake-outline", review.retake, "plain"),
            ("move", _("Move"), "swap-horizontal", self.shape("move"), "plain"),
            ("insert", _("Insert"), "table-row-plus-before", review.insert, "plain"),
            ("enlarge", _("Enlarge"), "magnify-plus-outline", self.shape("large"), "plain"),
            ("delete", _("Delete"), "trash-can-outline", review.delete, "danger"),
        ]
        return [
            kit.button(f"pages.{wid}", label if words else "", tap, icon=icon, wide=True, pad=4,
                       style=style, once=wid == "rotate")
            for wid, label, icon, tap, style in tools
        ]  # fmt: skip

    def _check(self, check: Check) -> Widget:
        kit = self.kit
        icons: dict[Tone, str] = {"good": "check", "caution": "alert-outline", "fault": "alert"}
        colour = check.tone if check.tone in ("good", "caution", "fault") else "quiet"
        row = kit.row(
            kit.icon(icons.get(check.tone, "timer-sand"), 26, colour),
            kit.fit(check.text, "small", wid="pages.check", colour=colour, weight="medium"),
            gap=10,
            padding=(12, 4),
        )
        fill = {"good": "good_tint", "caution": "caution_tint", "fault": "fault_tint"}
        Surface(row, kit.colour(fill.get(check.tone, "neutral")), None, kit.px(14), 0)
        return row

    def _contact(self, view: PagesView) -> Widget:
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        compact = kit.theme.compact
        columns, rows = (2, 1) if compact else (3, 2)
        lines = self.grid(view, columns, rows)
        if compact and (view.can_undo or len(lines) > 1):
            lines = lines[:2] if not view.can_undo else lines[:1]
        whole = kit.button("pages.all", _("All pages"), self.shape("all"),
                           icon="view-grid-outline", wide=True, pad=10)  # fmt: skip
        tools = kit.row(*self.flags(view), whole, size_hint_y=None, height=kit.theme.target)
        tools.spacing = kit.theme.gap
        parts: list[Widget] = list(lines)
        if len(view.thumbs) > columns * rows or view.flagged:
            parts.append(tools)
        if view.can_undo:
            parts.append(
                kit.button("pages.undo", _("Take the deleted page back"), visit.review.undo,
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

    def foot(self, view: PagesView) -> list[Widget]:
        """Return aids, later, help and the one primary action."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        call = kit.button("pages.call", "", visit.call_secretary, icon="bell-ring-outline")
        count = kit.fit(view.count, "body", wid="pages.count", colour="quiet", align="right")
        return [
            *self.aids(),
            *self.later(),
            call,
            count,
            kit.button("pages.done", _("All pages done"), visit.review.done,
                       icon_after="arrow-right", style="primary", kind="lead", most=460),
        ]  # fmt: skip


class ContactPage(Pages):
    """The contact sheet: all pages small, those that need a look first."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.contact", desk)

    def body(self, view: PagesView) -> Widget:
        """Return as many small pages as fit."""
        kit = self.kit
        columns, rows = (6, 2) if kit.theme.compact else (10, 2)
        box = kit.column(*self.grid(view, columns, rows), padding=(24, 14))
        box.spacing = kit.theme.gap
        return box

    def foot(self, view: PagesView) -> list[Widget]:
        """Return back, the filter, the count."""
        kit, _ = self.kit, self.kit.say.gettext
        flags = self.flags(view)
        for flag in flags:
            flag.size_hint_x = 0.5
        return [
            kit.button("back", _("Back"), self.shape("both"), icon="arrow-left"),
            *self.aids(),
            *flags,
            kit.fit(view.count, "body", wid="pages.count", colour="quiet", align="right"),
        ]


class LargePage(Pages):
    """One page alone, as large as the screen lets it."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.page", desk)

    def body(self, view: PagesView) -> Widget:
        """Return the page between the ways to its neighbours."""
        kit, review = self.kit, self.desk.visit.review
        places = [thumb.place for thumb in view.thumbs]
        before = [place for place in places if place < view.chosen]
        after = [place for place in places if place > view.chosen]
        less = (lambda: review.choose(before[-1])) if before else None
        more = (lambda: review.choose(after[0])) if after else None
        return kit.row(
            kit.middle(kit.button("page.before", "", less, icon="chevron-left"), size_hint_x=0.14),
            picture(kit, view.picture),
            kit.middle(kit.button("page.after", "", more, icon="chevron-right"), size_hint_x=0.14),
            padding=(10, 4),
        )

    def foot(self, view: PagesView) -> list[Widget]:
        """Return back, turn, which page it is."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("back", _("Back"), self.shape("both"), icon="arrow-left"),
            kit.fit(view.title, "body", wid="pages.title", align="center"),
            kit.button("pages.rotate", _("Rotate"), lambda: desk.do(desk.visit.review.rotate()),
                       icon="rotate-right", once=True),
        ]  # fmt: skip


class MovePage(Pages):
    """Where a page is to be moved: before another page, to the end, to another document."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.move", desk)

    def body(self, view: PagesView) -> Widget:
        """Return the small pages at the left, the other documents at the right."""
        kit, _, review = self.kit, self.kit.say.gettext, self.desk.visit.review
        compact = kit.theme.compact
        columns, rows = (3, 1) if compact else (5, 2)
        told = kit.fit(_("Touch the page before which it belongs"), "body", weight="medium",
                       size_hint_y=None, height=kit.px(56), lines=2)  # fmt: skip
        left = kit.column(told, *self.grid(view, columns, rows, review.move), gap=10)
        others = [
            kit.button(f"move.{slot}", label, self._to(slot), wide=True, height=-1, left=True,
                       pad=16)
            for slot, label in view.others[: 3 if compact else 5]
        ]  # fmt: skip
        others += [kit.space() for _n in range((3 if compact else 5) - len(others))]
        title = kit.fit(_("Or to another document"), "body", weight="medium", size_hint_y=None,
                        height=kit.px(56), lines=2)  # fmt: skip
        right = kit.column(title, *others, gap=12, size_hint_x=0.5)
        right.spacing = kit.theme.gap
        return kit.row(left, right, gap=24, padding=(24, 12))

    def _to(self, slot: str) -> Callable[[], None]:
        return lambda: self.desk.visit.review.move_to(slot)

    def foot(self, view: PagesView) -> list[Widget]:
        """Return back, which page it is, to the end."""
        kit, _, review = self.kit, self.kit.say.gettext, self.desk.visit.review
        last = len(self.desk.visit.slot_pages) + 1
        return [
            kit.button("back", _("Back"), self.shape("both"), icon="arrow-left"),
            kit.fit(view.title, "body", wid="pages.title", align="center"),
            kit.button("move.end", _("To the end"), lambda: review.move(last),
                       icon_after="arrow-right"),
        ]  # fmt: skip
