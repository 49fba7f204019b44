"""The visitor's screens after the first: filing paper, finding a document, hearings, idle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.image import Image
from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.home import VisitorPage
from kiosk.ui.visitor.views import (
    Check,
    ConfirmView,
    FaultView,
    FeedView,
    HearingsView,
    ListedHearing,
    PagesView,
    ReceiptView,
    RefusedView,
    Thumb,
    TrackView,
    TypeView,
)
from kiosk.ui.widgets.code import code_modules
from kiosk.ui.widgets.graphics import Surface, rgba
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit

FILING_STEPS = 4
TRACK_ROWS = ("12345", "67890", "-/")


class FilingPage(VisitorPage):
    """A step of handing in documents."""

    step = 0

    def title(self, view: Any) -> tuple[str, str]:
        """Return what is being done, and the step of four."""
        _ = self.kit.say.gettext
        return _("Hand in documents"), f"{self.step} / {FILING_STEPS}"


def picture(kit: Kit, path: Path | None, **options: Any) -> Widget:
    """Return the picture at ``path`` as large as fits, read anew; a sign while there is none."""
    if path is None:
        return kit.middle(kit.icon("timer-sand", 34, "meter_quiet"), **options)
    return Image(source=str(path), nocache=True, fit_mode="contain", **options)


# -- document type -------------------------------------------------------------------------------


class TypePage(FilingPage):
    """Document types by case kind; the most common first."""

    step = 1

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.type", desk)

    def body(self, view: TypeView) -> Widget:
        """Return groups at the left, types at the right; on a small screen the types alone."""
        kit, _ = self.kit, self.kit.say.gettext
        if kit.theme.compact:
            return kit.column(self._types(view), padding=(24, 14))
        title = kit.fit(
            _("Choose document type"), "headline", weight="semibold", lines=1, size_hint_y=0.15
        )
        groups = [
            kit.button(
                f"group.{group}", label, self._group(group), wide=True, height=-1, left=True,
                style="chosen" if group == view.group else "ghost", pad=18,
            )
            for group, label in view.groups
        ]  # fmt: skip
        left = kit.column(*groups, gap=10, size_hint_x=0.28)
        return kit.column(
            title, kit.row(left, self._types(view), gap=24), gap=12, padding=(60, 14, 60, 18)
        )

    def _types(self, view: TypeView) -> Widget:
        kit = self.kit
        columns = 2
        rows = 3 if kit.theme.compact or kit.theme.text_size > 2 else 4
        each = rows * columns
        pages = max(1, -(-len(view.types) // each))
        page = min(view.page, pages - 1)
        cells: list[Widget] = [
            kit.button(
                f"type.{kind}", label, self._choose(kind), wide=True, height=-1, left=True,
                kind="option", pad=20,
            )
            for kind, label in view.types[page * each : (page + 1) * each]
        ]  # fmt: skip
        cells += [kit.space() for _n in range(each - len(cells))]
        lines = [kit.row(*cells[n : n + columns], gap=14) for n in range(0, each, columns)]
        if kit.theme.compact:
            lines.append(self._small_steps(view, page, pages))
        elif pages > 1:
            lines.append(self._steps(view.group, page, pages))
        return kit.column(*lines, gap=14)

    def _small_steps(self, view: TypeView, page: int, pages: int) -> Widget:
        """Return one row that turns the pages and, after the last, goes on to the next group."""
        kit, _ = self.kit, self.kit.say.gettext
        names = [group for group, _label in view.groups]
        after = names[(names.index(view.group) + 1) % len(names)]
        more = self._page(view.group, page + 1) if page + 1 < pages else self._group(after)
        return kit.row(
            kit.fit(dict(view.groups)[view.group], "body", weight="semibold", lines=2),
            kit.button("type.more", _("More"), more, icon="chevron-down", wide=True, pad=12),
            gap=14,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def _steps(self, group: str, page: int, pages: int) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        less = self._page(group, page - 1) if page else None
        more = self._page(group, page + 1) if page + 1 < pages else None
        return kit.row(
            kit.button("type.less", _("Back"), less, icon="chevron-up", wide=True, pad=12),
            kit.fit(f"{page + 1} / {pages}", "body", weight="tabular", align="center",
                    size_hint_x=0.4, lines=1),
            kit.button("type.more", _("More"), more, icon="chevron-down", wide=True, pad=12),
            gap=14,
            size_hint_y=None,
            height=kit.theme.target,
        )  # fmt: skip

    def _group(self, group: str) -> Callable[[], None]:
        return lambda: self.desk.visit.show_types(group, 0)

    def _page(self, group: str, page: int) -> Callable[[], None]:
        return lambda: self.desk.visit.show_types(group, page)

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.desk.visit.choose_type(kind, self.desk.look.language)

    def foot(self, view: Any) -> list[Widget]:
        """Return back, text size, contrast, help."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            kit.button("back", _("Back"), visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            kit.button("type.call", _("Call the secretary"), visit.call_secretary,
                       icon="bell-ring-outline", most=420),
        ]  # fmt: skip


