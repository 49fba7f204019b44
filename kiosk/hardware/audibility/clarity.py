"""How well words can be made out, from the sound of the microphones alone.

:func:`judge` estimates STOI (Taal et al., 2011: what share of words people understand grows with
it; 1: as the voice itself), for which nobody has the voice itself in a courtroom. It is a weighted
sum of what noise, echo and other voices change: how far the bands rise above their floor, how deep
and how fast they move, how sure the voice model is, and what the other seats explain. The weights
are a least-squares fit to mixtures of ``bench/speech_mixtures.py`` (``TUNING``); how far they hold
on others says docs/benchmarks.md. Voices were synthetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.api.states import UnclearSpeech
from kiosk.hardware.audibility.band_levels import BANDS, FLOOR_DB, FRAMES_A_SECOND

Levels = NDArray[np.float32]
"""(frames, bands) in dB of full scale, oldest first."""

WINDOW_FRAMES = 280
"""Judged at once: 4.5 s."""
FLOOR_FRAMES = 600
"""In which the floor of a band is looked for: 9.6 s."""
NEEDED_FRAMES = 75
"""Frames of speech without which nothing is said: 1.2 s."""
FLOOR_PERCENTILE = 8
STEP_FRAMES = 4
"""For the speed at which a band rises and falls: 64 ms."""
STRONG_DB, STRONG_POINTS = 12.0, 300
"""Another seat speaks where so many of its levels are so far above its floor."""
EXPLAINED_DB = 6.0
"""A level no higher than this above the leak from another seat is that leak."""
AUDIBLE_DB, AUDIBLE_POINTS = 10.0, 60
"""A level so far above its floor is of the voice; of fewer nothing is concluded."""
OWN_DB, OWN_SHARE = -2.0, 0.2
"""In so great a share of them a voice at this seat is about as loud as at the loudest other."""
CROSS_TALK_SHARE = 0.3
"""More of it that another seat explains: that seat disturbs."""
NOISE_DB = 23.0
"""Speech that rises less above the floor is in noise; else it is echo, so the mouth is far."""
LEAST_POWER, LEAST_VOICE = 1e-11, 0.1
"""Of a level at least so much is the voice: an echo's tail between words looks like noise."""
MEAN_OF_MEDIAN = 1.3
"""Of the power of noise in a band of a few lines; 1.44 for a single one."""
_NO_LEAK = (2.0, 0.0)
RATIO, EXPLAINED = 2, 15
"""Places of two features: ratio of speech to noise in tens of dB, share that a leak explains."""
_WEIGHTS = (
    *(0.0254, -0.0311, 0.0930, 0.0899, -0.3097, 0.0608, -0.1640, 0.0660),
    *(0.2019, -0.0901, 0.0665, 0.0553, -0.0064, 0.1557, -0.1816, -0.6829),
)
_CONSTANT = 1.2546
"""Made by ``python -m bench.fit_clarity``."""


@dataclass(frozen=True)
class Clarity:
    """How well the words of the last seconds can be made out.

    Attributes:
        intelligibility: estimated STOI, 0 to 1.
        cause: what disturbs most, if anything does.
        level_db: of the speech without the noise, in the bands that carry it, dB of full scale.
    """

    intelligibility: float
    cause: UnclearSpeech
    level_db: float


def judge(
    levels: Levels, probabilities: NDArray[np.float32], is_speech: NDArray[np.bool_], other: Levels
) -> Clarity | None:
    """Judge the last :data:`WINDOW_FRAMES`; None: too little was said.

    Args:
        levels: of the seat's microphone, with what came before.
        probabilities: of speech, by frame of ``levels``.
        is_speech: which of these frames count as speech.
        other: the loudest of the other seats at the same moments; no rows: there is none.
    """
    found = features(levels, probabilities, is_speech, other)
    if found is None:
        return None
    ratio_db, explained = 10 * found[RATIO], found[EXPLAINED]
    if explained > CROSS_TALK_SHARE:
        cause = UnclearSpeech.CROSS_TALK
    else:
        cause = UnclearSpeech.NOISE if ratio_db < NOISE_DB else UnclearSpeech.FAR
    value = float(np.dot(_WEIGHTS, found)) + _CONSTANT
    return Clarity(min(1.0, max(0.0, value)), cause, speech_level(levels, is_speech))


def features(
    levels: Levels, probabilities: NDArray[np.float32], is_speech: NDArray[np.bool_], other: Levels
) -> tuple[float, ...] | None:
    """Return what :func:`judge` weighs; the weights are fitted to these."""
    floor = noise_floor(levels)
    levels, probabilities = levels[-WINDOW_FRAMES:], probabilities[-WINDOW_FRAMES:]
    is_speech = is_speech[-WINDOW_FRAMES:]
    if np.count_nonzero(is_speech) < NEEDED_FRAMES:
        return None
    spoken = levels[is_speech]
    ratio_db = _ratio(spoken, floor)
    return (
        *_range(levels, spoken),
        float(np.mean(ratio_db)) / 10,
        float(np.percentile(ratio_db, 25)) / 10,
        *_excess(spoken - floor),
        *_movement(levels),
        *_speed(levels),
        float(np.mean(probabilities[is_speech])),
        *_leak(levels, is_speech, other),
    )


