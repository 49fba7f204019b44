"""Draw the catalogue, and say what is wrong with a picture.

Wrong is: text that is cut, a button that is too small, outside the window or over another one.
Kivy must be prepared (:func:`kiosk.ui.kivy_setup.prepare`) before :func:`draw_all` is called.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from kiosk.config import Settings

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

    from kiosk.ui.app import Stage
    from kiosk.ui.catalogue.state import State

Size = tuple[int, int, float]
LARGE: Size = (1280, 800, 217.0)
SMALL: Size = (800, 480, 154.0)
LOOKS = ("kk1", "ru1", "en1", "ru4", "kk1c")
SMALL_LOOKS = ("kk1", "ru1")


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
            "voice": {"headphones": "default"},
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

    for _ in range(5):
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


def draw_all(folder: Path, states: list[State], looks: tuple[str, ...], size: Size) -> list[str]:
    """Draw every state in every look into ``folder``; return what is wrong."""
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from kiosk.locale import Translator, as_language
    from kiosk.rules import load_rules
    from kiosk.ui.app import Stage
    from kiosk.ui.catalogue.canned import NOW
    from kiosk.ui.desk import Desk
    from kiosk.ui.look import Look
    from kiosk.ui.widgets.fonts import register_fonts

    register_fonts()
    width, height, width_mm = size
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        conf = settings(Path(temporary), width, height, width_mm)
        EventLoop.ensure_window()
        stage: Any = None
        say, rules = Translator(), load_rules()
        for look, state in itertools.product(looks, states):
            desk = Desk(conf, now=lambda: 1000.0, wall=lambda: NOW, say=say, rules=rules)
            language = as_language(look[:2])
            desk.look = Look(language, int(look[2]), look.endswith("c"))
            desk.say.switch(language)
            state.prepare(desk)
            if stage is not None:
                Window.remove_widget(stage)
            stage = Stage(desk, conf)
            Window.add_widget(stage)
            settle(stage)
            name = f"{state.name}-{look}"
            grab(width, height).save(folder / f"{name}.png", compress_level=2)
            wrong += [f"{name}: {fault}" for fault in faults_of(stage)]
            if stage.scene is None or stage.scene.name != state.screen:
                wrong.append(f"{name}: shows {stage.scene and stage.scene.name}")
    return wrong
