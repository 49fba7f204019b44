"""The technician's tests in the recorder: devices, storages, clock, machine, keys, certificate.

Everything is measured on the running devices; nothing is assumed from their settings.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from kiosk.api.recorder import Mirror
from kiosk.api.recorder_calls import DeviceTestAnswer
from kiosk.api.reports import Limit
from kiosk.api.states import LampState, MicrophoneState, MirrorState
from kiosk.clocks import format_wall, is_synchronised, wall_time
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.audio.level_meter import FLOOR_DB
from kiosk.hardware.camera.preview import PreviewFrame, PreviewReader
from kiosk.hardware.camera.sharpness import SHARPNESS_PICTURES, Luma, luma_of
from kiosk.hardware.headset import HeadsetAbsentError
from kiosk.hardware.headset_player import play_in_headset
from kiosk.hardware.machine_health import (
    FULL_SUPPLY_MA,
    SLOWED_C,
    WORN_PERCENT,
    read_machine_health,
)
from kiosk.hardware.panel import Panel
from kiosk.hardware.real_time_clock import (
    EMPTY_V,
    MOST_APART_S,
    ROOT,
    read_real_time_clock,
)
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.tone import tone_samples
from kiosk.hardware.wall_clock import clock_state, is_clock_trusted
from kiosk.hearing.monitoring.active_alarms import CAMERA, CLOCK, RTC
from kiosk.hearing.room.storage_monitor import MIRROR_ALARMS, PRIMARY_ALARMS
from kiosk.selftest.camera_checks import load_camera_baseline, measure_view
from kiosk.storage.court_keys import court_key_status, proof_times
from kiosk.storage.paths import Paths
from kiosk.storage.space import measure_space, measure_speed
from kiosk.storage.swap import swap_on_disk
from kiosk.storage.volatile import is_volatile
from kiosk.storage.volume import StorageVolume
from kiosk.sync.transport.identity import load_identity

POLL_S = 0.1
CAMERA_S, MICROPHONES_S, PANEL_S = 3.0, 3.0, 3.0
HEADSET_S = 3.0
MIRROR_S, MIRROR_BYTES = 20.0, 4 * 1024 * 1024
MIN_CERTIFICATE_DAYS = 14
"""It is renewed when a third of its life is left: with so few days that has failed for long."""
BLINK_S = 0.5
MIN_CONTRAST = 4.0
"""Standard deviation of brightness (0 to 255) below which a picture counts as dark."""
MAX_RESTARTS = 1
"""Restarts of the camera during its test with which it still passes; they are in the report."""
HEALTH_LIMITS = {
    "file_system_errors": Limit(most=0),
    "wear_percent": Limit(most=WORN_PERCENT - 1),
    "supply_ma": Limit(least=FULL_SUPPLY_MA),
    "temperature_c": Limit(most=SLOWED_C),
}
MIN_FRAMES_SHARE = 0.5
"""Share of the requested frames that must arrive."""


def check_answer(
    code: str | None,
    measured: dict[str, Any],
    limits: Mapping[str, Limit] = MappingProxyType({}),
    *,
    skipped: bool = False,
) -> DeviceTestAnswer:
    """Return the answer of a test: passed if there is no ``code``; ``limits`` of what it has."""
    return DeviceTestAnswer(
        state="skipped" if skipped else "failed" if code else "passed",
        code=code,
        measured=measured,
        limits={name: limit for name, limit in limits.items() if measured.get(name) is not None},
    )


async def check_camera(
    settings: Settings, sources: Sources, paths: Paths, seconds: float, *, is_baseline: bool = False
) -> DeviceTestAnswer:
    """Check that pictures arrive, change, show something, and are as sharp as at commissioning.

    Args:
        is_baseline: they become the baseline; they are not compared with an earlier one.
    """
    if settings.camera.back_end == "none":
        return check_answer("not_fitted", {}, skipped=True)
    seen, lumas, restarts = await _sample_preview(paths, seconds or CAMERA_S)
    state = sources.describe_camera().state
    if not seen:
        none = {"frames": 0, "state": state, "restarts": restarts}
        return check_answer(CAMERA.get(state, "camera_frozen"), none)
    pixels = [np.frombuffer(frame.rgb, np.uint8)[::7].astype(np.float32) for frame in seen]
    span_s = (seen[-1].captured_ns - seen[0].captured_ns) / 1e9
    frames = seen[-1].number - seen[0].number
    measured: dict[str, Any] = {
        "state": state,
        "restarts": restarts,
        "frames": frames,
        "fps": round(frames / span_s, 1) if span_s > 0 else 0.0,
        "contrast": round(float(pixels[-1].std()), 1),
        "brightness": round(float(pixels[-1].mean()), 1),
        "change": round(float(np.abs(pixels[-1] - pixels[0]).mean()), 2),
    }
    min_fps = min(settings.camera.fps, settings.camera.preview_fps) * MIN_FRAMES_SHARE
    limits = {
        "fps": Limit(least=min_fps),
        "contrast": Limit(least=MIN_CONTRAST),
        "restarts": Limit(most=MAX_RESTARTS),
    }
    is_slow = len(seen) < 2 or measured["fps"] < min_fps
    if state != "ok" or is_slow or restarts > MAX_RESTARTS:
        return check_answer(CAMERA.get(state, "camera_frozen"), measured, limits)
    if measured["contrast"] < MIN_CONTRAST:
        return check_answer("camera_dark", measured, limits)
    # the noise of a sensor always changes: equal pictures are one picture
    if measured["change"] == 0:
        return check_answer("camera_frozen", measured, limits)
    baseline = None if is_baseline else await asyncio.to_thread(load_camera_baseline, paths)
    code, view, view_limits = await asyncio.to_thread(
        measure_view, settings.camera, sources.camera, lumas, baseline
    )
    return check_answer(code, measured | view, limits | view_limits)


async def _sample_preview(
    paths: Paths, seconds: float
) -> tuple[list[PreviewFrame], list[Luma], int]:
    """Return first and newest picture of the next ``seconds``, brightness of the newest, restarts.

    A camera that restarts counts its frames from one: it is measured from there.
    """
    reader = PreviewReader(paths.preview)
    old = reader.read()
    newest, restarts = old.number if old else 0, 0
    seen: list[PreviewFrame] = []
    lumas: deque[Luma] = deque(maxlen=SHARPNESS_PICTURES)
    left = steps = max(2, round(seconds / POLL_S))
    try:
        while left > 0:
            left -= 1
            await asyncio.sleep(POLL_S)
            frame = reader.read()
            if frame is None or frame.number == newest:
                continue
            if frame.number < newest:
                restarts += 1
                seen.clear()
                lumas.clear()
                left = steps if restarts <= MAX_RESTARTS else left
            newest = frame.number
            seen = [*seen[:1], frame]
            lumas.append(luma_of(frame.rgb, frame.width, frame.height))
    finally:
        reader.close()
    return seen, list(lumas), restarts


async def check_microphones(
    settings: Settings, sources: Sources, seconds: float
) -> DeviceTestAnswer:
    """Check that every microphone is connected; measure its level and whether it was heard."""
    if not settings.microphones:
        return check_answer("not_fitted", {}, skipped=True)
    before = {row.name: row.heard for row in sources.describe_microphones()}
    levels: dict[str, list[float]] = {microphone.name: [] for microphone in settings.microphones}
    for step in range(max(5, round((seconds or MICROPHONES_S) / POLL_S))):
        await asyncio.sleep(POLL_S)
        for name, level in sources.levels().items():
            levels[name].append(level.rms_db)
        if step * POLL_S > MICROPHONES_S:
            rows = sources.describe_microphones()
            if all(row.heard is not None and row.heard != before.get(row.name) for row in rows):
                break  # somebody has spoken into each
    measured: dict[str, Any] = {}
    codes = []
    opened = {device.name: device.opened for device in sources.devices()}
    for microphone in sources.describe_microphones():
        name, state = microphone.name, microphone.state
        heard = levels[name] or [FLOOR_DB]
        measured[name] = {
            "state": state,
            **({"refused": microphone.refusal.text} if microphone.refusal else {}),
            "level_db": round(max(heard), 1),
            "noise_db": round(sorted(heard)[len(heard) // 10], 1),
            "heard": microphone.heard is not None and microphone.heard != before.get(name),
            "device": str(opened.get(name) or ""),
        }
        if state == MicrophoneState.STARTING:
            state = MicrophoneState.ABSENT
        if state.is_lost:
            codes.append(state.alarm)
    return check_answer(codes[0] if codes else None, measured)


async def check_panel(
    panel: Panel, busy: Callable[[], bool], sync_lamp: Callable[[], None], seconds: float
) -> DeviceTestAnswer:
    """Blink the lamp (it is read back) until the button is pressed or the time is over."""
    if panel.state == "off":
        return check_answer("not_fitted", {}, skipped=True)
    if panel.state == "absent":
        return check_answer("panel_absent", {"problem": panel.problem})
    pressed = False
    panel.is_tested = True
    try:
        panel.lamp = LampState.OFF
        off = panel.lamp
        for step in range(max(1, round((seconds or PANEL_S) / POLL_S))):
            is_lit = int(step * POLL_S / BLINK_S) % 2 == 0
            panel.lamp = LampState.STEADY if is_lit else LampState.OFF
            await asyncio.sleep(POLL_S)
            pressed = pressed or panel.is_pressed
            if pressed or busy():
                break
        panel.lamp = LampState.STEADY
        works = panel.lamp is LampState.STEADY and off is LampState.OFF
    finally:
        sync_lamp()
        panel.is_tested = False
    return check_answer(
        None if works else "panel_absent", {"lamp": works, "button_pressed": pressed}
    )


async def check_storage(settings: Settings, paths: Paths) -> DeviceTestAnswer:
    """Write durably, read back and compare; report how many hours still fit."""
    space = measure_space(paths.data, settings)
    measured: dict[str, Any] = {
        "free_bytes": space.free_bytes,
        "total_bytes": space.total_bytes,
        "hours_left": space.hours_left,
        "swap_on_disk": ", ".join(swap_on_disk()) or "none",
    }
    with contextlib.suppress(OSError):
        measured["volatile"] = is_volatile(paths.data)
    if measured.get("volatile") and not settings.paths.volatile_data_ok:
        return check_answer("data_volatile", measured)
    if space.state in ("full", "failed"):
        return check_answer(PRIMARY_ALARMS[space.state], measured)
    try:
        speed = await asyncio.to_thread(measure_speed, paths.data)
    except StorageError as error:
        return check_answer("storage_failed", measured | {"problem": str(error)})
    measured |= {
        "write_mb_s": round(speed.write_bytes_s / 1e6, 1),
        "read_mb_s": round(speed.read_bytes_s / 1e6, 1),
        "sync_ms": speed.sync_ms,
    }
    needed = 4 * (settings.camera.bitrate / 8 + 96_000 * len(settings.microphones))
    code = "disk_slow" if speed.write_bytes_s < needed else PRIMARY_ALARMS.get(space.state)
    limits = {
        "write_mb_s": Limit(least=round(needed / 1e6, 1)),
        "hours_left": Limit(least=settings.recording.low_space_hours),
    }
    return check_answer(code, measured, limits)


async def check_clock(rtc: Path = ROOT) -> DeviceTestAnswer:
    """Check that the clock is set, and that the real-time clock has a battery and the same time.

    A machine without a real-time clock is no fault: the report names it.
    """
    state, chip = clock_state(), await asyncio.to_thread(read_real_time_clock, rtc)
    measured = {"state": state, "synchronised": is_synchronised(), "rtc": chip.state}
    told = {
        "battery_v": chip.battery_v,
        "charging_v": chip.charging_v,
        "apart_s": chip.apart_s,
    }
    measured |= {name: value for name, value in told.items() if value is not None}
    limits = {
        "battery_v": Limit(least=EMPTY_V),
        "apart_s": Limit(least=-MOST_APART_S, most=MOST_APART_S),
    }
    return check_answer(CLOCK.get(state) or RTC.get(chip.state), measured, limits)


async def check_machine() -> DeviceTestAnswer:
    """Check heat, power, file systems and wear; what this machine does not tell is null."""
    health = await asyncio.to_thread(read_machine_health)
    return check_answer(next(iter(health.alarms), None), health.as_json(), HEALTH_LIMITS)


async def check_court_keys(paths: Paths) -> DeviceTestAnswer:
    """Check that the court's keys are pinned and that the court has proved that it can use them.

    A hearing may be closed at any time by one tap, so every kiosk needs them.
    """
    state = await asyncio.to_thread(court_key_status, paths)
    measured = {"state": state, "proven": await asyncio.to_thread(proof_times, paths)}
    return check_answer(None if state == "ok" else f"court_key_{state}", measured)


async def check_certificate(settings: Settings, paths: Paths) -> DeviceTestAnswer:
    """Check that the kiosk's certificate is valid for long enough, by a clock that is trusted."""
    identity = await asyncio.to_thread(load_identity, paths)
    is_trusted = is_clock_trusted()
    measured: dict[str, Any] = {
        "issued_to": identity.kiosk_id,
        "ends": format_wall(identity.not_after),
        "clock_trusted": is_trusted,
    }
    if not is_trusted:
        return check_answer("clock_unsynchronised", measured, skipped=True)
    now = wall_time()
    days = (identity.not_after - now).total_seconds() / 86400
    measured["days_left"] = max(0, int(days))
    limits = {"days_left": Limit(least=MIN_CERTIFICATE_DAYS)}
    code = "certificate_ends_soon" if days < MIN_CERTIFICATE_DAYS else None
    if not identity.not_before <= now < identity.not_after:
        code = "certificate_invalid"
    if identity.kiosk_id != settings.kiosk.id:
        code = "certificate_invalid"
    return check_answer(code, measured, limits)


