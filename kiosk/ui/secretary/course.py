"""The right of a running hearing: case, course, and what the rules want to know."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panels import SincePanel
from kiosk.ui.secretary.parts import (
    question_card,
)
from kiosk.ui.secretary.recording_views import RecordingView
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Slot


class CourseColumn:
    """Builds the right column."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        self.kit, self.desk = kit, desk

    def build(self, view: RecordingView) -> Widget:
        """Return the open question, else the course."""
        kit, desk = self.kit, self.desk
        if view.question is None or kit.theme.compact:
            return self._course_card(view)
        number = kit.fit(
            view.case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
            size_hint_y=None, height=kit.px(34),
        )  # fmt: skip
        question = question_card(kit, view.question, desk.office, desk.office.answers_page)
        return kit.column(number, question, gap=6)

    def _course_card(self, view: RecordingView) -> Widget:
        kit, _, case = self.kit, self.kit.say.gettext, view.case
        rows: list[Widget] = [
            kit.fit(
                case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
                size_hint_y=None, height=round(kit.theme.font("body") * 1.3),
            )
        ]  # fmt: skip
        quiet = " · ".join(part for part in (case.title, case.people) if part)
        if quiet and not kit.theme.compact:
            height = round(kit.least * 1.3 * 2)
            rows.append(
                kit.fit(
                    quiet, "small", colour="quiet", ellipsis=True, size_hint_y=None, height=height
                )
            )
        if case.next_time:
            rows.append(kit.text(case.next_time, "small", colour="tint_text", weight="medium"))
        if view.closed and not kit.theme.compact:
            text = kit.fit(
                view.closed.text, "small", wid="closed.text", colour="tint_text", weight="medium",
                size_hint_y=None, height=round(kit.least * 1.3 * 3),
            )  # fmt: skip
            rows.append(kit.row(kit.icon("lock", 26, "tint_text"), text, gap=8, size_hint_y=None,
                                height=text.height))  # fmt: skip
        course = Course(kit, [(line.time, line.text, line.fault) for line in view.course])
        parts: list[Widget] = [kit.stack(*rows, gap=2), course]
        if view.closed:
            parts.append(
                kit.button(
                    "rec.since", _("Closed earlier already…"),
                    lambda: self.desk.office.conduct.open(SincePanel()),
                    icon="lock", wide=True, pad=12,
                )
            )  # fmt: skip
        if view.can_undo and not (kit.theme.compact and (view.alarm or view.banner)):
            parts.append(
                kit.button(
                    "rec.undo", _("Take back the last mark"),
                    lambda: self.desk.do(self.desk.office.undo()),
                    icon="undo", wide=True, pad=12,
                )
            )  # fmt: skip
        return kit.card(*parts, gap=8, padding=(18, 14))


class Course(Slot):
    """The newest lines of the course: as many as there is room for, whole lines only."""

    def __init__(self, kit: Kit, lines: list[tuple[str, str, bool]]) -> None:
        super().__init__(orientation="vertical")
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        self.clear_widgets()
        room, gap = self.height, kit.px(6)
        for time, text, fault in self._lines:
            colour = "fault" if fault else "text"
            label = kit.text(
                f"{time}  {text}", "small", colour=colour, size_hint_x=None, width=self.width
            )
            label.text_size = (self.width, None)
            label.texture_update()
            label.height = label.texture_size[1]
            room -= label.height + gap
            if room < 0:
                break
            self.add_widget(label)
            self.add_widget(kit.space_of(gap))
        self.add_widget(kit.space())