# -- paper ---------------------------------------------------------------------------------------


class FeedPage(FilingPage):
    """Paper is awaited or arriving; pages appear as they come."""

    step = 2

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.feed", desk)

    def update(self, view: FeedView, frame: Any) -> None:
        """Show ``view``; the name tells whether paper moves."""
        self.name = "visitor.scanning" if view.scanning else "visitor.feed"
        super().update(view, frame)

    def body(self, view: FeedView) -> Widget:
        """Return picture, what to do, and the pages so far."""
        kit = self.kit
        icon = "scanner" if view.scanning or view.glass else "tray-arrow-down"
        shown = kit.icon(icon, 190 if not view.thumbs else 120, "tint_text")
        left = kit.card(kit.middle(shown), tone="accent", size_hint_x=0.33)
        words: list[Widget] = [
            kit.fit(view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"),
            kit.fit("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]
        if view.count:
            words.append(
                kit.fit(
                    view.count,
                    "say",
                    wid="scan.count",
                    weight="semibold",
                    colour="tint_text",
                    size_hint_y=0.5,
                )
            )
        top = kit.row(left, kit.column(*words, gap=14), gap=40)
        parts: list[Widget] = [top]
        if view.thumbs:
            parts.append(thumb_strip(kit, view.thumbs[-8:]))
        return kit.column(*parts, gap=20, padding=(60, 24))

    def foot(self, view: FeedView) -> list[Widget]:
        """Return back or stop; on the glass: scan this sheet."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        back = kit.button("back", _("Back"), visit.stop_scan, icon="arrow-left")
        stop = kit.button(
            "scan.stop", _("That is all"), visit.stop_scan, icon="check",
            style="plain" if view.scanning or view.glass else "primary", kind="lead",
        )  # fmt: skip
        glass = kit.button(
            "scan.glass", _("Scan this sheet"), visit.scan_glass, icon="scanner", style="primary",
            kind="lead", most=460,
        )  # fmt: skip
        call = kit.button("scan.call", "", visit.call_secretary, icon="bell-ring-outline")
        left: list[Widget] = [back] if not view.kept else []
        right: list[Widget] = [stop] if view.kept else []
        if view.glass:
            right.append(glass)
        return [*left, *self.aids(), call, kit.space(), *right]


def thumb_strip(kit: Kit, thumbs: Sequence[Thumb]) -> Widget:
    """Return the newest pages side by side."""
    cells = [
        kit.card(
            picture(kit, thumb.picture),
            kit.fit(str(thumb.place), "small", align="center", size_hint_y=None,
                    height=round(kit.theme.font("small") * 1.3), lines=1),
            padding=8,
        )
        for thumb in thumbs
    ]  # fmt: skip
    cells += [kit.space() for _n in range(8 - len(cells))]
    return kit.row(*cells, gap=12, size_hint_y=0.55)


class FaultPage(FilingPage):
    """Scanning stopped: consequence first; it goes away by itself once mended."""

    step = 2

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.fault", desk)

    def body(self, view: FaultView) -> Widget:
        """Return picture and words."""
        kit, _ = self.kit, self.kit.say.gettext
        icons = {"scanner_jam": "scanner", "scanner_no_paper": "tray-alert"}
        shown = kit.icon(icons.get(view.code, "scanner"), 190, "caution")
        left = kit.card(kit.middle(shown), tone="caution", size_hint_x=0.32)
        colour = "good" if view.can_finish else "text"
        words: list[Widget] = [
            kit.fit(view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"),
            kit.fit(view.kept, "say", wid="scan.count", colour=colour, weight="medium",
                    size_hint_y=0.35),
            kit.fit("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]  # fmt: skip
        if view.asks:
            told = _("Sheets that were not scanned are not handed in.")
            words = [
                kit.fit(_("Are all your sheets among them?"), "headline", wid="scan.asks",
                        weight="semibold", valign="bottom"),
                kit.fit(f"{view.kept}\n{told}", "say", wid="scan.text", valign="top"),
            ]  # fmt: skip
        return kit.row(left, kit.column(*words, gap=12), gap=48, padding=(60, 50))

    def foot(self, view: FaultView) -> list[Widget]:
        """Return finish (asks once more) and call."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        if view.asks:
            return [
                kit.button("scan.finish.confirm", view.finish, visit.stop_scan, most=520),
                kit.space(),
                kit.button("scan.finish.cancel", _("No, go on scanning"),
                           lambda: visit.ask_finish(False), style="primary", most=520),
            ]  # fmt: skip
        first = (
            kit.button("scan.finish", view.finish, lambda: visit.ask_finish(True), most=460)
            if view.can_finish
            else kit.button("back", _("Back"), visit.stop_scan, icon="arrow-left")
        )
        return [
            first,
            *self.aids(),
            kit.space(),
            kit.button("scan.call", _("Call the secretary"), visit.call_secretary,
                       icon="bell-ring-outline", style="primary", most=440),
        ]  # fmt: skip


# -- looking over --------------------------------------------------------------------------------


class PagesPage(FilingPage):
    """One page large with its checks in words, all pages small, one primary action."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.pages", desk)

    def body(self, view: PagesView) -> Widget:
        """Return the chosen page, what can be done with it, thumbnails."""
        kit = self.kit
        large = kit.row(self._large(view), self._tools(view), gap=22)
        card = kit.card(large, padding=20, size_hint_x=0.6)
        return kit.row(card, self._contact(view), gap=24, padding=(28, 18))

    def _large(self, view: PagesView) -> Widget:
        kit = self.kit
        box = kit.column(picture(kit, view.picture), padding=3, size_hint_x=0.56)
        Surface(box, self.colours.neutral, self.colours.edge, kit.px(4), 1)
        return box

    def _tools(self, view: PagesView) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        visit = desk.visit
        title = kit.fit(
            view.title, "heading", wid="pages.title", weight="semibold", lines=2, size_hint_y=None,
            height=round(kit.theme.font("heading") * 1.35),
        )  # fmt: skip
        checks = [self._check(check) for check in view.checks[: 1 if kit.theme.compact else 3]]
        if not kit.theme.compact:
            checks += [kit.space() for _n in range(2 - len(checks))]
        words = ("", "", "") if kit.theme.compact else (_("Rotate"), _("Retake"), _("Delete page"))
        buttons = [
            kit.button("pages.rotate", words[0], lambda: desk.do(visit.rotate()),
                       icon="rotate-right", wide=True, pad=12, once=True),
            kit.button("pages.retake", words[1], visit.retake, icon="camera-retake-outline",
                       wide=True, pad=12),
            kit.button("pages.delete", words[2], visit.delete, icon="trash-can-outline",
                       style="danger", wide=True, pad=12),
        ]  # fmt: skip
        if kit.theme.compact:
            row = kit.row(*buttons, gap=8, size_hint_y=None, height=kit.theme.target)
            return kit.column(title, kit.column(*checks), row, gap=8, size_hint_x=0.62)
        return kit.column(title, kit.column(*checks, gap=8), *buttons, gap=12, size_hint_x=0.44)

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
        columns = 2 if kit.theme.compact else 3
        rows = 1 if kit.theme.compact else 2
        each = rows * columns
        pages = max(1, -(-len(view.thumbs) // each))
        page = (view.chosen - 1) // each if view.page is None else min(view.page, pages - 1)
        cells: list[Widget] = [
            self._thumb(thumb, thumb.place == view.chosen)
            for thumb in view.thumbs[page * each : (page + 1) * each]
        ]
        cells += [kit.space() for _n in range(each - len(cells))]
        lines: list[Widget] = [
            kit.row(*cells[n : n + columns], gap=12) for n in range(0, each, columns)
        ]
        if pages > 1:
            lines.append(self._steps(page, pages))
        if kit.theme.compact:
            more: Widget = kit.button(
                "pages.add", _("More sheets?"), visit.add_pages, icon="tray-arrow-down",
                style="tint", wide=True, pad=10,
            )  # fmt: skip
            lines = lines[:1] if view.can_undo else lines
        else:
            more = self._more()
        parts = [*lines, more]
        if view.can_undo:
            parts.append(
                kit.button("pages.undo", _("Take the deleted page back"), visit.undo, icon="undo",
                           wide=True, style="primary", pad=10)
            )  # fmt: skip
        return kit.column(*parts, gap=14, size_hint_x=0.4)

    def _more(self) -> Widget:
        """Return the large invitation to put in more sheets."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return kit.touchable_card(
            "pages.add",
            _("More sheets?"),
            visit.add_pages,
            kit.icon("tray-arrow-down", 44, "tint_text"),
            kit.column(
                kit.fit(_("More sheets?"), "body", weight="semibold", colour="tint_text", lines=1),
                kit.fit(_("Touch here and put them in"), "small", colour="tint_text"),
            ),
            style="tint",
            orientation="horizontal",
            padding=(22, 10),
            gap=16,
            size_hint_y=None,
            height=max(kit.px(110), kit.theme.target),
        )

    def _steps(self, page: int, pages: int) -> Widget:
        kit, visit = self.kit, self.desk.visit
        less = (lambda: visit.turn_thumbnails(page - 1)) if page else None
        more = (lambda: visit.turn_thumbnails(page + 1)) if page + 1 < pages else None
        return kit.row(
            kit.button("pages.less", "", less, icon="chevron-left", wide=True),
            kit.fit(f"{page + 1} / {pages}", "body", weight="tabular", align="center", lines=1),
            kit.button("pages.more", "", more, icon="chevron-right", wide=True),
            gap=12,
            size_hint_y=None,
            height=kit.theme.target,
        )

    def _thumb(self, thumb: Thumb, chosen: bool) -> Widget:
        kit, visit = self.kit, self.desk.visit
        height = round(kit.theme.font("small") * 1.3)
        number = kit.fit(str(thumb.place), "small", align="center", weight="semibold", lines=1)
        parts: list[Widget] = [number]
        if thumb.flagged:
            parts.append(kit.icon("alert", 24, "caution"))
        foot = kit.row(*parts, size_hint_y=None, height=height)
        return kit.touchable_card(
            f"page.{thumb.place}",
            str(thumb.place),
            lambda: visit.choose_page(thumb.place),
            picture(kit, thumb.picture),
            foot,
            chosen=chosen,
            padding=10,
            gap=4,
        )

    def foot(self, view: PagesView) -> list[Widget]:
        """Return aids and the one primary action."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        call = kit.button("pages.call", "", visit.call_secretary, icon="bell-ring-outline")
        count = kit.fit(view.count, "body", wid="pages.count", colour="quiet", align="right")
        done = visit.confirm if view.thumbs else None
        return [
            *self.aids(),
            call,
            count,
            kit.button("pages.done", _("All pages done"), done, icon_after="arrow-right",
                       style="primary", kind="lead", most=560),
        ]  # fmt: skip


class ConfirmPage(FilingPage):
    """Asked once more before the documents are handed in."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.confirm", desk)

    def body(self, view: ConfirmView) -> Widget:
        """Return what is going to be handed in."""
        kit, _ = self.kit, self.kit.say.gettext
        shown = kit.icon("file-document-outline", 170, "tint_text")
        left = kit.card(kit.middle(shown), tone="accent", size_hint_x=0.32)
        words: list[Widget] = [
            kit.fit(_("Hand in this document?"), "headline", weight="semibold", valign="bottom"),
            kit.fit(view.type_label, "choice", wid="confirm.type"),
            kit.fit(view.count, "say", wid="confirm.count", colour="quiet", valign="top"),
        ]
        if view.warning:
            words.append(kit.fit(view.warning, "say", wid="confirm.warning", colour="caution"))
        words.append(
            kit.fit(
                _("The court gets the scan. Keep the paper original."), "body", colour="quiet",
                valign="top",
            )
        )  # fmt: skip
        return kit.row(left, kit.column(*words, gap=10), gap=48, padding=(60, 50))

    def foot(self, view: ConfirmView) -> list[Widget]:
        """Return back and hand in."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        back = desk.visit.back_to_pages
        return [
            kit.button("back", _("Back"), back, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            kit.button("pages.submit", _("Submit"), lambda: desk.do(desk.visit.submit()),
                       icon="check", style="primary", kind="heading", once=True, most=520),
        ]  # fmt: skip


class RegisteringPage(FilingPage):
    """The filing is being made durable and registered."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.registering", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """Nothing can be left here: no way home while it is being kept."""
        return super().head(view, frame)[1:]

    def body(self, view: Any) -> Widget:
        """Return one sentence."""
        kit, _ = self.kit, self.kit.say.gettext
        text = kit.text(
            _("Your document is being registered…"), "headline", wid="register.text",
            weight="semibold", align="center",
        )  # fmt: skip
        icon = kit.icon("timer-sand", 130, "accent")
        return kit.column(kit.space(), icon, text, kit.space(), gap=28, padding=(60, 40))

    def has_foot(self, view: Any) -> bool:
        """There is nothing to be done here."""
        return False


# -- receipt -------------------------------------------------------------------------------------


class CodePicture(Widget):
    """A QR code, dark on white whatever the contrast."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(**options)
        size, pixels = code_modules(text)
        self._texture = Texture.create(size=(size, size), colorfmt="luminance")
        self._texture.mag_filter = "nearest"
        self._texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
        self._texture.flip_vertical()
        with self.canvas:
            Color(rgba=rgba("#ffffff"))
            self._paper = Rectangle()
            self._code = Rectangle(texture=self._texture)
        self.bind(pos=self._place, size=self._place)

    def _place(self, *_: Any) -> None:
        side = min(self.width, self.height)
        corner = (self.center_x - side / 2, self.center_y - side / 2)
        for box in (self._paper, self._code):
            box.pos, box.size = corner, (side, side)


class ReceiptPage(FilingPage):
    """The number is the largest thing; where the document is; when the screen is wiped."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.receipt", desk)

    def body(self, view: ReceiptView) -> Widget:
        """Return number and stages at the left, code and printer at the right."""
        kit = self.kit
        tone: Tone = "caution" if view.provisional else "good"
        icon = "clock-outline" if view.provisional else "check-circle"
        pill = kit.pill(view.state, tone, icon, wid="receipt.state", most=640)
        left = kit.column(
            kit.row(pill, kit.space(), size_hint_y=0.7),
            kit.fit(view.label, "body", colour="quiet", valign="bottom", size_hint_y=0.5, lines=1),
            kit.fit(view.number, "display", wid="receipt.number", weight="tabular", lines=1,
                    size_hint_y=1.2),
            kit.fit(view.summary, "body", wid="receipt.summary", colour="quiet", valign="top",
                    size_hint_y=0.8),
            stage_strip(kit, view.stages),
            kit.fit(view.explained, "lead" if view.provisional else "body",
                    wid="receipt.explained", valign="top"),
            gap=8,
        )  # fmt: skip
        colour = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
        right = kit.card(
            CodePicture(view.reference, size_hint_y=0.7 if kit.theme.compact else 1.5),
            kit.fit(view.printer, "body", wid="receipt.printer", colour=colour, align="center"),
            gap=10,
            padding=20,
            size_hint_x=0.4,
        )
        return kit.row(left, right, gap=40, padding=(60, 22))

    def foot_key(self, view: ReceiptView) -> Any:
        """The footer counts down."""
        return (view.can_print, self.desk.wipe_seconds)

    def foot(self, view: ReceiptView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        visit = desk.visit
        again = (lambda: desk.do(visit.print_receipt())) if view.can_print else None
        seconds = self.kit.say.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds",
            desk.wipe_seconds or 0,
        )  # fmt: skip
        return [
            kit.button("receipt.print", _("Print again"), again, icon="printer-outline", once=True),
            *self.aids(),
            kit.fit(seconds, "body", wid="receipt.wipe", colour="quiet", align="right"),
            kit.button("receipt.done", _("Done"), desk.finish_visit, style="primary", kind="lead"),
        ]


