"""Finds PortAudio's devices by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pyaudio  # type: ignore[import-untyped]

CHANNEL_KEYS = {"input": "maxInputChannels", "output": "maxOutputChannels"}


def find_device(
    audio: pyaudio.PyAudio, name: str, direction: Literal["input", "output"]
) -> Mapping[str, Any] | None:
    """Return the device named ``name`` (exactly, else as a part of its name), or None.

    There is no default device: another output may be the room's loudspeaker.
    """
    devices = [
        info
        for index in range(audio.get_device_count())
        if int((info := audio.get_device_info_by_index(index))[CHANNEL_KEYS[direction]]) > 0
    ]
    exact = [info for info in devices if info["name"] == name]
    partial = [info for info in devices if name and name in str(info["name"])]
    return next(iter(exact + partial), None)
