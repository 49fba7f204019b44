"""Drives the touch screen: real pointer events by xdotool, and screenshots.

The widgets are read from the UI's automation socket; a tap goes through the X server, the window
and Kivy's touch input, as a finger's does.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kiosk.demo.processes import Services, wait_until
from kiosk.demo.touch import touch_widget
from kiosk.demo.x_server import Display
from kiosk.errors import KioskError

T = TypeVar("T")
TOUCH_S = 10.0
"""A busy screen takes a touch within this time."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket with the standard library (for synchronous callers)."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("kiosk", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the Unix socket instead of a host and port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def get_json(path: Path, target: str, timeout: float = 5.0) -> dict[str, Any]:
    """``GET target`` from the local service at ``path``; ``{}`` if it does not answer."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", target)
        value = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Screenshot:
    """One screenshot: its file and the name of the screen on it."""

    path: Path
    screen: str


class ScreenDriver:
    """Reads the screen, taps on it, and takes screenshots.

    Args:
        ui_socket: automation socket of ``kiosk ui``.
        display: X server the UI draws on.
        screenshots: folder for screenshots.
        services: must be running while it waits.
    """

    def __init__(
        self, ui_socket: Path, display: Display, screenshots: Path, services: Services
    ) -> None:
        self._socket = ui_socket
        self._display = display
        self._folder = screenshots
        self._services = services
        self.screenshots: list[Screenshot] = []
        self.taps = 0

    def read_screen(self) -> dict[str, Any]:
        """Return the screen as the UI describes it; ``{}`` while it does not answer."""
        self._services.check()
        return get_json(self._socket, "/v1/screen")

    def find_widget(self, widget: str) -> dict[str, Any] | None:
        """Return the enabled, settled widget whose id is ``widget`` (a trailing ``*``: any)."""
        screen = self.read_screen()
        if not screen.get("settled"):
            return None
        for item in screen.get("widgets", []):
            same = item["id"] == widget
            begins = widget.endswith("*") and item["id"].startswith(widget[:-1])
            if (same or begins) and item["enabled"]:
                return dict(item)
        return None

    def wait_screen(self, *names: str, seconds: float = 30.0) -> str:
        """Wait until one of the screens ``names`` is shown and settled; return its name."""

        def shown() -> str | None:
            screen = self.read_screen()
            name = str(screen.get("screen", ""))
            return name if name in names and screen.get("settled") else None

        return self._wait(shown, f"screen {' or '.join(names)}", seconds)

    def wait_widget(self, widget: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until ``widget`` can be tapped; return it."""
        return self._wait(lambda: self.find_widget(widget), f"“{widget}”", seconds)

    def tap(self, widget: str, seconds: float = 30.0) -> str:
        """Wait for ``widget`` and tap it with a real pointer click; return its id.

        A button that has only just come takes no tap, as a person finds, too: it is tapped again.
        """
        while True:
            item = self.wait_widget(widget, seconds)
            if self.tap_widget(item) is not False:
                return str(item["id"])

    def tap_widget(self, item: dict[str, Any]) -> bool | None:
        """Tap the middle of ``item``, as :meth:`find_widget` returns it; see :func:`touch_widget`.

        Returns:
            Whether the screen took it; None: it counted no touch.
        """
        taken = touch_widget(item, self.read_screen, self._run, TOUCH_S)
        self.taps += 1
        return taken

    def take_screenshot(self, name: str) -> Path:
        """Take a screenshot ``NN-name.png`` of the whole display; return its path."""
        path = self._folder / f"{len(self.screenshots) + 1:02d}-{name}.png"
        time.sleep(0.3)  # the frame after the last change of state must be displayed
        self._run("import", "-window", self._display.window, f"png:{path}")
        self.screenshots.append(Screenshot(path, str(self.read_screen().get("screen", ""))))
        return path

    def _wait(self, condition: Callable[[], T | None], what: str, seconds: float) -> T:
        """Wait like :func:`wait_until`; on a timeout, name the screen that is shown instead."""
        try:
            return wait_until(condition, what, seconds)
        except KioskError as error:
            raise KioskError(f"{error}; shown: {self._describe_screen()}") from error

    def _run(self, *command: str) -> None:
        """Run a program that works on the display."""
        environment = {**self._services.environment, "DISPLAY": self._display.name}
        subprocess.run(self._display.command(*command), check=True, env=environment)

    def _describe_screen(self) -> str:
        screen = self.read_screen()
        widgets = ", ".join(item["id"] for item in screen.get("widgets", []))
        return f"{screen.get('screen', 'nothing')} [{widgets}]"
