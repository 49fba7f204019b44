"""Finds the device of PortAudio that a setting names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyaudio  # type: ignore[import-untyped]

from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.sound_devices import (
    ROOT,
    Direction,
    SoundDevice,
    find_device,
    list_devices,
)

CHANNEL_KEYS: Mapping[Direction, str] = {"input": "maxInputChannels", "output": "maxOutputChannels"}
RATES = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000)


class BusyDeviceError(DeviceAbsentError):
    """The device is there, and another process holds it."""

    code = "device_busy"


class PortAudioDevice:
    """A device as PortAudio opens it: its index and number of channels, and what it is."""

    def __init__(self, index: int, channels: int, device: SoundDevice) -> None:
        self.index, self.channels, self.device = index, channels, device


def find_portaudio_device(
    audio: pyaudio.PyAudio, setting: str, direction: Direction, root: Path = ROOT
) -> PortAudioDevice:
    """Return the one device that ``setting`` names.

    Raises:
        DeviceAbsentError: it is not there; AmbiguousDeviceError: several are named;
        BusyDeviceError: another process holds it.
    """
    listed: dict[str, Mapping[str, Any]] = {}
    for index in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(index)
        if int(info[CHANNEL_KEYS[direction]]) > 0:
            listed.setdefault(str(info["name"]), info)
    found = find_device(setting, list_devices(direction, listed, root))
    info = listed.get(found.name)
    if info is None:  # PortAudio leaves out what it cannot open
        raise BusyDeviceError(f"{found}: held by another program or microphone, or no access")
    return PortAudioDevice(int(info["index"]), int(info[CHANNEL_KEYS[direction]]), found)


def offered_rates(audio: pyaudio.PyAudio, device: PortAudioDevice) -> list[int]:
    """Return the usual sample rates (Hz) at which the input ``device`` can be opened now."""
    return [rate for rate in RATES if _is_offered(audio, device, rate)]


def _is_offered(audio: pyaudio.PyAudio, device: PortAudioDevice, rate: int) -> bool:
    try:
        return bool(
            audio.is_format_supported(
                rate,
                input_device=device.index,
                input_channels=device.channels,
                input_format=pyaudio.paInt16,
            )
        )
    except ValueError:  # PyAudio says so for every refusal
        return False
