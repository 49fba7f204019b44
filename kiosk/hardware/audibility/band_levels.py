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


def _band_matrix() -> Floats:
    """Return which lines of the spectrum belong to which band, as (lines, bands)."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
    centres = LOWEST_HZ * 2.0 ** (np.arange(BANDS) / 3)
    low, high = centres * 2 ** (-1 / 6), centres * 2 ** (1 / 6)
    is_in = (frequencies[:, None] >= low) & (frequencies[:, None] < high)
    return is_in.astype(np.float32)


BAND_OF_LINE = _band_matrix()
TAPER = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
_SCALE = 2.0 / float(np.sum(TAPER)) ** 2


def band_levels(samples: Floats) -> NDArray[np.float32]:
    """Return the level of each frame in each band, dB of full scale, as (frames, bands).

    Args:
        samples: at :data:`RATE`, full scale 1.0; the mean may be shifted. A frame begins every
            :data:`HOP`; fewer samples than :data:`WINDOW` give none.
    """
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * TAPER, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) * _SCALE
    in_bands = power @ BAND_OF_LINE
    return np.maximum(10.0 * np.log10(in_bands + 1e-11), FLOOR_DB).astype(np.float32)
