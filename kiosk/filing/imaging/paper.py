"""Tells writing from paper: shadows of the scanner, noise, and marks of the paper itself."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from kiosk.filing.imaging.tiles import reduce_tiles

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

#: A shadow is this much darker than the paper, this long, and ends within this depth.
_SHADOW_BELOW_PAPER, _SHADOW_MM, _DEPTH_MM = 18, 15.0, 15.0
_MM_PER_INCH = 25.4
#: Tiles of a millimetre; the paper around one is measured over seven.
_AROUND = 7
_UPPER_QUARTER = 0.674  # standard deviations above the middle
_NOISE_STEPS, _LEAST_STEP = 3.5, 3.0
_LEAST_TILES, _OF_CHANCE = 40, 1.5


def measure_noise(grey: Grey) -> float:
    """Return the standard deviation of the paper's noise."""
    apart = grey[:, 3:].astype(np.int16) - grey[:, :-3]
    return float(np.median(np.abs(apart[::3, ::3]))) / 0.954


def remove_shadows(grey: Grey, paper: int, noise: float, dpi: float) -> Grey:
    """Return ``grey`` without the dark bands at its edges: the bed's border, the feeder's shadow.

    A band touches the edge for 15 mm without a gap; letters that are cut do not.
    """
    dots = dpi / _MM_PER_INCH
    depth, length = round(_DEPTH_MM * dots), round(_SHADOW_MM * dots)
    limit = paper - max(_SHADOW_BELOW_PAPER, 3 * noise)
    found = grey
    for turns in range(4):
        side = np.rot90(grey, turns)  # each edge in turn is the upper one
        is_band = _is_long(side[0] < limit, length)
        if not is_band.any():
            continue
        dark = side[:depth] < limit
        ends = np.where(dark.all(axis=0), len(dark), np.argmin(dark, axis=0))
        shadow = (np.arange(len(dark))[:, None] < ends + 2) & is_band
        if found is grey:
            found = grey.copy()
        np.rot90(found, turns)[: len(dark)][shadow] = paper
    return found


def _is_long(line: Mask, length: int) -> Mask:
    """Return which dots belong to a run of at least ``length`` dots."""
    steps = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
    found = np.zeros_like(line)
    for begin, end in steps.reshape(-1, 2):
        found[begin:end] = end - begin >= length
    return found


def has_faint_writing(grey: Grey, dpi: float) -> bool:
    """Return whether a page without ink has marks that hang together, as strokes do.

    Noise, a gradient of the light and the specks of recycled paper do not.
    """
    tile = max(2, round(dpi / _MM_PER_INCH))
    means = reduce_tiles(np.add, grey, tile, np.float32) / np.float32(tile**2)
    half = _AROUND // 2
    padded = np.pad(means, half, mode="edge")
    around = sliding_window_view(padded, (_AROUND, _AROUND)).reshape(*means.shape, -1)
    upper = around.shape[-1] * 3 // 4
    paper = np.partition(around, upper, axis=-1)[..., upper]
    inner = (slice(half, -half), slice(half, -half))  # beyond, there is paper on one side only
    noise = _noise_of_means(means)
    below = (paper - means)[inner]
    marks = below > _UPPER_QUARTER * noise + max(_LEAST_STEP, _NOISE_STEPS * noise)
    joined = sliding_window_view(np.pad(marks, 1), (3, 3)).sum(axis=(2, 3))
    strokes = int((marks & (joined >= 3)).sum())
    share = float(marks.mean())
    by_chance = marks.sum() * (1 - (1 - share) ** 8 - 8 * share * (1 - share) ** 7)
    return bool(strokes >= _LEAST_TILES + _OF_CHANCE * by_chance)


def _noise_of_means(means: NDArray[np.floating]) -> float:
    """Return the standard deviation of the tiles' brightness where nothing is written.

    Of the quieter half of the page: writing only makes neighbours differ more.
    """
    apart = np.abs(np.diff(means, axis=1))
    return float(np.percentile(apart, 25)) / 0.451
