"""How the settings name a sound device: place on USB, serial number, card id, or exact name.

``usb:1f00200000.usb/1.3`` is a controller and the ports below it, ``usb:1-1.3`` the same by the
kernel's number of the bus; ``serial:`` and ``id:`` (ALSA's id of the card) need no port. All else
is the whole name of a device or of its card. ``,1`` after one of the three forms is the second
device of a card. No form has the card's number: it follows the order in which cards are found.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

AddressKind = Literal["usb", "serial", "id", "name"]
FORMS: dict[AddressKind, re.Pattern[str]] = {
    "usb": re.compile(r"(\d+-|[^\s/,]+/)\d+(\.\d+)*"),
    "serial": re.compile(r"\S(.*\S)?"),
    "id": re.compile(r"[A-Za-z0-9_-]{1,15}"),
}
"""What may follow the colon (ALSA's ``snd_card_set_id`` and ``id_store`` for ``id``)."""
EXAMPLES: dict[AddressKind, str] = {
    "usb": "usb:1-1.3",
    "serial": "serial:A1B2C3",
    "id": "id:Device_1",
}
_CARD_NUMBER = re.compile(r"(^|\()(plug)?hw:", re.IGNORECASE)
_STAND_INS = ("default", "sysdefault")
_SECOND = re.compile(r"(.*?)(?:,(\d{1,2}))?")


class DeviceAddress(NamedTuple):
    """A setting that names a sound device; equal ones name the same.

    Attributes:
        number: of the device on its card; 0 for almost every card.
    """

    kind: AddressKind
    value: str
    number: int = 0


def parse_device_address(text: str) -> DeviceAddress:
    """Return the address that ``text`` is.

    Raises:
        ValueError: it is none; the message says why and what to write.
    """
    if not text.strip():
        raise ValueError("names no device; `kiosk devices` lists them")
    if text != text.strip():
        raise ValueError("begins or ends with a blank")
    for kind, pattern in FORMS.items():
        if text.startswith(f"{kind}:"):
            match = _SECOND.fullmatch(text.removeprefix(f"{kind}:"))
            if match is None or not pattern.fullmatch(match[1]):
                raise ValueError(f"is written like “{EXAMPLES[kind]}”")
            return DeviceAddress(kind, match[1], int(match[2] or 0))
    if _CARD_NUMBER.search(text):
        raise ValueError(
            "the number of a card changes with the order in which cards are found; write usb:, "
            "serial: or id: (`kiosk devices` lists them)"
        )
    if text in _STAND_INS:
        raise ValueError("stands for another device, which may change; `kiosk devices` lists them")
    return DeviceAddress("name", text)


def check_device_address(text: str) -> str:
    """Return ``text``; raise ValueError as :func:`parse_device_address`."""
    parse_device_address(text)
    return text
