"""A touch screen under test: its own X server, the real program, real clicks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kiosk.demo.processes import end_process
from kiosk.demo.screen_driver import get_json
from kiosk.demo.touch import touch_widget
from kiosk.demo.x_server import Display
from kiosk.storage.paths import Paths
from tests.support.waiting import wait_for

SECONDS = 60.0
LOOK_SECONDS = 0.05


class TouchScreen:
    """``kiosk ui`` as a process; it may be killed and started again.

    Args:
        folder: of the settings, data and sockets; with a short path.
        display: where it draws.
        tables: further tables of its settings, ``screen.toml``.
    """

    def __init__(
        self, folder: Path, display: Display, tables: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.folder, self._display = folder, display
        self.paths = Paths(folder / "data", folder / "run")
        self._config = folder / "screen.toml"
        self._process: subprocess.Popen[bytes] | None = None
        self.paths.run.mkdir(parents=True, exist_ok=True)
        self._write(tables or {})

    def _write(self, tables: dict[str, dict[str, Any]]) -> None:
        base: dict[str, dict[str, Any]] = {
            "kiosk": {"id": "kiosk-4-07", "room": "4"},
            "paths": {"data": str(self.paths.data), "run": str(self.paths.run)},
            "ui": {"fullscreen": False, "automation": True},
        }
        lines = []
        for name, values in {**base, **tables}.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it draws."""
        environment = {**os.environ, "DISPLAY": self._display.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
        with (self.folder / "ui.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kiosk.cli", "--config", str(self._config), "ui"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: self.screen().get("settled"), "the first screen", SECONDS)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The touch screen's process."""
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """Kill it as the kernel would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            end_process(self._process)

    def screen(self) -> dict[str, Any]:
        """Return what is on the screen, ``{}`` while it does not answer."""
        assert self._process is not None
        if self._process.poll() is not None and self._process.returncode != -signal.SIGKILL:
            log = (self.folder / "ui.log").read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"kiosk ui ended: {log[-2000:]}")
        time.sleep(LOOK_SECONDS)  # looking costs the program under test a walk over all widgets
        return get_json(self.paths.ui_socket, "/v1/screen")

    def wait_screen(self, name: str) -> dict[str, Any]:
        """Wait for the screen ``name``; return it."""

        def shown() -> dict[str, Any] | None:
            screen = self.screen()
            return screen if screen.get("screen") == name and screen.get("settled") else None

        try:
            return wait_for(shown, name, SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; shown: {self.screen().get('screen')}") from error

    def widget(self, wid: str) -> dict[str, Any] | None:
        """Return a widget that is on the screen now."""
        screen = self.screen()
        if not screen.get("settled"):
            return None
        return next((w for w in screen["widgets"] if w["id"] == wid), None)

    def text(self, wid: str) -> str:
        """Wait for the text of ``wid``; return it."""
        found = wait_for(lambda: self.widget(wid), wid, SECONDS)
        return str(found["text"])

    def tap(self, wid: str) -> None:
        """Wait until ``wid`` can be tapped, and click on it."""

        def ready() -> dict[str, Any] | None:
            found = self.widget(wid)
            return found if found and found["enabled"] else None

        while not self.click(wait_for(ready, wid, SECONDS)):
            pass

    def click(self, item: dict[str, Any]) -> bool:
        """Click on the middle of a widget, as :meth:`screen` describes it.

        Returns:
            Whether the screen took it; a button that has just changed refuses it.
        """
        environment = {**os.environ, "DISPLAY": self._display.name}

        def run(*command: str) -> None:
            subprocess.run(command, check=True, env=environment)

        def read() -> dict[str, Any]:
            is_over = self.process.poll() == 0  # the touch ended it, in order
            return {"touches": sys.maxsize} if is_over else self.screen()

        taken = touch_widget(item, read, run, SECONDS)
        assert taken is not None, "the screen felt no touch"
        return taken
