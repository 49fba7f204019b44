"""Finds the sheet of paper in a photograph of a desk.

The sheet is the largest bright quadrilateral wholly inside the picture. Steps: Otsu's threshold,
connected regions, convex hull, enclosing quadrilateral, and a straight line fitted to each side.
Coordinates are in pixels; the origin is the top left corner of the top left pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Points = npt.NDArray[np.float64]

#: Width in pixels of the picture that is searched.
PREVIEW_WIDTH = 800
#: Paper is at least this much brighter than the desk (of 255).
_MIN_CONTRAST = 25
#: A sheet covers at least this part of the picture.
_MIN_AREA = 0.04
#: Part of each side that the outline must follow: a folded corner passes, a hand does not.
_MIN_VISIBLE = 0.9
_SIDE_PARTS = 40
#: Pixels of the reduced picture that count as "on the side".
_SIDE_DISTANCE = 2.5
_COARSE_STEP = 4
_MAX_REGIONS = 3


def to_preview(image: Image.Image) -> Image.Image:
    """Return ``image`` grey, at most ``PREVIEW_WIDTH`` wide."""
    grey = image.convert("L")
    if grey.width <= PREVIEW_WIDTH:
        return grey
    height = round(grey.height * PREVIEW_WIDTH / grey.width)
    return grey.resize((PREVIEW_WIDTH, height), Image.Resampling.BOX, reducing_gap=2.0)


def find_page(grey: Image.Image) -> Points | None:
    """Return the sheet's corners in ``grey`` (top left first, clockwise), or None.

    Args:
        grey: a picture as :func:`to_preview` makes it.
    """
    pixels = np.asarray(grey.filter(ImageFilter.MedianFilter(3)))
    level = _threshold(pixels)
    if level is None:
        return None
    mask = pixels > level
    for region in _regions(mask):
        outline = _region_outline(region)
        corners = _quadrilateral(outline, mask.shape)
        if corners is not None:
            return corners
    return None


def _threshold(pixels: npt.NDArray[np.uint8]) -> float | None:
    """Return Otsu's threshold, or None if light and dark hardly differ."""
    counts = np.bincount(pixels.ravel(), minlength=256).astype(np.float64)
    weight = np.cumsum(counts)
    total = np.cumsum(counts * np.arange(256))
    rest = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = total / weight, (total[-1] - total) / rest
        spread = np.nan_to_num(weight * rest * (above - below) ** 2)
    best = int(np.argmax(spread))
    if not above[best] - below[best] >= _MIN_CONTRAST:
        return None
    return float(below[best] + above[best]) / 2


