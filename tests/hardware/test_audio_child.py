"""What a sound child does while its device cannot be opened: PortAudio refuses in its place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pyaudio  # type: ignore[import-untyped]
import pytest

from kiosk.hardware.audio.portaudio import BusyDeviceError, PortAudioDevice
from kiosk.hardware.audio.sound_devices import PartialNameError, SoundDevice
from kiosk.hardware.child_process.child import MessageWriter
from kiosk.hardware.sources import audio_child
from kiosk.hardware.sources.audio_child import BUSY_TRIES, _InputStream

CONFIG = {"device": "mic", "rate": 48000, "channels": 1}


class Statuses:
    """Keeps what the parent is told."""

    def __init__(self) -> None:
        self.said: list[Any] = []  # None: a block

    def send_status(self, **values: Any) -> None:
        self.said.append(values)

    def send(self, _kind: int, _payload: bytes) -> None:
        self.said.append(None)


class RefusingAudio:
    """PortAudio whose devices offer 44100 Hz only."""

    def open(self, **_: Any) -> Any:
        raise OSError(pyaudio.paInvalidSampleRate, "Invalid sample rate")

    def is_format_supported(self, rate: int, **_: Any) -> bool:
        return rate == 44100

    def terminate(self) -> None:
        pass


@pytest.fixture
def audio(monkeypatch: pytest.MonkeyPatch) -> RefusingAudio:
    made = RefusingAudio()
    monkeypatch.setattr(pyaudio, "PyAudio", lambda: made)
    return made


def find_mic(*_: Any) -> PortAudioDevice:
    return PortAudioDevice(0, 1, SoundDevice("mic"))


@pytest.mark.usefixtures("audio")
def test_a_refused_device_is_asked_for_its_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_child, "find_portaudio_device", find_mic)
    parent = Statuses()
    device = _InputStream(cast(MessageWriter, parent), CONFIG)
    assert not device.open()
    assert parent.said[0]["refused"]["offered"] == [44100]
    assert device.retry_s == audio_child.REFUSED_RETRY_S


class DeliveringAudio(RefusingAudio):
    """PortAudio whose device delivers one block and ends; notes each scheduler at its opening."""

    def __init__(self) -> None:
        self.policies: list[int] = []
        self._deliver: Any = None

    def open(self, **options: Any) -> Any:
        self.policies = own_policies()
        self._deliver = options["stream_callback"]
        return self

    def is_active(self) -> bool:
        self._deliver(bytes(1920 * 2), 1920, {}, 0)
        return False


def own_policies() -> list[int]:
    """Return the scheduler of each thread of this process."""
    return [os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()]


def open_and_deliver() -> None:
    """Open a device, take its only block; print what the parent is told and the schedulers."""
    parent, audio = Statuses(), DeliveringAudio()
    device = _InputStream(cast(MessageWriter, parent), CONFIG)
    with (
        patch.object(pyaudio, "PyAudio", lambda: audio),
        patch.object(audio_child, "find_portaudio_device", find_mic),
        patch.object(audio_child, "is_present", lambda _device: True),
    ):
        assert device.open()
        device.forward_blocks()
    kinds = ["block" if row is None else next(iter(row)) for row in parent.said]
    told = next(row for row in parent.said if row and "real_time" in row)
    print(json.dumps([kinds, told["real_time"], audio.policies, own_policies()]))


def start_alone(what: str) -> subprocess.Popen[str]:
    """Start a function of this file in a process of its own, whose priority may change."""
    code = f"from tests.hardware import test_audio_child as t; t.{what}()"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_a_device_gets_real_time_priority_only_when_it_delivers() -> None:
    """Before, PortAudio spins: with priority it stopped the camera and the sound server."""
    with start_alone("open_and_deliver") as process:
        kinds, real_time, at_opening, after = json.loads(process.communicate()[0])
    assert kinds == ["library", "real_time", "block"]
    assert set(at_opening) == {os.SCHED_OTHER}
    assert set(after) == {os.SCHED_RR if real_time else os.SCHED_OTHER}


def spin() -> None:
    """Be a device's thread that never waits."""
    print(audio_child.raise_priority(), flush=True)
    while True:
        pass


def test_a_real_time_thread_that_never_waits_is_ended() -> None:
    with start_alone("spin") as process:
        assert process.stdout is not None
        has_real_time = process.stdout.readline() == "True\n"
        if not has_real_time:
            process.kill()
            pytest.skip("this machine gives no real-time priority")
        assert process.wait(60) in (-signal.SIGXCPU, -signal.SIGKILL)


@pytest.mark.usefixtures("audio")
def test_a_device_that_another_child_holds_for_a_moment_is_not_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(*_: Any) -> None:
        raise BusyDeviceError("mic: held by another program")

    monkeypatch.setattr(audio_child, "find_portaudio_device", find)
    parent = Statuses()
    device = _InputStream(cast(MessageWriter, parent), CONFIG)
    for _ in range(BUSY_TRIES + 1):
        assert not device.open()
    assert parent.said[:2] == [{"absent": True}] * 2
    assert [row["refused"]["reason"] for row in parent.said[2:]] == ["busy", "busy"]


@pytest.mark.usefixtures("audio")
def test_a_part_of_a_name_is_refused_and_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: Any) -> None:
        raise PartialNameError("“PnP” names no device whole; did you mean “id:Device”?")

    monkeypatch.setattr(audio_child, "find_portaudio_device", find)
    parent = Statuses()
    assert not _InputStream(cast(MessageWriter, parent), CONFIG).open()
    (said,) = parent.said
    assert said["refused"]["reason"] == "name"
    assert "did you mean" in said["refused"]["detail"]
