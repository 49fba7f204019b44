"""Is a scanned page whole, and how large is the sheet?

A scanner's reply can hold half a JPEG and still be called complete: libjpeg fills what is
missing with mid-grey and warns nobody. And sane-airscan fills what a sheet does not cover with
pure white. Both are recognised here, from the pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MM_PER_INCH = 25.4
#: Mid-grey that libjpeg writes where there are no data; a lens never is so even.
_NO_DATA_GREY = (127, 129)
#: A real sheet's last rows are never mid-grey for so many rows.
_NO_DATA_ROWS = 8
#: Paper formats in millimetres (width, height), upright, smallest first.
_FORMATS_MM = (
    (105.0, 148.0),
    (148.0, 210.0),
    (210.0, 297.0),
    (215.9, 297.0),
    (215.9, 355.6),
)
_TOLERANCE_MM = 3.0


def is_complete(image: Image.Image, expected_rows: int) -> bool:
    """Return False for a page that ends before its end.

    Args:
        image: the page as it came from SANE.
        expected_rows: rows that SANE announced (below 1: unknown).
    """
    if image.width < 16 or image.height < 16:
        return False
    if image.height < expected_rows:
        return False
    return not _ends_without_data(np.asarray(image))


def _ends_without_data(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the last rows above the white filler are the decoder's even mid-grey."""
    sample = pixels[:, : max(16, _used_columns(pixels))]
    flat = sample.reshape(sample.shape[0], -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    rows = np.flatnonzero(low != 255)
    if rows.size == 0:
        return False
    end = int(rows[-1]) + 1
    tail = slice(max(0, end - _NO_DATA_ROWS), end)
    grey = (low[tail] >= _NO_DATA_GREY[0]) & (high[tail] <= _NO_DATA_GREY[1])
    return bool(grey.all())


def _used_columns(pixels: NDArray[np.uint8]) -> int:
    """Return the columns up to the white filler on the right."""
    flat = pixels if pixels.ndim == 2 else pixels.min(axis=2)
    columns = np.flatnonzero(flat.min(axis=0) != 255)
    return int(columns[-1]) + 1 if columns.size else pixels.shape[1]


def trim_to_sheet(image: Image.Image, resolution: int) -> Image.Image:
    """Return ``image`` without the pure white that fills the window beyond the sheet.

    The sheet is rounded **up** to the next usual format, so that a scanner that clips the
    paper itself to pure white does not lose its margins. A page that is all white stays whole.
    """
    pixels = np.asarray(image)
    flat = pixels if pixels.ndim == 2 else pixels.min(axis=2)
    rows = np.flatnonzero(flat.min(axis=1) != 255)
    columns = np.flatnonzero(flat.min(axis=0) != 255)
    if rows.size == 0:
        return image
    width, height = _sheet(int(columns[-1]) + 1, int(rows[-1]) + 1, resolution)
    width, height = min(width, image.width), min(height, image.height)
    if (width, height) == image.size:
        return image
    return image.crop((0, 0, width, height))


def _sheet(columns: int, rows: int, resolution: int) -> tuple[int, int]:
    """Return width and height in pixels of the smallest format that holds the used part."""
    used_width, used_height = (used * MM_PER_INCH / resolution for used in (columns, rows))
    for width, height in _FORMATS_MM:
        if used_width <= width + _TOLERANCE_MM and used_height <= height + _TOLERANCE_MM:
            in_pixels = [round(side * resolution / MM_PER_INCH) for side in (width, height)]
            return max(columns, in_pixels[0]), max(rows, in_pixels[1])
    return columns, rows
