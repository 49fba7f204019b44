"""Checks from its pixels whether a scanned page is whole, and trims it to the sheet.

A scanner's reply can hold half a JPEG and still count as complete: libjpeg fills the missing part
with mid-grey without a warning. sane-airscan fills the area outside the sheet with pure white, some
scanners with the grey of their own background.
"""

from __future__ import annotations

from PIL import Image, ImageChops

MM_PER_INCH = 25.4
#: Mid-grey that libjpeg writes where data are missing; a scan is never so even.
_NO_DATA_GREY = (127, 129)
#: A real sheet never ends with this many rows of mid-grey.
_NO_DATA_ROWS = 8
#: A scanner's own background is darker than paper, and even but for what JPEG adds.
_LIGHTEST_BACKGROUND, _EVEN = 215, 6
_STRIP_ROWS = 256
#: Paper formats in millimetres (width, height), upright, smallest first.
_FORMATS_MM = (
    (105.0, 148.0),
    (148.0, 210.0),
    (210.0, 297.0),
    (215.9, 297.0),
    (215.9, 355.6),
)
_LARGE_SHEET_MM = 297.0
LONGEST_MM = max(height for _, height in _FORMATS_MM)
"""Height of the longest usual sheet."""
_TOLERANCE_MM = 3.0


def is_complete(image: Image.Image, expected_rows: int) -> bool:
    """Return whether the page is whole.

    Args:
        image: the page as SANE gave it.
        expected_rows: rows that SANE announced (below 1: unknown).
    """
    if image.width < 16 or image.height < 16:
        return False
    if image.height < expected_rows:
        return False
    return not _ends_without_data(image)


def _ends_without_data(image: Image.Image) -> bool:
    """Return whether the last rows above the white filling are the decoder's even mid-grey."""
    used = _used_size(image)
    if used is None:
        return False
    width, height = used
    tail = image.crop((0, max(0, height - _NO_DATA_ROWS), width, height))
    extremes = [tail.getchannel(band).getextrema() for band in tail.getbands()]
    return all(_is_no_data(low, high) for low, high in extremes)


def _is_no_data(low: float | tuple[int, int], high: float | tuple[int, int]) -> bool:
    least, most = _NO_DATA_GREY
    return isinstance(low, int) and isinstance(high, int) and least <= low and high <= most


def _used_size(image: Image.Image) -> tuple[int, int] | None:
    """Return width and height without the pure white filling; None if all is white."""
    return _content_size(image, (255,) * len(image.getbands()), 0)


def _content_size(
    image: Image.Image, background: tuple[int, ...], tolerance: int
) -> tuple[int, int] | None:
    """Return width and height of what differs from ``background``; None if nothing does.

    In strips: a second picture of the whole page would take as much memory again.
    """
    right = bottom = 0
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        colour = background if len(background) > 1 else background[0]
        difference = ImageChops.difference(strip, Image.new(strip.mode, strip.size, colour))
        if tolerance:
            difference = difference.point(lambda value: value if value > tolerance else 0)
        if box := difference.getbbox():
            right, bottom = max(right, box[2]), top + box[3]
    return (right, bottom) if bottom else None


def _scanner_background(image: Image.Image) -> tuple[int, ...] | None:
    """Return the even grey with which the picture ends, or None; paper is lighter and uneven."""
    tail = image.crop((0, max(0, image.height - _NO_DATA_ROWS), image.width, image.height))
    colour: list[int] = []
    for band in tail.getbands():
        low, high = tail.getchannel(band).getextrema()
        if not isinstance(low, int) or not isinstance(high, int):
            return None
        if high > _LIGHTEST_BACKGROUND or high - low > _EVEN:
            return None
        colour.append((low + high) // 2)
    return tuple(colour)


def find_sheet(image: Image.Image) -> tuple[int, int] | None:
    """Return width and height of the sheet: without the filling around it; None if all is white.

    The filling is pure white, or the scanner's own even grey.
    """
    background = _scanner_background(image)
    return _content_size(image, background, 2 * _EVEN) if background else _used_size(image)


def trim_to_sheet(image: Image.Image, resolution: int) -> Image.Image:
    """Return ``image`` without the filling around the sheet.

    The size is rounded **up** to the next usual format, so that the page keeps its margins if the
    scanner turns the paper itself pure white. A page that is all white stays as it is.
    """
    used = find_sheet(image)
    if used is None:
        return image
    width, height = _sheet_size(*used, resolution)
    width, height = min(width, image.width), min(height, image.height)
    if (width, height) == image.size:
        return image
    return image.crop((0, 0, width, height))


def is_half_size(image: Image.Image, resolution: int) -> bool:
    """Return whether the sheet is exactly half as wide and high as a large one.

    So is a page that came with half the resolution; a sheet of A6, too.
    """
    used = find_sheet(image)
    if used is None:
        return False
    sides = [2 * side * MM_PER_INCH / resolution for side in used]
    return any(
        all(abs(side - wanted) <= _TOLERANCE_MM for side, wanted in zip(sides, sheet, strict=True))
        for sheet in _FORMATS_MM
        if sheet[1] >= _LARGE_SHEET_MM
    )


def _sheet_size(columns: int, rows: int, resolution: int) -> tuple[int, int]:
    """Return width and height in pixels of the smallest format that holds the used part."""
    used_width, used_height = (used * MM_PER_INCH / resolution for used in (columns, rows))
    for width, height in _FORMATS_MM:
        if used_width <= width + _TOLERANCE_MM and used_height <= height + _TOLERANCE_MM:
            in_pixels = [round(side * resolution / MM_PER_INCH) for side in (width, height)]
            return max(columns, in_pixels[0]), max(rows, in_pixels[1])
    return columns, rows
