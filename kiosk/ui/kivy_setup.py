"""What must be set before Kivy is imported: no files in the home folder, one input, our window."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.config import UiSettings

ENVIRONMENT = {
    "KIVY_NO_ARGS": "1",
    "KIVY_NO_CONFIG": "1",
    "KIVY_NO_FILELOG": "1",
    "KIVY_LOG_MODE": "PYTHON",
    "KIVY_WINDOW": "sdl2",
    "KIVY_IMAGE": "sdl2",
    "KIVY_GL_BACKEND": "sdl2",
    "KIVY_METRICS_DENSITY": "1",
    "KIVY_DPI": "96",
}
MAX_FPS = "30"


def prepare(screen: UiSettings, home: Path, max_fps: str = MAX_FPS) -> None:
    """Set environment and Kivy's settings; call once, before anything else imports Kivy.

    Args:
        screen: ``[ui]`` of the settings.
        home: folder for what Kivy wants to write.
        max_fps: frames per second at most; ``0``: as many as can be drawn.
    """
    home.mkdir(parents=True, exist_ok=True)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["KIVY_HOME"] = str(home)
    from kivy.config import Config

    # Two input providers for one touch screen would double every tap.
    Config.remove_section("input")
    Config.add_section("input")
    Config.set("input", "mouse", "mouse,disable_multitouch")
    graphics = {
        "width": str(screen.width),
        "height": str(screen.height),
        "fullscreen": "auto" if screen.fullscreen else "0",
        "borderless": "1",
        "position": "custom",
        "left": "0",
        "top": "0",
        "resizable": "0",
        "maxfps": max_fps,
        "multisamples": "0",
        "show_cursor": "0" if screen.fullscreen else "1",
    }
    for key, value in graphics.items():
        Config.set("graphics", key, value)
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "keyboard_mode", "")
