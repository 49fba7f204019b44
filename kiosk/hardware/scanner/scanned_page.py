"""Checks from its pixels whether a scanned page is whole, and its size; trims it to the sheet.

A scanner's reply can hold half a JPEG and still count as complete: libjpeg fills the missing part
with mid-grey without a warning. sane-airscan fills the area outside the sheet with pure white, some
scanners with the grey of their own background.
"""

from __future__ import annotations

from typing import Literal

from kiosk.hardware.scanner.page_strips import PageStrips
from kiosk.hardware.scanner.print_size import line_height

MM_PER_INCH = 25.4
#: Mid-grey that libjpeg writes where data are missing; a scan is never so even.
_NO_DATA_GREY = (127, 129)
#: A scanner's own background is darker than paper, and even but for what JPEG adds.
_LIGHTEST_BACKGROUND, _EVEN = 215, 6
#: Paper formats in millimetres (width, height), upright, smallest first.
_FORMATS_MM = (
    (105.0, 148.0),
    (148.0, 210.0),
    (210.0, 297.0),
    (215.9, 297.0),
    (215.9, 355.6),
)
_LARGE_SHEET_MM = 297.0
#: Median height of the lines' ink: 2.5 to 3.7 mm in print of 9 to 14 points, half of that or
#: (10 points) 4.1 mm at another resolution. A page as large as its window is often just A4.
_SMALLEST_LINE_MM, _LARGEST_LINE_MM, _LARGEST_LINE_OF_A4_MM = 2.25, 4.0, 4.8
LONGEST_MM = max(height for _, height in _FORMATS_MM)
"""Height of the longest usual sheet."""
_TOLERANCE_MM = 3.0

Resolution = Literal["right", "half", "twice", "unknown"]
"""Of a page, against the one that was asked for."""


def is_complete(page: PageStrips, expected_rows: int) -> bool:
    """Return whether the page is whole.

    Args:
        page: the page as SANE gave it.
        expected_rows: rows that SANE announced (below 1: unknown).
    """
    if page.width < 16 or page.height < 16:
        return False
    if page.height < expected_rows:
        return False
    return not _ends_without_data(page)


def _ends_without_data(page: PageStrips) -> bool:
    """Return whether the last rows above the white filling are the decoder's even mid-grey.

    A real sheet never ends with so many rows of it.
    """
    tail = page.used_tail
    if tail is None:
        return False
    extremes = [tail.getchannel(band).getextrema() for band in tail.getbands()]
    return all(_is_no_data(low, high) for low, high in extremes)


def _is_no_data(low: float | tuple[int, int], high: float | tuple[int, int]) -> bool:
    least, most = _NO_DATA_GREY
    return isinstance(low, int) and isinstance(high, int) and least <= low and high <= most


def _scanner_background(page: PageStrips) -> tuple[int, ...] | None:
    """Return the even grey with which the picture ends, or None; paper is lighter and uneven."""
    colour: list[int] = []
    for band in page.tail.getbands():
        low, high = page.tail.getchannel(band).getextrema()
        if not isinstance(low, int) or not isinstance(high, int):
            return None
        if high > _LIGHTEST_BACKGROUND or high - low > _EVEN:
            return None
        colour.append((low + high) // 2)
    return tuple(colour)


def find_sheet(page: PageStrips) -> tuple[int, int] | None:
    """Return width and height of the sheet: without the filling around it; None if all is white.

    The filling is pure white, or the scanner's own even grey.
    """
    background = _scanner_background(page)
    return page.size_without(background, 2 * _EVEN) if background else page.used


def trimmed_size(page: PageStrips, resolution: int) -> tuple[int, int]:
    """Return width and height of ``page`` without the filling around the sheet.

    The size is rounded **up** to the next usual format, so that the page keeps its margins if the
    scanner turns the paper itself pure white. A page that is all white stays as it is.
    """
    used = find_sheet(page)
    if used is None:
        return page.width, page.height
    width, height = _sheet_size(*used, resolution)
    return min(width, page.width), min(height, page.height)


def resolution_of(page: PageStrips, resolution: int) -> Resolution:
    """Compare a page with the resolution that was asked for: the sheet's edges, the print's size.

    Half of it makes A6 of A4. Twice of it fills the window, which cuts the rest of the sheet. A
    real A6 or long sheet looks the same, unless it has print.
    """
    used = find_sheet(page)
    if used is None:
        return "unknown"
    in_mm = MM_PER_INCH / resolution
    width, height = (side * in_mm for side in used)
    if _is_of_format(2 * width, 2 * height):
        line = line_height(page, resolution)
        return "half" if line is None or line < _SMALLEST_LINE_MM else "right"
    is_cut = page.width * in_mm - width < 1 and page.height * in_mm - height < 1
    if not is_cut:
        return "right"
    is_long = height > _LARGE_SHEET_MM + _TOLERANCE_MM
    line = line_height(page, resolution)
    if line is None:
        return "twice" if is_long else "unknown"
    return "twice" if line > (_LARGEST_LINE_MM if is_long else _LARGEST_LINE_OF_A4_MM) else "right"


def _is_of_format(width: float, height: float) -> bool:
    """Return whether these are the sides of a large usual sheet, in millimetres."""
    return any(
        abs(width - usual) <= _TOLERANCE_MM and abs(height - long) <= _TOLERANCE_MM
        for usual, long in _FORMATS_MM
        if long >= _LARGE_SHEET_MM
    )


def _sheet_size(columns: int, rows: int, resolution: int) -> tuple[int, int]:
    """Return width and height in pixels of the smallest format that holds the used part."""
    used_width, used_height = (used * MM_PER_INCH / resolution for used in (columns, rows))
    for width, height in _FORMATS_MM:
        if used_width <= width + _TOLERANCE_MM and used_height <= height + _TOLERANCE_MM:
            in_pixels = [round(side * resolution / MM_PER_INCH) for side in (width, height)]
            return max(columns, in_pixels[0]), max(rows, in_pixels[1])
    return columns, rows
