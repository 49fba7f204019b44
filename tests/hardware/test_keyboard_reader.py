"""A badge reader that types: events as the kernel gives them, through a pipe."""

from __future__ import annotations

import os
import queue
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import SerialPortSettings
from kiosk.hardware import badge_reader, keyboard_reader
from kiosk.hardware.badge_reader import BadgeReader
from kiosk.hardware.keyboard_reader import Typist, is_keyboard

PATIENCE = 10.0
DIGITS = dict(zip("1234567890", range(2, 12), strict=True))
LETTERS = {"A": 30, "B": 48, "C": 46, "F": 33, "K": 37, "Z": 44, "-": 12}
SHIFT, CAPS, ENTER, TAB, KEYPAD_7, FUNCTION_1 = 42, 58, 28, 15, 71, 59


def event(kind: int, code: int, value: int) -> bytes:
    """Return one event of 64-bit Linux: time, type, code, value."""
    return struct.pack("llHHi", 1, 2, kind, code, value)


def press(code: int) -> bytes:
    """Return a key that is pressed and released, as a USB keyboard reports it."""
    scan_code = event(4, 4, 0x70000 + code)
    return scan_code + b"".join(event(1, code, value) + event(0, 0, 0) for value in (1, 0))


def typed(text: str) -> bytes:
    """Return the events of a reader that types ``text`` with shift, and then Enter."""
    return b"".join(map(_typed, text)) + press(ENTER)


def _typed(char: str) -> bytes:
    if not char.isalpha():
        return press(DIGITS.get(char) or LETTERS[char])
    return event(1, SHIFT, 1) + press(LETTERS[char]) + event(1, SHIFT, 0)


def test_a_badge_is_typed_as_on_an_english_keyboard() -> None:
    assert Typist().receive(typed("KZ-0A1B2C")) == b"KZ-0A1B2C\r"


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (press(KEYPAD_7) + press(TAB), b"7\t"),
        (press(CAPS) + press(30) + press(2), b"A1"),
        (event(1, 30, 1) + event(1, 30, 2) * 5 + event(1, 30, 0), b"a"),  # held long
        (event(1, SHIFT, 1) + press(2) + press(43) + event(1, SHIFT, 0), b"!|"),
        (press(FUNCTION_1), b"\xff"),  # a key without a character
        (press(2) + event(0, 3, 0) + press(3), b"1\xff2"),  # the kernel lost events
    ],
)
def test_what_keys_type(events: bytes, text: bytes) -> None:
    assert Typist().receive(events) == text


class TypedReader:
    """A pipe in the place of an event device, and the badges that come out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[int] = []
        self.badges: queue.Queue[str] = queue.Queue()
        self.states: queue.Queue[bool] = queue.Queue()
        self.unreadable: queue.Queue[None] = queue.Queue()
        os.mkfifo(path)

        self._writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def type(self, events: bytes) -> None:
        """Write events."""
        os.write(self._writer, events)

    def close(self) -> None:
        """Unplug it."""
        os.close(self._writer)


@pytest.fixture
def typing_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TypedReader]:
    """Return a reader in use."""
    rig = TypedReader(tmp_path / "event7")
    monkeypatch.setattr(badge_reader, "is_keyboard", lambda _path: True)
    monkeypatch.setattr(keyboard_reader, "take_alone", rig.taken.append)
    settings = SerialPortSettings(port=str(rig.path))
    reader = BadgeReader(settings, rig.badges.put, rig.states.put, lambda: rig.unreadable.put(None))
    with reader:
        assert rig.states.get(timeout=PATIENCE)
        yield rig
    rig.close()


def test_a_typed_badge_comes_as_from_a_serial_line(typing_reader: TypedReader) -> None:
    typing_reader.type(typed("KZ-0001"))
    assert typing_reader.badges.get(timeout=PATIENCE) == "KZ-0001"
    assert len(typing_reader.taken) == 1  # nobody else gets its keys


def test_a_badge_with_an_unknown_key_is_told_and_not_guessed(typing_reader: TypedReader) -> None:
    typing_reader.type(press(2) * 4 + press(FUNCTION_1) + press(ENTER) + typed("KZ-0002"))
    assert typing_reader.badges.get(timeout=PATIENCE) == "KZ-0002"
    assert typing_reader.unreadable.qsize() == 1


def test_a_serial_line_is_no_keyboard(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not is_keyboard("/dev/null")
    assert not is_keyboard(str(tmp_path / "file"))
    assert not is_keyboard("/dev/kiosk-no-such-device")
