"""A finger that comes down while the screen is built again is not lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.demo.x_server import Display

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from pathlib import Path

from kiosk.ui import kivy_setup, screenshots

folder = Path(sys.argv[1])
settings = screenshots.make_settings(folder, *screenshots.LARGE)
kivy_setup.prepare(settings.ui, folder / "kivy")

from kivy.base import EventLoop
from kivy.core.window import Window
from kivy.input.providers.mouse import MouseMotionEvent

from kivy.clock import Clock

from kiosk.ui.app import RESTING_FPS, RootWidget, set_frame_rate
from kiosk.ui.app_state import AppState
from kiosk.ui.screen_loader import all_samples
from kiosk.ui.widgets.fonts import register_fonts


class Finger:
    def __init__(self):
        self.waiting = []

    def update(self, dispatch_fn):
        while self.waiting:
            dispatch_fn(*self.waiting.pop(0))


register_fonts()
EventLoop.ensure_window()
finger = Finger()
EventLoop.add_input_provider(finger)
app = AppState(settings)
next(sample for sample in all_samples() if sample.name == "page_review").prepare(app)
root = RootWidget(app, settings)
Window.add_widget(root)
screenshots.draw_until_settled(root)
button = next(w for w in root.screen.walk(restrict=True) if getattr(w, "wid", "") == "pages.delete")
x, y = button.to_window(*button.center)
at = [x / root.width, y / root.height, "left"]
touch = MouseMotionEvent("finger", 1, at, is_touch=True, type_id="touch")
app.visit.page_review.select(1)  # the next frame builds the page and its buttons again
set_frame_rate(RESTING_FPS)
finger.waiting.append(("begin", touch))
EventLoop.idle()
slept = 1 / Clock._max_fps - 4 / 5 * Clock.get_resolution()  # as Kivy computes it
print("fps", round(1 / slept))
finger.waiting.append(("end", touch))
EventLoop.idle()
print("deleted", app.visit.place.deleted)
"""


def test_a_tap_in_the_frame_that_builds_the_buttons_again(display: Display, tmp_path: Path) -> None:
    """Buttons that were built but not laid out stood at the corner; the tap met none."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "DISPLAY": display.name, "LIBGL_ALWAYS_SOFTWARE": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout.split() == ["fps", "30", "deleted", "1"], done.stderr
