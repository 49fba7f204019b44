"""Warm sources on virtual devices, through PortAudio, PulseAudio and libx264, with real faults."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.config import Camera, Microphone, Settings
from kiosk.hardware.camera.preview import PreviewFrame, PreviewReader
from kiosk.hardware.sources.source import SourceSet
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from tests.waiting import wait_for

NAMES = ("judge", "witness")
PATIENCE = 30.0


@dataclass
class Room:
    folder: Path
    sound: VirtualMicrophones
    sources: SourceSet

    def states(self) -> set[str]:
        return {microphone.state for microphone in self.sources.microphones}

    def wait_all(self, *states: str) -> None:
        wait_for(lambda: self.states() <= set(states), f"microphones {states}", PATIENCE)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-") as name,
        VirtualMicrophones(Path(name) / "mics", NAMES) as sound,
        pytest.MonkeyPatch.context() as patch,
    ):
        for key, value in sound.environment.items():
            patch.setenv(key, value)
        settings = Settings(
            camera=Camera(back_end="virtual", width=320, height=180),
            microphones=tuple(Microphone(**entry) for entry in sound.settings(NAMES, {})),
        )
        with SourceSet(settings, Path(name) / "preview") as sources:
            assert sources.wait_ready(PATIENCE)
            yield Room(Path(name), sound, sources)


def test_state_levels_and_devices(room: Room) -> None:
    room.wait_all("ok")
    state = room.sources.state()
    assert state["camera"]["state"] == "ok"
    assert state["camera"]["back_end"] == "virtual (libx264)"
    assert [entry["name"] for entry in state["microphones"]] == list(NAMES)
    assert set(state["microphones"][0]) == {"name", "kind", "role", "state", "since", "heard"}
    wait_for(lambda: room.sources.levels()["judge"]["rms_db"] > -70, "levels", PATIENCE)
    levels = room.sources.levels()
    assert -65 < levels["witness"]["rms_db"] < -50
    devices = {entry["name"]: entry for entry in room.sources.devices()}
    assert devices["judge"]["library"] == "PyAudio"
    assert devices["judge"]["back_end"].startswith("PortAudio")
    assert devices["camera"]["library"] == "PyAV"
    assert all(entry["virtual"] for entry in devices.values())


def test_a_voice_is_heard_in_one_microphone_only(room: Room) -> None:
    room.wait_all("ok")
    speech = room.sound.say("witness", "I was there that evening and saw everything")
    judge, witness = (microphone.meter for microphone in room.sources.microphones)
    wait_for(lambda: witness.rms_db > -35, "the witness's voice", PATIENCE)
    assert judge.rms_db < -50
    speech.wait()
    assert room.sources.state()["microphones"][1]["heard"] is not None
    assert room.sources.state()["microphones"][0]["heard"] is None


def test_the_live_picture_moves(room: Room) -> None:
    reader = PreviewReader(room.folder / "preview")
    first = wait_for(reader.read, "a picture", PATIENCE)

    def later() -> PreviewFrame | None:
        frame = reader.read()
        return frame if frame is not None and frame.number > first.number else None

    second = wait_for(later, "the next picture", PATIENCE)
    assert (second.width, second.height) == (640, 360)
    assert second.captured_ns > first.captured_ns
    assert len(set(second.rgb)) > 20


def test_a_killed_microphone_process_comes_back(room: Room) -> None:
    room.wait_all("ok")
    device = room.sources.audio_devices[0]
    assert device.pid is not None
    os.kill(device.pid, signal.SIGKILL)
    judge, witness = room.sources.microphones
    wait_for(lambda: judge.state == "dead", "the loss", 2.0)
    assert witness.state == "ok"
    wait_for(lambda: judge.state == "ok", "the return", PATIENCE)


def test_a_mute_switch_is_noticed(room: Room) -> None:
    room.wait_all("ok")
    judge, witness = room.sources.microphones
    room.sound.mute("judge")
    wait_for(lambda: judge.state == "muted", "muted", 3.0)
    assert witness.state == "ok"
    room.sound.mute("judge", False)
    wait_for(lambda: judge.state == "ok", "sound", PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_or_hanging_camera_process_is_replaced(room: Room, number: int) -> None:
    camera = room.sources.camera
    assert camera is not None
    wait_for(lambda: camera.state == "ok", "the camera", PATIENCE)
    before = camera.pid
    assert before is not None
    os.kill(before, number)
    wait_for(lambda: camera.state == "frozen", "the loss", 5.0)
    wait_for(lambda: camera.state == "ok" and camera.pid != before, "the return", PATIENCE)


def test_a_frozen_sound_server_is_noticed_and_healed(room: Room) -> None:
    room.wait_all("ok")
    room.sound.freeze()
    try:
        room.wait_all("dead", "absent")
    finally:
        room.sound.freeze(False)
    room.wait_all("ok")


def test_a_killed_sound_server_is_noticed_and_healed(room: Room) -> None:
    room.wait_all("ok")
    room.sound.kill()
    room.wait_all("dead", "absent")
    room.sound.start()
    room.wait_all("ok")


def test_an_absent_microphone_and_no_camera_leave_the_rest_alone(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.wait_all("ok")
    settings = Settings(
        camera=Camera(back_end="picamera2", width=320, height=180),
        microphones=(
            Microphone(name="here", role="judge", device="mic_judge"),
            Microphone(name="gone", role="witness", device="no such device"),
        ),
    )
    monkeypatch.setattr("kiosk.hardware.sources.source.SLOW_CAMERA_NS", 10**12)
    with SourceSet(settings, room.folder / "preview-2") as sources:
        here, gone = sources.microphones
        wait_for(lambda: gone.state == "absent", "the absence", PATIENCE)
        wait_for(lambda: here.state == "ok", "the other microphone", PATIENCE)
        assert sources.camera is not None
        wait_for(lambda: sources.camera and sources.camera.state == "absent", "no camera", 10.0)
        assert not sources.wait_ready(1.0)
