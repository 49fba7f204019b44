"""The screen for the parties' copies: which hearing, which stick, how far, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.places import Today
from kiosk.ui.secretary.copy_views import CopiesView, CopyRow, MediumRow
from kiosk.ui.secretary.parts import Meter
from kiosk.ui.staff_page import StaffPage
from kiosk.ui.widgets.kit import Kit


class CopiesPage(StaffPage):
    """Draws :class:`CopiesView`."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.copies", desk)

    def title(self, view: CopiesView) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Copy for the parties"), ""

    def body(self, view: CopiesView) -> Widget:
        """Return the step."""
        match view.step:
            case "list":
                return self._list(view)
            case "medium":
                return self._medium(view)
            case _:
                return self._progress(view)

    def _list(self, view: CopiesView) -> Widget:
        kit = self.kit
        room = self._room()
        text = kit.fit(view.text, "heading", wid="copies.text", weight="semibold", lines=2,
                       size_hint_y=0.6)  # fmt: skip
        page = min(view.page, max(0, -(-len(view.rows) // room) - 1))
        shown = view.rows[page * room : (page + 1) * room]
        rows = [self._row(n + 1, row) for n, row in enumerate(shown)]
        rows += [kit.space() for _n in range(room - len(rows))]
        return kit.column(text, *rows, gap=14, padding=(28, 16))

    def _room(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 4

    def _row(self, number: int, row: CopyRow) -> Widget:
        kit = self.kit
        case = kit.fit(row.case_number, "heading", weight="semibold", lines=1)
        about = kit.fit(row.about, "small", colour="quiet", lines=1, ellipsis=True)
        parts: list[Widget] = [kit.column(case, about)]
        if row.word:
            tone: Any = "dark" if row.closed else "caution"
            parts.append(kit.pill(row.word, tone, "lock" if row.closed else "", most=420))
        return kit.touchable_card(
            f"copies.hearing.{number}", f"{row.case_number} {row.word}",
            lambda: self.desk.office.copies.choose(row.hearing), *parts,
            orientation="horizontal", padding=(24, 6), gap=14,
        )  # fmt: skip

    def _medium(self, view: CopiesView) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        words: list[Widget] = [
            kit.fit(view.title, "title", weight="semibold", lines=1),
            kit.fit(view.text, "heading", wid="copies.text", lines=2),
            *(kit.fit(note, "body", colour="caution", lines=3) for note in view.notes),
        ]
        media = [self._stick(n + 1, medium) for n, medium in enumerate(view.media[:3])]
        if not media:
            media = [kit.card(kit.middle(kit.icon("usb-flash-drive-outline", 110, "tint_text")),
                              tone="accent")]  # fmt: skip
        words.append(kit.space())
        languages = [
            kit.button(
                f"copies.lang.{code}", name, self._language(code), wide=True,
                style="chosen" if code == view.language else "plain",
                icon="check" if code == view.language else "",
            )
            for code, name in (("kk", "Қазақша"), ("ru", "Русский"))
        ]  # fmt: skip
        row = kit.row(*languages, size_hint_y=None, height=kit.theme.target)
        row.spacing = kit.theme.gap
        says = kit.fit(_("Language of page and statement"), "small", colour="quiet", lines=1,
                       size_hint_y=0.5)  # fmt: skip
        left = kit.column(*words, says, row, gap=14)
        spaces = 3 - len(media) if view.media else 0
        right = kit.column(*media, *(kit.space() for _n in range(spaces)), gap=14)
        return kit.row(left, right, gap=32, padding=(40, 24))

    def _stick(self, number: int, medium: MediumRow) -> Widget:
        kit = self.kit
        name = kit.fit(medium.name, "heading", weight="semibold", lines=1)
        free = kit.fit(medium.free, "body", colour="quiet", lines=1)
        return kit.touchable_card(
            f"copies.medium.{number}", medium.name,
            lambda: self.desk.office.copies.choose_medium(medium.path),
            kit.icon("usb-flash-drive-outline", 46), kit.column(name, free),
            chosen=medium.chosen, orientation="horizontal", padding=(24, 10), gap=16,
        )  # fmt: skip

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.desk.office.copies.choose_language(code)

    def _progress(self, view: CopiesView) -> Widget:
        kit = self.kit
        icon = {"good": "check-circle", "fault": "alert-circle"}.get(view.tone, "content-copy")
        colour = {"good": "good", "fault": "fault"}.get(view.tone, "tint_text")
        tone = view.tone if view.tone in ("good", "fault") else "accent"
        picture = kit.card(kit.middle(kit.icon(icon, 120, colour)), tone=tone, size_hint_x=0.3)
        words: list[Widget] = [
            kit.fit(view.title, "heading", colour="quiet", lines=1),
            kit.fit(view.text, "title", wid="copies.text", weight="semibold"),
        ]
        if view.fraction is not None:
            bar = Meter(kit, 24)
            bar.fill(view.fraction)
            words.append(bar)
        words += [kit.fit(note, "lead") for note in view.notes]
        return kit.row(picture, kit.column(*words, gap=16), gap=40, padding=(50, 40))

    def foot(self, view: CopiesView) -> list[Widget]:
        """Return the way back and the one action."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        copies = desk.office.copies
        leave = kit.button("back", _("Back"), lambda: desk.office.go(Today()))
        match view.step:
            case "list":
                return [leave, kit.space(), *self._turns(view)]
            case "medium":
                start = (lambda: desk.do(copies.start())) if view.can_start else None
                return [
                    kit.button("copies.list", _("Back"), copies.back),
                    kit.space(),
                    kit.button("copies.start", _("Make the copy"), start, icon="content-copy",
                               style="primary", kind="lead", once=True, most=520),
                ]  # fmt: skip
            case "running":
                return [
                    leave,
                    kit.space(),
                    kit.button("copies.cancel", _("Cancel"), lambda: desk.do(copies.cancel()),
                               icon="close", style="danger", once=True),
                ]  # fmt: skip
            case _:
                return [leave, kit.space(),
                        kit.button("copies.again", _("Another copy"), copies.back)]  # fmt: skip

    def _turns(self, view: CopiesView) -> list[Widget]:
        kit, copies = self.kit, self.desk.office.copies
        pages = -(-len(view.rows) // self._room())
        if pages < 2:
            return []
        page = min(view.page, pages - 1)
        less = (lambda: copies.turn(page - 1)) if page else None
        more = (lambda: copies.turn(page + 1)) if page + 1 < pages else None
        return [
            kit.button("copies.less", "", less, icon="chevron-up"),
            kit.button("copies.more", "", more, icon="chevron-down"),
        ]
