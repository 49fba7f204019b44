"""Converts text to black and white by a local threshold and encodes it (CCITT Group 4)."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

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
    white = np.asarray(grey) >= np.asarray(_ink_threshold(grey, paper, resolution))
    if not skew:
        return Image.fromarray(white)
    # After the threshold, the nearest dot is as good as a mean of four, in a sixth of the time.
    tones = Image.fromarray(white.view(np.uint8) * np.uint8(255))
    turned = tones.rotate(-skew, Image.Resampling.NEAREST, fillcolor=255)
    return turned.convert("1", dither=Image.Dither.NONE)


def _ink_threshold(grey: Image.Image, paper: int, resolution: int) -> Image.Image:
    """Return for each dot the brightness below which it is ink.

    Ink is darker than its surroundings and than the paper, or solid black. The surroundings change
    slowly, so they are computed at an eighth of the size.
    """
    radius = max(1, round(_LOCAL_RADIUS_MM / 25.4 * resolution / 8))
    around = np.asarray(grey.reduce(8).filter(ImageFilter.BoxBlur(radius))).astype(np.int16)
    threshold = np.minimum(around - _INK_BELOW_AROUND, paper - _INK_BELOW_PAPER)
    threshold = np.maximum(threshold, round(paper * _SOLID_INK))
    small = Image.fromarray(threshold.astype(np.uint8))
    half_way = small.resize((-(-grey.width // 4), -(-grey.height // 4)), Image.Resampling.BILINEAR)
    return half_way.resize(grey.size, Image.Resampling.NEAREST)


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
