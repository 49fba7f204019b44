"""Levels of a sound in the bands that carry speech: what everything else here is computed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.audibility.voice_model import CHUNK, RATE, Floats

HOP = CHUNK // 2
"""Samples from one frame to the next: 16 ms; two make a chunk of the voice model."""
WINDOW = 512
FRAMES_A_SECOND = RATE / HOP
BANDS = 15
LOWEST_HZ = 150.0
"""Third octaves from 150 Hz to 3.8 kHz, as STOI (Taal et al., 2011) takes them."""
FLOOR_DB = -110.0


_LINES = np.arange(WINDOW // 2 + 1)


def _band_matrix() -> Floats:
    """Return which lines of the spectrum belong to which band, as (lines, bands)."""
    frequencies = _LINES * (RATE / WINDOW)
    centres = LOWEST_HZ * 2.0 ** (np.arange(BANDS) / 3)
    low, high = centres * 2 ** (-1 / 6), centres * 2 ** (1 / 6)
    is_in = (frequencies[:, None] >= low) & (frequencies[:, None] < high)
    return is_in.astype(np.float32)


def _line_matrix(lines: NDArray[np.intp]) -> Floats:
    """Return the tapered cosines and sines of ``lines``, as (:data:`WINDOW`, 2 * lines)."""
    taper = np.hanning(WINDOW + 1)[:WINDOW]
    angles = 2 * np.pi / WINDOW * np.outer(np.arange(WINDOW), lines)
    waves = np.concatenate((np.cos(angles), np.sin(angles)), axis=1)
    scale = np.sqrt(2.0) / np.sum(taper)
    return np.asarray(waves * taper[:, None] * scale, np.float32)


_USED = np.flatnonzero(np.any(_band_matrix(), axis=1))
_WAVES = _line_matrix(_USED)
"""A product with the lines that are used costs a third of a transform of all."""
_BANDS_OF_PARTS = np.tile(_band_matrix()[_USED], (2, 1))


def band_levels(samples: Floats) -> NDArray[np.float32]:
    """Return the level of each frame in each band, dB of full scale, as (frames, bands).

    Args:
        samples: at :data:`RATE`, full scale 1.0; the mean may be shifted. A frame begins every
            :data:`HOP`; fewer samples than :data:`WINDOW` give none.
    """
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    parts = np.ascontiguousarray(frames) @ _WAVES
    in_bands = parts**2 @ _BANDS_OF_PARTS
    return np.maximum(np.float32(10.0) * np.log10(in_bands + np.float32(1e-11)), FLOOR_DB)
