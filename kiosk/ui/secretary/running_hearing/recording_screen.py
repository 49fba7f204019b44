"""Screen of the running hearing: light, time and proof read from two metres; the rest at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.formatting import timer_text
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.secretary.running_hearing.bottom_bar import bottom_bar
from kiosk.ui.secretary.running_hearing.event_buttons_column import event_buttons_column
from kiosk.ui.secretary.running_hearing.event_log_column import event_log_column
from kiosk.ui.secretary.running_hearing.notice_bars import alarm_bar, banner_bar
from kiosk.ui.secretary.running_hearing.people import needs_keys
from kiosk.ui.secretary.running_hearing.recording import RecordingView
from kiosk.ui.secretary.running_hearing.sheet_buttons import sheets_line
from kiosk.ui.secretary.running_hearing.sources import ProofView
from kiosk.ui.secretary.running_hearing.sources_column import SourcesColumn
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.graphics import Band, Surface
from kiosk.ui.widgets.hardware_keys import HardwareKeys
from kiosk.ui.widgets.indicators import RecordingLight, Timer
from kiosk.ui.widgets.screen import CachedSlot, NaturalCachedSlot, Screen
from kiosk.ui.widgets.widget_kit import WidgetKit

TIMER_CAP_MM = 24.0
SMALL_TIMER_CAP_MM = 15.0


class RecordingScreen(Screen):
    """Draws :class:`RecordingView`: header, notice, three columns, bottom bar."""

    app: AppState
    is_guarded = True

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._sources = SourcesColumn(kit, app)
        self._keys = HardwareKeys(self, self._type, self._finish_typing)
        theme = kit.theme
        cap = SMALL_TIMER_CAP_MM if theme.compact else TIMER_CAP_MM
        self._timer = Timer(kit, "rec.timer", cap, round(theme.width * 0.6), "on_dark")
        height = max(self._timer.height + kit.px(4), kit.px(140))
        self._header_slot = CachedSlot(size_hint_y=None, height=height)
        self._notice_slot = NaturalCachedSlot(padding=(kit.px(22), kit.px(10), kit.px(22), 0))
        self._left_slot = CachedSlot(size_hint_x=0.33)
        self._middle_slot = CachedSlot(size_hint_x=0.37)
        self._right_slot = CachedSlot(size_hint_x=0.30)
        self._footer_slot = CachedSlot(size_hint_y=None, height=theme.target + kit.px(22))
        self._columns = kit.row(
            self._left_slot, self._middle_slot, self._right_slot, gap=18, padding=(22, 12)
        )
        for part in (self._header_slot, self._notice_slot, self._columns, self._footer_slot):
            self.add_widget(part)

    def update(self, view: RecordingView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        kit, app, secretary = self.kit, self.app, self.app.secretary
        header: Any = (view.state, view.stale, view.proof, view.case, view.closed, chrome.clock)
        self._header_slot.show(header, lambda: self._header(view, chrome))
        notice = (
            chrome.notice,
            chrome.notice_about,
            chrome.notice_action,
            view.alarm,
            view.banner,
            view.playing,
            bool(view.panel or view.sheet),
        )
        self._notice_slot.show(notice, lambda: self._notice_bar(view, chrome))
        repairable = view.alarm.repairable if view.alarm else ""
        hides_log = self._hides_event_log(view)
        has_line = hides_log and kit.theme.compact and not view.is_card_open
        left = (view.microphones, view.camera_text, view.repairable, repairable, view.undoable)
        self._left_slot.show((left, has_line), lambda: self._left_column(view, has_line))
        are_keys_shown = not view.panel and needs_keys(view.sheet)
        hides_sources = kit.theme.compact and view.is_card_open
        self._arrange_columns(hides_log, hides_sources=hides_sources or are_keys_shown)
        question = view.question if hides_log else None
        middle = (
            (question, bool(view.question), view.undoable),
            view.panel,
            view.oath,
            view.receipt,
            view.sheet,
            view.due,
            view.hint,
            view.others,
            (secretary.events_shown, secretary.events_page),
            view.all_events,
            secretary.answers_page,
            secretary.typed_answer,
        )
        self._middle_slot.show(middle, lambda: event_buttons_column(kit, app, view, question))
        right = (
            view.question,
            secretary.answers_page,
            (view.case, view.closed, view.event_log, view.undoable),
            bool(view.alarm or view.banner),
        )
        if not hides_log:
            self._right_slot.show(right, lambda: event_log_column(kit, app, view))
        footer = (secretary.is_end_asked, bool(view.closed), bool(view.playing))
        self._footer_slot.show(footer, lambda: bottom_bar(kit, app, view))
        self.live()

    def _type(self, text: str) -> None:
        """Take what a keyboard that is plugged in types."""
        people = self.app.secretary.people
        if people.typing is not None and self.app.staff is not None:
            self.app.record_touch()
            people.type_text(text)

    def _finish_typing(self) -> None:
        if self.app.staff is not None:
            self.app.spawn(self.app.secretary.people.finish())

    def _hides_event_log(self, view: RecordingView) -> bool:
        """Return whether a panel or oath, or a question on a small screen, hides the event log.

        There an alarm goes before a question, which comes back in the next stop.
        """
        has_question = view.question is not None and view.alarm is None
        return view.is_card_open or (self.kit.theme.compact and has_question)

    def _arrange_columns(self, hides_log: bool, *, hides_sources: bool) -> None:
        """Show the columns; a question, panel or oath hides others, most on a small screen."""
        wanted = [] if hides_sources else [self._left_slot]
        wanted += [self._middle_slot] if hides_log else [self._middle_slot, self._right_slot]
        if self._columns.children[::-1] != wanted:
            self._columns.clear_widgets()
            for column in wanted:
                self._columns.add_widget(column)

    def live(self) -> None:
        """Draw timer, levels and picture."""
        self._timer.show(timer_text(self.app.recorded_seconds))
        self._sources.live()

    # -- parts ---------------------------------------------------------------------------------

    def _header(self, view: RecordingView, chrome: ScreenChrome) -> Widget:
        kit, c = self.kit, self.colours
        self._timer.detach()
        state = kit.fitted_text(
            view.state, "heading", wid="rec.state", colour="on_dark", weight="semibold", lines=2
        )
        light = kit.row(RecordingLight(kit, 40, on=not view.stale), state, gap=14)
        left = kit.column(light, self._proof_light(view.proof), gap=8, padding=(0, 12))
        bar = kit.row(left, self._timer, self._publicity(view, chrome), gap=12, padding=(22, 0))
        Band(bar, c.closed if view.closed else c.dark, c.line if kit.theme.high_contrast else None)
        return bar

    def _left_column(self, view: RecordingView, has_line: bool) -> Widget:
        """Return picture and levels; ``has_line``: above what the event log holds otherwise."""
        sources = self._sources.build(view)
        if not has_line:
            return sources
        line = sheets_line(self.kit, self.app, undoable=view.undoable)
        return self.kit.column(sources, line, gap=8)

    def _publicity(self, view: RecordingView, chrome: ScreenChrome) -> Widget:
        """Return the clock, and whether the hearing is open or closed."""
        kit = self.kit

        def at_right(child: Widget) -> Widget:
            return kit.row(kit.spacer(), child, height=child.height)

        clock = at_right(kit.text_line(chrome.clock, "heading", colour="on_dark", weight="tabular"))
        if view.closed:
            text = kit.fitted_text(
                view.closed.short, "small", wid="rec.closed", colour="on_dark", weight="semibold",
                align="right", height=round(kit.min_font * 2.7),
            )  # fmt: skip
            rows = [at_right(kit.icon("lock", 64, "on_dark")), clock, text, kit.spacer()]
        else:
            pill = at_right(kit.pill(view.case.publicity, "dark", max_width=100))
            rows = [kit.spacer(), clock, pill, kit.spacer()]
        width = max(kit.px(172), kit.min_font * 8)
        return kit.column(*rows, gap=6 if view.closed else 10, width=width)

    def _proof_light(self, proof: ProofView) -> Widget:
        """Return the proof light: large enough to be seen across the room."""
        kit = self.kit
        colour = tone_colour(proof.tone, "on_dark")
        text = kit.fitted_text(
            proof.text, "body", wid="rec.proof", colour=colour, weight="medium", lines=2
        )
        icon = kit.icon("check-decagram" if proof.tone == "good" else "alert-circle", 34, colour)
        row = kit.row(icon, text, gap=10, padding=(14, 4))
        fill = "dark_pill" if colour == "on_dark" else f"{proof.tone}_tint"
        Surface(row, kit.colour(fill), None, kit.px(18), 0)
        return row

    def _notice_bar(self, view: RecordingView, chrome: ScreenChrome) -> Widget | None:
        """Return the most important of notice, alarm, playback and banner."""
        if chrome.notice and chrome.notice_action:
            about = chrome.notice_about
            act = chrome.notice_action, lambda: self.app.notices.act(about)
            if not view.alarm or view.panel or view.sheet:
                return banner_bar(self.kit, chrome.notice, "account-voice", "accent", act=act)
            # it lasts, and must hide no alarm: one bar says both, until the call is answered
            both = replace(view.alarm, remedy=chrome.notice, repairable="")
            return alarm_bar(self.kit, both, self.app.secretary.side_panel, act)
        if chrome.notice:
            return banner_bar(self.kit, chrome.notice)
        if view.panel or view.sheet:
            return None
        if view.alarm:
            return alarm_bar(self.kit, view.alarm, self.app.secretary.side_panel)
        if view.playing:
            return banner_bar(self.kit, view.playing, "headphones", "accent")
        if not view.banner or self._hides_event_log(view):
            return None
        close = self.app.notices.dismiss if view.is_reminder else None
        return banner_bar(self.kit, view.banner, close=close)
