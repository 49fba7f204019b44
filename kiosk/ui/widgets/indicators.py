"""Red light, running time and level meter."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from kiosk.ui.widgets.fonts import NAMES, text_extents
from kiosk.ui.widgets.graphics import Dot, rgba
from kiosk.ui.widgets.widget_kit import WidgetKit

MIN_LEVEL_DB = -60.0
CAP_HEIGHT = 0.727


class RecordingLight(Widget):
    """The red light: on while something is recorded."""

    def __init__(self, kit: WidgetKit, diameter: float, *, on: bool) -> None:
        size = kit.px(diameter * 1.55)
        super().__init__(size_hint=(None, None), size=(size, size), pos_hint={"center_y": 0.5})
        colours = kit.colours
        colour = colours.recording if on else colours.meter_quiet
        Dot(self, colour, colours.recording_halo if on else None, kit.px(diameter))


class Timer(Label):
    """A running time in figures of one width.

    Args:
        wid: name for automation.
        cap_mm: wanted height of the figures, millimetres.
        max_width: pixels; longer times have smaller figures.
        colour: of the figures.
    """

    def __init__(
        self, kit: WidgetKit, wid: str, cap_mm: float, max_width: int, colour: str
    ) -> None:
        theme = kit.theme
        self._wanted_size = round(cap_mm / CAP_HEIGHT * theme.width / theme.width_mm)
        self._max_width, self._shown = max_width, ""
        size = self._size_for("0:00:00")
        super().__init__(
            text="",
            font_name=NAMES["tabular"],
            font_size=size,
            color=rgba(kit.colour(colour)),
            size_hint=(None, None),
            size=(text_extents("0:00:00", NAMES["tabular"], size)[0] + 4, size),
            pos_hint={"center_y": 0.5},
            halign="center",
            valign="middle",
        )
        self.text_size = self.size
        self.wid, self.is_cut = wid, False

    def _size_for(self, text: str) -> int:
        size = self._wanted_size
        while size > 20 and text_extents(text, NAMES["tabular"], size)[0] > self._max_width:
            size -= 2
        return size

    def detach(self) -> None:
        """Leave the widget that holds it, to be put into another one."""
        if self.parent:
            self.parent.remove_widget(self)

    def show(self, text: str) -> None:
        """Show ``text``; it gets smaller figures when it gets longer."""
        if text == self._shown:
            return
        if len(text) != len(self._shown):
            self._max_width = max(self._max_width, int(self.width))
            self.font_size = min(self._size_for("0:00:00"), self._size_for(text))
        self.text = self._shown = text


class Meter(Widget):
    """A level bar. It moves only when its length in pixels changes."""

    def __init__(self, kit: WidgetKit, height: float, *, is_dull: bool = False) -> None:
        super().__init__(size_hint_y=None, height=kit.px(height))
        self._colours = kit.colours
        self._fraction = 0.0
        radius = self.height / 2
        with self.canvas:
            Color(rgba=rgba(kit.colours.fault_tint if is_dull else kit.colours.meter))
            self._track = SmoothRoundedRectangle(radius=[radius])
            self._colour = Color(rgba=rgba(kit.colours.accent))
            self._bar = SmoothRoundedRectangle(radius=[radius])
        self.bind(pos=self._place, size=self._place)

    def show(self, level_db: float | None) -> None:
        """Show a level in dB of full scale; None: no signal."""
        self.fill(
            0.0 if level_db is None else (max(MIN_LEVEL_DB, min(0.0, level_db)) / -MIN_LEVEL_DB) + 1
        )

    def fill(self, fraction: float) -> None:
        """Show a part between 0 and 1."""
        if round(fraction * self.width) != round(self._fraction * self.width):
            self._fraction = fraction
            self._place()

    def _place(self, *_: Any) -> None:
        self._track.pos, self._track.size = self.pos, self.size
        width = self._fraction * self.width
        quiet = self._fraction < 0.08
        self._colour.rgba = rgba(self._colours.meter_quiet if quiet else self._colours.accent)
        self._bar.pos = self.pos
        self._bar.size = (max(self.height, width), self.height) if width > 0 else (0, 0)


class Meters:
    """The level bars of named microphones."""

    def __init__(self, kit: WidgetKit) -> None:
        self._kit = kit
        self._meters: dict[str, Meter] = {}

    def clear(self) -> None:
        """Forget all bars."""
        self._meters = {}

    def add(self, name: str, height: float, *, is_dull: bool = False) -> Meter:
        """Return a new bar for the microphone ``name``."""
        meter = self._meters[name] = Meter(self._kit, height, is_dull=is_dull)
        return meter

    def show(self, levels: dict[str, Any]) -> None:
        """Show the newest levels of a ``levels`` event."""
        for name, meter in self._meters.items():
            meter.show((levels.get(name) or {}).get("rms_db"))
