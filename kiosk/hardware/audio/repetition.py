"""Detects samples that no microphone gives: the same ones again and again, or two values only.

The electronics of a microphone add noise, so a tenth of a second of sound never comes twice bit by
bit. A card, driver or hub that is stuck repeats its buffer, or several in turn; a converter with a
stuck bit toggles between two values.
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


def holds_nothing_new(before: Samples, window: Samples) -> bool:
    """Return whether ``window``, which follows ``before``, holds no sound of its own.

    Args:
        before: up to :data:`LONGEST_REPETITION_S` of samples.
    """
    return _has_two_values(window) or _is_repeated(np.concatenate((before, window)), len(before))


def _has_two_values(window: Samples) -> bool:
    low, high = window.min(), window.max()
    if max(int(high), -int(low)) > FULL_SCALE:
        return False
    first = window[:PROBES]  # they show it of nearly every sound
    return all(bool(((part == low) | (part == high)).all()) for part in (first, window))


def _is_repeated(samples: Samples, start: int) -> bool:
    """Return whether ``samples[start:]`` are the same as those some samples before.

    Only places with the same peak can be: of a sound there are few. Some more samples are compared
    at those, and whole windows at the places that are left.
    """
    window = samples[start:]
    peak = start + int(window.argmax())
    places = np.flatnonzero(samples[peak - start : peak] == samples[peak]) + (peak - start)
    probes = start + np.arange(PROBES) * len(window) // PROBES
    for probe in (max(start, peak - 1), *probes):
        if not len(places):
            return False
        places = places[samples[places + (probe - peak)] == samples[probe]]
    shifts = (peak - int(place) for place in places[: -MAX_TRIES - 1 : -1])
    return any(
        np.array_equal(samples[start - shift : len(samples) - shift], window) for shift in shifts
    )
