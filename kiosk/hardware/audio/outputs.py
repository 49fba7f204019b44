"""Loudspeakers: those that are there, and what ALSA calls the one that a setting names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kiosk.device_address import FORMS
from kiosk.hardware.audio.sound_devices import ROOT, find_device, list_devices


class FoundOutput(NamedTuple):
    """A loudspeaker or headphones that are there now.

    Attributes:
        address: what the settings name it; fits no other.
        label: as its maker calls it.
    """

    address: str
    label: str


def is_address(setting: str) -> bool:
    """Return whether ``setting`` names a card by place, serial number or id, and not by ALSA."""
    return setting.startswith(tuple(f"{kind}:" for kind in FORMS))


def alsa_output(setting: str, root: Path = ROOT) -> str:
    """Return the ALSA device that ``setting`` names now; a name of ALSA's own stays as it is.

    Raises:
        DeviceAbsentError: it is not there; AmbiguousDeviceError: it fits several, all are named.
    """
    if not is_address(setting):
        return setting
    hw = find_device(setting, list_devices("output", root=root)).hw
    assert hw is not None  # only a card has a place, a serial number or an id
    return f"plughw:{hw[0]},{hw[1]}"


def find_outputs(root: Path = ROOT) -> list[FoundOutput]:
    """Return the outputs of the kernel's cards that can be named in a way that stays."""
    devices = list_devices("output", root=root)
    found = [FoundOutput(device.stable_address(devices), device.name) for device in devices]
    return [output for output in found if is_address(output.address)]
