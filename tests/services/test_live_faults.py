"""Faults while recording: noticed, distinguished, recorded, recovered; the rest goes on."""

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
from tests.services.recorder_process import RecorderProcess, hearing, seconds_at_least

pytestmark = pytest.mark.slow

NAMES = ("judge", "witness", "extra")
TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[RecorderProcess, VirtualMicrophones]]:
    """One long hearing in which one thing after the other fails."""
    with (
        tempfile.TemporaryDirectory(prefix="f-") as folder,
        VirtualMicrophones(Path(folder, "m"), NAMES) as microphones,
    ):
        path = Path(folder, "r")
        path.mkdir()
        recorder = RecorderProcess(path, microphones)
        text = (path / "kiosk.toml").read_text().replace('role = "extra"', 'role = "spare"')
        (path / "kiosk.toml").write_text(text)
        recorder.start()
        recorder.wait_until_ready()
        recorder.post("/v1/hearings", hearing())
        recorder.wait_for_state(seconds_at_least(2), "2 s", TIMEOUT_S)
        yield recorder, microphones
        recorder.close()


def is_state(name: str, *states: str) -> Callable[[dict[str, Any]], bool]:
    def matches(state: dict[str, Any]) -> bool:
        return any(row["name"] == name and row["state"] in states for row in state["microphones"])

    return matches


def wait_lost(recorder: RecorderProcess, source: str, kind: str, least_s: float) -> None:
    """Wait until an interruption of more than ``least_s`` is over.

    A busy machine may add another, of what was late and came after all: 0.0 s are lost.
    """

    def over(state: dict[str, Any]) -> bool:
        return any(
            (row["source"], row["kind"]) == (source, kind) and (row["seconds"] or 0) > least_s
            for row in state["hearing"]["interruptions"]
        )

    recorder.wait_for_state(over, f"the end of {kind} of {source}", TIMEOUT_S)


def codes(state: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["code"], row["source"]) for row in state["alarms"]}


def wait_alarm(recorder: RecorderProcess, code: str, source: str) -> None:
    """Wait for an alarm: the recorder looks for them a moment after a state has changed."""
    recorder.wait_for_state(lambda state: (code, source) in codes(state), code, TIMEOUT_S)


def test_a_muted_microphone(scene: tuple[RecorderProcess, VirtualMicrophones]) -> None:
    recorder, microphones = scene
    microphones.mute("witness")
    recorder.wait_for_state(is_state("witness", "muted"), "muted", TIMEOUT_S)
    wait_alarm(recorder, "microphone_muted", "witness")
    recorder.wait_for_state(is_state("judge", "ok"), "the other one", TIMEOUT_S)
    microphones.mute("witness", False)
    recorder.wait_for_state(is_state("witness", "ok"), "its return", TIMEOUT_S)
    wait_lost(recorder, "witness", "muted", 0.4)
    assert "failure_reason" in recorder.state()["hearing"]["open_questions"]


def test_an_unplugged_microphone_is_replaced_by_the_spare(
    scene: tuple[RecorderProcess, VirtualMicrophones],
) -> None:
    recorder, microphones = scene
    microphones.unplug("witness")
    recorder.wait_for_state(is_state("witness", "absent"), "absent", TIMEOUT_S)
    wait_alarm(recorder, "microphone_absent", "witness")
    recorder.post("/v1/hearing/remedies", {"source": "witness", "remedy": "spare"})
    state = recorder.state()
    assert ("microphone_absent", "witness") not in codes(state)
    roles = {row["name"]: row["role"] for row in state["microphones"]}
    assert roles == {"judge": "judge", "witness": "spare", "extra": "witness"}
    microphones.plug("witness")
    recorder.wait_for_state(is_state("witness", "ok", "muted"), "its return", TIMEOUT_S)
    wait_lost(recorder, "witness", "absent", 0.5)
    recorder.post("/v1/hearing/remedies", {"source": "witness", "remedy": "back"})
    roles = {row["name"]: row["role"] for row in recorder.state()["microphones"]}
    assert roles["witness"] == "witness"


def test_a_frozen_sound_server(scene: tuple[RecorderProcess, VirtualMicrophones]) -> None:
    recorder, microphones = scene
    before = recorder.state()["camera"]["frames"]
    microphones.freeze()
    state = recorder.wait_for_state(
        lambda s: ("sound_server_down", "sound") in codes(s), "said", TIMEOUT_S
    )
    assert {row["state"] for row in state["microphones"]} <= {"dead", "absent"}
    recorder.wait_for_state(
        lambda s: s["camera"]["frames"] > before + 5, "the picture goes on", TIMEOUT_S
    )
    microphones.freeze(False)
    recorder.wait_for_state(is_state("judge", "ok"), "its return", TIMEOUT_S)
    wait_lost(recorder, "judge", "dead", 0.5)


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
    found = [int(row) for path in children for row in path.read_text().split()]
    return next(
        row for row in found if module in Path(f"/proc/{row}/cmdline").read_text().split("\0")
    )


def test_a_slow_encoder(scene: tuple[RecorderProcess, VirtualMicrophones]) -> None:
    recorder, _ = scene
    with slowed(child_of(recorder.process.pid, "kiosk.hardware.sources.camera_child")):
        recorder.wait_for_state(lambda s: s["camera"]["encoder"] == "slow", "slow", TIMEOUT_S)
        wait_alarm(recorder, "encoder_slow", "camera")
    recorder.wait_for_state(
        lambda s: s["camera"]["encoder"] == "ok", "fast enough again", TIMEOUT_S
    )
    wait_lost(recorder, "camera", "encoder", 0)
    state = recorder.state()
    assert state["camera"]["dropped"] > 0
    assert state["phase"] == "recording"
