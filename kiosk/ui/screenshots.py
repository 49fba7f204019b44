"""Renders all screen samples and reports layout problems.

Layout problems: text that is cut, or smaller at a larger text size; a button that is too small,
outside the window or over another.
Kivy must be prepared (:func:`kiosk.ui.kivy_setup.prepare`) before :func:`render_all` is called.
"""

from __future__ import annotations

import gc
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from kiosk.config import Settings

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

    from kiosk.ui.app import RootWidget
    from kiosk.ui.samples.screen_sample import ScreenSample

T = TypeVar("T")
Size = tuple[int, int, float]
LARGE: Size = (1280, 800, 217.0)
SMALL: Size = (800, 480, 154.0)
VARIANTS = ("kk1", "ru1", "en1", "ru4", "kk1c")
SMALL_VARIANTS = ("kk1", "ru1")


def make_settings(folder: Path, width: int, height: int, width_mm: float) -> Settings:
    """Return the settings of a sample kiosk."""
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
            "hearing": {"remind_before_minutes": 5},
            "ui": {"width": width, "height": height, "width_mm": width_mm, "fullscreen": False},
        }
    )


def grab_window(width: int, height: int) -> Image.Image:
    """Return the window's picture."""
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels

    pixels = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
    picture = Image.frombytes("RGB", (width, height), bytes(pixels))
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def draw_until_settled(root_widget: RootWidget) -> None:
    """Draw until nothing changes any more."""
    from kivy.base import EventLoop

    for _ in range(5):
        EventLoop.idle()
    root_widget.update_live()
    EventLoop.idle()


def lay_out(root_widget: RootWidget) -> None:
    """Place everything as :func:`draw_until_settled` does, without drawing it."""
    from kivy.clock import Clock

    for is_last in (False,) * 5 + (True,):
        if is_last:
            root_widget.update_live()
        Clock.tick()
        Clock.tick_draw()


def layout_problems(root_widget: RootWidget) -> list[str]:
    """Return the layout problems: cut text, small, hidden or overlapping targets."""
    from kiosk.ui.widgets.touchable import Touchable

    assert root_widget.screen is not None
    found: list[str] = []
    targets: list[tuple[str, tuple[float, float, float, float]]] = []
    minimum = root_widget.theme().target
    for widget in root_widget.screen.walk(restrict=True):
        if getattr(widget, "is_cut", False):
            found.append(f"cut: {getattr(widget, 'wid', '')} “{widget.text[:60]}”")
        if not isinstance(widget, Touchable):
            continue
        x, y = widget.to_window(*widget.pos)
        box = (x, y, x + widget.width, y + widget.height)
        if min(widget.width, widget.height) < minimum - 2:
            found.append(f"small: {widget.wid} {widget.width:.0f}x{widget.height:.0f} < {minimum}")
        if (
            box[0] < -1
            or box[1] < -1
            or box[2] > root_widget.width + 1
            or box[3] > root_widget.height + 1
        ):
            found.append(f"outside: {widget.wid} {[round(v) for v in box]}")
        targets.append((widget.wid, box))
    for (first, a), (second, b) in itertools.combinations(targets, 2):
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1:
            found.append(f"overlap: {first} and {second}")
    return found + _spilled(root_widget.screen)


def font_sizes(root_widget: RootWidget) -> dict[str, float]:
    """Return the size in which each text of the screen is drawn; the smallest of equal texts."""
    from kiosk.ui.widgets.text import FittedText, TextLine, WrappedText

    sizes: dict[str, float] = {}
    assert root_widget.screen is not None
    for widget in root_widget.screen.walk(restrict=True):
        if isinstance(widget, FittedText | TextLine | WrappedText) and widget.text:
            sizes[widget.text] = min(widget.font_size, sizes.get(widget.text, widget.font_size))
    return sizes


def smaller_labels(usual: dict[str, float], larger: dict[str, float]) -> list[str]:
    """Return the texts that a larger text size makes smaller.

    Args:
        usual, larger: size of each text, at the first text size and at the larger one.
    """
    return [
        f"smaller: “{text[:50]}” {size:.0f}, at the first text size {usual[text]:.0f}"
        for text, size in larger.items()
        if size < usual.get(text, 0.0)
    ]


