"""Buttons that lead from the running hearing to people, notes and minutes, and take a mark back."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.actions.people_actions import PeopleSheet
from kiosk.ui.app_state import AppState
from kiosk.ui.widgets.widget_kit import WidgetKit


def undo_button(kit: WidgetKit, app: AppState, mark: int) -> Widget:
    """Return the button that takes back the newest mark, of the number ``mark``."""
    return kit.button(
        "rec.undo", kit.translate.gettext("Take back the last mark"),
        lambda: app.spawn(app.secretary.undo_mark(mark)), icon="undo", wide=True, pad=12,
        number=mark,
    )  # fmt: skip


def sheets_line(kit: WidgetKit, app: AppState, *, undoable: int) -> Widget:
    """Return undo, people and note in one line: where the case with its event log gives way.

    Args:
        undoable: number of the mark that can be taken back; 0: none.
    """
    buttons = sheet_buttons(kit, app)
    buttons[0].size_hint_x = 1.3
    if undoable:
        undo = kit.button(
            "rec.undo", "", lambda: app.spawn(app.secretary.undo_mark(undoable)), icon="undo",
            fill=True, pad=4, size_hint_x=None, width=kit.theme.target, number=undoable,
        )  # fmt: skip
        buttons.insert(0, undo)
    return kit.touch_line(*buttons)


def sheet_buttons(kit: WidgetKit, app: AppState, icons: tuple[str, str] = ("", "")) -> list[Widget]:
    """Return the buttons that open the people's sheet and begin a note."""
    _, secretary = kit.translate.gettext, app.secretary

    def show(sheet: PeopleSheet | None) -> None:
        secretary.side_panel.panel = None
        if sheet is not None:
            secretary.people.show(sheet)
        else:
            secretary.people.begin_note()

    options: dict[str, Any] = {"wide": True, "pad": 4}
    if kit.theme.compact:
        options["kind"] = "small"
    return [
        kit.button("rec.people", _("People"), lambda: show(PeopleSheet()), icon=icons[0],
                   **options),
        kit.button("rec.note", _("Note"), lambda: show(None), icon=icons[1], **options),
    ]  # fmt: skip
