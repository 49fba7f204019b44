"""List the devices of this machine as lines for kiosk.toml, with what uses them there.

Sound devices, badge readers and receipt printers; cameras are found by ``rpicam-hello
--list-cameras`` and scanners by ``scanimage -L``.

Of each device the setting is shown that stays when devices are plugged in in another order: its
serial number, or its place on USB where it has none (leave it in that socket, then), or the id of
its card. Names without a colon are those of ALSA's settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from kiosk.commands._common import command_settings
from kiosk.config import Settings
from kiosk.errors import ConfigError, DeviceAbsentError
from kiosk.hardware.audio.listing import list_sound_devices
from kiosk.hardware.audio.sound_devices import (
    ROOT,
    Direction,
    SoundDevice,
    find_device,
)
from kiosk.hardware.ports import PortUse, list_ports

HELP = "list microphones, outputs, readers and printers with their lines for kiosk.toml"
EXAMPLES = ("sudo kiosk devices",)
EXIT_STATUS = {
    0: "every sound device of the settings is connected",
    1: "one is not, or its setting fits several; it is named",
}
_TITLES: dict[Direction, str] = {
    "input": "# microphones: device of [[microphones]]",
    "output": "# outputs: device of [headset]",
}
_PORT_TITLES: dict[PortUse, str] = {
    "badge": "# badge readers: port of [badge]",
    "printer": "# receipt printers: port of [printer], or host:port in the network",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing; the file is the general ``--config``."""


def run(arguments: argparse.Namespace) -> int:
    """Print all devices, then what the settings name in vain; wrong settings hide no device."""
    try:
        settings, wrong = command_settings(arguments), None
    except ConfigError as error:
        settings, wrong = Settings(), error
    lines, problems = device_lines(settings)
    for line in lines:
        print(line)
    if wrong is not None:
        raise wrong
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def device_lines(settings: Settings, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return a line for each device of the machine, and what is wrong with ``settings`` there.

    Args:
        root: folder that has ``sys``, ``proc`` and ``dev``.
    """
    lines: list[str] = []
    problems: list[str] = []
    for direction, title in _TITLES.items():
        devices = [row.device for row in list_sound_devices(direction, root)]
        users: dict[SoundDevice, list[str]] = {}
        for user, setting in _settings_of(settings, direction):
            try:
                users.setdefault(find_device(setting, devices), []).append(user)
            except DeviceAbsentError as error:
                problems.append(f"{user}: {error}")
        problems += _named_in_two_ways(settings, users)
        lines += [title, *(_line(device, devices, users.get(device, [])) for device in devices)]
    lines += _port_lines(settings, root / "dev")
    return lines, problems


def _port_lines(settings: Settings, dev: Path) -> Iterator[str]:
    """Yield a line for each port of a reader or a printer, with what uses it."""
    users = {settings.badge.port: "badge reader", settings.printer.port: "receipt printer"}
    for use, title in _PORT_TITLES.items():
        yield title
        for port in list_ports(use, dev):
            user = users.get(port.path)
            said = f"{port.what}; {user}" if user else port.what
            yield f'port = "{port.path}"  # {said}'


def _settings_of(settings: Settings, direction: Direction) -> Iterator[tuple[str, str]]:
    """Yield who uses a device of ``direction`` by the settings, and how they name it."""
    if direction == "input":
        yield from ((f"microphone “{row.name}”", row.device) for row in settings.microphones)
    elif settings.headset.device:
        yield "headset", settings.headset.device


def _named_in_two_ways(settings: Settings, users: dict[SoundDevice, list[str]]) -> Iterator[str]:
    """Yield the devices that two microphones name differently: only one of them gets it."""
    names = {f"microphone “{row.name}”": row.device for row in settings.microphones}
    for device, found in users.items():
        if len({names.get(user) for user in found}) > 1:
            yield f"{' and '.join(found)} name one device in different ways: {device}"


def _line(device: SoundDevice, devices: list[SoundDevice], users: list[str]) -> str:
    """Return the line of one device: its setting, then a comment."""
    said = "; ".join([str(device), *users])
    return f'device = "{device.stable_address(devices)}"  # {said}'
