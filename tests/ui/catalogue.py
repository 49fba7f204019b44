"""The catalogue: a picture of every state, errors included, and what is wrong with it.

``python -m tests.ui.catalogue FOLDER [--only PART] [--looks kk1,ru4,...]`` under an X server.
Text that is cut and buttons that are too small, outside the window or over each other are
printed; the exit status is 1 when there are any.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from kiosk.config import Settings

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

    from kiosk.ui.app import Stage
    from tests.ui.states import State

LOOKS = ("kk1", "ru1", "en1", "kk4", "ru4", "ru1c")
SMALL_LOOKS = ("kk1", "ru1", "ru4")


def settings(folder: Path, width: int, height: int, width_mm: float) -> Settings:
    """Return settings of a kiosk that is not there."""
    return Settings.model_validate(
        {
            "kiosk": {
                "id": "kiosk-4-07",
                "room": "4",
                "court": {
                    "kk": "Алматы қ. Бостандық аудандық соты",
                    "ru": "Бостандыкский районный суд г. Алматы",
                    "en": "Bostandyk District Court, Almaty",
                },
            },
            "paths": {"data": str(folder / "data"), "run": str(folder / "run")},
            "ui": {"width": width, "height": height, "width_mm": width_mm, "fullscreen": False},
        }
    )


def grab(width: int, height: int) -> Image.Image:
    """Return the window's picture."""
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels

    pixels = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
    picture = Image.frombytes("RGB", (width, height), bytes(pixels))
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def settle(stage: Stage) -> None:
    """Draw until nothing moves any more."""
    from kivy.base import EventLoop

    for _ in range(7):
        EventLoop.idle()
    stage.live()
    EventLoop.idle()


def faults_of(stage: Stage) -> list[str]:
    """Return what is wrong with the picture: cut text, small, hidden or overlapping targets."""
    from kiosk.ui.widgets.buttons import Touchable

    assert stage.scene is not None
    found: list[str] = []
    targets: list[tuple[str, tuple[float, float, float, float]]] = []
    least = stage.theme().target
    for widget in stage.scene.walk(restrict=True):
        if getattr(widget, "is_cut", False):
            found.append(f"cut: {getattr(widget, 'wid', '')} “{widget.text[:60]}”")
        if not isinstance(widget, Touchable):
            continue
        x, y = widget.to_window(*widget.pos)
        box = (x, y, x + widget.width, y + widget.height)
        if min(widget.width, widget.height) < least - 2:
            found.append(f"small: {widget.wid} {widget.width:.0f}x{widget.height:.0f} < {least}")
        if box[0] < -1 or box[1] < -1 or box[2] > stage.width + 1 or box[3] > stage.height + 1:
            found.append(f"outside: {widget.wid} {[round(v) for v in box]}")
        targets.append((widget.wid, box))
    for (one, a), (two, b) in itertools.combinations(targets, 2):
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1:
            found.append(f"overlap: {one} and {two}")
    return found + _spilled(stage.scene)


def _spilled(scene: Widget) -> list[str]:
    """Return the texts that reach out of the box they lie in."""
    from kiosk.ui.widgets.text import Line, Text

    found = []
    for widget in scene.walk(restrict=True):
        if not isinstance(widget, Line | Text) or not widget.text:
            continue
        parent = widget.parent
        while parent is not None and parent is not scene.parent:
            (x, y), (px, py) = widget.to_window(*widget.pos), parent.to_window(*parent.pos)
            over = max(px - x, x + widget.width - px - parent.width)
            under = max(py - y, y + widget.height - py - parent.height)
            if over > 4 or under > 4:
                found.append(f"spills: “{widget.text[:50]}” by {over:.0f},{under:.0f}")
                break
            parent = parent.parent
    return found


def draw_all(
    folder: Path, states: list[State], looks: tuple[str, ...], size: tuple[int, int, float]
) -> list[str]:
    """Draw every state in every look into ``folder``; return what is wrong."""
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from kiosk.ui.app import Stage
    from kiosk.ui.desk import Desk
    from kiosk.ui.look import Look
    from kiosk.ui.widgets.fonts import register_fonts
    from tests.ui.canned import NOW

    register_fonts()
    width, height, width_mm = size
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        conf = settings(Path(temporary), width, height, width_mm)
        EventLoop.ensure_window()
        stage: Any = None
        for look, state in itertools.product(looks, states):
            desk = Desk(conf, now=lambda: 1000.0, wall=lambda: NOW)
            language, text_size, contrast = look[:2], int(look[2]), look.endswith("c")
            desk.look = Look(language, text_size, contrast)  # type: ignore[arg-type]
            desk.say.switch(language)
            state.prepare(desk)
            if stage is not None:
                Window.remove_widget(stage)
            stage = Stage(desk, conf)
            Window.add_widget(stage)
            settle(stage)
            name = f"{state.name}-{look}"
            grab(width, height).save(folder / f"{name}.png")
            wrong += [f"{name}: {fault}" for fault in faults_of(stage)]
            if stage.scene is None or stage.scene.name != state.screen:
                wrong.append(f"{name}: shows {stage.scene and stage.scene.name}")
    return wrong


def main(argv: list[str] | None = None) -> int:
    """Draw the catalogue; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="only states whose name has this part")
    parser.add_argument("--looks", default="", help="such as kk1,ru4,en1c (c: high contrast)")
    parser.add_argument("--small", action="store_true", help="800x480 on 154 mm")
    options = parser.parse_args(argv)
    size = (800, 480, 154.0) if options.small else (1280, 800, 217.0)
    options.folder.mkdir(parents=True, exist_ok=True)
    looks = tuple(options.looks.split(",")) if options.looks else LOOKS
    if options.small and not options.looks:
        looks = SMALL_LOOKS
    from kiosk.ui.kivy_setup import prepare

    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    with tempfile.TemporaryDirectory() as home:
        prepare(settings(Path(home), *size).ui, Path(home) / "kivy")
        from tests.ui.states import STATES

        states = [state for state in STATES if options.only in state.name]
        wrong = draw_all(options.folder, states, looks, size)
    print("\n".join(wrong) or "nothing is cut, small, hidden or overlapping")
    print(f"{len(states) * len(looks)} pictures in {options.folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
