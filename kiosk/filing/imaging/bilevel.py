"""Converts text to black and white by a local threshold and encodes it (CCITT Group 4)."""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Dots = NDArray[np.bool_]

#: Dots across and down that share a threshold.
_BLOCK = 4
_LOCAL_RADIUS_MM = 2.0
_INK_BELOW_AROUND, _INK_BELOW_PAPER, _SOLID_INK = 22, 30, 0.45
_STRIP_ROWS_TAG = 278


def to_bilevel(grey: Image.Image, paper: int, resolution: int, skew: float = 0.0) -> Image.Image:
    """Return ``grey`` in black and white (mode ``1``), with level lines.

    Args:
        grey: the page.
        paper: brightness of its paper.
        resolution: dots per inch.
        skew: degrees by which lines rise to the right.
    """
    tones = np.asarray(grey)
    white = np.empty(tones.shape, np.bool_)
    threshold = _ink_threshold(grey, paper, resolution).repeat(_BLOCK, axis=1)[:, : grey.width]
    for row in range(_BLOCK):
        rows = tones[row::_BLOCK]
        np.greater_equal(rows, threshold[: len(rows)], out=white[row::_BLOCK])
    return Image.fromarray(_turn_clockwise(white, skew) if skew else white)


def _ink_threshold(grey: Image.Image, paper: int, resolution: int) -> NDArray[np.uint8]:
    """Return for each block of dots the brightness below which they are ink.

    Ink is darker than its surroundings and than the paper, or solid black. The surroundings change
    slowly, so they are computed at an eighth of the size.
    """
    radius = max(1, round(_LOCAL_RADIUS_MM / 25.4 * resolution / 8))
    around = np.asarray(grey.reduce(8).filter(ImageFilter.BoxBlur(radius))).astype(np.int16)
    threshold = np.minimum(around - _INK_BELOW_AROUND, paper - _INK_BELOW_PAPER)
    threshold = np.maximum(threshold, round(paper * _SOLID_INK))
    small = Image.fromarray(threshold.astype(np.uint8))
    blocks = (-(-grey.width // _BLOCK), -(-grey.height // _BLOCK))
    return np.asarray(small.resize(blocks, Image.Resampling.BILINEAR))


def _turn_clockwise(white: Dots, degrees: float) -> Dots:
    """Return the page, turned about its centre by a few degrees; its corners become white.

    Three shears make the rotation (A. Paeth, 1986). Each shifts strips that are as wide as the
    angle is small, so that it takes a fifth of the time of a rotation dot by dot.
    """
    angle = math.radians(degrees)
    sheared = _shear_rows(white, -math.tan(angle / 2))
    sheared = _shear_rows(sheared.T, math.sin(angle)).T
    return _shear_rows(sheared, -math.tan(angle / 2))


def _shear_rows(white: Dots, slope: float) -> Dots:
    """Return ``white``, each row shifted right by ``slope`` times its rows below the middle."""
    sheared = np.ones_like(white)
    rows, columns = white.shape
    shifts = np.rint(slope * (np.arange(rows) - (rows - 1) / 2)).astype(int)
    starts = [0, *(np.flatnonzero(np.diff(shifts)) + 1)]
    for start, end in zip(starts, [*starts[1:], rows], strict=True):
        shift = int(shifts[start])
        to, of = max(0, shift), max(0, -shift)
        sheared[start:end, to : columns - of] = white[start:end, of : columns - to]
    return sheared


def encode_bilevel(image: Image.Image, resolution: int) -> bytes:
    """Return a bilevel image as TIFF with one strip, which goes into the PDF unchanged."""
    out = BytesIO()
    image.save(
        out,
        "TIFF",
        compression="group4",
        dpi=(resolution, resolution),
        tiffinfo={_STRIP_ROWS_TAG: image.height},
    )
    return out.getvalue()
