"""What a sound child does while its device cannot be opened: PortAudio refuses in its place."""

from __future__ import annotations

import os
from typing import Any, cast

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
        self.said: list[dict[str, Any]] = []

    def send_status(self, **values: Any) -> None:
        self.said.append(values)


class RefusingAudio:
    """PortAudio whose devices offer 44100 Hz only; notes the scheduler of each question."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def open(self, **_: Any) -> None:
        raise OSError(pyaudio.paInvalidSampleRate, "Invalid sample rate")

    def is_format_supported(self, rate: int, **_: Any) -> bool:
        self.asked.append(os.sched_getscheduler(0))
        return rate == 44100

    def terminate(self) -> None:
        pass


@pytest.fixture
def audio(monkeypatch: pytest.MonkeyPatch) -> RefusingAudio:
    made = RefusingAudio()
    monkeypatch.setattr(pyaudio, "PyAudio", lambda: made)
    return made


def test_a_refused_device_is_asked_for_its_rates_without_real_time_priority(
    audio: RefusingAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    real = os.sched_setscheduler

    def note(pid: int, policy: int, param: os.sched_param) -> None:
        given.append(policy)
        real(pid, policy, param)

    found = PortAudioDevice(0, 1, SoundDevice("mic"))
    monkeypatch.setattr(audio_child, "find_portaudio_device", lambda *_: found)
    monkeypatch.setattr(os, "sched_setscheduler", note)
    parent = Statuses()
    device = _InputStream(cast(MessageWriter, parent), CONFIG)
    try:
        assert not device.open()
    finally:
        real(0, os.SCHED_OTHER, os.sched_param(0))
    assert given == [os.SCHED_RR, os.SCHED_OTHER] * 2  # with the channels asked for, and its own
    assert set(audio.asked) == {os.SCHED_OTHER}
    assert parent.said[0]["refused"]["offered"] == [44100]
    assert device.retry_s == audio_child.REFUSED_RETRY_S


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
