"""Opens every sound input that is there, so that a technician finds each by speaking into it.

What the settings use already is running: the survey lists it by its microphone's name. All else is
opened as a microphone of its own for as long as the survey lasts, one per channel.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.api.recorder import Level
from kiosk.api.room import FoundInput
from kiosk.config import MicrophoneSettings
from kiosk.device_address import parse_device_address
from kiosk.errors import DeviceAbsentError
from kiosk.hardware.audio.listing import MAX_CHANNELS, ListedDevice, from_json
from kiosk.hardware.audio.sound_devices import ROOT, find_device, list_devices
from kiosk.hardware.sources.audio_device import AudioDevice
from kiosk.hardware.sources.microphone_source import MicrophoneSource

log = logging.getLogger(__name__)
LIST_TIMEOUT_S = 20.0
RELIST_S = 5.0
"""Without cards (ALSA's own names alone) the kernel does not tell that something was plugged in."""
RATES: tuple[Literal[48000, 44100, 32000, 16000], ...] = (48000, 44100, 32000, 16000)


@dataclass(frozen=True)
class _Row:
    """One channel of a device that the survey has opened."""

    listed: ListedDevice
    address: str
    channel: int
    source: MicrophoneSource


class InputSurvey:
    """The inputs of this machine, opened.

    Args:
        microphones: those of the settings in force.
        root: folder that has ``sys`` and ``proc``.
    """

    def __init__(self, microphones: Sequence[MicrophoneSettings], root: Path = ROOT) -> None:
        self._microphones, self._root = microphones, root
        self._devices: dict[str, AudioDevice] = {}
        self._rows: list[_Row] = []
        self._used: list[FoundInput] = []
        self._seen: list[object] = []
        self._listed_at = -RELIST_S

    def refresh(self) -> None:
        """List the devices again if they may have changed; open what is new, close what is gone.

        It blocks for as long as PortAudio lists, at most ``LIST_TIMEOUT_S``.
        """
        cards: list[object] = list(list_devices("input", root=self._root))
        is_due = not cards and time.monotonic() - self._listed_at >= RELIST_S
        if not is_due and self._rows + self._used and cards == self._seen:
            return
        listed = _list_in_a_process()
        self._seen, self._listed_at = cards, time.monotonic()
        usable = [row for row in listed if row.device.hw is not None] or listed
        devices = [row.device for row in usable]
        self._used = self._names_in_use(usable)
        in_use = {row.device for row in self._used}
        wanted: dict[str, ListedDevice] = {}
        for row in usable:
            address = row.device.stable_address(devices)
            if address not in in_use and _is_address(address):
                wanted[address] = row
        for address in set(self._devices) - set(wanted):
            self._devices.pop(address).close()
        self._rows = [row for row in self._rows if row.address in wanted]
        for address in set(wanted) - set(self._devices):
            self._open(address, wanted[address])

    def _names_in_use(self, usable: Sequence[ListedDevice]) -> list[FoundInput]:
        devices, found = [row.device for row in usable], []
        for row in self._microphones:
            try:
                device = find_device(row.device, devices)
            except DeviceAbsentError:
                continue  # its state says that it is not there
            address = device.stable_address(devices)
            found.append(_found(row.name, device, address, row.channel, row.rate, row.name))
        return found

    def _open(self, address: str, listed: ListedDevice) -> None:
        # A name of ALSA's settings may stand for any number of channels: it is taken as one.
        count = 1 if listed.device.hw is None else max(1, min(listed.channels, MAX_CHANNELS))
        rate = next((rate for rate in RATES if rate == listed.rate), RATES[0])
        rows = []
        for channel in range(count):
            entry = MicrophoneSettings(
                name=f"found-{channel}", role="spare", device=address, channel=channel, rate=rate
            )
            rows.append(_Row(listed, address, channel, MicrophoneSource(entry)))
        device = AudioDevice(address, tuple(row.source for row in rows))
        self._devices[address] = device
        self._rows += rows
        device.open()

    def inputs(self) -> tuple[FoundInput, ...]:
        """Return all inputs: those in use first, then the others in the order of their address."""
        found = [
            _found(
                _identifier(row),
                row.listed.device,
                row.address,
                row.channel,
                row.source.rate,
            ).model_copy(
                update={
                    "state": row.source.state,
                    "refusal": row.source.describe().refusal,
                }
            )
            for row in self._rows
        ]
        return (*self._used, *sorted(found, key=lambda row: (row.device, row.channel)))

    def levels(self) -> Mapping[str, Level]:
        """Return the level of each input that the survey has opened, by its id."""
        return {
            _identifier(row): Level(
                rms_db=round(row.source.meter.rms_db, 1), peak_db=round(row.source.meter.peak_db, 1)
            )
            for row in list(self._rows)
        }

    def close(self) -> None:
        """Close what the survey has opened."""
        devices, self._devices, self._rows = self._devices, {}, []
        for device in devices.values():
            device.close()


def _identifier(row: _Row) -> str:
    """Return a name that no microphone of the settings can have."""
    return f"{row.address}#{row.channel}"


def _found(
    identifier: str, device: object, address: str, channel: int, rate: int, name: str = ""
) -> FoundInput:
    return FoundInput(
        id=identifier,
        name=name,
        device=address,
        channel=channel,
        rate=rate,
        label=getattr(device, "name", ""),
        usb=getattr(device, "usb", ""),
        serial=getattr(device, "serial", ""),
    )


def _is_address(text: str) -> bool:
    try:
        parse_device_address(text)
    except ValueError:  # stands for another device, as "default" does
        return False
    return True


def _list_in_a_process() -> list[ListedDevice]:
    """Return the inputs, or none if they cannot be listed now."""
    command = [sys.executable, "-m", "kiosk.hardware.audio.listing", "input"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIST_TIMEOUT_S, check=True
        )
        return from_json(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        log.error("the sound devices cannot be listed: %s", type(error).__name__)
        return []
