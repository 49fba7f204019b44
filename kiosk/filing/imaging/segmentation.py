"""Finds the regions of a page with coloured ink, photographs or shading.

Text is encoded in black and white; only these regions keep their colours or tones. The page is
divided into cells of about 2.7 mm; cells that touch form a region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kiosk.filing.imaging.tiles import reduce_tiles

Mask = NDArray[np.bool_]

#: Dots of a cell's side, and the dots per inch at which colours are analysed.
_CELL, _DPI = 8, 75
_CHROMA, _COLOURED_DOTS_IN_CELL, _COLOURED_DOTS = 34, 3, 24
_BELOW_PAPER, _ABOVE_BLACK, _TONE_CELLS = 25, 70, 12


@dataclass(frozen=True)
class ToneRegion:
    """A rectangle in shares of the page's width and height, in colour or grey."""

    left: float
    top: float
    right: float
    bottom: float
    is_coloured: bool

    @property
    def share(self) -> float:
        """Its share of the page."""
        return (self.right - self.left) * (self.bottom - self.top)


def find_tone_regions(image: Image.Image, resolution: float, paper: int) -> list[ToneRegion]:
    """Return the regions of ``image`` that need colours or tones; they do not overlap.

    Args:
        image: grey or RGB; 150 dpi is enough.
        resolution: its dots per inch.
        paper: brightness of the paper.
    """
    small = image.reduce(max(1, round(resolution / _DPI)))
    rows, columns = (-(-side // _CELL) for side in (small.height, small.width))
    coloured = np.zeros((rows, columns), np.int64)
    if small.mode == "RGB":
        coloured = _count_per_cell(_colour_mask(small), rows, columns)
    tones = _tone_cells(image, rows, columns, paper)
    colour_cells = coloured >= _COLOURED_DOTS_IN_CELL
    boxes = [
        box
        for box in _group_cells(colour_cells | tones)
        if coloured[_slices(box)].sum() >= _COLOURED_DOTS
        or tones[_slices(box)].sum() >= _TONE_CELLS
    ]
    width, height = small.width / _CELL, small.height / _CELL
    return [
        ToneRegion(
            left / width,
            top / height,
            min(1.0, right / width),
            min(1.0, bottom / height),
            bool(coloured[top:bottom, left:right].sum() >= _COLOURED_DOTS),
        )
        for left, top, right, bottom in _merge_overlapping(boxes)
    ]


def _colour_mask(image: Image.Image) -> Mask:
    """Return the dots of coloured ink (tinted paper does not count)."""
    bands = [np.asarray(band) for band in image.split()]
    tint = np.maximum([np.median(band.ravel()[::53]) for band in bands], 1.0)
    tones = np.arange(256, dtype=np.float32)
    red, green, blue = (
        (tones * np.float32(factor)).astype(np.int16)[band]
        for band, factor in zip(bands, tint.mean() / tint, strict=True)
    )
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    found: Mask = most - least > _CHROMA
    return found


def _tone_cells(image: Image.Image, rows: int, columns: int, paper: int) -> Mask:
    """Return the cells that are neither paper nor ink, as in a photograph."""
    grey = image.convert("L")
    tile = max(1, round(grey.height / rows / 2) * 2)
    pixels = np.asarray(grey)[: rows * tile, : columns * tile]
    lightest = reduce_tiles(np.maximum, pixels, tile)
    mean = reduce_tiles(np.add, pixels, tile, np.uint32) / tile**2
    found = np.zeros((rows, columns), bool)
    found[: mean.shape[0], : mean.shape[1]] = (lightest < paper - _BELOW_PAPER) & (
        mean > _ABOVE_BLACK
    )
    return found


def _count_per_cell(mask: Mask, rows: int, columns: int) -> NDArray[np.int64]:
    """Return the number of dots of ``mask`` in each cell."""
    padded = np.zeros((rows * _CELL, columns * _CELL), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return reduce_tiles(np.add, padded, _CELL, np.int64)


Box = tuple[int, int, int, int]


def _slices(box: Box) -> tuple[slice, slice]:
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)


def _group_cells(cells: Mask) -> list[Box]:
    """Return the boxes of groups of cells at most one cell apart, enlarged by one cell."""
    left_over = {(int(y), int(x)) for y, x in np.argwhere(cells)}
    boxes = []
    while left_over:
        group = [left_over.pop()]
        for y, x in group:
            near = {(y + j, x + i) for j in (-2, -1, 0, 1, 2) for i in (-2, -1, 0, 1, 2)}
            near &= left_over
            left_over -= near
            group += near
        ys, xs = [y for y, _ in group], [x for _, x in group]
        bottom, right = min(cells.shape[0], max(ys) + 2), min(cells.shape[1], max(xs) + 2)
        boxes.append((max(0, min(xs) - 1), max(0, min(ys) - 1), right, bottom))
    return boxes


def _merge_overlapping(boxes: list[Box]) -> list[Box]:
    """Return ``boxes`` with overlapping ones merged."""
    result: list[Box] = []
    for box in boxes:
        grown = box
        while overlapping := [other for other in result if _overlaps(grown, other)]:
            for other in overlapping:
                result.remove(other)
            several = [grown, *overlapping]
            grown = (
                min(item[0] for item in several),
                min(item[1] for item in several),
                max(item[2] for item in several),
                max(item[3] for item in several),
            )
        result.append(grown)
    return sorted(result, key=lambda box: (box[1], box[0]))


def _overlaps(first: Box, second: Box) -> bool:
    return (first[0] < second[2] and second[0] < first[2]) and (
        first[1] < second[3] and second[1] < first[3]
    )
