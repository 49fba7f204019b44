"""What has changed between two sweeps, microphone by microphone, and what they are compared with.

A microphone that is covered, turned away or turned down hears the loudspeaker weaker than at
commissioning; one that is muffled hears high tones weaker than low ones; and where the room or the
place of a microphone has changed, speech is transmitted less clearly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from statistics import fmean, median, median_high, median_low
from typing import Any

from kiosk.alarms import device_of, with_values
from kiosk.api.recorder import AlarmKey
from kiosk.config import Settings
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.sources.sources import Sources
from kiosk.selftest.report import find_baseline, read_reports
from kiosk.selftest.sweep import Heard, hear_sweep
from kiosk.selftest.tone_player import SpeakerBusyError
from kiosk.storage.atomic_io import read_json_or_none, write_json
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)

CHECK = "speech_transmission"
BANDS = (250, 500, 1000, 2000, 4000)
"""Octaves in Hz whose level is compared: those of speech, and of any loudspeaker."""
CHANGED_DB = 8.0
"""People, doors and curtains change less from morning to morning."""
FALL = 0.1
"""A change of the index by 0.03 is just noticed (Galbrun and Kitapci, Applied Acoustics 81, 2014).

Three times as much is heard by everybody, and is more than sweeps of one room differ by: ours.
"""
WEAKER, LOUDER = "morning_sweep_weaker", "morning_sweep_louder"
MUFFLED, SPEAKER = "morning_sweep_muffled", "morning_loudspeaker_changed"
LESS_CLEAR, ALL_LESS_CLEAR = "morning_transmission_fell", "morning_transmission_fell_everywhere"
NOISY = "morning_room_noisy"

SWEEP_CODES = frozenset({WEAKER, LOUDER, MUFFLED, SPEAKER, LESS_CLEAR, ALL_LESS_CLEAR})


async def check_sweep(
    settings: Settings, sources: Sources, paths: Paths, noise: Mapping[str, float]
) -> list[AlarmKey]:
    """Play the sweep and return what has changed; nothing where there is no loudspeaker.

    Where commissioning had no sweep, the first one after it is the baseline of those that follow.

    Args:
        noise: of each microphone at the newest commissioning, by which the baseline is known.
    """
    voice = settings.voice
    if not (settings.morning_check.sweep and voice.enabled and voice.loudspeaker):
        return []
    try:
        heard = await hear_sweep(settings, sources)
    except SpeakerBusyError as error:
        log.info("no sweep while something else plays: %s", error)
        return [(NOISY, "microphones")]
    except DeviceAbsentError as error:
        log.warning("the loudspeaker cannot be played on: %s", error)
        return [(SPEAKER, "loudspeaker")]
    if any(one.is_disturbed for one in heard.values()):
        return [(NOISY, "microphones")]
    baseline = await asyncio.to_thread(load_baseline, paths, noise)
    new = {
        name: one
        for name, one in heard.items()
        if one.levels and not one.is_clipped and name not in baseline
    }
    if new:
        rows = {name: one.to_json() for name, one in {**baseline, **new}.items()}
        value = {"noise": dict(noise), "heard": rows}
        try:
            await asyncio.to_thread(write_json, paths.sweep_baseline, value, 0o640)
        except STORAGE_ERRORS as error:
            log.warning("the sweep cannot be kept: %s", error)
    return judge_sweep(heard, baseline)


def load_baseline(paths: Paths, noise: Mapping[str, float]) -> dict[str, Heard]:
    """Return what to compare with: the sweep of commissioning, else the first one after it."""
    report = find_baseline(read_reports(paths)) or {"results": []}
    of_report: Any = next(
        (
            row["measured"]
            for row in report["results"]
            if (row["check"], row["state"]) == (CHECK, "passed")
        ),
        {},
    )
    kept: Any = read_json_or_none(paths.sweep_baseline) or {}
    try:
        of_mornings = kept["heard"] if kept["noise"] == dict(noise) else {}
    except (KeyError, TypeError):  # damaged, or of the tones of an older version
        of_mornings = {}
    return {**_read_rows(of_mornings), **_read_rows(of_report)}


def _read_rows(rows: object) -> dict[str, Heard]:
    """Return the rows that can be read and in which the loudspeaker was heard."""
    found = {}
    for name, row in rows.items() if isinstance(rows, Mapping) else ():
        try:
            heard = Heard.from_json(row)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        if heard.levels:
            found[str(name)] = heard
    return found


def judge_sweep(heard: Mapping[str, Heard], baseline: Mapping[str, Heard]) -> list[AlarmKey]:
    """Return what has changed; of each microphone what explains most.

    Args:
        heard, baseline: by microphone; those without a baseline are not judged.
    """
    found = judge_levels(
        {name: _of_speech(one) for name, one in heard.items()},
        {name: _of_speech(one) for name, one in baseline.items()},
    )
    told = {device_of(source) for _code, source in found}
    return found + judge_transmission(
        {name: one for name, one in heard.items() if name not in told},
        baseline,
        is_speaker_told="loudspeaker" in told,
    )


def _of_speech(heard: Heard) -> dict[int, float]:
    return {octave: level for octave, level in heard.levels.items() if octave in BANDS}


def judge_transmission(
    heard: Mapping[str, Heard], baseline: Mapping[str, Heard], *, is_speaker_told: bool = False
) -> list[AlarmKey]:
    """Return where speech is transmitted less clearly, with the index before and now.

    What falls for all of them is the loudspeaker or the room: then each is judged beside the
    others.
    """
    indices = {}
    for name, one in heard.items():
        known = baseline.get(name)
        before = known.index if known else None
        now = one.index_over(known.levels) if known else None
        if before is not None and now is not None:
            indices[name] = before, now
    if not indices:
        return []
    common = _common(before - now for before, now in indices.values())
    is_everywhere = len(indices) > 1 and common >= FALL
    found = []
    if is_everywhere and not is_speaker_told:
        before, now = (median(row[place] for row in indices.values()) for place in (0, 1))
        found.append((ALL_LESS_CLEAR, with_values("loudspeaker", before, now, digits=2)))
    reference = common if is_everywhere else 0.0
    return found + [
        (LESS_CLEAR, with_values(name, before, now, digits=2))
        for name, (before, now) in indices.items()
        if before - now - reference >= FALL
    ]


def judge_levels(
    levels: Mapping[str, Mapping[int, float]], baseline: Mapping[str, Mapping[int, float]]
) -> list[AlarmKey]:
    """Return which microphones hear the loudspeaker weaker, louder or muffled, and how much so.

    What all of them hear otherwise is the loudspeaker: then each is judged beside the others.

    Args:
        levels, baseline: dB of full scale by octave, by microphone.
    """
    changes = {
        name: change
        for name, response in levels.items()
        if (change := _change(response, baseline.get(name, {}))) is not None
    }
    if not changes:
        return []
    common = _common(changes.values()) if len(changes) > 1 else 0.0
    is_speaker = abs(common) >= CHANGED_DB
    found: list[AlarmKey] = [(SPEAKER, "loudspeaker")] if is_speaker else []
    reference = common if is_speaker else 0.0
    for name, change in changes.items():
        before, now = baseline[name], levels[name]
        if abs(change - reference) >= CHANGED_DB:
            code = WEAKER if change < reference else LOUDER
            found.append((code, with_values(name, *_means(before, now))))
        elif (tilts := _tilts(before, now)) and tilts[1] - tilts[0] <= -CHANGED_DB:
            found.append((MUFFLED, with_values(name, *tilts)))
    return found


def _means(before: Mapping[int, float], now: Mapping[int, float]) -> tuple[float, float | None]:
    """Return the levels that were compared, dB of full scale; None: an octave is not heard."""
    is_whole = set(before) <= set(now)
    return fmean(before.values()), fmean(now[band] for band in before) if is_whole else None


def _common(changes: Iterable[float]) -> float:
    """Return what most have in common: of two that differ, nothing says which one is the room."""
    rows = list(changes)
    return min(median_low(rows), median_high(rows), key=abs)


def _change(response: Mapping[int, float], before: Mapping[int, float]) -> float | None:
    """Return by how many dB it hears more; None: it could never hear the loudspeaker.

    An octave that is not heard any more counts as weaker by what is told as a change at least.
    """
    if not before:
        return None
    steps = [response[band] - before[band] for band in before if band in response]
    steps += [-2 * CHANGED_DB for band in before if band not in response]
    return fmean(steps)


def _tilts(before: Mapping[int, float], now: Mapping[int, float]) -> tuple[float, float] | None:
    """Return the high tones beside the low ones then and now, dB; None: they are not heard."""
    common = set(now) & set(before)
    low = [band for band in common if band < 1000]
    high = [band for band in common if band > 1000]
    if not low or not high:
        return None
    then, today = (
        fmean(levels[band] for band in high) - fmean(levels[band] for band in low)
        for levels in (before, now)
    )
    return then, today
