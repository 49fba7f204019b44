"""When a microphone counts as stalled: its process and the clock are played."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.clocks import NS_PER_S
from kiosk.config import MicrophoneSettings
from kiosk.hardware.child_process.protocol import AUDIO, pack_audio
from kiosk.hardware.sources import audio_device
from kiosk.hardware.sources.audio_device import AudioDevice
from kiosk.hardware.sources.microphone_source import MicrophoneSource

RATE = 48_000


class PlayedProcess:
    """Stands in for the supervised process and for the recording clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self._calls: tuple[Any, ...] = ()
        monkeypatch.setattr(audio_device, "ProcessSupervisor", self._supervise)
        monkeypatch.setattr(audio_device, "recording_ns", self._now_ns)

    def open_device(self) -> AudioDevice:
        """Return a device whose process this is."""
        settings = MicrophoneSettings(name="judge", role="judge", device="mic")
        return AudioDevice("mic", (MicrophoneSource(settings),))

    def _supervise(self, *calls: Any) -> PlayedProcess:
        self._calls = calls
        return self

    def _now_ns(self) -> int:
        return round(self.now_s * NS_PER_S)

    def send_command(self, **_values: object) -> bool:
        return True

    def deliver(self) -> None:
        """Deliver a block now."""
        block = (self._now_ns(), bytes(RATE // 25 * 2))
        self._calls[3](AUDIO, pack_audio(1, [block]))

    def problem_at(self, moment_s: float) -> str | None:
        """Return what the device finds at a moment."""
        self.now_s = moment_s
        found: str | None = self._calls[4]()
        return found


def test_a_recording_waits_a_whole_beat_for_a_microphone_at_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = PlayedProcess(monkeypatch)
    device = process.open_device()
    process.deliver()
    assert process.problem_at(1.1) is None  # at rest
    process.now_s = 0.4  # just before the next beat of rest
    device.set_recorded(True)
    assert process.problem_at(0.9) is None
    assert process.problem_at(1.1) == "gives no samples"
    process.deliver()
    assert process.problem_at(1.6) is None
    assert process.problem_at(1.8) == "gives no samples"


def test_a_microphone_that_stalled_before_a_recording_is_found_as_at_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = PlayedProcess(monkeypatch)
    device = process.open_device()
    process.deliver()
    process.now_s = 1.1
    device.set_recorded(True)
    assert process.problem_at(1.3) == "gives no samples"
