"""Checks a scanned page: blurred, dark, faint, cut off, blank, upside down, sideways, skewed.

Checks measure a grey image of about 150 dpi relative to the page's own paper and ink, so that grey
recycled paper is not "dark" and pale print is not "blank".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kiosk.filing.imaging.orientation import detect_orientation
from kiosk.filing.imaging.page_advice import sort_advice
from kiosk.filing.imaging.paper import has_faint_writing, measure_noise, remove_shadows
from kiosk.filing.imaging.tiles import reduce_tiles

Grey = NDArray[np.uint8]
Points = NDArray[np.int64]

#: Dots per inch at which pages are checked.
WORKING_DPI = 150
#: Skew in degrees from which a page is straightened, and the largest that is measured.
MIN_SKEW = 0.25
MAX_SKEW = 6.0

_DARK_PAPER = 130
_INK_BELOW_PAPER, _NOISE_STEPS = 70, 5
_BLANK_SHARE = 0.0002
_FAINT_CONTRAST = 95
_EDGE_MM = 0.5
_EDGE_INK_MIN, _EDGE_INK_MAX = 0.006, 0.5
_TILE = 24
_MIN_TILES = 12
_MIN_SHARPNESS = 0.36
_SIDEWAYS_RATIO = 1.6
_MIN_LINE_POINTS = 400


@dataclass(frozen=True)
class PageQuality:
    """Result of checking a page.

    Attributes:
        advice: codes of :mod:`kiosk.filing.imaging.page_advice`, most severe first.
        skew: degrees by which lines of text rise to the right (counter-clockwise); 0 if unknown.
        sharpness: 0 to 1, or None if the page has too little on it.
        ink: share of the page that is written or printed on.
        paper: brightness of the paper, 0 to 255.
    """

    advice: tuple[str, ...]
    skew: float
    sharpness: float | None
    ink: float
    paper: int


def check_page(image: Image.Image, resolution: float) -> PageQuality:
    """Check ``image``, a page with ``resolution`` dots per inch."""
    factor = max(1, round(resolution / WORKING_DPI))
    # Averaging removes the sensor's noise; the contrast of ink stays far above the rest of it.
    grey = np.asarray(image.convert("L").reduce(factor))
    dpi = resolution / factor
    paper, noise = _paper_level(grey), measure_noise(grey)
    grey = remove_shadows(grey, paper, noise, dpi)
    ink = grey < paper - max(_INK_BELOW_PAPER, _NOISE_STEPS * noise)
    share = float(ink.mean())
    found = []
    if paper < _DARK_PAPER:
        found.append("page_dark")
    sharpness = None
    skew = 0.0
    if share < _BLANK_SHARE:
        found.append("page_faint" if has_faint_writing(grey, dpi) else "page_blank")
    else:
        sharpness = measure_sharpness(grey, paper)
        if sharpness is not None and sharpness < _MIN_SHARPNESS:
            found.append("page_blurred")
        if not found and paper - _ink_level(grey, ink) < _FAINT_CONTRAST:
            found.append("page_faint")
        if _touches_an_edge(ink, dpi):
            found.append("page_cut_off")
        skew, sideways = _line_direction(ink)
        if sideways:
            found.append("page_sideways")
        else:
            if abs(skew) >= MIN_SKEW:
                found.append("page_skewed")
            if detect_orientation(ink, skew).is_upside_down:
                found.append("page_upside_down")
    return PageQuality(sort_advice(found), skew, sharpness, share, paper)


def _paper_level(grey: Grey) -> int:
    """Return the paper's brightness: the most frequent one in the brighter half."""
    counts = np.asarray(Image.fromarray(grey).histogram())
    middle = int(np.searchsorted(np.cumsum(counts), grey.size / 2))
    return middle + int(np.argmax(counts[middle:]))


def _ink_level(grey: Grey, ink: NDArray[np.bool_]) -> int:
    """Return the brightness of the ink: of its darkest quarter, without outliers."""
    return int(np.percentile(grey[ink], 25))


def measure_sharpness(grey: Grey, paper: int) -> float | None:
    """Return the steepest step between neighbouring dots as a share of the contrast around it.

    Sharp print changes within one or two dots; blurred print needs many, however dark it is. The
    result is None if fewer than a dozen tiles have any contrast.
    """
    rows, columns = (side // _TILE * _TILE for side in grey.shape)
    whole = grey[:rows, :columns]
    steps = np.zeros_like(whole)
    steps[:, 1:] = _differences(whole[:, 1:], whole[:, :-1])
    steps[1:] = np.maximum(steps[1:], _differences(whole[1:], whole[:-1]))
    contrast = reduce_tiles(np.maximum, whole, _TILE) - reduce_tiles(np.minimum, whole, _TILE)
    steepest = reduce_tiles(np.maximum, steps, _TILE)
    written = contrast > max(40, (paper - 20) * 0.3)
    if int(written.sum()) < _MIN_TILES:
        return None
    return float(np.median(steepest[written] / contrast[written]))


def _differences(one: Grey, other: Grey) -> Grey:
    """Return how far apart two pictures are, dot by dot."""
    return np.maximum(one, other) - np.minimum(one, other)


def _touches_an_edge(ink: NDArray[np.bool_], dpi: float) -> bool:
    """Return whether writing touches an edge."""
    depth = max(2, round(_EDGE_MM / 25.4 * dpi))
    strips = (ink[:depth], ink[-depth:], ink[:, :depth].T, ink[:, -depth:].T)
    touched = (float(strip.any(axis=0).mean()) for strip in strips)
    return any(_EDGE_INK_MIN < share < _EDGE_INK_MAX for share in touched)


def _line_direction(ink: NDArray[np.bool_]) -> tuple[float, bool]:
    """Return the skew of the lines of text, and whether they run down the page."""
    points = np.argwhere(_lower_edges(ink))
    if len(points) < _MIN_LINE_POINTS:
        return 0.0, False
    y, x = points[:, 0], points[:, 1]
    skew, along = _best_angle(y, x)
    _, across = _best_angle(x, y)
    if across > along * _SIDEWAYS_RATIO:
        return 0.0, True
    return skew, False


def _lower_edges(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the lower edges of the writing, which follow base lines, at half the size."""
    small = reduce_tiles(np.logical_or, ink, 2)
    below = np.zeros_like(small)
    below[:-1] = small[1:]
    edges: NDArray[np.bool_] = small & ~below
    return edges


def _best_angle(across: Points, along: Points) -> tuple[float, float]:
    """Return the angle in degrees at which the lines stand out most, and their contrast."""
    coarse = np.arange(-MAX_SKEW, MAX_SKEW + 0.01, 0.5)
    scores = [_row_contrast(across, along, angle) for angle in coarse]
    best = float(coarse[int(np.argmax(scores))])
    fine = np.arange(best - 0.4, best + 0.41, 0.1)
    fine_scores = [_row_contrast(across, along, angle) for angle in fine]
    top = int(np.argmax(fine_scores))
    return round(float(fine[top]), 2), float(fine_scores[top])


def _row_contrast(across: Points, along: Points, angle: float) -> float:
    """Return how unevenly the points are distributed over rows at ``angle``."""
    rows = across + along * np.tan(np.radians(angle))
    rows -= rows.min()
    counts = np.bincount(rows.astype(np.int64)).astype(np.float64)
    return float((counts**2).sum() / counts.sum())
