"""A tone to test loudspeaker, headphones and headset with."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
HERTZ = 1000.0
_RAMP_S = 0.05
_FULL = 0.5 * 32767
"""Half of full scale: loud, and no loudspeaker is damaged."""


def tone_samples(seconds: float, volume: int = 100, hertz: float = HERTZ) -> NDArray[np.int16]:
    """Return a tone at :data:`RATE` that begins and ends softly; volume in per cent."""
    count = max(1, round(seconds * RATE))
    ramp = np.minimum(1.0, np.arange(1, count + 1) / (_RAMP_S * RATE))
    turns = np.arange(count) * (2 * np.pi * hertz / RATE)
    shape = np.minimum(ramp, ramp[::-1]) * _FULL * volume / 100
    tone: NDArray[np.int16] = (shape * np.sin(turns)).astype(np.int16)
    return tone


def tone_wav(seconds: float, volume: int = 100, hertz: float = HERTZ) -> bytes:
    """Return the tone as a WAV file."""
    return wav_of(tone_samples(seconds, volume, hertz))


def wav_of(samples: NDArray[np.int16]) -> bytes:
    """Return ``samples``, mono at :data:`RATE`, as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()
