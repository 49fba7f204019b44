"""A sweep through the room's loudspeaker, and what every microphone hears of it.

It tells how strong each octave arrives, and how clearly speech would: the speech transmission index
(:mod:`kiosk.selftest.speech_transmission`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from kiosk.api.states import MicrophoneKind
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import Settings
from kiosk.hardware.audio.block import Samples
from kiosk.hardware.audio.level_meter import CLIPPED_LEVEL, CLIPPED_SAMPLES
from kiosk.hardware.sources.measured_sound import MeasuredSound
from kiosk.hardware.sources.microphone_source import MicrophoneSource
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.tone import wav_of
from kiosk.selftest.impulse_response import (
    FULL_SCALE,
    MAX_DELAY_S,
    RESPONSE_S,
    SWEEP_S,
    Response,
    find_response,
    sweep_samples,
)
from kiosk.selftest.speech_transmission import (
    Quality,
    band_power,
    combine,
    octaves_of,
    quality_of,
    response_power,
    transfer_index,
)
from kiosk.selftest.tone_player import play_to_end

log = logging.getLogger(__name__)

NOISE_S = 1.0
"""How long the room is heard before the sweep."""
TRIES = 2
"""So often it is played at most, where microphones lose samples."""
MIN_RISE_DB = 6.0
"""An octave that rises less above the noise says nothing of the microphone."""
DISTURBED_DB, DISTURBING_SHARE = 10.0, 0.01
"""Somebody speaks: so much more than the noise before, and more than this part of the sweep."""
_SWEEP_POWER = 0.5**2 / 2
"""Mean power of the sweep at full volume; full scale: 1.0."""
_LATE_S, _LOOK_S = 2.0, 0.05
"""So late may be the last blocks; seconds between two looks."""
_LEAST_DB, _MOST_DB = -120.0, 240.0
_MOMENT_S = 0.05


@dataclass(frozen=True)
class Heard:
    """What a microphone heard of the sweep.

    Attributes:
        levels: dB of full scale by octave (Hz); one that was not heard is missing.
        transfer: modulation transfer index, 0 to 1, of every octave that its rate has.
        is_clipped: it was too loud: the level counts, and no index.
        is_disturbed: something else was heard meanwhile: nothing counts.
    """

    levels: Mapping[int, float]
    transfer: Mapping[int, float]
    is_clipped: bool = False
    is_disturbed: bool = False

    @property
    def index(self) -> float | None:
        """Speech transmission index over the octaves that were heard; None: there is none."""
        return None if self.is_clipped else combine(self.transfer, self.levels.keys())

    def index_over(self, octaves: Mapping[int, float]) -> float | None:
        """Return the index over ``octaves``, heard or not; None: it cannot be compared."""
        return None if self.is_clipped else combine(self.transfer, octaves.keys())

    @property
    def quality(self) -> Quality | None:
        """How good the transmission is."""
        return None if self.index is None else quality_of(self.index)

    def to_json(self) -> dict[str, Any]:
        """Return it as in the report."""
        return {
            "levels": {str(octave): level for octave, level in self.levels.items()},
            "transfer": {str(octave): index for octave, index in self.transfer.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: ``value`` is something else.
        """
        levels, transfer = (
            {int(octave): float(number) for octave, number in value[name].items()}
            for name in ("levels", "transfer")
        )
        if not all(0 <= index <= 1 for index in transfer.values()):
            raise ValueError("transfer: 0 to 1")
        if not all(abs(level) <= _MOST_DB for level in levels.values()):  # nor what is no number
            raise ValueError("levels: dB of full scale")
        return cls(levels, transfer)


async def hear_sweep(settings: Settings, sources: Sources) -> dict[str, Heard]:
    """Play the sweep; return what each microphone of the room that delivers heard, by its name.

    Those that lost samples each time, as on a machine that is too busy, are missing.

    Raises:
        DeviceAbsentError: the loudspeaker cannot be played on, or broke off.
    """
    heard: dict[str, Heard] = {}
    for _ in range(TRIES):
        heard |= await _hear_once(settings, hearing_microphones(sources))
        if all(one.name in heard for one in hearing_microphones(sources)):
            break
    return heard


