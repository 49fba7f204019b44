"""The documents in turn, the sheets that were put in, originals, the state fee."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.visitor.step import CodePicture, FilingPage
from kiosk.ui.visitor.telling_screens import typed_box
from kiosk.ui.visitor.telling_views import FeeView, OriginalsView, SheetsView, SlotRow, SlotsView
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit


class SlotsPage(FilingPage):
    """Documents in turn: the next one large, all of them at the left, one tap ends it."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.slots", desk)

    def body(self, view: SlotsView) -> Widget:
        """Return the list and the document that is next."""
        kit = self.kit
        if kit.theme.compact:
            return kit.row(self._list(view), self._next(view), gap=14, padding=(20, 10))
        return kit.row(self._list(view), self._next(view), gap=28, padding=(40, 20))

    def _list(self, view: SlotsView) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        each = 3 if kit.theme.compact else 5
        pages = max(1, -(-len(view.rows) // each))
        at = next(n for n, row in enumerate(view.rows) if row.id == view.chosen) // each
        page = min(view.page - 1, pages - 1) if view.page else at
        rows = [self._row(row, row.id == view.chosen) for row in
                view.rows[page * each : (page + 1) * each]]  # fmt: skip
        rows += [kit.space() for _n in range(each - len(rows))]
        if pages > 1:
            less = (lambda: telling.gather(page)) if page else None
            more = (lambda: telling.gather(page + 2)) if page + 1 < pages else None
            rows.append(
                kit.row(
                    kit.button("slots.less", "", less, icon="chevron-up", wide=True),
                    kit.button("slots.more", "", more, icon="chevron-down", wide=True),
                    gap=14,
                    size_hint_y=None,
                    height=kit.theme.target,
                )
            )
        box = kit.column(*rows, size_hint_x=0.5)
        box.spacing = kit.theme.gap
        return box

    def _row(self, row: SlotRow, chosen: bool) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        colour = row.tone if row.tone in ("good", "caution") else "quiet"
        words: list[Widget] = [kit.fit(row.label, "body", weight="medium")]
        if row.state:
            words.append(kit.fit(row.state, "small", colour=colour, weight="medium", lines=1,
                                 size_hint_y=0.7))  # fmt: skip
        return kit.touchable_card(
            f"slot.{row.id}",
            f"{row.label} {row.state}".strip(),
            lambda: telling.gather(chosen=row.id),
            kit.icon(row.icon, 38, colour),
            kit.column(*words),
            chosen=chosen,
            orientation="horizontal",
            padding=(18, 6),
            gap=14,
        )

    def _next(self, view: SlotsView) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        words: list[Widget] = [
            kit.fit(view.label, "title", wid="slots.label", weight="semibold", valign="bottom"),
            kit.fit(view.told, "lead", wid="slots.told", colour="quiet", valign="top",
                    size_hint_y=0.6),
        ]  # fmt: skip
        buttons = self._buttons(view)
        lines: list[Widget] = []
        for n in range(0, len(buttons), 2):
            line = kit.row(*buttons[n : n + 2], size_hint_y=None, height=self._height())
            line.spacing = kit.theme.gap
            lines.append(line)
        box = kit.column(*words, *lines)
        box.spacing = kit.theme.gap
        return kit.card(box, padding=24 if not kit.theme.compact else 12, size_hint_x=0.62)

    def _height(self) -> int:
        return max(self.kit.theme.target, self.kit.px(92))

    def _buttons(self, view: SlotsView) -> list[Widget]:
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        telling, slot = visit.telling, view.chosen

        def button(wid: str, text: str, icon: str, on_tap: Any, style: Any = "plain") -> Widget:
            return kit.button(wid, text, on_tap, icon=icon, wide=True, height=-1, pad=10,
                              style=style)  # fmt: skip

        if view.pages:
            found = [
                button("slots.look", _("Look at the pages"), "magnify-plus-outline",
                       lambda: visit.review.open(slot)),
                button("slots.scan", _("Add sheets"), "tray-arrow-down",
                       lambda: visit.scan.begin(slot)),
            ]  # fmt: skip
            if view.many:
                found.append(button("slots.another", _("One more of these"), "file-plus-outline",
                                    lambda: telling.one_more(slot), "tint"))  # fmt: skip
            return found
        found = [
            button("slots.scan", _("Scan it"), "scanner", lambda: visit.scan.begin(slot), "tint"),
        ]
        if view.skipped:
            found.append(button("slots.unskip", _("I have it after all"), "undo",
                                lambda: telling.skip(slot, False)))  # fmt: skip
        else:
            found.append(button("slots.skip", _("I do not have it"), "minus-circle-outline",
                                lambda: telling.skip(slot)))  # fmt: skip
        if view.fee:
            found.append(button("slots.fee", _("How much is the fee?"), "calculator",
                                telling.ask_fee))  # fmt: skip
        return found

    def foot(self, view: SlotsView) -> list[Widget]:
        """Return aids, park, originals, nothing more."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        originals = view.originals or _("It does not fit the scanner")
        return [
            *self.aids(),
            *self.later(),
            kit.button("slots.originals", originals, visit.telling.ask_originals,
                       icon="package-variant", most=360),
            kit.space(),
            kit.button("slots.done", _("Nothing more"),
                       visit.telling.nothing_more if visit.pages else None,
                       icon_after="arrow-right", style="primary", kind="lead", most=420),
        ]  # fmt: skip


class SheetsPage(FilingPage):
    """How many sheets were put in: one tap up to nine; a difference is told in words."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.sheets", desk)

    def body(self, view: SheetsView) -> Widget:
        """Return the question with big digits, or the difference."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        compact = kit.theme.compact
        if view.differs:
            shown = kit.card(kit.middle(kit.icon("file-multiple-outline", 170, "caution")),
                             tone="caution", size_hint_x=0.32)  # fmt: skip
            words = kit.column(
                kit.fit(view.title, "headline", wid="sheets.title", weight="semibold",
                        valign="bottom"),
                kit.fit(view.text, "say", wid="sheets.text", valign="top"),
                gap=14,
            )  # fmt: skip
            return kit.row(shown, words, gap=48, padding=(60, 50) if not compact else (24, 16))
        parts: list[Widget] = [
            kit.fit(view.title, "headline", wid="sheets.title", weight="semibold", lines=2),
            kit.fit(view.text, "say", wid="sheets.text", colour="quiet", valign="top"),
        ]
        if view.pad:
            parts.append(typed_box(kit, "sheets.typed", view.typed or " "))
        left = kit.column(*parts, gap=14)
        if view.pad:
            keys: Widget = key_rows(kit, ("123", "456", "789", "0"), telling.sheets_key)
        else:
            digits = [self._digit(n) for n in range(1, 10)]
            lines = [kit.row(*digits[n : n + 3]) for n in range(0, 9, 3)]
            more = kit.button("sheets.more", _("10 or more"), telling.more_sheets, wide=True,
                              height=-1, kind="option")  # fmt: skip
            keys = kit.column(*lines, more)
            for box in (*lines, keys):
                box.spacing = kit.theme.gap
        keys.size_hint_x = 0.7
        return kit.row(left, keys, gap=40, padding=(60, 24) if not compact else (24, 10))

    def _digit(self, number: int) -> Widget:
        telling = self.desk.visit.telling
        return self.kit.button(f"sheets.{number}", str(number), lambda: telling.sheets(number),
                               wide=True, height=-1, kind="title")  # fmt: skip

    def foot(self, view: SheetsView) -> list[Widget]:
        """Return back and leaving it out; at a difference, scan again or it is right."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        telling = visit.telling
        if view.differs:
            return [
                kit.button("sheets.right", _("What was scanned is right"), telling.sheets_right,
                           most=340),
                kit.button("sheets.again", "", telling.count_again, icon="restart"),
                kit.space(),
                kit.button("sheets.scan", _("Scan the missing sheet") if view.fewer
                           else _("Look at the pages"),
                           visit.scan.begin if view.fewer else self._look,
                           style="primary", kind="lead", most=460),
            ]  # fmt: skip
        children: list[Widget] = [
            kit.button("back", _("Back"), self._look, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            kit.button("sheets.skip", _("Leave out"), telling.sheets_right),
        ]
        if view.pad:
            children.append(
                kit.button("sheets.ok", _("Go on"), telling.sheets_typed if view.typed else None,
                           style="primary", kind="lead")
            )  # fmt: skip
        return children

    def _look(self) -> None:
        visit = self.desk.visit
        if visit.filing is not None:
            visit.review.open(visit.filing.filing.slot)


class OriginalsPage(FilingPage):
    """What does not fit the scanner is listed: it is handed in on paper, or as it is."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.originals", desk)

    def body(self, view: OriginalsView) -> Widget:
        """Return what can be chosen."""
        kit, _ = self.kit, self.kit.say.gettext
        cells = [self._choice(*choice) for choice in view.choices]
        lines = [kit.row(*cells[n : n + 2]) for n in range(0, len(cells), 2)]
        box = kit.column(*lines)
        for line in (*lines, box):
            line.spacing = kit.theme.gap
        if kit.theme.compact:
            return kit.column(box, padding=(24, 12))
        title = kit.fit(_("What does not fit the scanner?"), "headline", weight="semibold",
                        lines=1, size_hint_y=0.26)  # fmt: skip
        told = kit.fit(_("It is written on your receipt as an original to be handed in."), "say",
                       colour="quiet", size_hint_y=0.2, lines=2)  # fmt: skip
        return kit.column(title, told, box, gap=12, padding=(60, 14, 60, 20))

    def _choice(self, wid: str, name: str, icon: str, chosen: bool) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        mark = "checkbox-marked" if chosen else "checkbox-blank-outline"
        return kit.touchable_card(
            f"original.{wid}",
            name,
            lambda: telling.original(name),
            kit.icon(mark, 42, "accent" if chosen else "quiet"),
            kit.icon(icon, 42, "quiet"),
            kit.fit(name, "option"),
            style="tint" if chosen else "plain",
            chosen=chosen,
            orientation="horizontal",
            padding=(24, 8),
            gap=18,
        )

    def foot(self, view: OriginalsView) -> list[Widget]:
        """Return aids and go on."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        chosen = any(choice[3] for choice in view.choices)
        words = _("Go on") if chosen else _("Nothing of this")
        return [
            *self.aids(),
            kit.space(),
            kit.button("originals.done", words, visit.back, style="primary", kind="lead",
                       icon_after="arrow-right"),
        ]  # fmt: skip


class FeePage(FilingPage):
    """The state fee: a hint, a code to pay, never a refusal."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.fee", desk)

    def body(self, view: FeeView) -> Widget:
        """Return the hint at the left; keys, fees or grounds of exemption at the right."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        compact = kit.theme.compact
        words: list[Widget] = []
        if view.label and not compact:
            words.append(kit.fit(view.label, "lead", colour="quiet", lines=2, size_hint_y=0.5))
        if view.figure:
            words.append(kit.fit(view.figure, "headline", wid="fee.figure", weight="tabular",
                                 lines=1, size_hint_y=0.7))  # fmt: skip
        words.append(kit.fit(view.text, "lead", wid="fee.text", size_hint_y=0.6))
        if view.exempt:
            words.append(kit.fit(view.exempt, "body", colour="quiet", size_hint_y=0.5))
        elif view.code:
            words.append(CodePicture(view.code, size_hint_y=1.6))
        if view.amount_asked and view.choosing == "amount" and not view.exempt:
            words.append(typed_box(kit, "fee.amount", f"{view.amount or '0'} ₸"))
        left = kit.column(*words, gap=10)
        if view.choosing == "amount":
            right: Widget = kit.space()
            if view.amount_asked:
                right = key_rows(kit, ("123", "456", "789", "0"), telling.amount_key)
            right.size_hint_x = 0.7
        else:
            right = self._choices(view)
        return kit.row(left, right, gap=32, padding=(48, 18) if not compact else (20, 10))

    def _choices(self, view: FeeView) -> Widget:
        kit = self.kit
        each = 2 if kit.theme.compact else 4
        pages = max(1, -(-len(view.choices) // each))
        page = min(view.page, pages - 1)
        lines: list[Widget] = [
            kit.button(f"fee.{view.choosing}.{one}", label, self._choose(view.choosing, one),
                       wide=True, height=-1, left=True, pad=18,
                       style="chosen" if one == view.chosen else "plain")
            for one, label in view.choices[page * each : (page + 1) * each]
        ]  # fmt: skip
        lines += [kit.space() for _n in range(each - len(lines))]
        if pages > 1:
            less = self._page(view.choosing, page - 1) if page else None
            more = self._page(view.choosing, page + 1) if page + 1 < pages else None
            steps = kit.row(
                kit.button("fee.less", "", less, icon="chevron-up", wide=True),
                kit.button("fee.more", "", more, icon="chevron-down", wide=True),
                size_hint_y=None,
                height=kit.theme.target,
            )
            steps.spacing = kit.theme.gap
            lines.append(steps)
        box = kit.column(*lines, size_hint_x=1.1)
        box.spacing = kit.theme.gap
        return box

    def _page(self, choosing: str, page: int) -> Callable[[], None]:
        return lambda: self.desk.visit.telling.fee_choice(choosing, page)

    def _choose(self, choosing: str, one: str) -> Callable[[], None]:
        telling = self.desk.visit.telling
        if choosing == "fee":
            return lambda: telling.choose_fee(one)
        return lambda: telling.exempt(one)

    def foot(self, view: FeeView) -> list[Widget]:
        """Return the other questions and go on."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        children: list[Widget] = [*self.aids()]
        if view.several:
            children.append(
                kit.button("fee.which", _("Another fee"), lambda: telling.fee_choice("fee"),
                           icon="format-list-bulleted", most=260)
            )  # fmt: skip
        if view.exempt:
            children.append(
                kit.button("fee.pay", _("No exemption"), lambda: telling.exempt(None), most=260)
            )
        else:
            children.append(
                kit.button("fee.exempt", _("I am exempt"), lambda: telling.fee_choice("exemption"),
                           icon="hand-back-left-outline", most=260)
            )  # fmt: skip
        return [
            *children,
            kit.space(),
            kit.button("fee.done", _("Go on"), telling.fee_done, style="primary", kind="lead",
                       icon_after="arrow-right"),
        ]  # fmt: skip
