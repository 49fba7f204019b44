"""Speech transmission index from an impulse response and the noise of the room.

It is the indirect method of IEC 60268-16: the modulation transfer of seven octave bands at fourteen
frequencies by Schroeder's integral (M. R. Schroeder, "Modulation transfer functions: definition and
measurement", Acustica 49, 1981), times that of the noise, weighted with the factors of male speech
(edition 5, table A.1).

Left out: auditory masking and the reception threshold, which need calibrated levels, and the
spectrum of speech: noise is compared with the sweep. And the sweep comes from a loudspeaker, not
from a mouth at the seat. So the index tells how a room and its microphones have changed, and is no
certificate of how well speech is understood there.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Quality = Literal["bad", "poor", "fair", "good", "excellent"]

OCTAVES = (125, 250, 500, 1000, 2000, 4000, 8000)
"""Middle frequencies in Hz."""
MODULATIONS = (0.63, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0, 10.0, 12.5)
_ALPHA = (0.085, 0.127, 0.230, 0.233, 0.309, 0.224, 0.173)
_BETA = (0.085, 0.078, 0.065, 0.011, 0.047, 0.095)
_LEAST_QUALITY: tuple[tuple[float, Quality], ...] = (
    (0.75, "excellent"),
    (0.60, "good"),
    (0.45, "fair"),
    (0.30, "poor"),
)
"""Bands of IEC 60268-16 (1998) and ISO 9921."""
_MAX_DB = 15.0
"""Apparent ratio of signal to noise beyond which nothing gets better or worse."""
_FILTER_ORDER = 4
_STEP_S = 0.005
"""Steps in which the energy is summed: the fastest modulation turns in 80 ms."""


def octaves_of(rate: int) -> tuple[int, ...]:
    """Return the bands that a microphone of ``rate`` samples a second has whole."""
    return tuple(hertz for hertz in OCTAVES if hertz * np.sqrt(2) < 0.48 * rate)


def band_power(samples: Signal, rate: int, octave: int) -> float:
    """Return the mean power of ``samples`` in the octave; full scale: 1.0."""
    return float(np.mean(filter_octave(samples - samples.mean(), rate, octave) ** 2))


def filter_octave(samples: Signal, rate: int, octave: int) -> Signal:
    """Return ``samples`` in the octave, without delay."""
    count = len(samples)
    padded = count + round(0.05 * rate)  # what rings must not come round to the start
    hertz = np.fft.rfftfreq(padded, 1 / rate)
    hertz[0] = 1e-9
    distance = np.sqrt(2) * (hertz / octave - octave / hertz)
    gain = 1 / np.sqrt(1 + distance ** (2 * _FILTER_ORDER))
    filtered: Signal = np.fft.irfft(np.fft.rfft(samples, padded) * gain, padded)[:count]
    return filtered


def transfer_index(sound: Signal, before: Signal, rate: int, octave: int, snr_db: float) -> float:
    """Return the modulation transfer index of an octave, from 0 (nothing) to 1.

    Args:
        sound: the impulse response from the direct sound on.
        before: what it holds before the direct sound: noise, whose energy is taken away.
        snr_db: signal to noise in this octave, dB.
    """
    energy = _energy(sound, before, rate, octave)
    total = energy.sum()
    if total <= 0:
        return 0.0
    times = (np.arange(len(energy)) + 0.5) * _STEP_S
    noise = 1 / (1 + 10 ** (-snr_db / 10))
    indices = []
    for modulation in MODULATIONS:
        turned = np.exp(-2j * np.pi * modulation * times)
        transfer = min(1.0, abs((energy * turned).sum()) / total) * noise
        apparent_db = 10 * np.log10(max(transfer, 1e-9) / max(1 - transfer, 1e-9))
        indices.append((np.clip(apparent_db, -_MAX_DB, _MAX_DB) + _MAX_DB) / (2 * _MAX_DB))
    return float(np.mean(indices))


def response_power(sound: Signal, before: Signal, rate: int, octave: int) -> float:
    """Return the energy of the response in the octave, without that of its noise; not negative."""
    return max(0.0, float(_energy(sound, before, rate, octave).sum()))


def _energy(sound: Signal, before: Signal, rate: int, octave: int) -> Signal:
    """Return the energy of each step of the response, until it sinks into its own noise."""
    step = round(_STEP_S * rate)
    joined = filter_octave(np.concatenate((before, sound)), rate, octave) ** 2
    noise = float(joined[: len(before)].mean())
    heard = joined[len(before) :]
    steps = heard[: len(heard) // step * step].reshape(-1, step).sum(axis=1)
    # One loud step in the noise is no sound: it lasts for 50 ms.
    smooth = np.convolve(steps, np.ones(10) / 10, "same")
    (above,) = np.nonzero(smooth > 2 * noise * step)
    end = int(above[-1]) + 1 if len(above) else 0
    energy: Signal = np.where(np.arange(len(steps)) < end, steps - noise * step, 0.0)
    return energy


def combine(transfer: Mapping[int, float], octaves: Set[int]) -> float | None:
    """Return the index over ``octaves``, from the transfer index of each.

    The weights of bands that are left out are spread over the others, so that a loudspeaker without
    bass, or a microphone of a low rate, costs nothing.

    Returns:
        None: no band is left.
    """
    used = [hertz for hertz in OCTAVES if hertz in octaves and hertz in transfer]
    weight = weighted = 0.0
    for place, hertz in enumerate(OCTAVES):
        if hertz not in used:
            continue
        weight += _ALPHA[place]
        weighted += _ALPHA[place] * transfer[hertz]
        following = OCTAVES[place + 1] if place + 1 < len(OCTAVES) else 0
        if following in used:
            weight -= _BETA[place]
            weighted -= _BETA[place] * np.sqrt(transfer[hertz] * transfer[following])
    return min(1.0, float(weighted / weight)) if used else None


def quality_of(index: float) -> Quality:
    """Return how good a transmission with this index is."""
    return next((word for least, word in _LEAST_QUALITY if index >= least), "bad")
