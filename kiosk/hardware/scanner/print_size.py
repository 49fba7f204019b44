"""Measures how high the lines of print on a page are: a ruler that every letter brings along."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from PIL import Image

from kiosk.hardware.scanner.page_strips import PageStrips

_DPI = 100
"""At least; an even part of the page's."""
_COLUMN_MM = 10.0
"""Narrow: a line that rises by two degrees still ends before the next one begins."""
_INK_BELOW_PAPER = 70
_LEAST_MM, _MOST_MM, _MIN_LINES = 1.0, 14.0, 12
_MM_PER_INCH = 25.4


def line_height(page: PageStrips, resolution: int) -> float | None:
    """Return the median height in millimetres of a line's ink; None: too few lines of print."""
    factor = next((f for f in (4, 2) if resolution >= f * _DPI), 1)  # strips have 128 rows
    grey = _reduced(page, factor)
    in_mm = factor * _MM_PER_INCH / resolution
    paper = max(range(128, 256), key=grey.histogram().__getitem__)
    ink = grey.point(lambda value: 255 if value < paper - _INK_BELOW_PAPER else 0)
    column = round(_COLUMN_MM / in_mm)
    heights = [
        rows * in_mm
        for left in range(0, ink.width - column, column)
        for rows in _runs(ink.crop((left, 0, left + column, ink.height)))
        if _LEAST_MM <= rows * in_mm <= _MOST_MM
    ]
    return statistics.median(heights) if len(heights) >= _MIN_LINES else None


def _reduced(page: PageStrips, factor: int) -> Image.Image:
    """Return the page in grey, smaller."""
    parts = [strip.convert("L").reduce(factor) for strip in page.strips()]
    whole = Image.new("L", (parts[0].width, sum(part.height for part in parts)), 255)
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return whole


def _runs(column: Image.Image) -> Iterator[int]:
    """Yield the heights of the runs of rows that have ink, in rows; not those at the ends."""
    rows = column.resize((1, column.height), Image.Resampling.BOX).tobytes()
    length, has_begun = 0, False
    for value in rows:
        if value:
            length += 1
            continue
        if length and has_begun:
            yield length
        length, has_begun = 0, True
