"""Short tones that confirm or refuse, for a person who does not look at the screen."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import numpy as np

RATE = 22_050
NOTE_S = 0.16
GOOD, WRONG = (660.0, 880.0), (330.0, 247.0)
GONG = (523.0, 440.0, 349.0)
"""Frequencies in Hz: two notes up, two notes down; a gong."""


def tone_wav(notes: Sequence[float], volume: int) -> bytes:
    """Return ``notes`` one after the other as a 16-bit WAV file.

    Args:
        volume: 0 to 100.
    """
    times = np.arange(round(RATE * NOTE_S)) / RATE
    fade = np.minimum(1.0, np.minimum(times, times[::-1]) / 0.01)  # no click at the ends
    parts = [np.sin(2 * np.pi * note * times) * fade for note in notes]
    samples = (np.concatenate(parts) * 0.6 * 32767 * volume / 100).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()