def _regions(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.bool_]]:
    """Return the largest connected bright regions, largest first."""
    rows, columns = (side // _COARSE_STEP for side in mask.shape)
    cut = mask[: rows * _COARSE_STEP, : columns * _COARSE_STEP]
    coarse = cut.reshape(rows, _COARSE_STEP, columns, _COARSE_STEP).mean(axis=(1, 3)) > 0.5
    labels = np.where(coarse, np.arange(1, coarse.size + 1).reshape(coarse.shape), 0)
    while True:
        spread = np.where(coarse, _neighbourhood_max(labels), 0)
        if np.array_equal(spread, labels):
            break
        labels = spread
    region_labels, sizes = np.unique(labels[labels > 0], return_counts=True)
    found = []
    for index in np.argsort(sizes)[::-1][:_MAX_REGIONS]:
        if sizes[index] < _MIN_AREA * coarse.size:
            break
        around = _neighbourhood_max((labels == region_labels[index]).astype(np.int64)) > 0
        fine = np.zeros_like(mask)
        fine[: rows * _COARSE_STEP, : columns * _COARSE_STEP] = np.kron(
            around, np.ones((_COARSE_STEP, _COARSE_STEP), dtype=np.bool_)
        )
        found.append(fine & mask)
    return found


def _neighbourhood_max(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the largest value of each cell and its four neighbours."""
    edged = np.pad(labels, 1)
    largest: npt.NDArray[np.int64] = np.maximum.reduce(
        [edged[1:-1, 1:-1], edged[:-2, 1:-1], edged[2:, 1:-1], edged[1:-1, :-2], edged[1:-1, 2:]]
    )
    return largest


def _region_outline(region: npt.NDArray[np.bool_]) -> Points:
    """Return the outer edge of ``region``: first and last pixel of each row and column."""
    height, width = region.shape
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    sides = [
        np.stack([region[rows].argmax(axis=1), rows + 0.5], axis=1),
        np.stack([width - region[rows, ::-1].argmax(axis=1), rows + 0.5], axis=1),
        np.stack([columns + 0.5, region[:, columns].argmax(axis=0)], axis=1),
        np.stack([columns + 0.5, height - region[::-1, columns].argmax(axis=0)], axis=1),
    ]
    return np.concatenate(sides).astype(np.float64)


def _quadrilateral(outline: Points, shape: tuple[int, ...]) -> Points | None:
    """Return the corners of the four-sided region with this outline, or None."""
    corners = _enclosing_quadrilateral(_hull(outline))
    if corners is None:
        return None
    fitted = _fit_sides(outline, corners)
    if fitted is None:
        return None
    height, width = shape[:2]
    inside = (fitted > 1.0).all() and (fitted < (width - 1.0, height - 1.0)).all()
    large = _area(fitted) >= _MIN_AREA * width * height
    straight = all(_visible_share(outline, a, b) >= _MIN_VISIBLE for a, b in _sides(fitted))
    return _top_left_first(fitted) if inside and large and straight else None


def _hull(points: Points) -> list[Points]:
    """Return the convex hull (Andrew's monotone chain), its points in one direction."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    halves = []
    for part in (ordered, ordered[::-1]):
        half: list[tuple[float, float]] = []
        for point in part:
            while len(half) > 1 and _cross_product(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return [np.array(point) for point in halves[0] + halves[1]]


def _cross_product(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _enclosing_quadrilateral(hull: list[Points]) -> Points | None:
    """Return the quadrilateral around ``hull``: remove edge by edge, the cheapest first."""
    while len(hull) > 4:
        best: tuple[float, int, Points] | None = None
        for index in range(len(hull)):
            before, a, b, after = (hull[(index + step) % len(hull)] for step in (-1, 0, 1, 2))
            corner = _intersection(before, a, after, b)
            # Without the edge, its neighbours enclose it only if they meet beyond it.
            if corner is None or _cross_product(a, corner, b) <= 0:
                continue
            added = _cross_product(a, corner, b) / 2
            if best is None or added < best[0]:
                best = (added, index, corner)
        if best is None:
            return None
        _, index, corner = best
        following = (index + 1) % len(hull)
        hull[index] = corner
        hull.pop(following)
    return np.array(hull) if len(hull) == 4 else None


def _intersection(a: Points, b: Points, c: Points, d: Points) -> Points | None:
    """Return the point where the lines a-b and c-d cross, or None if they are parallel."""
    first, second = b - a, d - c
    denominator = first[0] * second[1] - first[1] * second[0]
    if abs(denominator) < 1e-9:
        return None
    along = ((c[0] - a[0]) * second[1] - (c[1] - a[1]) * second[0]) / denominator
    crossing: Points = a + along * first
    return crossing


def _sides(corners: Points) -> list[tuple[Points, Points]]:
    return [(corners[index], corners[(index + 1) % 4]) for index in range(4)]


def _distances(points: Points, a: Points, b: Points) -> Points:
    """Return the distance of each point from the line through a and b."""
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    away: Points = np.abs((points - a) @ np.array([-along[1], along[0]]))
    return away


def _visible_share(outline: Points, a: Points, b: Points) -> float:
    """Return the share of the side a-b that the outline follows."""
    share = (outline - a) @ (b - a) / float((b - a) @ (b - a))
    close = (_distances(outline, a, b) < _SIDE_DISTANCE) & (share >= 0) & (share < 1)
    return len(np.unique((share[close] * _SIDE_PARTS).astype(np.int64))) / _SIDE_PARTS


def _fit_sides(outline: Points, corners: Points) -> Points | None:
    """Return the corners at which straight lines fitted to the outline's sides cross."""
    for near in (2 * _SIDE_DISTANCE, _SIDE_DISTANCE / 2):
        lines = []
        for a, b in _sides(corners):
            length = float(np.hypot(*(b - a)))
            if length < 20:
                return None
            share = (outline - a) @ (b - a) / length**2
            close = (_distances(outline, a, b) < near) & (share > 0.04) & (share < 0.96)
            if close.sum() < 10:
                return None
            centre = outline[close].mean(axis=0)
            direction = np.linalg.svd(outline[close] - centre, full_matrices=False)[2][0]
            lines.append((centre, centre + direction))
        crossings = [_intersection(*lines[index - 1], *lines[index]) for index in range(4)]
        found = [crossing for crossing in crossings if crossing is not None]
        if len(found) < 4:
            return None
        corners = np.array(found)
    return corners


def _area(corners: Points) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _top_left_first(corners: Points) -> Points:
    """Return ``corners`` clockwise, beginning with the one nearest to the top left."""
    if _cross_product(corners[0], corners[1], corners[2]) < 0:
        corners = corners[::-1]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)
