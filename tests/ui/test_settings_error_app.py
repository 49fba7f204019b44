"""A wrong settings file: said on the screen, and over as soon as the file is right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.demo.processes import end_process
from kiosk.demo.x_server import Display
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def colours(display: Display) -> int:
    """Return how many different colours are on the display: 1 where nothing is drawn."""
    shot = ["import", "-display", display.name, "-window", "root", "-format", "%k", "info:-"]
    return int(subprocess.run(shot, capture_output=True, check=True, text=True).stdout or 0)


def test_wrong_settings_are_said_until_they_are_right(display: Display, folder: Path) -> None:
    path = folder / "kiosk.toml"
    path.write_text("[camera]\nfsp = 3\n", encoding="utf-8")
    environment = os.environ | {"DISPLAY": display.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
    command = [sys.executable, "-m", "kiosk.cli", "--config", str(path), "ui"]
    with (folder / "ui.log").open("wb") as log:
        screen = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: colours(display) > 20, "the sentence on the screen")
        assert screen.poll() is None
        path.write_text("[camera]\nfps = 25\n", encoding="utf-8")
        assert screen.wait(30) == 0
    finally:
        end_process(screen)
    said = (folder / "ui.log").read_text(encoding="utf-8")
    assert f"{path}:2: unknown key" in said
