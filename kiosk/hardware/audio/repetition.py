"""Detects samples that no microphone gives: the same ones again and again, or two values only.

The electronics of a microphone add noise, so a tenth of a second of sound never comes twice bit by
bit. A card, driver or hub that is stuck repeats its buffer, or several in turn; a converter with a
stuck bit toggles between two values. A tone made by a computer, as a call tone or the test of a
line, repeats itself, too: it is known by its spectrum of few lines.
"""

from __future__ import annotations

import numpy as np

from kiosk.hardware.audio.block import Samples

LONGEST_REPETITION_S = 1.0
"""Longest repetition that is found; a sound card's buffer is much shorter."""
FULL_SCALE = 32_000
"""Two values beyond this are an overdriven input: it clips."""
PROBES = 16
"""Samples that are compared before whole windows are."""
MAX_TRIES = 8
TONE_LINES = 8
"""A call tone has two lines at most, with overtones some more."""
TONE_BINS = 5
"""Width of a line in the spectrum of a Hann window."""
TONE_POWER = 0.999
"""Share of the power in these lines; a repeated block of noise or voice has less."""
LONGEST_TONE_PERIOD = 960
"""In samples: 20 ms at 48 kHz."""
LOWEST_BIN = 3
"""Below it is the spectrum of a step."""


class RecentSamples:
    """The newest samples of a microphone in one piece: a window and what came before it.

    Args:
        kept: number of samples that are kept before a window.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._buffer: Samples = np.zeros(0, np.int16)
        self._end = 0

    def append(self, samples: Samples) -> None:
        """Add the samples that follow."""
        if self._end + len(samples) > len(self._buffer):
            rest = self._buffer[max(0, self._end - self._kept) : self._end]
            needed = 2 * self._kept + len(samples)
            larger = np.empty(needed, np.int16) if needed > len(self._buffer) else self._buffer
            larger[: len(rest)] = rest
            self._buffer, self._end = larger, len(rest)
        self._buffer[self._end : self._end + len(samples)] = samples
        self._end += len(samples)

    def last(self, count: int) -> tuple[Samples, Samples]:
        """Return the last ``count`` samples, and these with what is kept before them.

        The next :meth:`append` overwrites them.
        """
        start = self._end - count
        samples = self._buffer[max(0, start - self._kept) : self._end]
        return samples[len(samples) - count :], samples


def holds_nothing_new(before: Samples, window: Samples) -> bool:
    """Return whether ``window``, which follows ``before``, holds no sound of its own.

    Args:
        before: up to :data:`LONGEST_REPETITION_S` of samples.
    """
    samples = np.concatenate((before, window))
    return has_two_values(window, window.min(), window.max()) or is_repeated(samples, len(window))


def has_two_values(window: Samples, low: float, high: float) -> bool:
    """Return whether ``window`` has two values only, ``low`` and ``high``, and is not overdriven.

    A working microphone of coarse steps gives two values in a quiet room: the level tells.
    """
    if max(high, -low) > FULL_SCALE or len(set(window[:PROBES].tolist())) > 2:
        return False  # the first few samples show it of nearly every sound
    return bool(((window == low) | (window == high)).all())


def is_repeated(samples: Samples, count: int) -> bool:
    """Return whether the last ``count`` of ``samples`` came before, bit by bit, and are no tone."""
    start = len(samples) - count
    return _find_repetition(samples, start) and not _is_tone(samples[start:])


def _is_tone(window: Samples) -> bool:
    """Return whether nearly all power is in a few lines of a period of 20 ms or less."""
    as_float = window.astype(np.float32)
    spectrum = np.abs(np.fft.rfft((as_float - as_float.mean()) * np.hanning(len(window)))) ** 2
    lowest = max(LOWEST_BIN, len(window) // LONGEST_TONE_PERIOD - TONE_BINS // 2)
    lines = np.sort(spectrum[lowest:])[-TONE_LINES * TONE_BINS :]
    return float(lines.sum()) > TONE_POWER * float(spectrum.sum())


def _find_repetition(samples: Samples, start: int) -> bool:
    """Return whether ``samples[start:]`` are the same as those some samples before.

    Only places with the same peak can be: of a sound there are few. Some more samples are compared
    at those, and whole windows at the places that are left.
    """
    window = samples[start:]
    peak = start + int(window.argmax())
    (places,) = (samples[peak - start : peak] == samples[peak]).nonzero()
    places += peak - start
    probes = start + np.arange(PROBES) * len(window) // PROBES
    for probe in (max(start, peak - 1), *probes):
        if not len(places):
            return False
        places = places[samples[places + (probe - peak)] == samples[probe]]
    shifts = (peak - int(place) for place in places[: -MAX_TRIES - 1 : -1])
    return any(
        np.array_equal(samples[start - shift : len(samples) - shift], window) for shift in shifts
    )