def hearing_microphones(sources: Sources) -> list[MicrophoneSource]:
    """Return the microphones of the room that deliver, and are not switched off at their seat."""
    return [
        one
        for one in sources.microphones
        if one.kind is not MicrophoneKind.REMOTE
        and not one.state.is_lost
        and not one.is_switched_off
    ]


async def _hear_once(
    settings: Settings, microphones: Sequence[MicrophoneSource]
) -> dict[str, Heard]:
    voice = settings.voice
    wav = wav_of(sweep_samples(voice.volume))
    seconds = NOISE_S + SWEEP_S + MAX_DELAY_S + RESPONSE_S + 2 * _LATE_S
    with MeasuredSound(microphones, seconds) as sound:
        await asyncio.sleep(NOISE_S + _LOOK_S)
        begun_ns = recording_ns()
        await play_to_end(voice.loudspeaker, wav, SWEEP_S + MAX_DELAY_S)
        await asyncio.sleep(RESPONSE_S)
        ended_ns = max(recording_ns(), begun_ns + round((SWEEP_S + RESPONSE_S) * NS_PER_S))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LATE_S):
                while not sound.is_complete(ended_ns):
                    await asyncio.sleep(_LOOK_S)
        taken = [(one, *sound.samples(one, begun_ns)) for one in microphones]
    return await asyncio.to_thread(_measure_all, taken)


def _measure_all(
    taken: list[tuple[MicrophoneSource, Samples, Samples]],
) -> dict[str, Heard]:
    found = {
        microphone.name: heard
        for microphone, before, samples in taken
        if (heard := measure(before, samples, microphone.rate)) is not None
    }
    for microphone, before, samples in taken:
        heard = found.get(microphone.name)
        if heard is None:
            lengths = len(before), len(samples)
            log.warning("sweep: %s lost samples: %s are left", microphone.name, lengths)
        else:
            log.info("sweep: %s: %s, levels %s", microphone.name, heard.index, dict(heard.levels))
    return found


def measure(before: Samples, samples: Samples, rate: int) -> Heard | None:
    """Return what a microphone heard of the sweep.

    Args:
        before: its sound just before: the noise.
        samples: its sound from the moment on at which the sweep began to be played.

    Returns:
        None: samples are missing.
    """
    response = find_response(samples, rate) if len(before) >= NOISE_S * rate / 2 else None
    if response is None:
        return None
    noise = before.astype(np.float64) / FULL_SCALE
    levels, transfer = {}, {}
    for octave in octaves_of(rate):
        level_db = _level_db(response, octave)
        snr_db = level_db - _decibels(band_power(noise, rate, octave))
        index = transfer_index(response.sound, response.before, rate, octave, snr_db)
        transfer[octave] = round(index, 3)
        if snr_db >= MIN_RISE_DB:
            levels[octave] = round(level_db, 1)
    loudest = np.abs(samples.astype(np.int32))
    is_clipped = int(np.count_nonzero(loudest >= CLIPPED_LEVEL)) >= CLIPPED_SAMPLES
    return Heard(
        levels,
        transfer,
        is_clipped=is_clipped,
        is_disturbed=not is_clipped and _is_disturbed(response, noise),
    )


def _level_db(response: Response, octave: int) -> float:
    """Return how loud the sweep was heard while it passed the octave, dB of full scale."""
    energy = response_power(response.sound, response.before, response.rate, octave)
    width = octave / np.sqrt(2)
    return _decibels(_SWEEP_POWER * energy * response.rate / (2 * width))


def _is_disturbed(response: Response, noise: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Return whether there was more than the sweep and the noise of before.

    Who speaks all the time is in the noise of before: its quiet moments count.
    """
    step = round(_MOMENT_S * response.rate)
    moments = (noise - noise.mean())[: len(noise) // step * step].reshape(-1, step)
    noise_power = float(np.quantile(np.mean(moments**2, axis=1), 0.1))
    limit = max(noise_power * 10 ** (DISTURBED_DB / 10), DISTURBING_SHARE * response.sweep_power)
    return bool(response.rest_power > limit)


def _decibels(power: float) -> float:
    return max(_LEAST_DB, float(10 * np.log10(max(power, 1e-12))))