def stage_strip(kit: Kit, stages: Sequence[tuple[str, bool]]) -> Widget:
    """Return the way of a document: what is reached is marked."""
    cells: list[Widget] = []
    for name, reached in stages:
        colour = "good" if reached else "quiet"
        text = kit.fit(name, "small", colour=colour, weight="medium", align="center", lines=2)
        parts: list[Widget] = [text]
        if reached:
            parts.insert(0, kit.icon("check", 24, colour))
        cell = kit.row(*parts, gap=4, padding=(8, 4))
        cell.size_hint_x = max(len(word) for word in name.split()) + (5 if reached else 3)
        fill = kit.colours.good_tint if reached else kit.colours.neutral
        Surface(cell, fill, None, kit.px(22), 0)
        cells.append(cell)
    return kit.row(*cells, gap=8, size_hint_y=None, height=max(kit.px(54), kit.least * 3))


class RefusedPage(FilingPage):
    """The filing could not be kept: what to do."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.refused", desk)

    def body(self, view: RefusedView) -> Widget:
        """Return consequence and remedy."""
        kit = self.kit
        left = kit.card(kit.middle(kit.icon("alert-circle", 180, "fault")), tone="fault",
                        size_hint_x=0.32)  # fmt: skip
        words = kit.column(
            kit.fit(
                view.title, "headline", wid="refused.title", weight="semibold", valign="bottom"
            ),
            kit.fit(view.text, "say", wid="refused.text", valign="top"),
            gap=14,
        )
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot(self, view: RefusedView) -> list[Widget]:
        """Return again and call."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        retry = (lambda: desk.do(desk.visit.submit())) if view.pages_kept else desk.visit.leave
        return [
            kit.button("refused.retry", _("Try again"), retry, icon="restart", once=True),
            *self.aids(),
            kit.space(),
            kit.button("refused.call", _("Call the secretary"), desk.visit.call_secretary,
                       icon="bell-ring-outline", style="primary", most=440),
        ]  # fmt: skip


