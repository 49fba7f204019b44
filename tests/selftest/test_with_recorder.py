"""The self-test against the real recorder process on virtual devices, and against its death."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest

from kiosk.ipc import LocalClient
from kiosk.selftest import CheckFinished, CheckResult, SelfTestContext, run_selftest
from kiosk.selftest.model import Question
from kiosk.settings_files import load_settings
from tests.support.court_keys import CourtSecrets
from tests.support.virtual_courtroom import BADGE, MICROPHONES, VirtualCourtroom

pytestmark = pytest.mark.slow

OWN = ("camera", "microphones", "panel", "storage", "clock", "machine", "court_keys")


async def sees_the_lamp(question: Question, seconds: float) -> bool | None:
    """Answer as a technician who sees the lamp and does not press the button."""
    del seconds
    return True if question == "lamp_seen" else None


async def results_of(room: VirtualCourtroom) -> dict[str, CheckResult]:
    """Sign a technician in and return the results of the recorder's own tests."""
    recorder = LocalClient(room.paths.recorder_socket)
    sync = LocalClient(room.paths.sync_socket)
    try:
        if room.state():
            signed = await recorder.post("/v1/sign-in", {"badge": BADGE})
            recorder.token = str(signed["token"])
        settings = load_settings(room.config)
        context = SelfTestContext(
            settings, room.paths, recorder, sync, ask=sees_the_lamp, answer_seconds=1
        )
        events = [event async for event in run_selftest(context, OWN)]
    finally:
        await recorder.close()
        await sync.close()
    return {
        event.result.check: event.result for event in events if isinstance(event, CheckFinished)
    }


def test_recorder_alive_recording_and_dead() -> None:
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        with VirtualCourtroom(Path(folder) / "k") as room:
            room.start_recorder()
            room.wait_ready()
            alive = asyncio.run(results_of(room))
            assert alive["camera"].state == "passed", alive["camera"]
            assert alive["camera"].measured["fps"] > 5
            assert alive["microphones"].state == "passed", alive["microphones"]
            assert set(alive["microphones"].measured) == set(MICROPHONES)
            assert alive["storage"].state == "passed", alive["storage"]
            assert alive["storage"].measured["free_bytes"] > 0
            assert (alive["panel"].state, alive["panel"].code) == ("skipped", "not_confirmed")
            assert alive["panel"].measured["lamp_seen"] is True
            assert alive["clock"].measured["state"] in ("ok", "unsynchronised", "unset")
            assert (alive["clock"].state == "passed") == (alive["clock"].measured["state"] == "ok")

            keys = alive["court_keys"]
            assert (keys.state, keys.code) == ("failed", "court_key_missing")
            CourtSecrets().pin(room.paths)
            keys = asyncio.run(results_of(room))["court_keys"]
            assert (keys.state, keys.code) == ("failed", "court_key_unproven")

            room.sign_in()
            room.start_hearing()
            while_recording = asyncio.run(results_of(room))
            states = {(row.state, row.code) for row in while_recording.values()}
            assert states == {("skipped", "already_recording")}

            room.kill_recorder()
            dead = asyncio.run(results_of(room))
            assert {(row.state, row.code) for row in dead.values()} == {("failed", "recorder_down")}
        reports = list((Path(folder) / "k" / "data" / "reports").glob("*/report.json"))
        devices = [json.loads(path.read_text(encoding="utf-8"))["devices"] for path in reports]
        assert len(devices) == 3  # the dead recorder could save none
        assert None not in devices
        named = next(device for device in devices if device)
        assert all({"name", "library", "version", "back_end", "virtual"} <= set(d) for d in named)