async def check_mirror(settings: Settings, mirror: Mirror) -> DeviceTestAnswer:
    """Check that the second storage is there, this kiosk's, and takes what is written.

    Args:
        mirror: its state, as the recorder watches it: a storage that hangs is not touched here.
    """
    root = settings.paths.mirror
    if root is None or mirror.state == MirrorState.OFF:
        return check_answer("not_fitted", {}, skipped=True)
    measured: dict[str, Any] = {
        "state": mirror.state,
        "free_bytes": mirror.free_bytes,
        "behind_bytes": mirror.behind_bytes,
    }
    if not mirror.state.is_healthy:
        return check_answer(MIRROR_ALARMS.get(mirror.state, "mirror_failed"), measured)
    volume = StorageVolume(root, settings.kiosk.id, "mirror")
    try:
        async with asyncio.timeout(MIRROR_S):
            speed = await asyncio.to_thread(volume.measure_speed, MIRROR_BYTES)
    except (OSError, StorageError, TimeoutError) as error:
        return check_answer("mirror_failed", measured | {"problem": str(error)})
    measured["write_mb_s"] = round(speed.write_bytes_s / 1e6, 1)
    needed = settings.camera.bitrate / 8 + 96_000 * len(settings.microphones)
    code = "mirror_slow" if speed.write_bytes_s < needed else None
    return check_answer(code, measured, {"write_mb_s": Limit(least=round(needed / 1e6, 1))})


async def check_headset(settings: Settings, seconds: float) -> DeviceTestAnswer:
    """Play a tone in the headset, in a process of its own: a driver may hang."""
    device = settings.headset.device
    if not device:
        return check_answer("not_fitted", {}, skipped=True)
    measured: dict[str, Any] = {"device": device}
    try:
        await play_in_headset(device, tone_samples(seconds or HEADSET_S))
    except HeadsetAbsentError as error:
        return check_answer("headset_absent", measured | {"problem": str(error)[:200]})
    return check_answer(None, measured)
