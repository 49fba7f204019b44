"""The running hearing: light, time and proof read from two metres; the rest within reach."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import RemedyPanel
from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import timer_text
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.hearing.bottom_bar import bottom_bar
from kiosk.ui.secretary.hearing.event_buttons import EventButtonsColumn
from kiosk.ui.secretary.hearing.event_log import EventLogColumn
from kiosk.ui.secretary.hearing.notice_bars import alarm_bar, banner_bar
from kiosk.ui.secretary.hearing.recording import ProofView, RecordingView
from kiosk.ui.secretary.hearing.sources_column import SourcesColumn
from kiosk.ui.widgets.graphics import Band, Surface
from kiosk.ui.widgets.indicators import RecordingLight, Timer
from kiosk.ui.widgets.screen import CachedSlot, NaturalCachedSlot, Screen
from kiosk.ui.widgets.widget_kit import WidgetKit

TIMER_CAP_MM = 24.0
SMALL_TIMER_CAP_MM = 15.0


class RecordingScreen(Screen):
    """Draws :class:`RecordingView`."""

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._sources = SourcesColumn(kit, app)
        self._event_buttons = EventButtonsColumn(kit, app)
        self._event_log = EventLogColumn(kit, app)
        theme = kit.theme
        cap = SMALL_TIMER_CAP_MM if theme.compact else TIMER_CAP_MM
        self._timer = Timer(kit, "rec.timer", cap, round(theme.width * 0.6), "on_dark")
        height = max(self._timer.height + kit.px(4), kit.px(140))
        self._header_slot = CachedSlot(size_hint_y=None, height=height)
        self._notice_slot = NaturalCachedSlot(padding=(kit.px(22), kit.px(10), kit.px(22), 0))
        self._left_slot = CachedSlot()
        self._middle_slot = CachedSlot()
        self._right_slot = CachedSlot()
        self._footer_slot = CachedSlot(size_hint_y=None, height=theme.target + kit.px(22))
        self._left_side = kit.column(self._left_slot, size_hint_x=0.33)
        self._middle_side = kit.column(self._middle_slot, size_hint_x=0.37)
        self._right_side = kit.column(self._right_slot, size_hint_x=0.30)
        self._columns = kit.row(
            self._left_side,
            self._middle_side,
            self._right_side,
            gap=18,
            padding=(22, 12),
        )
        for part in (self._header_slot, self._notice_slot, self._columns, self._footer_slot):
            self.add_widget(part)

    # -- what changes with the state -----------------------------------------------------------

    def update(self, view: RecordingView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        head_key = (
            view.state,
            view.stale,
            view.proof,
            view.case.publicity,
            view.closed,
            chrome.clock,
        )
        self._header_slot.show(head_key, lambda: self._header(view, chrome))
        strip = (chrome.notice, view.alarm, view.banner, view.playing, bool(view.panel))
        self._notice_slot.show(strip, lambda: self._notice_bar(view, chrome))
        left = (
            view.microphones,
            view.camera_word,
            view.repairable,
            view.alarm and view.alarm.repairable,
        )
        self._left_slot.show(left, lambda: self._sources.build(view))
        secretary = self.app.secretary
        hides_event_log = self._hides_event_log(view)
        self._arrange_columns(hides_event_log, self.kit.theme.compact and view.panel is not None)
        middle = (
            view.question if hides_event_log else None,
            view.panel,
            secretary.answers_page,
            view.expected,
            view.others,
            view.all_events if secretary.are_all_events_shown else (),
            secretary.are_all_events_shown,
            secretary.all_events_page,
            secretary.typed_answer,
        )
        self._middle_slot.show(middle, lambda: self._event_buttons.build(view, hides_event_log))
        has_notice = bool(view.alarm or view.banner)
        case = (view.case, view.closed, view.event_log, view.can_undo)
        right = (view.question, secretary.answers_page, case, has_notice)
        if not hides_event_log:
            self._right_slot.show(right, lambda: self._event_log.build(view))
        footer_key = (secretary.is_end_asked, bool(view.closed), bool(view.playing))
        self._footer_slot.show(footer_key, lambda: bottom_bar(self.kit, self.app, view))
        self.live()

    def _hides_event_log(self, view: RecordingView) -> bool:
        """Return whether a panel, or a question on a small screen, hides the event log.

        There an alarm goes before a question, which comes back in the next stop.
        """
        hides_event_log = view.question is not None and view.alarm is None
        return view.panel is not None or (self.kit.theme.compact and hides_event_log)

    def _arrange_columns(self, hides_event_log: bool, panel: bool) -> None:
        """Arrange the columns; on a small screen a question or panel hides others."""
        wanted = [] if panel else [self._left_side]
        wanted += [self._middle_side] + ([] if hides_event_log else [self._right_side])
        if self._columns.children[::-1] != wanted:
            self._columns.clear_widgets()
            for side in wanted:
                self._columns.add_widget(side)

    def live(self) -> None:
        """Draw timer, levels and picture."""
        self._timer.show(timer_text(self.app.recorded_seconds))
        self._sources.live()

    # -- parts ---------------------------------------------------------------------------------

    def _header(self, view: RecordingView, chrome: ScreenChrome) -> Widget:
        kit, c = self.kit, self.colours
        if self._timer.parent:
            self._timer.parent.remove_widget(self._timer)
        state = kit.fitted_text(
            view.state, "heading", wid="rec.state", colour="on_dark", weight="semibold", lines=2
        )
        left = kit.column(
            kit.row(RecordingLight(kit, 40, on=not view.stale), state, gap=14),
            self._proof_light(view.proof),
            gap=8,
            padding=(0, 12),
        )
        clock = kit.text_line(chrome.clock, "heading", colour="on_dark", weight="tabular")
        if view.closed:
            lock = kit.icon("lock", 64, "on_dark")
            sign: Widget = kit.row(kit.spacer(), lock, size_hint_y=None, height=lock.height)
            public = kit.fitted_text(
                view.closed.short, "small", wid="rec.closed", colour="on_dark", weight="semibold",
                align="right", size_hint_y=None, height=round(kit.min_font * 2.7),
            )  # fmt: skip
        else:
            sign = kit.spacer()
            pill = kit.pill(view.case.publicity, "dark", max_width=100)
            public = kit.row(kit.spacer(), pill, size_hint_y=None, height=pill.height)
        right = kit.column(
            sign,
            kit.row(kit.spacer(), clock, size_hint_y=None, height=clock.height),
            public,
            kit.spacer(),
            gap=6 if view.closed else 10,
            size_hint_x=None,
            width=max(kit.px(172), kit.min_font * 8),
        )
        bar = kit.row(left, self._timer, right, gap=12, padding=(22, 0))
        Band(bar, c.closed if view.closed else c.dark, c.line if kit.theme.high_contrast else None)
        return bar

    def _proof_light(self, proof: ProofView) -> Widget:
        """Return the proof light: large enough to be seen across the room."""
        kit = self.kit
        good = proof.tone == "good"
        fill = {"good": "good_tint", "caution": "caution_tint", "fault": "fault_tint"}
        colour = proof.tone if proof.tone in fill else "on_dark"
        text = kit.fitted_text(
            proof.text, "body", wid="rec.proof", colour=colour, weight="medium", lines=2
        )
        icon = kit.icon("check-decagram" if good else "alert-circle", 34, colour)
        row = kit.row(icon, text, gap=10, padding=(14, 4))
        Surface(row, kit.colour(fill.get(proof.tone, "dark_pill")), None, kit.px(18), 0)
        return row

    def _notice_bar(self, view: RecordingView, chrome: ScreenChrome) -> Widget | None:
        if chrome.notice:
            return banner_bar(self.kit, chrome.notice)
        if view.panel:
            return None
        if view.alarm:
            return alarm_bar(self.kit, view.alarm, self._open_remedies(view.alarm.repairable))
        if view.playing:
            return banner_bar(self.kit, view.playing, "headphones", "accent")
        if not view.banner or self._hides_event_log(view):
            return None
        return banner_bar(self.kit, view.banner)

    def _open_remedies(self, name: str) -> Callable[[], None] | None:
        """Return what opens the remedies of microphone ``name``; None: there are none."""
        if not name:
            return None
        return lambda: self.app.secretary.side_panel.show(RemedyPanel(name))
