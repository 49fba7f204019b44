"""Right column of the running hearing: case, event log, open question."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import ClosedSincePanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.event_log import EventLogEntry
from kiosk.ui.secretary.running_hearing.question_card import question_card
from kiosk.ui.secretary.running_hearing.recording import RecordingView
from kiosk.ui.secretary.running_hearing.sheet_buttons import sheet_buttons, undo_button
from kiosk.ui.widgets.widget_kit import WidgetKit


def event_log_column(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    """Return the open question, else the case with its event log."""
    if view.question is None or kit.theme.compact:
        return _case_card(kit, app, view)
    number = _case_number(kit, view, kit.px(34))
    return kit.column(number, question_card(kit, view.question, app), gap=6)


def _case_number(kit: WidgetKit, view: RecordingView, height: int) -> Widget:
    return kit.fitted_text(
        view.case.case_number, "body", wid="rec.case", weight="semibold", lines=1, height=height
    )


def _case_card(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    _, case, line = kit.translate.gettext, view.case, kit.min_font * 1.3
    rows = [_case_number(kit, view, round(kit.theme.font("body") * 1.3))]
    quiet = " · ".join(part for part in (case.title, case.people) if part)
    if quiet and not kit.theme.compact:
        rows.append(
            kit.fitted_text(quiet, "small", colour="quiet", ellipsis=True, height=round(line * 2))
        )
    is_short = bool(kit.theme.compact and (view.alarm or view.banner))
    if case.next_time and not is_short and not (view.closed and kit.theme.text_size > 2):
        rows.append(kit.text(case.next_time, "small", colour="tint_text", weight="medium"))
    if view.closed and not kit.theme.compact:
        text = kit.fitted_text(
            view.closed.text, "small", wid="closed.text", colour="tint_text", weight="medium",
            height=round(line * 3),
        )  # fmt: skip
        rows.append(kit.row(kit.icon("lock", 26, "tint_text"), text, gap=8, height=text.height))
    parts: list[Widget] = [kit.natural_column(*rows, gap=2), EventLog(kit, view.event_log)]
    if view.closed:
        parts.append(
            kit.button(
                "rec.since", _("Closed earlier already…"),
                lambda: app.secretary.side_panel.show(ClosedSincePanel()),
                icon="lock", wide=True, pad=12,
            )
        )  # fmt: skip
    parts.append(_sheets(kit, app, is_short=bool(view.alarm or view.banner or view.closed)))
    if view.undoable and not (kit.theme.compact and (view.alarm or view.banner)):
        parts.append(undo_button(kit, app, view.undoable))
    return kit.card(*parts, gap=8, padding=(18, 14))


def _sheets(kit: WidgetKit, app: AppState, *, is_short: bool) -> Widget:
    """Return the buttons that open the people's sheet and begin a note.

    Args:
        is_short: a bar above, or what a closed part adds, takes the room of a second line.
    """
    is_stacked = kit.theme.text_size > 2 and not is_short  # else the words need the icons' space
    icons = (
        ("account-voice", "keyboard-outline") if is_stacked and not kit.theme.compact else ("", "")
    )
    people, note = sheet_buttons(kit, app, icons)
    if is_stacked:
        return kit.natural_column(people, note, gap=8)
    people.size_hint_x = 1.45 if kit.theme.compact else 1.3
    return kit.row(people, note, gap=8, height=kit.theme.target)


class EventLog(BoxLayout):
    """The newest entries of the event log: as many whole entries as fit."""

    def __init__(self, kit: WidgetKit, entries: tuple[EventLogEntry, ...]) -> None:
        super().__init__(orientation="vertical")
        self._kit, self._entries = kit, entries
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        self.clear_widgets()
        left, gap = self.height, kit.px(6)
        for entry in self._entries:
            label = kit.text(
                f"{entry.time}  {entry.text}", "small",
                colour="fault" if entry.fault else "text", size_hint_x=None, width=self.width,
            )  # fmt: skip
            label.text_size = (self.width, None)
            label.texture_update()
            label.height = label.texture_size[1]
            left -= label.height + gap
            if left < 0:
                break
            self.add_widget(label)
            self.add_widget(kit.pixel_spacer(gap))
        self.add_widget(kit.spacer())
