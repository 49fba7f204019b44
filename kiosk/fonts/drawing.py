"""Text on pictures: loads fonts and wraps lines to a width in pixels."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from PIL import ImageFont


def load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of ``size`` pixels, laid out the same on every machine (without Raqm)."""
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def wrap_text(text: str, font: ImageFont.FreeTypeFont, width: int, indent: str = "") -> list[str]:
    """Return ``text`` in lines of at most ``width`` pixels; a word that is too long is broken.

    Args:
        indent: begins every line.
    """
    lines: list[str] = []
    line = ""
    for whole in text.split():
        word = whole
        while font.getlength(indent + word) > width:
            if line:
                lines.append(line)
                line = ""
            fits = _count_fitting(word, font, width, indent)
            lines.append(indent + word[:fits])
            word = word[fits:]
        longer = f"{line} {word}" if line else indent + word
        if line and font.getlength(longer) > width:
            lines.append(line)
            longer = indent + word
        line = longer if word else line
    return [*lines, line] if line else lines


def _count_fitting(word: str, font: ImageFont.FreeTypeFont, width: int, indent: str) -> int:
    """Return how many letters of a word fit, at least one.

    Halved again and again: letter by letter, 5,000 without a blank took minutes of the recorder's
    time.
    """

    def extent(count: int) -> float:
        return font.getlength(indent + word[:count])

    return max(1, bisect_right(range(1, len(word) + 1), float(width), key=extent))
