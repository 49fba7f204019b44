"""The middle of a running hearing: the events that can be marked, or what is asked or open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panel import panel_card
from kiosk.ui.secretary.parts import (
    question_card,
)
from kiosk.ui.secretary.recording_views import EventButton, RecordingView
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.words import iso_date


class EventsColumn:
    """Builds the middle column."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        self.kit, self.desk = kit, desk

    def build(self, view: RecordingView, asks: bool) -> Widget:
        """Return what is shown now: keys, a question, an open panel, or the events.

        Args:
            asks: a question stands here, for want of room.
        """
        office = self.desk.office
        if office.typing is not None and view.question and view.question.typed:
            return self._keys(view.question.subject, office.typing)
        if asks and view.question and not view.panel:
            return question_card(self.kit, view.question, office, office.answers_page)
        if view.panel:
            return panel_card(self.kit, view.panel, self.desk)
        return self._all_events(view) if office.show_all else self._usual_events(view)

    def _keys(self, subject: str, typed: str) -> Widget:
        """Return the keys for an answer that is typed: a case number or a date."""
        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        value = iso_date(typed) if subject == "date" else typed.strip()
        hint = _("day.month.year") if subject == "date" else " "
        shown = kit.fit(typed or hint, "title", wid="ask.typed", weight="tabular", lines=1,
                        colour="text" if typed else "quiet")  # fmt: skip
        box = kit.card(shown, padding=(16, 2), size_hint_y=0.6)
        send = (lambda: office.say(subject, value)) if value else None
        keys = key_rows(kit, ("12345", "67890"), office.type_answer, delete=False)
        keys.size_hint_y = 2.2
        last: list[Widget] = [
            kit.button(f"key.{c}", c, self._key(c), wide=True, height=-1, kind="heading", pad=4)
            for c in ("." if subject == "date" else "-/")
        ]
        last += [
            kit.button("key.delete", "", self._key(""), icon="backspace-outline", wide=True,
                       height=-1),
            kit.button("ask.type.cancel", "", office.end_typing, icon="close", wide=True,
                       height=-1),
            kit.button("ask.type.ok", "", send, icon="check", style="primary", wide=True,
                       height=-1),
        ]  # fmt: skip
        row = kit.row(*last)
        column = kit.column(box, keys, row)
        column.spacing = row.spacing = kit.theme.gap
        return column

    def _key(self, character: str) -> Callable[[], None]:
        return lambda: self.desk.office.type_answer(character)

    def _usual_events(self, view: RecordingView) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        parts: list[Widget] = []
        small = kit.theme.compact
        if view.expected:
            if not small:
                parts.append(self._caption(_("Up next")))
            first = [
                self._event(event, "primary" if n == 0 else "tint")
                for n, event in enumerate(view.expected[: 1 if small else 2])
            ]
            row = kit.row(*first, gap=12, size_hint_y=None)
            row.height = max(kit.px(92), round(kit.theme.target * 1.25))
            parts.append(row)
        if not small:
            parts.append(self._caption(_("Other")))
        parts.append(EventPad(kit, len(view.others), lambda count: self._others(view, count)))
        return kit.column(*parts, gap=10)

    def _others(self, view: RecordingView, count: int) -> list[Widget]:
        buttons = [self._event(event, "plain") for event in view.others[: count - 1]]
        every = self.kit.button(
            "rec.all",
            self.kit.say.gettext("All events"),
            lambda: self.desk.office.all_events(True),
            icon="format-list-bulleted",
            wide=True,
            height=-1,
            pad=10,
        )
        return [*buttons, every]

    def _all_events(self, view: RecordingView) -> Widget:
        kit, office = self.kit, self.desk.office
        across, each = (1, 2) if kit.theme.compact else (2, 8)
        pages = max(1, -(-len(view.every) // each))
        page = min(office.all_page, pages - 1)
        shown = [self._event(e, "plain") for e in view.every[page * each : (page + 1) * each]]
        while len(shown) < each:
            shown.append(kit.space())
        rows = [kit.row(*shown[n : n + across], gap=12) for n in range(0, each, across)]
        back = (lambda: office.all_events(True, page - 1)) if page else None
        forth = (lambda: office.all_events(True, page + 1)) if page + 1 < pages else None
        less = kit.button("rec.less", "", back, icon="chevron-left")
        more = kit.button("rec.more", "", forth, icon="chevron-right")
        word = "" if kit.theme.compact or kit.theme.text_size > 2 else kit.say.gettext("Close")
        close = kit.button(
            "rec.all.close", word, lambda: office.all_events(False), icon="close", wide=True, pad=8
        )
        count = kit.line(f"{page + 1} / {pages}", "small", colour="quiet", weight="tabular")
        steps = kit.row(less, count, more, close, gap=12, size_hint_y=None, height=kit.theme.target)
        return kit.column(*rows, steps, gap=10)

    def _event(self, event: EventButton, style: Any) -> Widget:
        desk = self.desk
        return self.kit.button(
            f"rec.mark.{event.id}",
            event.label,
            lambda: desk.do(desk.office.mark(event.id)),
            style=style,
            wide=True,
            height=-1,
            pad=10,
        )

    def _caption(self, text: str) -> Widget:
        kit = self.kit
        return kit.text(text, "small", colour="quiet")


class EventPad(BoxLayout):
    """Two columns of buttons, in as many rows as there is room for at 12.7 mm each."""

    def __init__(self, kit: Kit, most: int, build: Callable[[int], list[Widget]]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(12))
        self._kit, self._most, self._build = kit, most, build
        self._rows = 0
        self.bind(height=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        room = int((self.height + self.spacing) // (kit.theme.target + self.spacing))
        rows = max(1, min(room, (self._most + 2) // 2, 4))
        if rows == self._rows:
            return
        self._rows = rows
        self.clear_widgets()
        buttons = self._build(rows * 2)
        for n in range(0, len(buttons), 2):
            self.add_widget(kit.row(*buttons[n : n + 2], gap=12))
