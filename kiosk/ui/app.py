"""The Kivy application: draws the state of the screen, at most ten times a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.floatlayout import FloatLayout

from kiosk.config import Settings
from kiosk.hardware.badge_reader import BadgeReader
from kiosk.ui.app_state import AppState
from kiosk.ui.automation import serve_automation, visible_widgets
from kiosk.ui.screen_chrome import Notice
from kiosk.ui.screen_loader import current_screen, view_of, widget_class
from kiosk.ui.service_watchdog import report_to_systemd
from kiosk.ui.theme import Theme
from kiosk.ui.widgets.fonts import register_fonts
from kiosk.ui.widgets.screen import Screen
from kiosk.ui.widgets.tap_guard import TapGuard, TapTarget
from kiosk.ui.widgets.tap_sign import TapSign
from kiosk.ui.widgets.touchable import Touchable, tap_targets, touchables
from kiosk.ui.widgets.widget_kit import WidgetKit

log = logging.getLogger(__name__)

TOUCHED_FPS, RESTING_FPS = 30, 10
"""Frames a second while somebody touches the screen, and :data:`RESTING_SECONDS` later."""
RESTING_SECONDS = 5.0
LIVE_INTERVAL_SECONDS = 0.09  # shorter than a frame at rest: each is drawn
SETTLED_SECONDS = 0.15
MAX_TOUCH_SECONDS = 5.0
SLEPT_SHARE = 11 / 15
"""Kivy sleeps for so much of a frame: it wakes up 4/5 of its clock's resolution, a third, early."""


def set_frame_rate(fps: int) -> None:
    """Set how often Kivy looks for touches and draws what has changed."""
    Clock._max_fps = fps * SLEPT_SHARE  # noqa: SLF001 - Kivy names it for its start only


class RootWidget(FloatLayout):
    """Holds the screen that is shown and redraws it when the application's state changes."""

    def __init__(self, app_state: AppState, settings: Settings) -> None:
        super().__init__()
        self.app_state, self._ui_settings = app_state, settings.ui
        self._screen: Screen | None = None
        self._key: Any = None
        self._touch_since: float | None = None
        self._touched_at = time.monotonic()
        self._drawn_at = 0.0
        # Kivy reads touches between the timers and the layout of a frame: a screen built by a timer
        # has no layout yet, and loses the tap. Built before the frame, it comes after the touches.
        self._draw_in_frame = Clock.create_trigger(self._draw, -1)
        self._redraw = Clock.create_trigger(lambda _seconds: self._draw_in_frame(), 0)
        self._guard = TapGuard(time.monotonic)
        self._touches, self._refused = 0, 0
        self._drawn_state = ""
        self._sign = TapSign(self)
        self._notice: Notice | None = None
        # the next frame begins once this one is on the screen, and reads its touches after this
        self._note_drawn = Clock.create_trigger(lambda _seconds: self._note_targets(), 0)
        app_state.add_observer(self._redraw)
        self._redraw()

    @property
    def screen(self) -> Screen | None:
        """The screen that is shown."""
        return self._screen

    def theme(self) -> Theme:
        """Return sizes and colours for the window and the display settings in force."""
        display = self.app_state.display_settings
        return Theme(
            width=int(self.width),
            height=int(self.height),
            width_mm=self._ui_settings.width_mm,
            text_size=display.text_size,
            high_contrast=display.high_contrast,
        )

    def on_touch_down(self, touch: Any) -> bool:
        """Record the touch; nothing is redrawn under a finger.

        A button that has only just come under the finger takes no tap, and it is said so there.
        """
        self._touch_since = self._touched_at = time.monotonic()
        self._touches += 1
        set_frame_rate(TOUCHED_FPS)
        self.app_state.record_touch()
        x, y = touch.pos
        if any(target.holds(x, y) and self._refuses(target, x, y) for target in self._targets()):
            self._refused += 1
            self._sign.show(WidgetKit(self.theme(), self.app_state.translate), x, y)
            return True
        return bool(super().on_touch_down(touch))

    def on_touch_up(self, touch: Any) -> bool:
        """Redraw what changed during the touch."""
        handled = bool(super().on_touch_up(touch))
        self._touch_since, self._touched_at = None, time.monotonic()
        self._redraw()
        return handled

    def rest(self) -> None:
        """Draw less often when nobody has touched the screen for a while."""
        if not self._is_touched() and time.monotonic() - self._touched_at > RESTING_SECONDS:
            set_frame_rate(RESTING_FPS)

    def _is_touched(self) -> bool:
        since = self._touch_since
        return since is not None and time.monotonic() - since < MAX_TOUCH_SECONDS

    def _targets(self) -> tuple[TapTarget, ...]:
        return tuple(tap_targets(self._screen)) if self._screen is not None else ()

    def _note_targets(self) -> None:
        self._guard.note_drawn(self._targets())

    def _refuses(self, target: TapTarget, x: float, y: float) -> bool:
        is_guarded = self._screen is not None and self._screen.is_guarded
        return is_guarded and self._guard.refuses(target, x, y)

    def _takes_tap(self, button: Touchable) -> bool:
        target = button.target()
        return not self._refuses(target, *target.middle)

    def _draw(self, *_: Any) -> None:
        if self._is_touched():
            return
        name = current_screen(self.app_state)
        key = (name, self.app_state.display_settings, self.size[0], self.size[1])
        if key != self._key:
            self._key = key
            self._note_targets()
            kit = WidgetKit(self.theme(), self.app_state.translate)
            self._screen = widget_class(name)(kit, name, self.app_state)
            self._sign.hide()
            self.clear_widgets()
            self.add_widget(self._screen)
            self._drawn_at = time.monotonic()
        if self._screen is not None:
            view = view_of(name, self.app_state)
            self._screen.update(view, self.app_state.screen_chrome())
            recorder = self.app_state.recorder_state
            self._drawn_state = recorder.wall if recorder else ""
            self.app_state.speak(name, view)
            self._follow_notice(self._screen)
            if self._screen.is_guarded:
                self._note_drawn()

    def _follow_notice(self, screen: Screen) -> None:
        """Let the buttons take another tap once it is said that a step was refused.

        Nothing else may change then, and a button that takes one tap would stay dead.
        """
        former, self._notice = self._notice, self.app_state.notices.passing
        if self._notice is not None and self._notice is not former:
            for touchable in touchables(screen):
                touchable.take_next_tap()

    def update_live(self, *_: Any) -> None:
        """Redraw the moving parts: timer, levels, picture."""
        if self._screen is not None:
            self._screen.live()

    def describe(self) -> dict[str, Any]:
        """Return the visible widgets and the settings in force, for automation."""
        is_settled = time.monotonic() - self._drawn_at > SETTLED_SECONDS and not self._is_touched()
        screen, height = self._screen, int(self.height)
        widgets = list(visible_widgets(screen, height, self._takes_tap)) if screen else []
        return {
            "screen": self._screen.name if self._screen else "",
            "language": self.app_state.display_settings.language,
            "text_size": self.app_state.display_settings.text_size,
            "settled": bool(self._screen) and is_settled and not self._note_drawn.is_triggered,
            "touches": self._touches,
            "refused": self._refused,
            "recorder_at": self._drawn_state,
            "widgets": widgets,
        }


