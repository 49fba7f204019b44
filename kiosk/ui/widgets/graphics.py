"""Rounded surfaces: fill and edge that follow a widget's place and size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, Rectangle, SmoothEllipse, SmoothRoundedRectangle
from kivy.utils import get_color_from_hex


def rgba(colour: str, alpha: float = 1.0) -> list[float]:
    """Return ``#rrggbb`` as Kivy's four numbers."""
    red, green, blue, _ = get_color_from_hex(colour)
    return [red, green, blue, alpha]


def _bind_to_widget(widget: Any, decoration: Any, update: Callable[..., None]) -> None:
    """Call ``update`` when ``widget`` moves. Kivy binds weakly, so the widget keeps it alive."""
    decorations = widget.__dict__.setdefault("decorations", [])
    decorations.append(decoration)
    widget.bind(pos=update, size=update)
    update()


class Surface:
    """A rounded rectangle behind ``widget``: ``edge`` pixels of ``line`` around ``fill``."""

    def __init__(
        self, widget: Any, fill: str, line: str | None, radius: float, edge: float
    ) -> None:
        self._widget, self._radius, self._edge = widget, radius, edge if line else 0
        with widget.canvas.before:
            if line:
                self._line_colour = Color(rgba=rgba(line))
                self._outer = SmoothRoundedRectangle(radius=[radius])
            self._fill_colour = Color(rgba=rgba(fill))
            self._inner = SmoothRoundedRectangle(radius=[max(1, radius - self._edge)])
        self._line = line
        _bind_to_widget(widget, self, self._place)

    def paint(self, fill: str) -> None:
        """Change the fill."""
        self._fill_colour.rgba = rgba(fill)

    def _place(self, *_: Any) -> None:
        (x, y), (width, height), edge = self._widget.pos, self._widget.size, self._edge
        if self._line:
            self._outer.pos, self._outer.size = (x, y), (width, height)
        self._inner.pos = (x + edge, y + edge)
        self._inner.size = (max(0, width - 2 * edge), max(0, height - 2 * edge))


class Band:
    """A plain rectangle behind ``widget`` with an optional line at its ``side``."""

    def __init__(self, widget: Any, fill: str, line: str | None = None, top: bool = False) -> None:
        self._widget, self._top = widget, top
        with widget.canvas.before:
            self._colour = Color(rgba=rgba(fill))
            self._box = Rectangle()
            self._line_colour = Color(rgba=rgba(line or fill))
            self._line = Rectangle()
        _bind_to_widget(widget, self, self._place)

    def _place(self, *_: Any) -> None:
        x, y = self._widget.pos
        width, height = self._widget.size
        self._box.pos, self._box.size = (x, y), (width, height)
        self._line.pos = (x, y + height - 1) if self._top else (x, y)
        self._line.size = (width, 1)


class Dot:
    """A round light of ``diameter`` in the middle of ``widget``, with a halo around it."""

    def __init__(self, widget: Any, colour: str, halo: str | None, diameter: float) -> None:
        self._widget, self._diameter = widget, diameter
        with widget.canvas:
            self._halo_colour = Color(rgba=rgba(halo or colour, 1.0 if halo else 0.0))
            self._halo = SmoothEllipse()
            self._dot_colour = Color(rgba=rgba(colour))
            self._dot = SmoothEllipse()
        _bind_to_widget(widget, self, self._place)

    def _place(self, *_: Any) -> None:
        x, y = self._widget.center
        for ellipse, size in ((self._halo, self._diameter * 1.55), (self._dot, self._diameter)):
            ellipse.pos, ellipse.size = (x - size / 2, y - size / 2), (size, size)