def _spilled(screen: Widget) -> list[str]:
    """Return the texts that are larger than the box around them."""
    from kiosk.ui.widgets.text import FittedText, TextLine, WrappedText

    found = []
    for widget in screen.walk(restrict=True):
        if not isinstance(widget, FittedText | TextLine | WrappedText) or not widget.text:
            continue
        parent = widget.parent
        while parent is not None and parent is not screen.parent:
            (x, y), (px, py) = widget.to_window(*widget.pos), parent.to_window(*parent.pos)
            over = max(px - x, x + widget.width - px - parent.width)
            under = max(py - y, y + widget.height - py - parent.height)
            if over > 4 or under > 4:
                found.append(f"spills: “{widget.text[:50]}” by {over:.0f},{under:.0f}")
                break
            parent = parent.parent
    return found


def _collecting_rarely(items: Iterable[T], every: int = 16) -> Iterator[T]:
    """Yield ``items``; look for unused objects before every sixteenth only.

    A screen is thousands of objects that refer to each other: Python's own collector went through
    them again and again while the next was made, which took half the time of a picture.
    """
    gc.disable()
    try:
        for number, item in enumerate(items):
            if number % every == 0:
                gc.collect()
            yield item
    finally:
        gc.enable()


def render_all(
    folder: Path | None,
    samples: list[ScreenSample],
    variants: tuple[str, ...],
    size: Size,
    *,
    compare_sizes: bool = False,
    in_turn: bool = False,
) -> list[str]:
    """Show every sample in every variant; return the layout problems.

    Args:
        folder: where the pictures go; ``None``: nothing is drawn, which takes half the time.
        compare_sizes: report texts that a larger text size makes smaller, too.
        in_turn: show each sample in one variant only: the first in the first, and so on.
    """
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from kiosk.locale import Translator, parse_language
    from kiosk.rules import load_rules
    from kiosk.ui.app import RootWidget
    from kiosk.ui.app_state import AppState
    from kiosk.ui.display_settings import DisplaySettings
    from kiosk.ui.samples.service_states import NOW
    from kiosk.ui.widgets.fonts import register_fonts

    register_fonts()
    width, height, width_mm = size
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        sample_settings = make_settings(Path(temporary), width, height, width_mm)
        EventLoop.ensure_window()
        shown: list[Any] = []
        translate, rules = Translator(), load_rules()

        def show(sample: ScreenSample, variant: str, settle: Callable[[RootWidget], None]) -> Any:
            """Show one sample until it has settled; return the root of its widgets."""
            app = AppState(
                sample_settings,
                now=lambda: 1000.0,
                wall=lambda: NOW,
                translate=translate,
                rules=rules,
            )
            language = parse_language(variant[:2])
            app.display_settings = DisplaySettings(language, int(variant[2]), variant.endswith("c"))
            app.translate.switch_language(language)
            sample.prepare(app)
            for widget in shown:
                Window.remove_widget(widget)
            shown[:] = [RootWidget(app, sample_settings)]
            Window.add_widget(shown[0])
            settle(shown[0])
            return shown[0]

        looks: Iterable[tuple[str, ScreenSample]] = itertools.product(variants, samples)
        if in_turn:
            looks = zip(itertools.cycle(variants), samples, strict=False)
        for variant, sample in _collecting_rarely(looks):
            usual: dict[str, float] = {}
            if compare_sizes and variant[2] != "1":
                usual = font_sizes(show(sample, f"{variant[:2]}1{variant[3:]}", lay_out))
            root_widget = show(sample, variant, draw_until_settled if folder else lay_out)
            name = f"{sample.name}-{variant}"
            if folder:
                grab_window(width, height).save(folder / f"{name}.png", compress_level=2)
            found = layout_problems(root_widget) + smaller_labels(usual, font_sizes(root_widget))
            problems += [f"{name}: {problem}" for problem in found]
            if root_widget.screen is None or root_widget.screen.name != sample.screen:
                problems.append(f"{name}: shows {root_widget.screen and root_widget.screen.name}")
    return problems
