"""The recorder's test of how clearly speech is transmitted: a sweep on demand, per microphone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from kiosk.api.recorder_calls import DeviceTestAnswer
from kiosk.api.reports import Limit
from kiosk.config import Settings
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.room.noise_baseline import load_noise_floors
from kiosk.selftest.recorder_checks import check_answer
from kiosk.selftest.speech_transmission import quality_of
from kiosk.selftest.sweep import Heard, hear_sweep, hearing_microphones
from kiosk.selftest.sweep_verdict import BANDS, FALL, judge_sweep, load_baseline
from kiosk.selftest.tone_player import SpeakerBusyError
from kiosk.storage.paths import Paths


async def check_speech_transmission(
    settings: Settings, sources: Sources, paths: Paths, *, is_baseline: bool = False
) -> DeviceTestAnswer:
    """Check that the microphones hear the loudspeaker, as strong and clear as at commissioning.

    Args:
        is_baseline: this is commissioning; it is not compared with an earlier one.
    """
    voice = settings.voice
    if not (voice.enabled and voice.loudspeaker and sources.microphones):
        return check_answer("not_fitted", {}, skipped=True)
    try:
        heard = await hear_sweep(settings, sources)
    except SpeakerBusyError:
        return check_answer("sweep_disturbed", {}, skipped=True)
    except DeviceAbsentError as error:
        return check_answer("speaker_absent", {"problem": str(error)[:200]})
    baseline = {} if is_baseline else await asyncio.to_thread(_load, paths)
    measured = {name: _describe(one, baseline.get(name)) for name, one in heard.items()}
    limits = {
        f"{name}.index": Limit(least=round(before.index - FALL, 2))
        for name, before in baseline.items()
        if name in heard and before.index is not None and measured[name]["index"] is not None
    }
    if any(one.is_disturbed for one in heard.values()):
        return check_answer("sweep_disturbed", {}, skipped=True)
    code, is_skipped = None, False
    if any(one.name not in heard for one in hearing_microphones(sources)):
        code = "sweep_incomplete"
    elif not any(one.levels for one in heard.values()):
        # One that was never heard may stand in another room: it is no fault, and no baseline.
        code, is_skipped = "sweep_unheard", not baseline
    elif judge_sweep(heard, baseline):
        code = "sweep_changed"
    return check_answer(code, measured, skipped=is_skipped).model_copy(update={"limits": limits})


def _load(paths: Paths) -> dict[str, Heard]:
    return load_baseline(paths, load_noise_floors(paths))


def _describe(heard: Heard, before: Heard | None) -> Mapping[str, Any]:
    """Return what the report says of a microphone; its index over the octaves of ``before``."""
    levels = [level for octave, level in heard.levels.items() if octave in BANDS]
    index = heard.index_over(before.levels) if before else heard.index
    if heard.is_clipped or not levels or index is None:
        # Without levels it is no baseline.
        state = "clipped" if heard.is_clipped else "unheard"
        return {"index": None, "quality": state}
    return {
        "index": round(index, 2),
        "quality": quality_of(index),
        "level_db": round(fmean(levels), 1),
        **heard.to_json(),
    }
