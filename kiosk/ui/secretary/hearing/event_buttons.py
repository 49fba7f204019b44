"""Middle column of the running hearing: event buttons, a question, or a side panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import iso_date
from kiosk.ui.secretary.hearing.question_card import question_card
from kiosk.ui.secretary.hearing.recording import EventButton, RecordingView
from kiosk.ui.secretary.hearing.side_panel_card import panel_card
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.widget_kit import WidgetKit


class EventButtonsColumn:
    """Builds the middle column."""

    def __init__(self, kit: WidgetKit, app: AppState) -> None:
        self.kit, self.app = kit, app

    def build(self, view: RecordingView, is_question_shown: bool) -> Widget:
        """Return what is shown now: keys, a question, an open panel, or the events.

        Args:
            is_question_shown: show the open question here (small screens).
        """
        secretary = self.app.secretary
        if secretary.typed_answer is not None and view.question and view.question.typed:
            return self._answer_keys(view.question.subject, secretary.typed_answer)
        if is_question_shown and view.question and not view.panel:
            return question_card(self.kit, view.question, secretary, secretary.answers_page)
        if view.panel:
            return panel_card(self.kit, view.panel, self.app)
        return (
            self._all_events(view)
            if secretary.are_all_events_shown
            else self._frequent_events(view)
        )

    def _answer_keys(self, subject: str, typed: str) -> Widget:
        """Return the keys for an answer that is typed: a case number or a date."""
        kit, _, secretary = self.kit, self.kit.translate.gettext, self.app.secretary
        value = iso_date(typed) if subject == "date" else typed.strip()
        hint = _("day.month.year") if subject == "date" else " "
        shown = kit.fitted_text(typed or hint, "title", wid="ask.typed", weight="tabular", lines=1,
                                colour="text" if typed else "quiet")  # fmt: skip
        box = kit.card(shown, padding=(16, 2), size_hint_y=0.6)
        send = (lambda: secretary.spawn_answer(subject, value)) if value else None
        keys = key_rows(kit, ("12345", "67890"), secretary.type_answer, delete=False)
        keys.size_hint_y = 2.2
        last: list[Widget] = [
            kit.button(f"key.{c}", c, self._key(c), wide=True, height=-1, kind="heading", pad=4)
            for c in ("." if subject == "date" else "-/")
        ]
        last += [
            kit.button("key.delete", "", self._key(""), icon="backspace-outline", wide=True,
                       height=-1),
            kit.button("ask.type.cancel", "", secretary.close_answer_keys, icon="close", wide=True,
                       height=-1),
            kit.button("ask.type.ok", "", send, icon="check", style="primary", wide=True,
                       height=-1),
        ]  # fmt: skip
        row = kit.row(*last)
        column = kit.column(box, keys, row)
        column.spacing = row.spacing = kit.theme.gap
        return column

    def _key(self, character: str) -> Callable[[], None]:
        return lambda: self.app.secretary.type_answer(character)

    def _frequent_events(self, view: RecordingView) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        parts: list[Widget] = []
        small = kit.theme.compact
        if view.expected:
            if not small:
                parts.append(self._caption(_("Up next")))
            first = [
                self._event_button(event, "primary" if n == 0 else "tint")
                for n, event in enumerate(view.expected[: 1 if small else 2])
            ]
            row = kit.row(*first, gap=12, size_hint_y=None)
            row.height = max(kit.px(92), round(kit.theme.target * 1.25))
            parts.append(row)
        if not small:
            parts.append(self._caption(_("Other")))
        parts.append(
            EventButtonGrid(kit, len(view.others), lambda count: self._other_buttons(view, count))
        )
        return kit.column(*parts, gap=10)

    def _other_buttons(self, view: RecordingView, count: int) -> list[Widget]:
        buttons = [self._event_button(event, "plain") for event in view.others[: count - 1]]
        all_events = self.kit.button(
            "rec.all",
            self.kit.translate.gettext("All events"),
            lambda: self.app.secretary.show_all_events(True),
            icon="format-list-bulleted",
            wide=True,
            height=-1,
            pad=10,
        )
        return [*buttons, all_events]

    def _all_events(self, view: RecordingView) -> Widget:
        kit, secretary = self.kit, self.app.secretary
        columns, per_page = (1, 2) if kit.theme.compact else (2, 8)
        pages = max(1, -(-len(view.all_events) // per_page))
        page = min(secretary.all_events_page, pages - 1)
        shown = [
            self._event_button(e, "plain")
            for e in view.all_events[page * per_page : (page + 1) * per_page]
        ]
        while len(shown) < per_page:
            shown.append(kit.spacer())
        rows = [kit.row(*shown[n : n + columns], gap=12) for n in range(0, per_page, columns)]
        back = (lambda: secretary.show_all_events(True, page - 1)) if page else None
        forth = (lambda: secretary.show_all_events(True, page + 1)) if page + 1 < pages else None
        less = kit.button("rec.less", "", back, icon="chevron-left")
        more = kit.button("rec.more", "", forth, icon="chevron-right")
        word = (
            "" if kit.theme.compact or kit.theme.text_size > 2 else kit.translate.gettext("Close")
        )
        close = kit.button(
            "rec.all.close",
            word,
            lambda: secretary.show_all_events(False),
            icon="close",
            wide=True,
            pad=8,
        )
        count = kit.text_line(f"{page + 1} / {pages}", "small", colour="quiet", weight="tabular")
        steps = kit.row(less, count, more, close, gap=12, size_hint_y=None, height=kit.theme.target)
        return kit.column(*rows, steps, gap=10)

    def _event_button(self, event: EventButton, style: Any) -> Widget:
        app = self.app
        return self.kit.button(
            f"rec.mark.{event.id}",
            event.label,
            lambda: app.spawn(app.secretary.mark_event(event.id)),
            style=style,
            wide=True,
            height=-1,
            pad=10,
        )

    def _caption(self, text: str) -> Widget:
        kit = self.kit
        return kit.text(text, "small", colour="quiet")


class EventButtonGrid(BoxLayout):
    """Two columns of buttons, in as many rows as fit at 12.7 mm each."""

    def __init__(self, kit: WidgetKit, count: int, build: Callable[[int], list[Widget]]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(12))
        self._kit, self._count, self._build = kit, count, build
        self._rows = 0
        self.bind(height=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        fitting = int((self.height + self.spacing) // (kit.theme.target + self.spacing))
        rows = max(1, min(fitting, (self._count + 2) // 2, 4))
        if rows == self._rows:
            return
        self._rows = rows
        self.clear_widgets()
        buttons = self._build(rows * 2)
        for n in range(0, len(buttons), 2):
            self.add_widget(kit.row(*buttons[n : n + 2], gap=12))
