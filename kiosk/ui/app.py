"""The Kivy application: draws what the desk knows, ten times a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.floatlayout import FloatLayout

from kiosk.config import Settings
from kiosk.hardware.badge_reader import BadgeReader
from kiosk.ui.automation import serve_automation, visible_widgets
from kiosk.ui.desk import Desk
from kiosk.ui.draw import SCENES
from kiosk.ui.theme import Theme
from kiosk.ui.views import current_screen, view_of
from kiosk.ui.widgets.fonts import register_fonts
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Scene

log = logging.getLogger(__name__)

LIVE_SECONDS = 0.1
SETTLE_SECONDS = 0.15
LONGEST_TOUCH_SECONDS = 5.0


class Stage(FloatLayout):
    """Holds the one scene that is shown, and draws it anew when the desk has changed."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        super().__init__()
        self.desk, self._screen = desk, settings.ui
        self._scene: Scene | None = None
        self._key: Any = None
        self._touch_since: float | None = None
        self._drawn_at = 0.0
        self._redraw = Clock.create_trigger(self._draw, 0)
        desk.observe(self._redraw)
        self._redraw()

    @property
    def scene(self) -> Scene | None:
        """The scene that is shown."""
        return self._scene

    def theme(self) -> Theme:
        """Return sizes and colours for the window and the look in force."""
        look = self.desk.look
        return Theme(
            width=int(self.width),
            height=int(self.height),
            width_mm=self._screen.width_mm,
            text_size=look.text_size,
            high_contrast=look.high_contrast,
        )

    def on_touch_down(self, touch: Any) -> bool:
        """Note the touch: nothing is drawn anew under a finger."""
        self._touch_since = time.monotonic()
        self.desk.touch()
        return bool(super().on_touch_down(touch))

    def on_touch_up(self, touch: Any) -> bool:
        """Let go; what changed meanwhile is drawn now."""
        handled = bool(super().on_touch_up(touch))
        self._touch_since = None
        self._redraw()
        return handled

    def _touched(self) -> bool:
        since = self._touch_since
        return since is not None and time.monotonic() - since < LONGEST_TOUCH_SECONDS

    def _draw(self, *_: Any) -> None:
        if self._touched():
            return
        name = current_screen(self.desk)
        key = (SCENES[name], self.desk.look, self.size[0], self.size[1])
        before = self._key
        if key != before:
            self._key = key
            kit = Kit(self.theme(), self.desk.say)
            self._scene = SCENES[name](kit, self.desk)
            self.clear_widgets()
            self.add_widget(self._scene)
            self._drawn_at = time.monotonic()
        if self._scene is not None:
            view = view_of(name, self.desk)
            self._scene.update(view, self.desk.frame())
            self.desk.speak(name, view)

    def live(self, *_: Any) -> None:
        """Draw what moves."""
        if self._scene is not None:
            self._scene.live()

    def describe(self) -> dict[str, Any]:
        """Return what is on the screen, for automation."""
        settled = time.monotonic() - self._drawn_at > SETTLE_SECONDS and not self._touched()
        widgets = list(visible_widgets(self._scene, int(self.height))) if self._scene else []
        return {
            "screen": self._scene.name if self._scene else "",
            "language": self.desk.look.language,
            "text_size": self.desk.look.text_size,
            "settled": bool(self._scene) and settled,
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
        self.desk = Desk(settings)
        self.stage: Stage | None = None

    def build(self) -> Stage:
        """Return the root of all widgets."""
        self.stage = Stage(self.desk, self._settings)
        Clock.schedule_interval(self.stage.live, LIVE_SECONDS)
        Clock.schedule_interval(lambda _seconds: self.desk.tick(), 1.0)
        return self.stage

    async def run_all(self) -> None:
        """Run window, services' lines, badge reader and automation until the window closes."""
        loop = asyncio.get_running_loop()

        def from_reader(text: str) -> None:
            loop.call_soon_threadsafe(self.desk.badge, text)

        runner = None
        lines = asyncio.create_task(self.desk.run())
        with BadgeReader(self._settings.badge, from_reader):
            try:
                if self._settings.ui.automation:
                    runner = await serve_automation(self.desk.layout.ui_socket, self._describe)
                await self.async_run(async_lib="asyncio")
            finally:
                lines.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await lines
                await self.desk.close()
                if runner is not None:
                    await runner.cleanup()

    def _describe(self) -> dict[str, Any]:
        return self.stage.describe() if self.stage else {"screen": "", "widgets": []}


def run(settings: Settings) -> int:
    """Run the touch screen until its window closes; return the exit status."""
    register_fonts()
    Window.clearcolor = (0.957, 0.965, 0.973, 1)
    asyncio.run(KioskApp(settings).run_all())
    return 0
