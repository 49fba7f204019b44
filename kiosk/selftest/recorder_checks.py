"""The technician's tests of what the recorder owns: camera, microphones, panel, storage, clock,
and the court's keys.

Each returns ``{"state": "passed"|"failed"|"skipped", "code"?, "measured": {...}}``. Everything is
measured on the running devices; nothing is assumed from their settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.audio.level_meter import FLOOR_DB
from kiosk.hardware.camera.preview import PreviewFrame, PreviewReader
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.source import SourceSet
from kiosk.hardware.wall_clock import clock_state, has_battery, is_synchronised
from kiosk.hearing.monitoring.active_alarms import CAMERA, CLOCK, MICROPHONE, MICROPHONE_RECORDING
from kiosk.hearing.room.storage_monitor import OWN
from kiosk.storage.court_keys import court_keys_state, proven
from kiosk.storage.paths import Layout
from kiosk.storage.space import measure_speed, space_of

Verdict = dict[str, Any]
POLL_S = 0.1
CAMERA_S, MICROPHONES_S, PANEL_S = 3.0, 3.0, 3.0
BLINK_S = 0.5
DARK_CONTRAST = 4.0
"""Standard deviation of brightness (0 to 255) below which there is no picture to see."""
FRAMES_SHARE = 0.5
"""Of the pictures asked for, at least so many must come."""


def verdict(code: str | None, measured: dict[str, Any], *, skipped: bool = False) -> Verdict:
    """Return the answer of a test: passed where there is no ``code``."""
    state = "skipped" if skipped else "failed" if code else "passed"
    return {"state": state, **({"code": code} if code else {}), "measured": measured}


async def check_camera(settings: Settings, sources: SourceSet, layout: Layout, s: float) -> Verdict:
    """Do pictures arrive, do they change, and is there something to be seen?"""
    if settings.camera.back_end == "none":
        return verdict("not_fitted", {}, skipped=True)
    seen = await _watch_preview(layout, s or CAMERA_S)
    state = str(sources.state()["camera"]["state"])
    if not seen:
        return verdict(CAMERA.get(state, "camera_frozen"), {"frames": 0, "state": state})
    pixels = [np.frombuffer(one.rgb, np.uint8)[::7].astype(np.float32) for one in seen]
    span_s = (seen[-1].captured_ns - seen[0].captured_ns) / 1e9
    frames = seen[-1].number - seen[0].number
    measured: dict[str, Any] = {
        "state": state,
        "frames": frames,
        "fps": round(frames / span_s, 1) if span_s > 0 else 0.0,
        "contrast": round(float(pixels[-1].std()), 1),
        "brightness": round(float(pixels[-1].mean()), 1),
        "change": round(float(np.abs(pixels[-1] - pixels[0]).mean()), 2),
    }
    wanted = min(settings.camera.fps, settings.camera.preview_fps) * FRAMES_SHARE
    if state != "ok" or len(seen) < 2 or measured["fps"] < wanted:
        return verdict(CAMERA.get(state, "camera_frozen"), measured)
    if measured["contrast"] < DARK_CONTRAST:
        return verdict("camera_dark", measured)
    # a sensor's noise never stands still: pictures that are equal are one picture
    return verdict(None if measured["change"] > 0 else "camera_frozen", measured)


async def _watch_preview(layout: Layout, seconds: float) -> list[PreviewFrame]:
    """Return the first and the newest pictures of the next ``seconds``."""
    reader = PreviewReader(layout.preview)
    old = reader.read()
    seen: list[PreviewFrame] = []
    try:
        for _ in range(max(2, round(seconds / POLL_S))):
            await asyncio.sleep(POLL_S)
            frame = reader.read()
            if frame is None or (old is not None and frame.number == old.number):
                continue
            if not seen or frame.number != seen[-1].number:
                seen = [*seen[:1], frame]
    finally:
        reader.close()
    return seen


async def check_microphones(settings: Settings, sources: SourceSet, s: float) -> Verdict:
    """Is every microphone there, what is its level, and was it heard while listening?"""
    if not settings.microphones:
        return verdict("not_fitted", {}, skipped=True)
    before = {one["name"]: one["heard"] for one in sources.state()["microphones"]}
    levels: dict[str, list[float]] = {one.name: [] for one in settings.microphones}
    for _ in range(max(5, round((s or MICROPHONES_S) / POLL_S))):
        await asyncio.sleep(POLL_S)
        for name, level in sources.levels().items():
            levels[name].append(float(level["rms_db"]))
    measured: dict[str, Any] = {}
    codes = []
    table = MICROPHONE | {"muted": MICROPHONE_RECORDING["muted"]}
    for one in sources.state()["microphones"]:
        name, state = str(one["name"]), str(one["state"])
        heard = levels[name] or [FLOOR_DB]
        measured[name] = {
            "state": state,
            "level_db": round(max(heard), 1),
            "noise_db": round(sorted(heard)[len(heard) // 10], 1),
            "heard": one["heard"] is not None and one["heard"] != before.get(name),
        }
        if code := table.get("absent" if state == "starting" else state):
            codes.append(code)
    return verdict(codes[0] if codes else None, measured)


async def check_panel(
    panel: Panel, busy: Callable[[], bool], right_lamp: Callable[[], None], s: float
) -> Verdict:
    """Light the lamp (it is read back) and listen for the button, until it is pressed."""
    if panel.state == "off":
        return verdict("not_fitted", {}, skipped=True)
    if panel.state == "absent":
        return verdict("panel_absent", {"problem": panel.problem})
    pressed = False
    try:
        panel.lamp = False
        off = panel.lamp
        for step in range(max(1, round((s or PANEL_S) / POLL_S))):
            panel.lamp = int(step * POLL_S / BLINK_S) % 2 == 0
            await asyncio.sleep(POLL_S)
            pressed = pressed or panel.pressed
            if pressed or busy():
                break
        panel.lamp = True
        works = panel.lamp and not off
    finally:
        right_lamp()
    return verdict(None if works else "panel_absent", {"lamp": works, "button_pressed": pressed})


async def check_storage(settings: Settings, layout: Layout) -> Verdict:
    """Write durably, read back, compare; and how many hours still fit."""
    space = space_of(layout.data, settings)
    measured: dict[str, Any] = {
        "free_bytes": space.free_bytes,
        "total_bytes": space.total_bytes,
        "hours_left": space.hours_left,
    }
    if space.state in ("full", "failed"):
        return verdict(OWN[space.state], measured)
    try:
        speed = await asyncio.to_thread(measure_speed, layout.data)
    except StorageError as error:
        return verdict("storage_failed", measured | {"problem": str(error)})
    measured |= {
        "write_mb_s": round(speed.write_bytes_s / 1e6, 1),
        "read_mb_s": round(speed.read_bytes_s / 1e6, 1),
        "sync_ms": speed.sync_ms,
    }
    needed = settings.camera.bitrate / 8 + 96_000 * len(settings.microphones)
    if speed.write_bytes_s < 4 * needed:
        return verdict("disk_slow", measured)
    return verdict(OWN.get(space.state), measured)


async def check_clock() -> Verdict:
    """Is the clock set, is it synchronised, does a battery keep it?"""
    state = clock_state()
    measured = {"state": state, "synchronised": is_synchronised(), "battery": has_battery()}
    return verdict(CLOCK.get(state), measured)


async def check_court_keys(layout: Layout) -> Verdict:
    """Are the court's keys pinned, and has it shown that it can open what is closed with them?

    A hearing may be closed at any time by one tap, so this is asked of every kiosk.
    """
    state = await asyncio.to_thread(court_keys_state, layout)
    measured = {"state": state, "proven": await asyncio.to_thread(proven, layout)}
    return verdict(None if state == "ok" else f"court_key_{state}", measured)
