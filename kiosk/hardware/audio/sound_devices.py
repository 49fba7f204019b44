"""The sound devices of this machine, with what identifies them, and the one that a setting names.

The kernel numbers cards as it finds them, and two sticks of one model have one name. What tells
them apart is in ``/sys/class/sound/cardN``: the card's id, and for USB the port, product and serial
number of the device above it. PortAudio leaves out a card that another process holds: only the
kernel's list is complete, so that a name never fits the other stick of two because one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from kiosk.device_address import DeviceAddress, parse_device_address
from kiosk.errors import DeviceAbsentError

Direction = Literal["input", "output"]
ROOT = Path("/")
_SUFFIX = {"input": "c", "output": "p"}
_HW = re.compile(r" \(hw:(\d+),(\d+)\)$")
_BUS = re.compile(r"\d+-\d+(\.\d+)*")
_NUMBERED_DRIVER = re.compile(r"xhci-hcd\.\d+(\.auto)?")
"""Folders that the kernel numbers as it finds them, above the bus of a Pi."""


class AmbiguousDeviceError(DeviceAbsentError):
    """A setting fits several devices: none of them is opened."""

    code = "device_ambiguous"


class PartialNameError(DeviceAbsentError):
    """A setting is a part of a device's name, which names none."""

    code = "device_misnamed"


class SoundDevice(NamedTuple):
    """A sound device (no dataclass: their module takes 1 MB in the process of each microphone).

    Attributes:
        name: as PortAudio calls it: ``CARD: DEVICE (hw:1,0)``, or a name of ALSA's settings.
        hw: number of the card and of the device on it; None: a name of ALSA's settings.
        card: ALSA's id of the card.
        usb: place on USB, controller and ports (``1f00200000.usb/1.3``); empty: not on USB.
        bus: the same by the kernel's number of the bus (``1-1.3``).
        product: USB's vendor and product (``0d8c:0014``).
        serial: serial number; most sticks have none.
    """

    name: str
    hw: tuple[int, int] | None = None
    card: str = ""
    usb: str = ""
    bus: str = ""
    product: str = ""
    serial: str = ""

    def fits(self, address: DeviceAddress) -> bool:
        """Return whether ``address`` means this device."""
        kind, value, number = address
        if kind == "name":
            label = _HW.sub("", self.name)
            return value in (self.name, label) or bool(self.hw and value == label.split(": ")[0])
        owned = {"usb": (self.usb, self.bus), "serial": (self.serial,), "id": (self.card,)}[kind]
        return self.hw is not None and self.hw[1] == number and value in owned

    def stable_address(self, devices: Iterable[SoundDevice]) -> str:
        """Return what to write into the settings: what no other of ``devices`` has."""
        others = [other for other in devices if other != self]
        forms = (("serial", self.serial), ("usb", self.usb), ("id", self.card))
        second = f",{self.hw[1]}" if self.hw and self.hw[1] else ""
        for kind, value in forms:
            text = f"{kind}:{value}{second}"
            if value and not any(other.fits(parse_device_address(text)) for other in others):
                return text
        return self.name

    def __str__(self) -> str:
        known = [f"{key} {value}" for key, value in (("usb", self.usb), ("serial", self.serial))]
        return ", ".join([self.name, *(text for text in known if not text.endswith(" "))])


def find_device(setting: str, devices: Iterable[SoundDevice]) -> SoundDevice:
    """Return the one device that ``setting`` names. There is no default device.

    Raises:
        DeviceAbsentError: none fits; AmbiguousDeviceError: several do, and all are named;
        PartialNameError: none does, but it is a part of names: those are named.
        ValueError: ``setting`` names no device.
    """
    address, devices = parse_device_address(setting), list(devices)
    found = [device for device in devices if device.fits(address)]
    if len(found) > 1:
        names = "; ".join(str(device) for device in found)
        raise AmbiguousDeviceError(f"“{setting}” fits {len(found)} devices: {names}")
    if not found:
        near = [device for device in devices if device.hw and address.value in device.name]
        if near and address.kind == "name":  # a name of ALSA's settings may belong to another role
            names = "” or “".join(device.stable_address(devices) for device in near)
            raise PartialNameError(f"“{setting}” names no device whole; did you mean “{names}”?")
        raise DeviceAbsentError(f"“{setting}” is not connected")
    return found[0]