# -- other choices -------------------------------------------------------------------------------


class TrackPage(VisitorPage):
    """Where is my document: by the receipt's code or number."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.track", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Where is my document?"), ""

    def body(self, view: TrackView) -> Widget:
        """Return number and answer at the left, keys at the right."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        told = _("Hold the code of your receipt to the reader, or type the number.")
        box = kit.card(
            kit.fit(view.typed or " ", "title", wid="track.typed", weight="tabular", lines=1),
            padding=(18, 4), size_hint_y=None, height=kit.px(90),
        )  # fmt: skip
        left: list[Widget] = [kit.fit(told, "say", valign="bottom"), box]
        if view.answer:
            colour = "caution" if view.tone == "caution" else "good"
            left += [
                kit.fit(view.answer, "title", wid="track.answer", colour=colour,
                        weight="semibold"),
                kit.fit(view.detail, "body", colour="quiet", valign="top", size_hint_y=0.6),
            ]  # fmt: skip
        if view.stages and not kit.theme.compact:
            left.append(stage_strip(kit, view.stages))
        if not view.answer:
            left.append(kit.space())
        keys = key_rows(kit, TRACK_ROWS, visit.type_key)
        keys.size_hint_x = 1.1 if kit.theme.compact else 0.62
        return kit.row(
            kit.column(*left, gap=14),
            keys,
            gap=40,
            padding=(60, 24) if not kit.theme.compact else (24, 12),
        )

    def foot(self, view: TrackView) -> list[Widget]:
        """Return back and show."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        show = (lambda: desk.do(desk.visit.track_number())) if view.typed else None
        return [
            kit.button("back", _("Back"), desk.visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            kit.button("track.show", _("Show"), show, style="primary", kind="lead"),
        ]


class HearingsPage(VisitorPage):
    """Today's hearings; of closed ones only time and number."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.hearings", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Today's hearings"), ""

    def body(self, view: HearingsView) -> Widget:
        """Return the rows of one page."""
        kit = self.kit
        each = self._each()
        rows = view.rows[view.page * each : (view.page + 1) * each]
        cards: list[Widget] = [
            self._row(view.page * each + n, row) for n, row in enumerate(rows, start=1)
        ]
        if view.empty:
            cards = [kit.space(), kit.text(view.empty, "title", align="center"), kit.space()]
        else:
            cards += [kit.space() for _n in range(each - len(cards))]
        return kit.column(*cards, gap=12, padding=(60, 20))

    def _each(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 5

    def _row(self, number: int, row: ListedHearing) -> Widget:
        kit = self.kit
        time = kit.fit(row.time or "–", "choice", weight="tabular", lines=1, size_hint_x=0.16)
        case = kit.fit(row.case_number, "heading", wid=f"hearing.{number}", weight="semibold",
                       lines=1)  # fmt: skip
        words: list[Widget] = [case]
        if row.title:
            words.append(kit.fit(row.title, "body", colour="quiet", lines=1, ellipsis=True))
        pill = kit.pill(row.publicity, "dark" if row.closed else "accent",
                        "lock" if row.closed else "", most=260)  # fmt: skip
        return kit.card(
            time, kit.column(*words), pill, orientation="horizontal", padding=(26, 8), gap=16
        )

    def foot(self, view: HearingsView) -> list[Widget]:
        """Return back and the pages of the list."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        pages = max(1, -(-len(view.rows) // self._each()))
        children: list[Widget] = [
            kit.button("back", _("Back"), visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.fit(view.age, "small", colour="quiet", align="right"),
        ]
        if pages > 1:
            less = (lambda: visit.show_hearings(view.page - 1)) if view.page else None
            more = (lambda: visit.show_hearings(view.page + 1)) if view.page + 1 < pages else None
            children += [
                kit.button("hearing.less", "", less, icon="chevron-up"),
                kit.button("hearing.more", "", more, icon="chevron-down"),
            ]
        return children


class CalledPage(VisitorPage):
    """A sign that is seen across the room: the secretary is needed here."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.called", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Call the secretary"), ""

    def body(self, view: Any) -> Widget:
        """Return the sign."""
        kit, _ = self.kit, self.kit.say.gettext
        icon = kit.icon("bell-ring-outline", 200, "caution")
        words = kit.column(
            kit.fit(_("Help is needed here"), "display", weight="semibold", valign="bottom",
                    colour="caution"),
            kit.fit(_("Please wait here. The secretary sees this sign."), "say",
                    wid="called.text", valign="top"),
        )  # fmt: skip
        card = kit.card(
            kit.middle(icon, size_hint_x=0.4), words, tone="caution", orientation="horizontal",
            gap=20, padding=40,
        )  # fmt: skip
        return kit.column(card, padding=(60, 40))

    def foot(self, view: Any) -> list[Widget]:
        """Return: help is not needed any more."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            *self.aids(),
            kit.space(),
            kit.button("called.done", _("Go on"), visit.call_done, style="primary", kind="lead"),
        ]


# -- leaving and idle ----------------------------------------------------------------------------


class LeavePage(VisitorPage):
    """Pages would be lost: asked once more."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.leave", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """The question itself is the way home."""
        return super().head(view, frame)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Hand in documents"), ""

    def body(self, view: int) -> Widget:
        """Return consequence first."""
        kit, _ = self.kit, self.kit.say.gettext
        count = self.kit.say.ngettext(
            "{n} scanned page will be deleted.", "{n} scanned pages will be deleted.", view
        )
        icon = kit.icon("trash-can-outline", 170, "caution")
        words = kit.column(
            kit.fit(count, "headline", wid="leave.text", weight="semibold", valign="bottom"),
            kit.fit(_("Nothing has been handed in yet."), "say", valign="top"),
            gap=14,
        )
        left = kit.card(kit.middle(icon), tone="caution", size_hint_x=0.32)
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot(self, view: int) -> list[Widget]:
        """Return both ways; staying is the safe one."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            kit.button("leave.yes", _("Delete and leave"), visit.leave, style="danger", most=460),
            kit.space(),
            kit.button("leave.no", _("Go on"), visit.stay, style="primary", kind="lead"),
        ]


class IdlePage(VisitorPage):
    """Nobody has touched the screen for a while: it is going to be wiped."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.idle", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """Only languages and clock."""
        return super().head(view, frame)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Are you still here?"), ""

    def body(self, view: int) -> Widget:
        """Return the seconds that are left."""
        kit, _ = self.kit, self.kit.say.gettext
        number = kit.fit(
            str(view), "display", wid="idle.seconds", weight="tabular", align="center", factor=1.6
        )
        left = kit.card(number, tone="caution", size_hint_x=0.32)
        words = kit.column(
            kit.fit(_("Are you still here?"), "headline", weight="semibold", valign="bottom"),
            kit.fit(_("Otherwise everything you have entered and scanned is deleted."), "say",
                    valign="top"),
            gap=14,
        )  # fmt: skip
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot_key(self, view: int) -> Any:
        """The footer does not count."""
        return None

    def foot(self, view: int) -> list[Widget]:
        """Return the one large button, and the other way."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("idle.finish", _("Delete and finish"), desk.finish_visit),
            kit.space(),
            kit.button("idle.here", _("I am still here"), desk.touch, style="primary",
                       kind="heading", most=620),
        ]  # fmt: skip