class KioskApp(App):
    """The application.

    Args:
        settings: settings of this kiosk.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.app_state = AppState(settings)
        self.root_widget: RootWidget | None = None
        self.app_state.upkeep.end_screen = self.stop

    def build(self) -> RootWidget:
        """Return the root of all widgets."""
        self.root_widget = RootWidget(self.app_state, self._settings)
        Clock.schedule_interval(self.root_widget.update_live, LIVE_INTERVAL_SECONDS)
        Clock.schedule_interval(self._tick, 1.0)
        report_to_systemd()
        return self.root_widget

    def _tick(self, *_: Any) -> None:
        self.app_state.tick()
        if self.root_widget is not None:
            self.root_widget.rest()

    async def run_all(self) -> None:
        """Run window, service connections, badge reader and automation until the window closes."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        self.app_state.life.begin()

        def from_reader(text: str) -> None:
            loop.call_soon_threadsafe(self.app_state.handle_badge, text)

        def on_unreadable() -> None:
            loop.call_soon_threadsafe(self.app_state.show_notice, "unreadable_badge")

        runner = None
        connections = asyncio.create_task(self.app_state.run())
        with BadgeReader(self._settings.badge, from_reader, on_unreadable=on_unreadable):
            try:
                if self._settings.ui.automation:
                    runner = await serve_automation(self.app_state.paths.ui_socket, self._describe)
                await self.async_run(async_lib="asyncio")
            finally:
                connections.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await connections
                await self.app_state.close()
                if runner is not None:
                    await runner.cleanup()
        self.app_state.life.end()

    def _describe(self) -> dict[str, Any]:
        return self.root_widget.describe() if self.root_widget else {"screen": "", "widgets": []}


def run(settings: Settings) -> int:
    """Run the touch screen until its window closes; return the exit status."""
    register_fonts()
    Window.clearcolor = (0.957, 0.965, 0.973, 1)
    asyncio.run(KioskApp(settings).run_all())
    return 0
