"""A badge reader that is a USB keyboard: it types each badge.

It is read at its event device and taken for the kiosk alone, so that no digit goes into a field of
the screen. The kernel gives keys and not characters: the layout of the screen does not matter, and
such readers type as an English keyboard unless they are set to another country. Event codes:
``linux/input-event-codes.h``. python-evdev would read them too, but its index has no wheel.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

_EVENT = struct.Struct("llHHi")
_MAX_EVENTS = 64
_INPUT_MAJOR = 13
_TAKE_ALONE = 0x4004_4590
"""EVIOCGRAB."""
_SYNCHRONISATION, _KEY = 0, 1
_EVENTS_DROPPED = 3
_RELEASED, _PRESSED = 0, 1
_SHIFTS = frozenset({42, 54})
_CAPS_LOCK = 58
_IGNORED = frozenset({29, 97, 56, 100, 69, 70, 125, 126, *_SHIFTS, _CAPS_LOCK})
"""Modifiers and locks: they type nothing."""
_UNKNOWN = b"\xff"
"""No text: what contains it cannot be read."""

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
"""Code of the first key of a row, what the row types, and what with shift."""
_KEYS = {
    first + offset: pair
    for first, plain, shifted in _ROWS
    for offset, pair in enumerate(zip(plain, shifted, strict=True))
}
_KEYS |= {code: (char, char) for code, char in zip(range(71, 84), "789-456+1230.", strict=True)}
_KEYS |= {28: ("\r", "\r"), 96: ("\r", "\r"), 15: ("\t", "\t"), 57: (" ", " ")}
_KEYS |= {55: ("*", "*"), 98: ("/", "/")}


def is_keyboard(path: str) -> bool:
    """Return whether ``path`` is an input device of the kernel."""
    with contextlib.suppress(OSError):
        found = Path(path).stat()
        return stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) == _INPUT_MAJOR
    return False


class Typist:
    """Turns key events into what is typed."""

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._has_caps = False

    def receive(self, data: bytes) -> bytes:
        """Return the text of whole input events, in UTF-8; 0xFF stands for a key without one."""
        return b"".join(self._typed(*row[2:]) for row in _EVENT.iter_unpack(data))

    def _typed(self, kind: int, code: int, value: int) -> bytes:
        if kind == _SYNCHRONISATION and code == _EVENTS_DROPPED:
            self._held.clear()
            return _UNKNOWN
        if kind != _KEY:
            return b""
        if code in _SHIFTS:
            (self._held.discard if value == _RELEASED else self._held.add)(code)
        if value != _PRESSED:
            return b""
        if code == _CAPS_LOCK:
            self._has_caps = not self._has_caps
        if code in _IGNORED:
            return b""
        return self._character(code)

    def _character(self, code: int) -> bytes:
        if code not in _KEYS:
            return _UNKNOWN
        plain, shifted = _KEYS[code]
        is_shifted = bool(self._held) != (self._has_caps and plain.isalpha())
        return (shifted if is_shifted else plain).encode()


class KeyboardReader:
    """An event device, taken for this process alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._typist = Typist()

    def receive(self, seconds: float) -> bytes:
        """Return what is typed within ``seconds``; nothing after a silence of that length.

        Raises:
            OSError: the reader has gone.
        """
        while select.select([self._descriptor], [], [], seconds)[0]:
            data = os.read(self._descriptor, _MAX_EVENTS * _EVENT.size)
            if not data:
                raise OSError("the reader has gone")
            if typed := self._typist.receive(data):
                return typed
        return b""


@contextlib.contextmanager
def open_keyboard(path: str) -> Iterator[KeyboardReader]:
    """Open an event device and take it alone.

    Raises:
        OSError: it is not there, or another program has taken it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        take_alone(descriptor)
        yield KeyboardReader(descriptor)
    finally:
        os.close(descriptor)


def take_alone(descriptor: int) -> None:
    """Let the events of this device come to nobody else."""
    fcntl.ioctl(descriptor, _TAKE_ALONE, 1)
