"""What the kiosk checks by itself each morning, and how it judges microphones.

Only what nothing else watches: whether the picture is dark or unsharp, and each microphone beside
its noise, and its hearing of the loudspeaker, at commissioning. Devices, disk, clock and machine
raise their alarms all the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, time
from statistics import median_low

from kiosk.alarms import with_values
from kiosk.api.recorder import AlarmKey
from kiosk.config import Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.selftest.recorder_checks import CAMERA_S, check_camera
from kiosk.selftest.sweep_verdict import NOISY, check_sweep
from kiosk.storage.paths import Paths

LISTEN_S, LEVEL_INTERVAL_S = 10.0, 0.2
CHANGED_DB = 10.0
"""Noise changes less than this from morning to morning (ventilation, street)."""
QUIET_SHARE = 10
"""The noise is the level that one tenth of the readings lie below."""
LOUDER, WEAKER = "morning_microphone_louder", "morning_microphone_weaker"
CAMERA = {"camera_dark": "morning_camera_dark", "camera_unsharp": "morning_camera_unsharp"}


def is_due(at: time, now: datetime, done_on: str, *, is_clock_trusted: bool, done: bool) -> bool:
    """Return whether the check is due.

    Args:
        at: time of day from which on it is made.
        now: wall time in the court's zone.
        done_on: day of the last check (``2026-11-28``) whose clock could be trusted.
        is_clock_trusted: whether ``now`` can be believed; otherwise once after a start.
        done: whether it was made since this start.
    """
    if not is_clock_trusted:
        return not done
    return now.time() >= at and done_on != now.date().isoformat()


async def run_morning_check(
    settings: Settings, sources: Sources, paths: Paths, baseline: Mapping[str, float]
) -> list[AlarmKey]:
    """Return what has changed; may be cancelled at any moment.

    Args:
        baseline: noise of each microphone at commissioning, dB of full scale.
    """
    camera = await check_camera(settings, sources, paths, CAMERA_S)
    found = [(code, "camera")] if (code := CAMERA.get(camera.code or "")) else []
    before = _heard(sources)
    noise = await _measure_noise(sources)
    is_occupied = _heard(sources) != before
    found += judge_noise(noise, baseline, is_occupied=is_occupied)
    if (NOISY, "microphones") not in found:  # where people speak it says nothing, and disturbs
        found += await check_sweep(settings, sources, paths, baseline)
    return found


def judge_noise(
    noise: Mapping[str, float], baseline: Mapping[str, float], *, is_occupied: bool
) -> list[AlarmKey]:
    """Return which microphones differ from commissioning, with their noise then and now.

    What all microphones hear more of is the room and not a microphone: then, and while somebody
    speaks, none is called louder, and one is called weaker only beside the others.

    Args:
        noise, baseline: by microphone; those without a baseline are not judged.
    """
    changes = {name: noise[name] - baseline[name] for name in noise if name in baseline}
    if not changes:
        return []
    common = median_low(changes.values()) if len(changes) > 1 else 0.0
    is_noisy = is_occupied or common >= CHANGED_DB
    reference = max(0.0, common) if is_noisy else 0.0
    weaker = [name for name, change in changes.items() if change - reference <= -CHANGED_DB]
    louder = [name for name, change in changes.items() if change >= CHANGED_DB]

    def tell(code: str, names: list[str]) -> list[AlarmKey]:
        return [(code, with_values(name, baseline[name], noise[name])) for name in names]

    first = [(NOISY, "microphones")] if is_noisy else tell(LOUDER, louder)
    return [*first, *tell(WEAKER, weaker)]


def _heard(sources: Sources) -> dict[str, str | None]:
    return {row.name: row.heard for row in sources.describe_microphones()}


async def _measure_noise(sources: Sources) -> dict[str, float]:
    """Return the noise of each microphone that delivers, dB of full scale."""
    readings: dict[str, list[float]] = {}
    for _ in range(round(LISTEN_S / LEVEL_INTERVAL_S)):
        await asyncio.sleep(LEVEL_INTERVAL_S)
        for name, level in sources.levels().items():
            readings.setdefault(name, []).append(level.rms_db)
    lost = {row.name for row in sources.describe_microphones() if row.state.is_lost}
    return {
        name: sorted(levels)[len(levels) // QUIET_SHARE]
        for name, levels in readings.items()
        if name not in lost
    }
