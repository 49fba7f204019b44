"""Tones through the room's loudspeaker, low to high, that every microphone hears.

A microphone that is covered, turned away or turned down hears them weaker than at commissioning;
one that is muffled hears the high ones weaker than the low ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from statistics import fmean, median
from typing import Any

from kiosk.api.recorder import AlarmKey, Level
from kiosk.config import Settings
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.sources.sources import Sources
from kiosk.selftest.tone_player import BEGIN_S, playing_tone
from kiosk.storage.atomic_io import read_json_or_none, write_json
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)

BANDS = (250, 500, 1000, 2000, 4000)
"""Frequencies in Hz: those of speech."""
NOISE_S, HEARD_S, LEVEL_INTERVAL_S = 1.0, 0.6, 0.1
"""How long the room is heard before the first tone, and each tone."""
MIN_RISE_DB = 6.0
"""A tone that rises less above the noise says nothing of the microphone."""
CHANGED_DB = 8.0
"""People, doors and curtains change less from morning to morning."""
WEAKER, LOUDER = "morning_sweep_weaker", "morning_sweep_louder"
MUFFLED, SPEAKER = "morning_sweep_muffled", "morning_loudspeaker_changed"

SWEEP_CODES = frozenset({WEAKER, LOUDER, MUFFLED, SPEAKER})

Response = Mapping[int, float]
"""Level in dB of full scale by frequency in Hz; a tone that was not heard is missing."""
Play = Callable[[float, float], AbstractAsyncContextManager[None]]


async def check_sweep(
    settings: Settings, sources: Sources, paths: Paths, noise: Mapping[str, float]
) -> list[AlarmKey]:
    """Play the tones and return what has changed; nothing where there is no loudspeaker.

    The first sweep after a commissioning is the baseline of those that follow.

    Args:
        noise: of each microphone at the newest commissioning, by which the baseline is known.
    """
    voice = settings.voice
    if not (settings.morning_check.sweep and voice.enabled and voice.loudspeaker):
        return []

    def play(hertz: float, seconds: float) -> AbstractAsyncContextManager[None]:
        return playing_tone(voice.loudspeaker, seconds, voice.volume, hertz)

    try:
        responses = await measure_responses(sources.levels, play)
    except DeviceAbsentError as error:
        log.warning("the loudspeaker cannot be played on: %s", error)
        return [(SPEAKER, "loudspeaker")]
    log.info("sweep: %s", responses)
    baseline = await asyncio.to_thread(load_baseline, paths, noise)
    new = {name: row for name, row in responses.items() if row and name not in baseline}
    if new:
        value = {"noise": dict(noise), "responses": {**baseline, **new}}
        try:
            await asyncio.to_thread(write_json, paths.sweep_baseline, value, 0o640)
        except STORAGE_ERRORS as error:
            log.warning("the sweep cannot be kept: %s", error)
    return judge_responses(responses, baseline)


def load_baseline(paths: Paths, noise: Mapping[str, float]) -> dict[str, dict[int, float]]:
    """Return the sweep to compare with; none if there was a commissioning since."""
    value: Any = read_json_or_none(paths.sweep_baseline) or {}
    try:
        if value["noise"] != dict(noise):
            return {}
        return {
            str(name): {int(hertz): float(level) for hertz, level in row.items()}
            for name, row in value["responses"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


async def measure_responses(
    levels: Callable[[], Mapping[str, Level]], play: Play
) -> dict[str, dict[int, float]]:
    """Return what each microphone hears of each tone, by its name.

    Args:
        levels: present level of each microphone.
        play: plays a tone of so many Hz for so many seconds meanwhile.

    Raises:
        SpeakerAbsentError: the loudspeaker cannot be played on.
    """
    found: dict[str, dict[int, float]] = {}
    noise = await _levels(levels, NOISE_S)
    for hertz in BANDS:
        async with play(hertz, 2 * BEGIN_S + HEARD_S):
            await asyncio.sleep(BEGIN_S)
            heard = await _levels(levels, HEARD_S)
        for name, level in heard.items():
            if level - noise.get(name, level) >= MIN_RISE_DB:
                found.setdefault(name, {})[hertz] = round(level, 1)
            else:
                found.setdefault(name, {})
    return found


async def _levels(levels: Callable[[], Mapping[str, Level]], seconds: float) -> dict[str, float]:
    """Return the middle level of each microphone in ``seconds``, dB of full scale."""
    readings: dict[str, list[float]] = {}
    for _ in range(round(seconds / LEVEL_INTERVAL_S)):
        await asyncio.sleep(LEVEL_INTERVAL_S)
        for name, level in levels().items():
            readings.setdefault(name, []).append(level.rms_db)
    return {name: median(values) for name, values in readings.items()}


def judge_responses(
    responses: Mapping[str, Response], baseline: Mapping[str, Response]
) -> list[AlarmKey]:
    """Return which microphones hear the loudspeaker otherwise than before.

    What all of them hear otherwise is the loudspeaker: then each is judged beside the others.

    Args:
        responses, baseline: by microphone; those without a baseline are not judged.
    """
    changes = {
        name: change
        for name, response in responses.items()
        if (change := _change(response, baseline.get(name, {}))) is not None
    }
    if not changes:
        return []
    common = median(changes.values()) if len(changes) > 1 else 0.0
    is_speaker = abs(common) >= CHANGED_DB
    found: list[AlarmKey] = [(SPEAKER, "loudspeaker")] if is_speaker else []
    reference = common if is_speaker else 0.0
    for name, change in changes.items():
        if change - reference <= -CHANGED_DB:
            found.append((WEAKER, name))
        elif change - reference >= CHANGED_DB:
            found.append((LOUDER, name))
        elif _tilt(responses[name], baseline[name]) <= -CHANGED_DB:
            found.append((MUFFLED, name))
    return found


def _change(response: Response, before: Response) -> float | None:
    """Return by how many dB it hears more; None: it could never hear the loudspeaker.

    A tone that is not heard any more counts as weaker by what is told as a change at least.
    """
    if not before:
        return None
    steps = [response[band] - before[band] for band in before if band in response]
    steps += [-2 * CHANGED_DB for band in before if band not in response]
    return fmean(steps)


def _tilt(response: Response, before: Response) -> float:
    """Return by how many dB the high tones have become weaker beside the low ones (negative)."""
    common = sorted(set(response) & set(before))
    low = [response[band] - before[band] for band in common if band < 1000]
    high = [response[band] - before[band] for band in common if band > 1000]
    return fmean(high) - fmean(low) if low and high else 0.0
