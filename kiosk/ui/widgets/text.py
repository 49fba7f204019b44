"""Text: wrapped with natural height, shrunk to fit a box, or a clock with figures of one width."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from kivy.clock import Clock
from kivy.uix.label import Label

from kiosk.ui.widgets.fonts import ICONS, text_extents
from kiosk.ui.widgets.graphics import rgba


class NamedLabel(Label):
    """A label in one colour, with a name for automation.

    Args:
        text: the words.
        wid: name for automation; empty: not listed.
        colour: ``#rrggbb``.
        options: of Kivy's label; font name and size come from the theme.
    """

    def __init__(self, text: str, *, wid: str = "", colour: str, **options: Any) -> None:
        ink = rgba(colour)
        super().__init__(text=text, color=ink, disabled_color=ink, **options)
        self.wid = wid


class WrappedText(NamedLabel):
    """Wrapped text as wide as it is given and as high as it needs."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(text, valign="middle", line_height=1.08, size_hint_y=None, **options)
        self.bind(width=self._wrap, texture_size=self._update_height)
        self.height = text_extents(text or " ", options["font_name"], options["font_size"])[1]

    def _wrap(self, *_: Any) -> None:
        self.text_size = (self.width, None)

    def _update_height(self, *_: Any) -> None:
        self.height = self.texture_size[1]

    @property
    def is_cut(self) -> bool:
        """Return whether some of the text cannot be seen."""
        return bool(self.texture_size[0] > self.width + 2 or self.texture_size[1] > self.height + 2)


class TextLine(NamedLabel):
    """One line of text exactly as wide as its words."""

    is_cut = False

    def __init__(self, text: str, **options: Any) -> None:
        width, height = text_extents(text or " ", options["font_name"], options["font_size"])
        super().__init__(
            text,
            size_hint=(None, None),
            size=(width + 2, height),
            pos_hint={"center_y": 0.5},
            **options,
        )


class FittedText(NamedLabel):
    """Text that fills a box it is given: wrapped, and shrunk until nothing is cut.

    Args:
        min_font_size: pixels.
        lines: maximum number of lines (0: as many as fit).
        ellipsis: what does not fit at the smallest size ends in dots instead of being cut.
    """

    def __init__(
        self,
        text: str,
        *,
        min_font_size: int,
        lines: int = 0,
        ellipsis: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(text, line_height=1.02, **options)
        self._preferred_size: int = options["font_size"]
        self._min_font_size, self._lines, self._ellipsis = min_font_size, lines, ellipsis
        self._refit = Clock.create_trigger(self._fit, -1)
        self.bind(size=self._refit, text=self._refit)
        self.is_cut = False

    def _fit(self, *_: Any) -> None:
        if self.width < 4 or self.height < 4:
            return
        size = self._largest_size()
        self.font_size = size
        self.text_size = self.size
        cut = not self._fits(size, *self.size)
        self.is_cut = cut and not self._ellipsis
        if self._ellipsis:
            self.shorten, self.shorten_from = cut, "right"

    def _largest_size(self) -> int:
        """Return the largest font size, up to the preferred one, in which all of it fits.

        In steps, a larger text size would end below what fits at the first one.
        """
        if self._fits(self._preferred_size, *self.size):
            return self._preferred_size
        smaller = range(self._preferred_size - 1, self._min_font_size, -1)
        first = bisect_left(smaller, True, key=lambda size: self._fits(size, *self.size))
        return smaller[first] if first < len(smaller) else self._min_font_size

    def can_fit(self, width: float, height: float) -> bool:
        """Return whether all of the text fits into such a box, however small it is drawn."""
        return self._fits(self._min_font_size, width, height)

    def _fits(self, size: int, width: float, height: float) -> bool:
        words = self.text.split()
        if any(text_extents(word, self.font_name, size)[0] > width for word in words):
            return False
        line = text_extents("Ң", self.font_name, size)[1] * self.line_height
        count = lines_needed(self.text, self.font_name, size, width)
        if self._lines and count > self._lines:
            return False
        return bool(count * line <= height + 1)


def lines_needed(text: str, font_name: str, size: int, width: float) -> int:
    """Return how many lines ``text`` takes, broken between words."""
    count = 0
    for paragraph in text.split("\n"):
        count += 1
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_extents(longer, font_name, size)[0] > width:
                count += 1
                line = word
            else:
                line = longer
    return count


class Icon(NamedLabel):
    """One icon in a square box."""

    is_cut = False

    def __init__(self, glyph: str, size: int, colour: str) -> None:
        super().__init__(
            glyph,
            colour=colour,
            font_name=ICONS,
            font_size=size,
            size_hint=(None, None),
            size=(size, size),
            pos_hint={"center_x": 0.5, "center_y": 0.5},
        )
