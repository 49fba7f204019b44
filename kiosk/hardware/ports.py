"""Lists what could be a badge reader or a receipt printer, by paths that stay.

The links below ``/dev/serial/by-id`` and ``/dev/input/by-id`` are udev's; those of USB printers
come from the kiosk's own rule, which names them in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PortUse = Literal["badge", "printer"]
_LINKS: dict[PortUse, tuple[tuple[str, str], ...]] = {
    "badge": (
        ("serial/by-id/*", "serial line"),
        ("input/by-id/*-event-kbd", "keyboard; badge readers that type are one"),
    ),
    "printer": (("usb/by-id/*-printer", "USB printer"), ("serial/by-id/*", "serial line")),
}
_UNNAMED: dict[PortUse, tuple[tuple[str, str], ...]] = {
    "badge": (),
    "printer": (("usb/lp[0-9]*", "USB printer; its number may change"),),
}


@dataclass(frozen=True)
class Port:
    """A device that could be fitted.

    Attributes:
        path: what the settings name it.
        what: its kind, in words.
    """

    path: str
    what: str


def list_ports(use: PortUse, dev: Path = Path("/dev")) -> list[Port]:
    """Return what could be a badge reader or a printer; a device with a link is named by it once.

    Args:
        dev: folder of the device files.
    """
    found = list(_matches(dev, _LINKS[use]))
    linked = {Path(port.path).resolve() for port in found}
    others = _matches(dev, _UNNAMED[use])
    return found + [port for port in others if Path(port.path).resolve() not in linked]


def _matches(dev: Path, patterns: tuple[tuple[str, str], ...]) -> Iterator[Port]:
    for pattern, what in patterns:
        yield from (Port(str(path), what) for path in sorted(dev.glob(pattern)))
