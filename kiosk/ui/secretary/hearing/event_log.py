"""Right column of the running hearing: case, event log, open question."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import ClosedSincePanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.hearing.question_card import question_card
from kiosk.ui.secretary.hearing.recording import RecordingView
from kiosk.ui.widgets.screen import CachedSlot
from kiosk.ui.widgets.widget_kit import WidgetKit


class EventLogColumn:
    """Builds the right column."""

    def __init__(self, kit: WidgetKit, app: AppState) -> None:
        self.kit, self.app = kit, app

    def build(self, view: RecordingView) -> Widget:
        """Return the open question, else the event log."""
        kit, app = self.kit, self.app
        if view.question is None or kit.theme.compact:
            return self._case_card(view)
        number = kit.fitted_text(
            view.case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
            size_hint_y=None, height=kit.px(34),
        )  # fmt: skip
        question = question_card(kit, view.question, app.secretary, app.secretary.answers_page)
        return kit.column(number, question, gap=6)

    def _case_card(self, view: RecordingView) -> Widget:
        kit, _, case = self.kit, self.kit.translate.gettext, view.case
        rows: list[Widget] = [
            kit.fitted_text(
                case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
                size_hint_y=None, height=round(kit.theme.font("body") * 1.3),
            )
        ]  # fmt: skip
        quiet = " · ".join(part for part in (case.title, case.people) if part)
        if quiet and not kit.theme.compact:
            height = round(kit.min_font * 1.3 * 2)
            rows.append(
                kit.fitted_text(
                    quiet, "small", colour="quiet", ellipsis=True, size_hint_y=None, height=height
                )
            )
        if case.next_time:
            rows.append(kit.text(case.next_time, "small", colour="tint_text", weight="medium"))
        if view.closed and not kit.theme.compact:
            text = kit.fitted_text(
                view.closed.text, "small", wid="closed.text", colour="tint_text", weight="medium",
                size_hint_y=None, height=round(kit.min_font * 1.3 * 3),
            )  # fmt: skip
            rows.append(kit.row(kit.icon("lock", 26, "tint_text"), text, gap=8, size_hint_y=None,
                                height=text.height))  # fmt: skip
        event_log = EventLog(kit, [(line.time, line.text, line.fault) for line in view.event_log])
        parts: list[Widget] = [kit.natural_column(*rows, gap=2), event_log]
        if view.closed:
            parts.append(
                kit.button(
                    "rec.since", _("Closed earlier already…"),
                    lambda: self.app.secretary.side_panel.show(ClosedSincePanel()),
                    icon="lock", wide=True, pad=12,
                )
            )  # fmt: skip
        if view.can_undo and not (kit.theme.compact and (view.alarm or view.banner)):
            parts.append(
                kit.button(
                    "rec.undo", _("Take back the last mark"),
                    lambda: self.app.spawn(self.app.secretary.undo_mark()),
                    icon="undo", wide=True, pad=12,
                )
            )  # fmt: skip
        return kit.card(*parts, gap=8, padding=(18, 14))


class EventLog(CachedSlot):
    """The newest entries of the event log: as many whole lines as fit."""

    def __init__(self, kit: WidgetKit, lines: list[tuple[str, str, bool]]) -> None:
        super().__init__(orientation="vertical")
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        self.clear_widgets()
        left, gap = self.height, kit.px(6)
        for time, text, fault in self._lines:
            colour = "fault" if fault else "text"
            label = kit.text(
                f"{time}  {text}", "small", colour=colour, size_hint_x=None, width=self.width
            )
            label.text_size = (self.width, None)
            label.texture_update()
            label.height = label.texture_size[1]
            left -= label.height + gap
            if left < 0:
                break
            self.add_widget(label)
            self.add_widget(kit.pixel_spacer(gap))
        self.add_widget(kit.spacer())
