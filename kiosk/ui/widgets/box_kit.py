"""Makes the boxes that lay out a screen: columns, rows, grids, empty space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.theme import Theme

Gap = float | Literal["touch"]
"""Gap between widgets in design pixels; ``touch``: the least gap between two targets."""


class BoxKit:
    """Makes boxes. A ``height`` or ``width`` among their options is in pixels, and fixed.

    Args:
        theme: sizes and colours.
    """

    def __init__(self, theme: Theme) -> None:
        self.theme = theme

    def px(self, design: float) -> int:
        """Return ``design`` pixels on this screen."""
        return self.theme.px(design)

    def column(self, *children: Widget, gap: Gap = 0, **options: Any) -> BoxLayout:
        """Stack ``children`` from the top; it takes the height it is given."""
        return self._box("vertical", children, gap, options)

    def row(self, *children: Widget, gap: Gap = 0, **options: Any) -> BoxLayout:
        """Put ``children`` side by side."""
        return self._box("horizontal", children, gap, options)

    def natural_column(self, *children: Widget, gap: Gap = 0, **options: Any) -> BoxLayout:
        """Stack ``children``; as high as they need together."""
        box = self._box("vertical", children, gap, {"size_hint_y": None, **options})
        box.bind(minimum_height=box.setter("height"))
        return box

    def natural_row(self, *children: Widget, gap: Gap = 0, **options: Any) -> BoxLayout:
        """Put ``children`` side by side; as wide as they need together."""
        box = self._box("horizontal", children, gap, {"size_hint_x": None, **options})
        box.bind(minimum_width=box.setter("width"))
        return box

    def touch_line(self, *children: Widget) -> BoxLayout:
        """Put ``children`` side by side in a row that is one target high."""
        return self.row(*children, gap="touch", size_hint_y=None, height=self.theme.target)

    def filled(self, cells: Sequence[Widget], count: int) -> list[Widget]:
        """Return ``cells`` with empty ones after them: ``count`` in all."""
        return [*cells, *(self.spacer() for _n in range(count - len(cells)))]

    def _box(
        self, orientation: str, children: Iterable[Widget], gap: Gap, options: dict[str, Any]
    ) -> BoxLayout:
        box = BoxLayout(
            orientation=orientation,
            spacing=self._spacing(gap),
            padding=self._padding(options.pop("padding", 0)),
            **fixed(options),
        )
        for child in children:
            box.add_widget(child)
        return box

    def grid(self, children: Sequence[Widget], columns: int, gap: Gap = "touch") -> list[BoxLayout]:
        """Return rows of ``columns`` widgets each; the last row may be shorter."""
        return [
            self.row(*children[n : n + columns], gap=gap) for n in range(0, len(children), columns)
        ]

    def _spacing(self, gap: Gap) -> int:
        if gap == "touch":
            return self.theme.gap
        return self.px(gap) if gap else 0

    def _padding(self, padding: float | tuple[float, ...]) -> list[int]:
        """Return Kivy's four paddings for one, two (across, down) or four design values."""
        sides = (padding,) if isinstance(padding, int | float) else padding
        scaled = [self.px(side) if side else 0 for side in sides]
        return scaled * 2 if len(scaled) == 2 else scaled * (4 // len(scaled))

    def spacer(self) -> Widget:
        """Return an empty widget that takes the remaining space."""
        return Widget()

    def pixel_spacer(self, pixels: int) -> Widget:
        """Return an empty square of ``pixels``."""
        return Widget(size_hint=(None, None), size=(pixels, pixels))

    def centred(self, child: Widget, **options: Any) -> AnchorLayout:
        """Centre ``child`` in the space it is given."""
        anchor = AnchorLayout(**options)
        anchor.add_widget(child)
        return anchor


def fixed(options: dict[str, Any]) -> dict[str, Any]:
    """Return Kivy's options; a side with a length takes no share of the space."""
    hints = {"size_hint_x": None} if "width" in options else {}
    if "height" in options:
        hints["size_hint_y"] = None
    return {**hints, **options}
