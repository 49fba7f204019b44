"""The Kivy application of the display in the hall: it hears one view, and nobody touches it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any
from zoneinfo import ZoneInfo

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.floatlayout import FloatLayout

from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.ipc import LocalClient, RemoteClient
from kiosk.locale import Translator
from kiosk.storage.paths import Paths
from kiosk.ui.automation import serve_automation, visible_widgets
from kiosk.ui.display_settings import DisplaySettings
from kiosk.ui.hall.board import board_view
from kiosk.ui.hall.board_screen import BoardScreen
from kiosk.ui.hall_state import HallState
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.service_connection import ServiceConnection
from kiosk.ui.service_watchdog import report_to_systemd
from kiosk.ui.theme import Theme
from kiosk.ui.view_context import ViewContext
from kiosk.ui.widgets.fonts import register_fonts
from kiosk.ui.widgets.widget_kit import WidgetKit

DRAW_SECONDS = 0.5


class HallApp(App):
    """One board, drawn again when the view, the language or the page changes.

    Args:
        settings: settings of this machine.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings, self._paths = settings, Paths.from_settings(settings.paths)
        self._state = HallState(settings.hall)
        self._translate = Translator(self._state.language)
        self._labels = RuleLabels(self._translate)
        self._zone = ZoneInfo(settings.kiosk.timezone)
        self._board: BoardScreen | None = None

    def build(self) -> FloatLayout:
        """Return the root of all widgets."""
        root = FloatLayout()
        Clock.schedule_interval(lambda _seconds: self._draw(root), DRAW_SECONDS)
        report_to_systemd()
        return root

    def _theme(self, width: float, height: float) -> Theme:
        return Theme(
            width=int(width),
            height=int(height),
            width_mm=self._settings.ui.width_mm,
            text_size=self._settings.hall.text_size,
        )

    def _draw(self, root: FloatLayout) -> None:
        theme = self._theme(*root.size)
        if self._board is None or self._board.kit.theme != theme:
            root.clear_widgets()
            self._board = BoardScreen(WidgetKit(theme, self._translate), "hall.board", self)
            root.add_widget(self._board)
        self._translate.switch_language(self._state.language)
        context = ViewContext(self._translate, self._labels, self._zone, wall_time())
        chrome = ScreenChrome(DisplaySettings(self._state.language))
        self._board.update(board_view(context, self._state), chrome)

    def _client(self) -> LocalClient:
        hall = self._settings.hall
        if hall.address:
            return RemoteClient(hall.address, hall.stale_seconds)
        return LocalClient(self._paths.hall_socket)

    async def run_all(self) -> None:
        """Run window, connection and automation until the window closes."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        client = self._client()
        connection = ServiceConnection(client, self._state.handle_event, lambda: None)
        listening = asyncio.create_task(connection.run())
        runner = None
        try:
            if self._settings.ui.automation:
                runner = await serve_automation(self._paths.hall_screen_socket, self._describe)
            await self.async_run(async_lib="asyncio")
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await client.close()
            if runner is not None:
                await runner.cleanup()

    def _describe(self) -> dict[str, Any]:
        """Return the visible widgets, for automation."""
        board = self._board
        return {
            "screen": "" if board is None else board.name,
            "language": self._translate.language,
            "widgets": [] if board is None else list(visible_widgets(board, int(board.height))),
        }


def run_hall(settings: Settings) -> int:
    """Run the display until its window closes; return the exit status."""
    register_fonts()
    Window.clearcolor = (0.957, 0.965, 0.973, 1)
    asyncio.run(HallApp(settings).run_all())
    return 0
