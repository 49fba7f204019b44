"""Folders as the kernel shows sound cards: ``sys`` and ``proc`` of a Raspberry Pi."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = ("1f00200000.usb", "1f00300000.usb")
"""Of a Pi 5; the kernel numbers their buses as it finds them."""
PLATFORM = "sys/devices/platform/axi/1000120000.pcie"


@dataclass(frozen=True)
class Stick:
    """A USB microphone: what it is, and where it is plugged in."""

    ports: str
    controller: str = CONTROLLERS[0]
    serial: str = ""
    name: str = "USB PnP Sound Device"
    product: str = "0d8c:0014"
    devices: int = 1

    def portaudio_name(self, card: int, device: int = 0) -> str:
        """Return what PortAudio calls it as card number ``card``."""
        return f"{self.name}: USB Audio (hw:{card},{device})"


def build_machine(
    root: Path,
    sticks: Iterable[Stick],
    first_card: int = 1,
    controllers: Iterable[str] = CONTROLLERS,
) -> None:
    """Lay out a Pi below ``root``: its own output as card 0, then ``sticks`` in this order.

    Args:
        controllers: in the order in which the kernel found them.
    """
    order = list(controllers)
    built_in = root / "sys/devices/platform/soc/headphones"
    rows = [(" 0", "Headphones", "bcm2835_headpho - bcm2835 Headphones")]
    _write_card(root, built_in, 0, "Headphones", ("pcmC0D0p",))
    used: dict[str, int] = {}
    for number, stick in enumerate(sticks, first_card):
        count = used[stick.name] = used.get(stick.name, -1) + 1
        card = "Device" if not count else f"Device_{count}"
        bus = 2 * order.index(stick.controller) + 1
        driver = f"xhci-hcd.{order.index(stick.controller)}"
        place = root / PLATFORM / stick.controller / driver / f"usb{bus}"
        depth = stick.ports.split(".")
        for upto in range(1, len(depth) + 1):
            place /= f"{bus}-{'.'.join(depth[:upto])}"
        _write(place / "idVendor", stick.product.split(":")[0])
        _write(place / "idProduct", stick.product.split(":")[1])
        if stick.serial:
            _write(place / "serial", stick.serial)
        pcms = tuple(f"pcmC{number}D{device}c" for device in range(stick.devices))
        _write_card(root, place / f"{place.name}:1.0", number, card, pcms)
        rows.append((f"{number:2}", card, f"USB-Audio - {stick.name}"))
        for device in range(stick.devices):
            info = root / f"proc/asound/card{number}/pcm{device}c/info"
            _write(info, f"card: {number}\ndevice: {device}\nid: USB Audio\nname: USB Audio")
            _write(info.parent / "sub0/hw_params", "closed")
    text = "".join(
        f"{number} [{card:<15}]: {name}\n                      at a USB port\n"
        for number, card, name in rows
    )
    (root / "proc/asound").mkdir(parents=True, exist_ok=True)
    (root / "proc/asound/cards").write_text(text, encoding="utf-8")


def _write_card(root: Path, device: Path, number: int, card: str, pcms: Iterable[str]) -> None:
    folder = device / f"sound/card{number}"
    _write(folder / "id", card)
    for pcm in pcms:
        (folder / pcm).mkdir()
    (folder / "device").symlink_to(f"../../../{device.name}")
    listed = root / f"sys/class/sound/card{number}"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.symlink_to(f"../../../{folder.relative_to(root)}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8")