def is_own(levels: Levels, floor: NDArray[np.float32], other: Levels) -> bool:
    """Return whether the voice in ``levels`` speaks at this seat, not only at another.

    Voices leave gaps: who speaks at the same time as others is the loudest in some of the bands.
    The microphones' gains must not differ by more than what comes from seat to seat.

    Args:
        levels, other: of the same moments; no rows of ``other``: there is no other seat.
        floor: of each band here (:func:`noise_floor`).
    """
    count = min(len(levels), len(other))
    if not count:
        return True
    is_audible = levels[-count:] - floor > AUDIBLE_DB
    if np.count_nonzero(is_audible) < AUDIBLE_POINTS:
        return True
    own = (levels[-count:] - other[-count:] > OWN_DB)[is_audible]
    return float(np.mean(own)) >= OWN_SHARE


def speech_level(levels: Levels, is_speech: NDArray[np.bool_]) -> float:
    """Return the level of the newest speech without the noise, dB of full scale."""
    spoken = np.mean(10 ** (levels[-WINDOW_FRAMES:][is_speech[-WINDOW_FRAMES:]] / 10), axis=0)
    without = levels[-FLOOR_FRAMES:][~is_speech[-FLOOR_FRAMES:]]
    usual = _percentile(without, 50) if len(without) else np.full(BANDS, FLOOR_DB)
    noise = 10 ** (usual / 10) * MEAN_OF_MEDIAN
    voice = np.maximum(spoken - noise, spoken * LEAST_VOICE)
    return 10 * math.log10(max(float(np.sum(voice)), LEAST_POWER))


def noise_floor(levels: Levels) -> NDArray[np.float32]:
    """Return the level of each band while nobody speaks."""
    return _percentile(levels[-FLOOR_FRAMES:], FLOOR_PERCENTILE)


def _percentile(levels: Levels, percent: float) -> NDArray[np.float32]:
    """Return a level of each band; without interpolation, which costs five times as much."""
    rank = round(percent / 100 * (len(levels) - 1))
    return np.asarray(np.partition(levels, rank, axis=0)[rank], np.float32)


def _range(levels: Levels, spoken: Levels) -> tuple[float, float]:
    """Return how far speech rises above the pauses between its syllables, in tens of dB."""
    rise = np.clip(_percentile(spoken, 90) - _percentile(levels, 10), 0, 40)
    return float(np.mean(rise)) / 10, float(np.percentile(rise, 25)) / 10


def _ratio(spoken: Levels, floor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the ratio of speech to noise of each band in dB, -10 to 30."""
    power = np.mean(10 ** (spoken / 10), axis=0) / 10 ** (floor / 10) - 1
    return np.asarray(np.clip(10 * np.log10(np.maximum(power, 1e-3)), -10, 30), np.float32)


def _excess(excess: Levels) -> tuple[float, float, float]:
    """Return the share of levels well above the floor, and their mean in tens of dB."""
    above = float(np.mean(excess > 6)), float(np.mean(excess > 12))
    return *above, float(np.mean(np.clip(excess, 0, 30))) / 10


def _movement(levels: Levels) -> tuple[float, float, float]:
    """Return how deep the bands move slowly, as syllables do, and faster (log of power)."""
    envelope = 10 ** (levels / 20)
    envelope = envelope / np.mean(envelope, axis=0) * np.hanning(len(envelope))[:, None]
    power = np.abs(np.fft.rfft(envelope, axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(envelope), 1 / FRAMES_A_SECOND)

    def depth(low: float, high: float) -> float:
        is_in = (frequencies >= low) & (frequencies < high)
        return float(np.mean(np.log10(np.sum(power[is_in], axis=0) / (power[0] + 1e-9) + 1e-4)))

    return depth(0.8, 4), depth(4, 10), depth(10, 25)


def _speed(levels: Levels) -> tuple[float, float, float]:
    """Return how fast the bands fall, rise, and fall usually; echo fills what falls."""
    change = levels[STEP_FRAMES:] - levels[:-STEP_FRAMES]
    falls, rises, usual = (_percentile(change, percent) for percent in (5, 95, 15))
    return float(np.mean(falls)) / 10, float(np.mean(rises)) / 10, float(np.mean(usual)) / 10


def _leak(levels: Levels, is_speech: NDArray[np.bool_], other: Levels) -> tuple[float, float]:
    """Return how far speech rises above the leak (tens of dB), and what share the leak explains.

    What is weakest here of what is strong there is the leak from there.
    """
    count = min(len(levels), len(other))
    if not count:
        return _NO_LEAK
    floor = noise_floor(other)
    other, levels, is_speech = other[-count:], levels[-count:], is_speech[-count:]
    difference = levels - other
    is_strong = other - floor > STRONG_DB
    if np.count_nonzero(is_strong) <= STRONG_POINTS or not np.any(is_speech):
        return _NO_LEAK
    leak_db = float(np.percentile(difference[is_strong], 10))
    if leak_db >= 0:
        return _NO_LEAK
    above = (difference - leak_db)[is_speech]
    return float(np.mean(np.clip(above, 0, 20))) / 10, float(np.mean(above < EXPLAINED_DB))


def no_levels() -> Levels:
    """Return levels without a frame."""
    return np.zeros((0, BANDS), np.float32)
