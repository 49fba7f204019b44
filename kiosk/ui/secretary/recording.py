"""The running hearing: light, time and proof read from two metres; the rest within reach."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.secretary.course import CourseColumn
from kiosk.ui.secretary.events import EventsColumn
from kiosk.ui.secretary.footer import footer_bar
from kiosk.ui.secretary.panels import RemedyPanel
from kiosk.ui.secretary.parts import (
    RecordingLight,
    Timer,
    alarm_strip,
    banner_strip,
)
from kiosk.ui.secretary.recording_views import ProofView, RecordingView
from kiosk.ui.secretary.sources import SourcesColumn
from kiosk.ui.widgets.graphics import Band, Surface
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import NaturalSlot, Scene, Slot
from kiosk.ui.words import timer_text

TIMER_CAP_MM = 24.0
SMALL_TIMER_CAP_MM = 15.0


class RecordingScene(Scene):
    """Draws :class:`RecordingView`."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.recording")
        self.desk = desk
        self._sources = SourcesColumn(kit, desk)
        self._events = EventsColumn(kit, desk)
        self._course = CourseColumn(kit, desk)
        theme = kit.theme
        cap = SMALL_TIMER_CAP_MM if theme.compact else TIMER_CAP_MM
        self._timer = Timer(kit, "rec.timer", cap, round(theme.width * 0.6), "on_dark")
        height = max(self._timer.height + kit.px(4), kit.px(140))
        self._head = Slot(size_hint_y=None, height=height)
        self._notice = NaturalSlot(padding=(kit.px(22), kit.px(10), kit.px(22), 0))
        self._left = Slot()
        self._middle = Slot()
        self._right = Slot()
        self._foot = Slot(size_hint_y=None, height=theme.target + kit.px(22))
        self._left_side = kit.column(self._left, size_hint_x=0.33)
        self._middle_side = kit.column(self._middle, size_hint_x=0.37)
        self._right_side = kit.column(self._right, size_hint_x=0.30)
        self._columns = kit.row(
            self._left_side,
            self._middle_side,
            self._right_side,
            gap=18,
            padding=(22, 12),
        )
        for part in (self._head, self._notice, self._columns, self._foot):
            self.add_widget(part)

    # -- what changes with the state -----------------------------------------------------------

    def update(self, view: RecordingView, frame: Frame) -> None:
        """Show ``view``."""
        head_key = (
            view.state,
            view.stale,
            view.proof,
            view.case.publicity,
            view.closed,
            frame.clock,
        )
        self._head.show(head_key, lambda: self._head_of(view, frame))
        strip = (frame.notice, view.alarm, view.banner, view.playing, bool(view.panel))
        self._notice.show(strip, lambda: self._strip(view, frame))
        left = (view.levels, view.camera_word, view.mends, view.alarm and view.alarm.mends)
        self._left.show(left, lambda: self._sources.build(view))
        desk = self.desk.office
        asks = self._asks_alone(view)
        self._spread(asks, self.kit.theme.compact and view.panel is not None)
        middle = (
            view.question if asks else None,
            view.panel,
            desk.answers_page,
            view.expected,
            view.others,
            view.every if desk.show_all else (),
            desk.show_all,
            desk.all_page,
            desk.typing,
        )
        self._middle.show(middle, lambda: self._events.build(view, asks))
        strip_on = bool(view.alarm or view.banner)
        case = (view.case, view.closed, view.course, view.can_undo)
        right = (view.question, desk.answers_page, case, strip_on)
        if not asks:
            self._right.show(right, lambda: self._course.build(view))
        foot = (desk.asks_end, bool(view.closed), bool(view.playing))
        self._foot.show(foot, lambda: footer_bar(self.kit, self.desk, view))
        self.live()

    def _asks_alone(self, view: RecordingView) -> bool:
        """Return whether a panel, or a question on a small screen, takes the room of the course.

        There an alarm goes before a question, which comes back in the next stop.
        """
        asks = view.question is not None and view.alarm is None
        return view.panel is not None or (self.kit.theme.compact and asks)

    def _spread(self, asks: bool, panel: bool) -> None:
        """On a small screen a question takes the room of the course, a panel all of it."""
        wanted = [] if panel else [self._left_side]
        wanted += [self._middle_side] + ([] if asks else [self._right_side])
        if self._columns.children[::-1] != wanted:
            self._columns.clear_widgets()
            for side in wanted:
                self._columns.add_widget(side)

    def live(self) -> None:
        """Draw timer, levels and picture."""
        self._timer.show(timer_text(self.desk.seconds_recorded))
        self._sources.live()

    # -- parts ---------------------------------------------------------------------------------

    def _head_of(self, view: RecordingView, frame: Frame) -> Widget:
        kit, c = self.kit, self.colours
        if self._timer.parent:
            self._timer.parent.remove_widget(self._timer)
        state = kit.fit(
            view.state, "heading", wid="rec.state", colour="on_dark", weight="semibold", lines=2
        )
        left = kit.column(
            kit.row(RecordingLight(kit, 40, on=not view.stale), state, gap=14),
            self._proof_of(view.proof),
            gap=8,
            padding=(0, 12),
        )
        clock = kit.line(frame.clock, "heading", colour="on_dark", weight="tabular")
        if view.closed:
            lock = kit.icon("lock", 64, "on_dark")
            sign: Widget = kit.row(kit.space(), lock, size_hint_y=None, height=lock.height)
            public = kit.fit(
                view.closed.short, "small", wid="rec.closed", colour="on_dark", weight="semibold",
                align="right", size_hint_y=None, height=round(kit.least * 2.7),
            )  # fmt: skip
        else:
            sign = kit.space()
            pill = kit.pill(view.case.publicity, "dark", most=100)
            public = kit.row(kit.space(), pill, size_hint_y=None, height=pill.height)
        right = kit.column(
            sign,
            kit.row(kit.space(), clock, size_hint_y=None, height=clock.height),
            public,
            kit.space(),
            gap=6 if view.closed else 10,
            size_hint_x=None,
            width=max(kit.px(172), kit.least * 8),
        )
        bar = kit.row(left, self._timer, right, gap=12, padding=(22, 0))
        Band(bar, c.closed if view.closed else c.dark, c.line if kit.theme.high_contrast else None)
        return bar

    def _proof_of(self, proof: ProofView) -> Widget:
        """Return the proof light: large enough to be seen across the room."""
        kit = self.kit
        good = proof.tone == "good"
        fill = {"good": "good_tint", "caution": "caution_tint", "fault": "fault_tint"}
        colour = proof.tone if proof.tone in fill else "on_dark"
        text = kit.fit(proof.text, "body", wid="rec.proof", colour=colour, weight="medium", lines=2)
        icon = kit.icon("check-decagram" if good else "alert-circle", 34, colour)
        row = kit.row(icon, text, gap=10, padding=(14, 4))
        Surface(row, kit.colour(fill.get(proof.tone, "dark_pill")), None, kit.px(18), 0)
        return row

    def _strip(self, view: RecordingView, frame: Frame) -> Widget | None:
        if frame.notice:
            return banner_strip(self.kit, frame.notice)
        if view.panel:
            return None
        if view.alarm:
            return alarm_strip(self.kit, view.alarm, self._mend(view.alarm.mends))
        if view.playing:
            return banner_strip(self.kit, view.playing, "headphones", "accent")
        if not view.banner or self._asks_alone(view):
            return None
        return banner_strip(self.kit, view.banner)

    def _mend(self, name: str) -> Callable[[], None] | None:
        """Return what opens the remedies of microphone ``name``; None: there are none."""
        if not name:
            return None
        return lambda: self.desk.office.conduct.open(RemedyPanel(name))
