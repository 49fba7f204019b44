"""Middle column of the running hearing: event buttons, a question, or a side panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import iso_date
from kiosk.ui.secretary.running_hearing.oath_card import oath_card
from kiosk.ui.secretary.running_hearing.people_card import people_card
from kiosk.ui.secretary.running_hearing.question_card import question_card
from kiosk.ui.secretary.running_hearing.questions import Question
from kiosk.ui.secretary.running_hearing.receipt_card import receipt_card
from kiosk.ui.secretary.running_hearing.recording import DUE_SHOWN, EventButton, RecordingView
from kiosk.ui.secretary.running_hearing.sheet_buttons import sheets_line
from kiosk.ui.secretary.running_hearing.side_panel_card import side_panel_card
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.widget_kit import Style, WidgetKit

LONG_LABEL = 40


def event_buttons_column(
    kit: WidgetKit, app: AppState, view: RecordingView, question: Question | None
) -> Widget:
    """Return what is shown now: keys, an oath, an open panel, a question, or the events.

    Args:
        question: the question to show here (small screens).
    """
    secretary = app.secretary
    is_listing = secretary.events_shown != "usual"
    if secretary.typed_answer is not None and view.question and view.question.typed:
        return _answer_keys(kit, app, view.question.subject, secretary.typed_answer)
    if view.oath and not is_listing:
        card = oath_card(kit, app, view.oath)
        return card if view.oath.is_oath else _above_due(kit, app, view, card)
    if view.receipt and not is_listing:
        return _above_due(kit, app, view, receipt_card(kit, app, view.receipt))
    if view.panel:
        return side_panel_card(kit, view.panel, app)
    if view.sheet:
        return people_card(kit, app, view.sheet)
    if question:
        return question_card(kit, question, app)
    return (_listed_events if is_listing else _frequent_events)(kit, app, view)


def _above_due(kit: WidgetKit, app: AppState, view: RecordingView, card: Widget) -> Widget:
    """Return a card above what is due next: who does not need it goes on with the same tap.

    A card that stays open hides neither the other events nor people and notes.
    """
    if kit.theme.compact:
        return card
    due = [_event_button(kit, app, event, "tint") for event in view.due[:1]]
    return kit.column(
        card,
        kit.touch_line(*due, _list_button(kit, app)),
        sheets_line(kit, app, undoable=view.undoable),
        gap=10,
    )


def _answer_keys(kit: WidgetKit, app: AppState, subject: str, typed: str) -> Widget:
    """Return the keys for an answer that is typed: a case number or a date."""
    _, secretary = kit.translate.gettext, app.secretary
    value = iso_date(typed) if subject == "date" else typed.strip()
    hint = _("day.month.year") if subject == "date" else " "
    shown = kit.fitted_text(
        typed or hint, "title", wid="ask.typed", weight="tabular", lines=1,
        colour="text" if typed else "quiet",
    )  # fmt: skip
    keys = key_rows(kit, ("12345", "67890"), secretary.type_answer, delete=False)
    keys.size_hint_y = 2.2

    def send() -> None:
        app.spawn(secretary.answer_question(subject, value))

    def key(character: str) -> Callable[[], None]:
        return lambda: secretary.type_answer(character)

    last = [
        kit.button(f"key.{c}", c, key(c), fill=True, kind="heading", pad=4)
        for c in ("." if subject == "date" else "-/")
    ]
    last += [
        kit.button("key.delete", "", key(""), icon="backspace-outline", fill=True),
        kit.button("ask.type.cancel", "", lambda: secretary.show_answer_keys(False), icon="close",
                   fill=True),
        kit.button("ask.type.ok", "", send if value else None, icon="check", style="primary",
                   fill=True),
    ]  # fmt: skip
    box = kit.card(shown, padding=(16, 2), size_hint_y=0.6)
    return kit.column(box, keys, kit.row(*last, gap="touch"), gap="touch")


def _frequent_events(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    """Return what is due next, and as many of the frequent ones as fit."""
    _, small = kit.translate.gettext, kit.theme.compact
    is_short = kit.theme.text_size > 2 or bool(view.banner)  # the buttons need the space
    has_headings = not small and not is_short
    parts: list[Widget] = []
    more_apart = 0
    if view.due:
        count = 1 if small or _is_due_tight(kit, view) else DUE_SHOWN
        first = [
            _event_button(kit, app, event, "tint" if n else "primary")
            for n, event in enumerate(view.due[:count])
        ]
        if more := len(view.due[count:]):
            if small and len(view.due[0].label) > LONG_LABEL:
                more_apart = more  # its words need the whole line
            else:
                button = _more_due_button(kit, app, more)
                button.size_hint_x, button.width = None, kit.theme.target
                first.append(button)
        height = max(kit.px(92), round(kit.theme.target * 1.25))
        if has_headings:
            parts.append(kit.text(_("Up next"), "small", colour="quiet"))
        elif not small:
            height = round(height * 1.25)
        parts.append(kit.row(*first, gap=12, height=height))
    if view.hint:
        parts.append(kit.text(view.hint, "small", wid="rec.hint", colour="quiet"))
    if not view.others:
        return kit.column(*parts, kit.spacer(), gap=10)
    parts += [kit.text(_("Other"), "small", colour="quiet")] if has_headings else []

    def others(count: int) -> list[Widget]:
        apart = [_more_due_button(kit, app, more_apart)] if more_apart else []
        events = view.others[: count - 1 - len(apart)]
        shown = [_event_button(kit, app, event) for event in events]
        return [*shown, *apart, _list_button(kit, app)]

    grid = EventButtonGrid(kit, len(view.others), others)
    # the event log, where it stands otherwise, gives way to a question
    has_line = bool(view.question) and not small
    line = [sheets_line(kit, app, undoable=view.undoable)] if has_line else []
    return kit.column(*parts, grid, *line, gap=10)


def _is_due_tight(kit: WidgetKit, view: RecordingView) -> bool:
    """Return whether only one that is due can be read beside the button that leads to all."""
    is_long = any(len(event.label) > LONG_LABEL for event in view.due[:DUE_SHOWN])
    return len(view.due) > DUE_SHOWN and (kit.theme.text_size > 2 or is_long)


def _list_button(kit: WidgetKit, app: AppState) -> Widget:
    """Return the button that leads to every event."""
    return kit.button(
        "rec.all", kit.translate.gettext("All events"),
        lambda: app.secretary.show_events("all"), icon="format-list-bulleted", fill=True, pad=10,
    )  # fmt: skip


def _more_due_button(kit: WidgetKit, app: AppState, count: int) -> Widget:
    """Return the button that says how many more are due, and leads to all that are."""
    return kit.button(
        "rec.due", f"+{count}", lambda: app.secretary.show_events("due"), fill=True, pad=4
    )  # fmt: skip


def _listed_events(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    """Return one page of all events, or of all that are due."""
    secretary = app.secretary
    shown_events = secretary.events_shown
    listed = view.due if shown_events == "due" else view.all_events
    columns, per_page = (1, 2) if kit.theme.compact else (2, 8)
    if shown_events == "due" and not kit.theme.compact:
        columns, per_page = 1, 4  # with names, in the order in which they are due
    pages = max(1, -(-len(listed) // per_page))
    page = min(secretary.events_page, pages - 1)
    events = listed[page * per_page : (page + 1) * per_page]
    shown = kit.filled([_event_button(kit, app, event) for event in events], per_page)
    rows = kit.grid(shown, columns, gap=12)
    pager: list[Widget] = []
    if pages > 1:
        less, more = kit.pager(
            "rec", page, pages, lambda to: secretary.show_events(shown_events, to), sideways=True
        )
        count = kit.text_line(f"{page + 1} / {pages}", "small", colour="quiet", weight="tabular")
        pager = [less, count, more]
    word = "" if kit.theme.compact or kit.theme.text_size > 2 else kit.translate.gettext("Close")
    close = kit.button(
        "rec.all.close", word, lambda: secretary.show_events("usual"), icon="close", wide=True,
        pad=8,
    )  # fmt: skip
    steps = kit.row(*pager, close, gap=12, height=kit.theme.target)
    return kit.column(*rows, steps, gap=10)


def _event_button(
    kit: WidgetKit, app: AppState, event: EventButton, style: Style = "plain"
) -> Widget:
    return kit.button(
        f"rec.mark.{event.id}", event.label,
        lambda: app.spawn(app.secretary.mark_event(event.id, event.of)),
        style=style, fill=True, pad=10,
    )  # fmt: skip


class EventButtonGrid(BoxLayout):
    """Two columns of buttons, in as many rows as fit at 12.7 mm, or three usual lines, each."""

    def __init__(self, kit: WidgetKit, count: int, build: Callable[[int], list[Widget]]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(12))
        self._kit, self._count, self._build = kit, count, build
        self._rows = 0
        self.bind(height=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        lines = 0 if kit.theme.compact else round(kit.theme.usual_font("body") * 3 * 1.3)
        least = max(kit.theme.target, lines) + self.spacing
        fitting = int((self.height + self.spacing) // least)
        rows = max(1, min(fitting, (self._count + 2) // 2, 4))
        if rows == self._rows:
            return
        self._rows = rows
        self.clear_widgets()
        for row in kit.grid(self._build(rows * 2), 2, gap=12):
            self.add_widget(row)
