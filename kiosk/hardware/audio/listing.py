"""Lists the sound devices of this machine with what PortAudio knows of them.

As a program it prints them as JSON: a service lists in a process of its own, since PortAudio opens
every device for a moment, and may hang or crash in a driver::

    python -m kiosk.hardware.audio.listing input
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kiosk.hardware.audio.sound_devices import ROOT, Direction, SoundDevice, list_devices

MAX_CHANNELS = 8


class ListedDevice(NamedTuple):
    """A sound device, and how it can be opened.

    Attributes:
        channels: as many as it has; 0: PortAudio does not list it, as while it is in use.
        rate: sample rate that PortAudio takes by default, in Hz; 0: unknown.
    """

    device: SoundDevice
    channels: int = 0
    rate: int = 0


def list_sound_devices(direction: Direction, root: Path = ROOT) -> list[ListedDevice]:
    """Return the devices of the kernel's cards, then those that only ALSA's settings name."""
    known = _portaudio_devices(direction)
    devices = list_devices(direction, known, root)
    return [ListedDevice(device, *known.get(device.name, (0, 0))) for device in devices]


def _portaudio_devices(direction: Direction) -> dict[str, tuple[int, int]]:
    """Return channels and rate by PortAudio's name, in its order; none where it is not there."""
    try:
        import pyaudio  # type: ignore[import-untyped]
    except ImportError:
        return {}
    from kiosk.hardware.audio.portaudio import CHANNEL_KEYS

    with _quiet_standard_error():  # ALSA complains there about every device that is not fitted
        audio = pyaudio.PyAudio()
        rows = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
        audio.terminate()
    key, found = CHANNEL_KEYS[direction], dict[str, tuple[int, int]]()
    for row in rows:
        if int(row[key]) > 0:
            found.setdefault(str(row["name"]), (int(row[key]), int(row["defaultSampleRate"])))
    return found


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Discard what C libraries write to standard error."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 (a device)
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def to_json(devices: list[ListedDevice]) -> str:
    """Return ``devices`` as JSON."""
    return json.dumps([(*row.device, row.channels, row.rate) for row in devices])


def from_json(text: str) -> list[ListedDevice]:
    """Return the devices of :func:`to_json`."""
    found = []
    for *fields, channels, rate in json.loads(text):
        name, hw, *rest = fields
        device = SoundDevice(name, None if hw is None else (hw[0], hw[1]), *rest)
        found.append(ListedDevice(device, channels, rate))
    return found


if __name__ == "__main__":
    print(to_json(list_sound_devices("output" if sys.argv[1] == "output" else "input")))
