"""The case, who files, the documents in turn, sheets, originals, the state fee."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.visitor.step import FilingPage
from kiosk.ui.visitor.telling_views import CaseView, Entry, NumberView, WhoView
from kiosk.ui.widgets.keyboard import DIGITS, key_rows, letters
from kiosk.ui.widgets.kit import Kit, Style


class CasePage(FilingPage):
    """Is there a case already, or does this begin one? One tap either way."""

    step = 1

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.case", desk)

    def body(self, view: CaseView) -> Widget:
        """Return the new case's kinds at the left, the existing case at the right."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        compact = kit.theme.compact
        title = kit.fit(_("Is there a case already?"), "headline", weight="semibold", lines=1,
                        size_hint_y=0.22)  # fmt: skip
        style: Style = "primary" if len(view.kinds) == 1 else "plain"
        news: list[Widget] = [
            kit.button(f"case.new.{kind}", label, self._new(kind), wide=True, height=-1,
                       kind="option", style=style, pad=20, icon="file-plus-outline", left=True)
            for kind, label in view.kinds
        ]  # fmt: skip
        left = kit.column(
            kit.fit(_("No, a new one:"), "say", lines=1, size_hint_y=0.5), *news, gap=14
        )
        number = kit.touchable_card(
            "case.number",
            _("Yes: type its number"),
            telling.name_case,
            kit.icon("keyboard-outline", 60, "accent"),
            kit.fit(_("Yes: type its number"), "option", weight="semibold"),
            orientation="horizontal",
            padding=(24, 10),
            gap=20,
        )
        code = kit.card(
            kit.icon("qrcode-scan", 60, "tint_text"),
            kit.fit(_("Or hold the code of your summons to the reader"), "body",
                    colour="tint_text"),
            tone="accent",
            orientation="horizontal",
            padding=(24, 10),
            gap=20,
        )  # fmt: skip
        right = kit.column(number, code, gap=14)
        parts = kit.row(left, right, gap=32)
        if compact:
            return kit.column(parts, padding=(24, 12))
        return kit.column(title, parts, gap=16, padding=(60, 16, 60, 24))

    def _new(self, kind: str) -> Callable[[], None]:
        return lambda: self.desk.visit.telling.new_case(kind)

    def foot(self, view: Any) -> list[Widget]:
        """Return back, aids, and leaving it out."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            kit.button("back", _("Back"), visit.back, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            kit.button("case.skip", _("I do not know"), visit.telling.leave_case_out,
                       icon_after="arrow-right", most=420),
        ]  # fmt: skip


class NumberPage(FilingPage):
    """The case number, typed with Kazakh and Russian letters; what is known of it."""

    step = 1

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.number", desk)

    def body(self, view: NumberView) -> Widget:
        """Return what is typed above the keys; the answer in place of them."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        compact = kit.theme.compact
        typed = typed_box(kit, "number.typed", view.typed or _("Case number"), empty=not view.typed)
        if view.answer:
            colour = {"good": "good", "caution": "caution"}.get(view.tone, "text")
            words = kit.column(
                kit.fit(view.answer, "title", wid="number.answer", colour=colour,
                        weight="semibold", valign="bottom"),
                kit.fit(view.detail, "say", wid="number.detail", valign="top"),
                gap=10,
            )  # fmt: skip
            return kit.column(typed, words, gap=20, padding=(60, 24) if not compact else (24, 12))
        keys = letters(kit, telling.case_key, telling.turn_keys, page=view.keys, digits=True)
        if compact:
            top = kit.row(
                kit.button("back", "", self.desk.visit.telling.ask_case, icon="arrow-left"),
                typed,
                self._find(view),
                size_hint_y=None,
                height=kit.theme.target,
            )
            top.spacing = kit.theme.gap
            typed.height = kit.theme.target
            return kit.column(top, keys, gap=10, padding=(14, 8))
        return kit.column(typed, keys, gap=14, padding=(28, 14))

    def has_foot(self, view: NumberView) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact or bool(view.answer)

    def _find(self, view: NumberView) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        find = (lambda: desk.do(desk.visit.telling.find_case())) if view.typed else None
        return kit.button("number.find", _("Go on"), find, style="primary", kind="lead")

    def foot(self, view: NumberView) -> list[Widget]:
        """Return back; find, or take what was found."""
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        if view.answer:
            take = None if view.asking else telling.take_case
            return [
                kit.button("number.again", _("Change the number"), telling.name_case_again,
                           icon="keyboard-outline"),
                *self.aids(),
                kit.space(),
                kit.button("number.take", _("Go on"), take, style="primary", kind="lead",
                           icon_after="arrow-right"),
            ]  # fmt: skip
        return [
            kit.button("back", _("Back"), telling.ask_case, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            self._find(view),
        ]


def typed_box(kit: Kit, wid: str, text: str, *, empty: bool = False) -> Widget:
    """Return the box that shows what is being typed."""
    return kit.card(
        kit.fit(text, "title", wid=wid, weight="tabular", lines=1,
                colour="quiet" if empty else "text"),
        padding=(18, 4),
        size_hint_y=None,
        height=max(kit.px(84), kit.theme.target),
    )  # fmt: skip


class WhoPage(FilingPage):
    """Who files: the number first, then the name; everything may be left out."""

    step = 1

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.who", desk)

    def body(self, view: WhoView) -> Widget:
        """Return person or organisation, the entries, the keys for the one being typed."""
        kit, _ = self.kit, self.kit.say.gettext
        if kit.theme.compact:
            return self._small(view)
        title = kit.fit(_("Who files?"), "title", weight="semibold", lines=1, size_hint_x=0.8)
        top = kit.row(title, *self._kinds(view), gap=14, size_hint_y=None, height=kit.theme.target)
        entries = kit.row(
            *(self._entry(entry, entry.id == view.entry) for entry in view.entries),
            size_hint_y=None,
            height=max(kit.px(122 if kit.theme.text_size < 4 else 140), kit.theme.target),
        )
        entries.spacing = kit.theme.gap
        return kit.column(top, entries, self._keys(view), gap=12, padding=(28, 12))

    def _small(self, view: WhoView) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        other = "entity" if view.kind == "person" else "person"
        entry = next(entry for entry in view.entries if entry.id == view.entry)
        icon = "account-outline" if view.kind == "person" else "domain"
        top = kit.row(
            kit.button("back", "", self.desk.visit.back, icon="arrow-left"),
            kit.button(f"who.{other}", "", lambda: telling.who_kind(other), icon=icon,
                       style="tint"),
            self._entry(entry, True, telling.next_entry),
            self._done(view),
            size_hint_y=None,
            height=kit.theme.target,
        )  # fmt: skip
        top.spacing = kit.theme.gap
        return kit.column(top, self._keys(view), gap=10, padding=(14, 8))

    def _kinds(self, view: WhoView) -> list[Widget]:
        kit, _ = self.kit, self.kit.say.gettext
        choices = (
            ("person", _("A person"), "account-outline"),
            ("entity", _("An organisation"), "domain"),
        )
        return [
            kit.button(f"who.{kind}", label, self._kind(kind), icon=icon, wide=True, pad=12,
                       style="chosen" if kind == view.kind else "plain")
            for kind, label, icon in choices
        ]  # fmt: skip

    def _kind(self, kind: str) -> Callable[[], None]:
        return lambda: self.desk.visit.telling.who_kind(kind)

    def _entry(
        self, entry: Entry, chosen: bool, on_tap: Callable[[], None] | None = None
    ) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        line = kit.row(
            kit.fit(entry.label, "small", colour="quiet", weight="medium", lines=1),
            size_hint_y=0.55,
        )
        crowded = kit.theme.compact and bool(entry.text and entry.advice)
        parts: list[Widget] = [] if crowded else [line]
        if entry.text or not kit.theme.compact:
            parts.append(
                kit.fit(entry.text or " ", "option", wid=f"who.{entry.id}.text", weight="medium",
                        lines=1, ellipsis=True)
            )  # fmt: skip
        if entry.advice and not (kit.theme.compact and entry.text and entry.fine):
            colour = "good" if entry.fine else "caution" if entry.text else "quiet"
            parts.append(
                kit.fit(entry.advice, "small", wid=f"who.{entry.id}.advice", colour=colour,
                        ellipsis=kit.theme.compact, size_hint_y=0.9)
            )  # fmt: skip
        return kit.touchable_card(
            f"who.{entry.id}",
            entry.label,
            on_tap or (lambda: telling.who_entry(entry.id)),
            *parts,
            chosen=chosen,
            padding=(16, 6) if not kit.theme.compact else (12, 4),
            gap=2,
        )

    def _keys(self, view: WhoView) -> Widget:
        kit, telling = self.kit, self.desk.visit.telling
        if view.entry in ("iin", "bin", "phone"):
            rows = (*DIGITS[:1], DIGITS[1]) if view.entry != "phone" else ("12345", "67890+")
            return key_rows(kit, rows, telling.who_key)
        return letters(
            kit,
            telling.who_key,
            telling.turn_keys,
            page=view.keys,
            on_capitals=telling.capitals,
            capitals=view.capitals,
        )

    def has_foot(self, _view: Any) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact

    def _done(self, view: WhoView) -> Widget:
        kit, _, telling = self.kit, self.kit.say.gettext, self.desk.visit.telling
        words = _("Leave out") if view.empty else _("Go on")
        return kit.button("who.done", words, telling.who_done, style="primary", kind="lead",
                          icon_after="" if kit.theme.compact else "arrow-right")  # fmt: skip

    def foot_key(self, view: WhoView) -> Any:
        """The footer depends on whether anything was typed."""
        return view.empty

    def foot(self, view: WhoView) -> list[Widget]:
        """Return back, aids, go on."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        hint = kit.fit(_("Whatever you leave out, the court asks later."), "small", colour="quiet",
                       align="right")  # fmt: skip
        return [
            kit.button("back", _("Back"), visit.back, icon="arrow-left"),
            *self.aids(),
            hint,
            self._done(view),
        ]
