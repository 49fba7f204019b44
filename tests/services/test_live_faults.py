"""Faults while recording: noticed, told apart, written down, healed, and the rest goes on."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.services.room import Room
from tests.services.test_recorder import hearing, seconds_at_least

NAMES = ("judge", "witness", "extra")
PATIENCE = 60.0


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Room, VirtualMicrophones]]:
    """One long hearing in which one thing after the other fails."""
    with (
        tempfile.TemporaryDirectory(prefix="f-") as folder,
        VirtualMicrophones(Path(folder, "m"), NAMES) as microphones,
    ):
        path = Path(folder, "r")
        path.mkdir()
        room = Room(path, microphones)
        text = (path / "kiosk.toml").read_text().replace('role = "extra"', 'role = "spare"')
        (path / "kiosk.toml").write_text(text)
        room.start()
        room.until_ready()
        room.post("/v1/hearings", hearing())
        room.until(seconds_at_least(2), "2 s", PATIENCE)
        yield room, microphones
        room.close()


def is_state(name: str, *states: str) -> Callable[[dict[str, Any]], bool]:
    def look(state: dict[str, Any]) -> bool:
        return any(one["name"] == name and one["state"] in states for one in state["microphones"])

    return look


def lost(room: Room, source: str, kind: str) -> dict[str, Any]:
    """Wait until an interruption is over; return it."""

    def over(state: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            one
            for one in state["hearing"]["interruptions"]
            if (one["source"], one["kind"]) == (source, kind) and one["seconds"] is not None
        ]

    return over(room.until(over, f"the end of {kind} of {source}", PATIENCE))[-1]


def codes(state: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["code"], one["source"]) for one in state["alarms"]}


def test_a_muted_microphone(scene: tuple[Room, VirtualMicrophones]) -> None:
    room, microphones = scene
    microphones.mute("witness")
    state = room.until(is_state("witness", "muted"), "muted", PATIENCE)
    assert ("microphone_muted", "witness") in codes(state)
    assert is_state("judge", "ok")(state)
    microphones.mute("witness", False)
    room.until(is_state("witness", "ok"), "its return", PATIENCE)
    assert lost(room, "witness", "muted")["seconds"] > 0.4
    assert "failure_reason" in room.state()["hearing"]["open_questions"]


def test_an_unplugged_microphone_is_replaced_by_the_spare(
    scene: tuple[Room, VirtualMicrophones],
) -> None:
    room, microphones = scene
    microphones.unplug("witness")
    state = room.until(is_state("witness", "absent"), "absent", PATIENCE)
    assert ("microphone_absent", "witness") in codes(state)
    room.post("/v1/hearing/remedies", {"source": "witness", "remedy": "spare"})
    state = room.state()
    assert ("microphone_absent", "witness") not in codes(state)
    roles = {one["name"]: one["role"] for one in state["microphones"]}
    assert roles == {"judge": "judge", "witness": "spare", "extra": "witness"}
    microphones.plug("witness")
    room.until(is_state("witness", "ok", "muted"), "its return", PATIENCE)
    assert lost(room, "witness", "absent")["seconds"] > 0.5
    room.post("/v1/hearing/remedies", {"source": "witness", "remedy": "back"})
    roles = {one["name"]: one["role"] for one in room.state()["microphones"]}
    assert roles["witness"] == "witness"


def test_a_frozen_sound_server(scene: tuple[Room, VirtualMicrophones]) -> None:
    room, microphones = scene
    before = room.state()["camera"]["frames"]
    microphones.freeze()
    state = room.until(lambda s: ("sound_server_down", "sound") in codes(s), "said", PATIENCE)
    assert {one["state"] for one in state["microphones"]} <= {"dead", "absent"}
    room.until(lambda s: s["camera"]["frames"] > before + 5, "the picture goes on", PATIENCE)
    microphones.freeze(False)
    room.until(is_state("judge", "ok"), "its return", PATIENCE)
    assert lost(room, "judge", "dead")["seconds"] > 0.5


@contextmanager
def slowed(pid: int) -> Iterator[None]:
    """Let a process run an eighth of the time only."""
    done = threading.Event()

    def pulse() -> None:
        while not done.is_set():
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.35)
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.05)

    thread = threading.Thread(target=pulse)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def child_of(pid: int, module: str) -> int:
    """Return the process that runs ``module`` for ``pid``."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(one) for path in children for one in path.read_text().split()]
    return next(
        one for one in found if module in Path(f"/proc/{one}/cmdline").read_text().split("\0")
    )


def test_a_slow_encoder(scene: tuple[Room, VirtualMicrophones]) -> None:
    room, _ = scene
    with slowed(child_of(room.process.pid, "kiosk.hardware.camera.child")):
        state = room.until(lambda s: s["camera"]["encoder"] == "slow", "slow", PATIENCE)
        assert ("encoder_slow", "camera") in codes(state)
    room.until(lambda s: s["camera"]["encoder"] == "ok", "fast enough again", PATIENCE)
    assert lost(room, "camera", "encoder")["seconds"] > 0
    state = room.state()
    assert state["camera"]["dropped"] > 0
    assert state["phase"] == "recording"
