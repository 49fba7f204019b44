"""The badge reader: a QR or RFID reader on a serial line, or one that types as a USB keyboard.

After it was unplugged, the reader is found again by itself; meanwhile it counts as absent.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Protocol, Self

import serial

from kiosk.config import SerialPortSettings
from kiosk.errors import HardwareError
from kiosk.hardware.badge_frames import MAX_LENGTH, BadgeFrames
from kiosk.hardware.keyboard_reader import is_keyboard, open_keyboard

log = logging.getLogger(__name__)

#: A silence of this length ends a badge that its reader does not end itself.
_POLL_SECONDS = 0.2
_RECONNECT_SECONDS = 0.5
#: The same badge is reported only once within this time.
_REPEAT_SECONDS = 1.5


class BadgeReaderError(HardwareError):
    """Base of the badge reader's errors."""

    code = "badge_reader_absent"


class BadgeReaderAbsentError(BadgeReaderError):
    """No reader is configured, it is unplugged, or another program uses its serial line."""

    code = "badge_reader_absent"


class BadgeReader:
    """The reader of ``[badge]``; it reads in its own thread.

    Args:
        settings: ``[badge]`` of the settings.
        on_badge: called with each badge's text, in the reader's thread.
        on_state: called with True when the reader is present and False when it has gone, in the
            reader's thread.
        on_unreadable: called in the reader's thread when it sends what is no text; once within
            :data:`_REPEAT_SECONDS`.
    """

    library = "pyserial"

    def __init__(
        self,
        settings: SerialPortSettings,
        on_badge: Callable[[str], None],
        on_state: Callable[[bool], None] = lambda _there: None,
        on_unreadable: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._on_badge = on_badge
        self._on_state = on_state
        self._on_unreadable = on_unreadable
        self._closing = threading.Event()
        self._is_present: bool | None = None
        self._thread = threading.Thread(target=self._run, name="badge-reader", daemon=True)

    def __enter__(self) -> Self:
        if self._settings.port:
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def is_present(self) -> bool:
        """Whether the reader is present now."""
        return bool(self._is_present)

    @property
    def version(self) -> str:
        """Version of the library in use."""
        return version("pyserial")

    def close(self) -> None:
        """End the thread and release the serial line; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2 * _POLL_SECONDS + 1)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with open_port(self._settings) as port:
                    self._set_present(True)
                    self._read_badges(port)
            except BadgeReaderAbsentError as error:
                if self._is_present is not False:
                    log.warning("badge reader: %s", error)
                self._set_present(False)
                self._closing.wait(_RECONNECT_SECONDS)

    def _report(self, badge: str) -> None:
        if badge:
            self._on_badge(badge)
        else:
            log.warning("badge reader: what it sent cannot be read")
            self._on_unreadable()

    def _set_present(self, is_present: bool) -> None:
        if is_present != self._is_present:
            self._is_present = is_present
            self._on_state(is_present)

    def _read_badges(self, port: BadgePort) -> None:
        """Report badges until closing; report a badge that stays at the reader only once."""
        frames = BadgeFrames()
        last: str | None = None
        at = -_REPEAT_SECONDS
        while not self._closing.is_set():
            for text in frames.receive(port.receive(_POLL_SECONDS)):
                now = time.monotonic()
                if text != last or now - at >= _REPEAT_SECONDS:
                    self._report(text)
                last, at = text, now


class BadgePort(Protocol):
    """An open reader."""

    def receive(self, seconds: float) -> bytes:
        """Return what arrives within ``seconds``; nothing after a silence of that length."""


class _SerialLine:
    """A reader on a serial line."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def receive(self, seconds: float) -> bytes:
        """Return what arrives within ``seconds``."""
        if self._port.timeout != seconds:
            self._port.timeout = seconds
        data: bytes = self._port.read(max(1, min(self._port.in_waiting, MAX_LENGTH)))
        return data


@contextlib.contextmanager
def open_port(settings: SerialPortSettings) -> Iterator[BadgePort]:
    """Open the reader for this process alone: a serial line, or the event device of a keyboard.

    Raises:
        BadgeReaderAbsentError: it is absent, used by another program, or disappears in use.
    """
    port = settings.port
    if not port:
        raise BadgeReaderAbsentError("no badge reader is configured")
    try:
        if is_keyboard(port):
            with open_keyboard(port) as keyboard:
                yield keyboard
        else:
            with serial.Serial(port, settings.baud, exclusive=True) as line:
                yield _SerialLine(line)
    except (serial.SerialException, OSError, TypeError) as error:
        # pyserial raises TypeError when the descriptor was closed under a reading thread.
        raise BadgeReaderAbsentError(f"{port}: {error}") from error