def list_devices(
    direction: Direction, names: Iterable[str] = (), root: Path = ROOT
) -> list[SoundDevice]:
    """Return the devices of the kernel's cards, then those of ``names`` that are no card's.

    Args:
        names: as PortAudio lists them.
        root: folder that has ``sys`` and ``proc``.
    """
    named = [SoundDevice(name, _hw_of(name)) for name in names]
    by_number = {device.hw: device.name for device in named}
    cards = [
        device._replace(name=by_number.get(device.hw, device.name))
        for device in _iter_card_devices(direction, root)
    ]
    known = {device.hw for device in cards}
    return cards + [device for device in named if device.hw is None or device.hw not in known]


def _hw_of(name: str) -> tuple[int, int] | None:
    match = _HW.search(name)
    return (int(match[1]), int(match[2])) if match else None


def _iter_card_devices(direction: Direction, root: Path) -> Iterator[SoundDevice]:
    """Yield the devices of all cards, in the order of their numbers."""
    pattern = re.compile(rf"pcmC(\d+)D(\d+){_SUFFIX[direction]}")
    found = (pattern.fullmatch(path.name) for path in root.glob("sys/class/sound/card*/pcm*"))
    names = _card_names(root)
    for card, number in sorted((int(match[1]), int(match[2])) for match in found if match):
        folder = root / f"proc/asound/card{card}/pcm{number}{_SUFFIX[direction]}"
        device = _fields(_read(folder / "info")).get("name", "")
        name = f"{names.get(card, '')}: {device} (hw:{card},{number})"
        yield _identify(name, (card, number), root)


def _identify(name: str, hw: tuple[int, int], root: Path) -> SoundDevice:
    """Return the device ``name`` of a card with what the kernel knows of the card."""
    folder = root / f"sys/class/sound/card{hw[0]}"
    card = _read(folder / "id")
    place = (folder / "device").resolve()
    for above in (place, *place.parents):
        if _BUS.fullmatch(above.name) and (above / "idVendor").exists():
            product = f"{_read(above / 'idVendor')}:{_read(above / 'idProduct')}"
            serial = _read(above / "serial")
            return SoundDevice(name, hw, card, _usb_place(above), above.name, product, serial)
    return SoundDevice(name, hw, card)


def _usb_place(device: Path) -> str:
    """Return controller and ports of a USB device: buses are numbered as they are found."""
    bus = next((path for path in device.parents if re.fullmatch(r"usb\d+", path.name)), None)
    if bus is None:
        return ""
    controller = bus.parent
    if _NUMBERED_DRIVER.fullmatch(controller.name):
        controller = controller.parent
    return f"{controller.name}/{device.name.partition('-')[2]}"


def _card_names(root: Path) -> dict[int, str]:
    """Return the name of each card: `` 1 [Device   ]: USB-Audio - USB PnP Sound Device``."""
    text = _read(root / "proc/asound/cards")
    rows = re.finditer(r"^ *(\d+) \[.*?\]: .*? - (.*)$", text, re.MULTILINE)
    return {int(row[1]): row[2].strip() for row in rows}


def is_present(device: SoundDevice, root: Path = ROOT) -> bool:
    """Return whether the kernel has this very device under its number now."""
    return device.hw is None or _identify(device.name, device.hw, root) == device


def opened_format(device: SoundDevice, root: Path = ROOT) -> tuple[int, int] | None:
    """Return rate and channels at which the kernel records from ``device`` now, or None."""
    if device.hw is None:
        return None
    card, number = device.hw
    for path in sorted(root.glob(f"proc/asound/card{card}/pcm{number}c/sub*/hw_params")):
        fields = _fields(_read(path))
        try:
            return int(fields["rate"].split()[0]), int(fields["channels"])
        except (KeyError, ValueError, IndexError):
            continue
    return None


def _fields(text: str) -> dict[str, str]:
    """Return the ``name: value`` lines of a file in ``/proc/asound``."""
    rows = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def _read(path: Path) -> str:
    """Return a small file of the kernel, empty if it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n\0 ")
    except OSError:
        return ""
