"""Cards of the people's sheets: choices, and text that is typed on the screen or a keyboard."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.people import SheetView, TypingView
from kiosk.ui.secretary.running_hearing.side_panel_card import PanelTaps, panel_card
from kiosk.ui.widgets.keyboard import letter_keyboard
from kiosk.ui.widgets.widget_kit import WidgetKit


def people_card(kit: WidgetKit, app: AppState, view: SheetView) -> Widget:
    """Return the open sheet."""
    if isinstance(view, TypingView):
        return _typing_card(kit, app, view)
    people = app.secretary.people
    taps = PanelTaps(
        lambda choice: app.spawn(people.choose(choice.id, choice.label)),
        people.show_page,
        people.step_back,
    )
    return panel_card(kit, view, taps)


def _typing_card(kit: WidgetKit, app: AppState, view: TypingView) -> Widget:
    """Return one line with text and buttons above the keys: these need the room."""
    people, text = app.secretary.people, view.typing.text
    shown = kit.fitted_text(
        text or view.hint, "option", wid="typing.text", weight="medium", lines=2,
        colour="text" if text else "quiet",
    )  # fmt: skip
    line: list[Widget] = [
        kit.button("typing.back", "", people.step_back, icon="arrow-left", style="ghost", pad=8),
        kit.card(shown, padding=(16, 2), size_hint_x=2.4),
    ]
    if view.tie is not None:
        mark, label = view.tie
        to = None if view.is_tied else mark
        line.append(
            kit.button("typing.tie", label, lambda: people.tie_note(to),
                       icon="checkbox-marked" if view.is_tied else "checkbox-blank-outline",
                       fill=True, pad=8)
        )  # fmt: skip

    def save() -> None:
        app.spawn(people.finish())

    line.append(
        kit.button("typing.save", view.action, save if text.strip() else None, icon="check",
                   style="primary", fill=True, pad=8, once=True, size_hint_x=0.9)
    )  # fmt: skip
    keys = letter_keyboard(
        kit, people.type, people.show_next_keys, page=view.typing.key_page,
        on_capitals=people.toggle_capitals, capitals=view.typing.has_capitals,
    )  # fmt: skip
    return kit.column(kit.row(*line, gap="touch", height=kit.theme.target), keys, gap="touch")
