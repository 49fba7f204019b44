"""Sweep of a tone through the room, and the impulse response that a microphone's sound gives of it.

The frequency rises exponentially, so every octave sounds for the same time (A. Farina,
"Simultaneous measurement of impulse response and distortion with a swept-sine technique", AES 108,
2000). Dividing the spectra gives the response; what a loudspeaker distorts comes out before the
direct sound, and the delay of the player is the place of the direct sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.tone import RATE

Signal = NDArray[np.float64]

SWEEP_S = 4.0
LOWEST_HZ, HIGHEST_HZ = 80.0, 12_000.0
"""The octave bands of 125 Hz to 8 kHz, and as much as no loudspeaker is harmed by."""
_FADE_IN_S, _FADE_OUT_S = 0.05, 0.02
_AMPLITUDE = 0.5
"""Of full scale, as that of the tones: loud, and no loudspeaker is damaged."""
_USABLE_SHARE = 0.47
"""A sound card filters what is above this part of its rate."""
RESPONSE_S = 1.6
"""Length of a response: one turn of the slowest modulation, 0.63 Hz."""
BEFORE_S = 0.25
"""Before the direct sound is noise alone; the first distortion comes out 0.55 s before it."""
MAX_DELAY_S = 3.0
"""A player that begins later has failed."""
_ONSET_S, _EARLIER_S, _ONSET_SHARE = 0.004, 0.45, 0.01
"""The direct sound is so long at least, so much earlier than the strongest at most, and not less
than this part of its power."""
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Response:
    """What comes of an impulse at the loudspeaker.

    Attributes:
        before: from :data:`BEFORE_S` before the direct sound to shortly before it: noise.
        sound: from the direct sound on, :data:`RESPONSE_S` of it.
        rate: samples a second.
        rest_power: mean power of what was heard and is not of the sweep; full scale: 1.0.
        sweep_power: mean power of what was heard of the sweep.
    """

    before: Signal
    sound: Signal
    rate: int
    rest_power: float
    sweep_power: float


def make_sweep(rate: int) -> Signal:
    """Return the sweep at ``rate``; full scale is 1.0.

    What a rate cannot hold (a 16 kHz microphone) is left out: its sound card filters it.
    """
    seconds = np.arange(round(SWEEP_S * rate)) / rate
    octaves = np.log(HIGHEST_HZ / LOWEST_HZ)
    growth = np.exp(seconds / SWEEP_S * octaves)
    phase = 2 * np.pi * LOWEST_HZ * SWEEP_S / octaves * (growth - 1)
    shape = np.minimum(1.0, seconds / _FADE_IN_S) * np.minimum(
        1.0, (SWEEP_S - seconds) / _FADE_OUT_S
    )
    shape = np.where(LOWEST_HZ * growth < _USABLE_SHARE * rate, shape, 0.0)
    sweep: Signal = _AMPLITUDE * shape * np.sin(phase)
    return sweep


def sweep_samples(volume: int) -> NDArray[np.int16]:
    """Return the sweep to play, at :data:`~kiosk.hardware.tone.RATE`; volume in per cent."""
    samples: NDArray[np.int16] = (make_sweep(RATE) * 32767 * volume / 100).astype(np.int16)
    return samples


def find_response(samples: NDArray[np.int16], rate: int) -> Response | None:
    """Return the response in ``samples``, which begin when the sweep begins to be played.

    Nothing says that the sweep is in them: its bands tell (:mod:`kiosk.selftest.sweep`).

    Returns:
        None: there are fewer samples than the sweep with its echo has.
    """
    least = round((SWEEP_S + RESPONSE_S) * rate)
    if len(samples) < least:
        return None
    heard = samples.astype(np.float64) / FULL_SCALE
    heard -= heard.mean()  # a sound card may shift it
    sweep = make_sweep(rate)
    count = _fast_length(len(heard) + len(sweep))
    spectrum = np.fft.rfft(sweep, count)
    usable = _usable(np.fft.rfftfreq(count, 1 / rate).astype(np.float64), rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        divided = np.where(usable > 0, np.fft.rfft(heard, count) / spectrum, 0.0)
    circular = np.fft.irfft(divided * usable, count)
    onset = _find_onset(circular, rate)
    after, before = round(RESPONSE_S * rate), round(BEFORE_S * rate)
    places = np.arange(-before, after) + onset
    found = circular[places % count]  # what lies before the start is at the end
    rest, played = _divide_power(heard, circular, onset, spectrum, rate)
    guard = round(0.03 * rate)  # the filter of the lowest band rings
    return Response(found[: before - guard], found[before - guard :], rate, rest, played)


def _find_onset(circular: Signal, rate: int) -> int:
    """Return the place of the direct sound: in an echoing room something later may be stronger."""
    step = round(_ONSET_S * rate)
    earliest = round(_EARLIER_S * rate)
    tried = np.roll(circular, earliest)[: earliest + round(MAX_DELAY_S * rate)]
    power = np.convolve(tried**2, np.ones(step) / step, "same")
    strongest = earliest + int(power[earliest:].argmax())
    before = power[strongest - earliest : strongest + 1]
    least = max(_ONSET_SHARE * power[strongest], 8 * float(np.quantile(before, 0.1)))
    (above,) = np.nonzero(before >= min(least, power[strongest]))
    return strongest - 2 * earliest + int(above[0]) + step // 2


def _fast_length(least: int) -> int:
    """Return a length not below ``least`` whose spectrum is computed fast."""
    powers = 1 << np.arange(40)
    lengths = np.concatenate([factor * powers for factor in (1, 3, 5, 9)])
    return int(lengths[lengths >= least].min())


def _usable(hertz: Signal, rate: int) -> Signal:
    """Return how much each frequency counts: 1 within the sweep, 0 beyond, soft at its ends."""
    top = min(HIGHEST_HZ, _USABLE_SHARE * rate) * 0.96
    rising = np.clip((hertz - LOWEST_HZ * 0.95) / (LOWEST_HZ * 0.08), 0.0, 1.0)
    falling = np.clip((top - hertz) / (top * 0.04), 0.0, 1.0)
    usable: Signal = np.minimum(rising, falling)
    return usable


def _divide_power(
    heard: Signal, circular: Signal, onset: int, spectrum: NDArray[np.complex128], rate: int
) -> tuple[float, float]:
    """Return the power of what the response does not explain, and of what it does.

    Its distortion, which comes before it, counts to it: it is the loudspeaker, and no noise.
    """
    count = len(circular)
    kept = np.zeros(count)
    places = (np.arange(-round(1.4 * rate), round(RESPONSE_S * rate)) + onset) % count
    kept[places] = circular[places]
    explained = np.fft.irfft(np.fft.rfft(kept) * spectrum, count)[: len(heard)]
    usable = _usable(np.fft.rfftfreq(len(heard), 1 / rate).astype(np.float64), rate)
    rest = np.fft.irfft(np.fft.rfft(heard - explained) * usable, len(heard))
    return float(np.mean(rest**2)), float(np.mean(explained**2))
