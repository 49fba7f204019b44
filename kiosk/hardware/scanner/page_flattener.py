"""Turns the photograph of a sheet into a straight scan of a paper format."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from kiosk.hardware.scanner.jobs import PaperFormat
from kiosk.hardware.scanner.page_finder import Points

_MM_PER_INCH: Final = 25.4
#: Formats in millimetres (short, long side), the likeliest first.
FORMATS_MM: Final[dict[str, tuple[float, float]]] = {
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
}
#: Tolerance of the sides' ratio (a camera sees the sheet at an angle).
_RATIO_TOLERANCE = 0.06


def flatten(image: Image.Image, corners: Points, size: tuple[int, int]) -> Image.Image:
    """Return the quadrilateral ``corners`` (top left first, clockwise) of ``image`` as ``size``."""
    width, height = size
    target = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    rows, values = [], []
    for (x, y), (u, v) in zip(target, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, dtype=np.float64), np.array(values))
    return image.transform(
        size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC
    )


def sheet_size_mm(
    corners: Points, paper: PaperFormat, mm_per_pixel: float | None
) -> tuple[float, float]:
    """Return width and height in millimetres of the sheet with these corners.

    Args:
        corners: top left first, clockwise.
        paper: the format, or ``auto``: by the sides' ratio and, where the scale is known, length.
        mm_per_pixel: scale of the picture, or None if it is unknown.
    """
    across, down = _side_lengths(corners)
    short, long = sorted((across, down))
    sides = FORMATS_MM[paper] if paper != "auto" else _best_format(short, long, mm_per_pixel)
    return sides if down >= across else (sides[1], sides[0])


def _best_format(short: float, long: float, mm_per_pixel: float | None) -> tuple[float, float]:
    """Return the format that fits best; a sheet of no format keeps its own shape."""

    def misfit(sides: tuple[float, float]) -> float:
        deviation = abs(short / long / (sides[0] / sides[1]) - 1)
        return deviation + (abs(long * mm_per_pixel / sides[1] - 1) if mm_per_pixel else 0)

    best = min(FORMATS_MM.values(), key=misfit)
    if abs(short / long / (best[0] / best[1]) - 1) <= _RATIO_TOLERANCE:
        return best
    longest = long * mm_per_pixel if mm_per_pixel else FORMATS_MM["a4"][1]
    return longest * short / long, longest


def make_scan(
    image: Image.Image, corners: Points, paper: PaperFormat, view_mm: int, resolution: int
) -> tuple[Image.Image, int]:
    """Return the sheet as a scan with its dots per inch, never more than the camera saw.

    Args:
        image: the photograph.
        corners: of the sheet in it, top left first, clockwise.
        paper: format, or ``auto``.
        view_mm: width in millimetres of the desk in the picture; 0: unknown.
        resolution: dots per inch at most.
    """
    scale = view_mm / image.width if view_mm else None
    width, height = sheet_size_mm(corners, paper, scale)
    across, down = _side_lengths(corners)
    seen_dpi = min(across / width, down / height) * _MM_PER_INCH
    dpi = max(1, min(resolution, int(seen_dpi)))
    oversampling = max(1.0, min(2.0, seen_dpi / dpi))
    size = tuple(round(side * dpi / _MM_PER_INCH) for side in (width, height))
    scan = flatten(image, corners, (round(size[0] * oversampling), round(size[1] * oversampling)))
    if scan.size != size:
        scan = scan.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return scan, dpi


def _side_lengths(corners: Points) -> tuple[float, float]:
    """Return the mean lengths in pixels of the sides across and down."""
    top, right, bottom, left = (
        float(np.hypot(*(corners[(index + 1) % 4] - corners[index]))) for index in range(4)
    )
    return (top + bottom) / 2, (right + left) / 2
