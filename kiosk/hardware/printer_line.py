"""The way to a receipt printer: serial line, USB printer class, or network.

All three take bytes until a deadline and give what the printer answers. None waits for ever: a
printer that is switched off takes nothing.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from typing import Protocol

import serial

from kiosk.config import PrinterSettings

HELD_BYTES = 4096
"""A serial driver of Linux holds up to a page that it has taken and not yet sent."""
STALL_S = 5.0
"""A printer that takes nothing for this long is silent."""
_BLOCK = 1024
_CONNECT_S = 3.0


class PrinterLine(Protocol):
    """An open way to a printer; its errors are ``OSError``, ``TimeoutError`` where it stalls."""

    held_s: float
    """Seconds after the last byte was taken until the printer may have it."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""

    def read(self, seconds: float) -> bytes:
        """Return what arrives within ``seconds``; nothing: nothing came."""

    def discard_input(self) -> None:
        """Throw away what the printer has answered."""

    def discard_output(self) -> None:
        """Throw away what is not yet sent, where that can be done: closing would wait for it."""

    def close(self) -> None:
        """Close it."""


class SerialLine:
    """A serial line, exclusively."""

    def __init__(self, settings: PrinterSettings) -> None:
        byte_s = 10 / settings.baud
        self.held_s = HELD_BYTES * byte_s
        self._port = serial.Serial(
            settings.port,
            settings.baud,
            timeout=0,
            write_timeout=STALL_S + self.held_s,
            exclusive=True,
        )

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        for at in range(0, len(data), _BLOCK):
            try:
                self._port.write(data[at : at + _BLOCK])
            except serial.SerialTimeoutException as error:
                raise TimeoutError("the printer does not take the data") from error

    def read(self, seconds: float) -> bytes:
        """Return what arrives within ``seconds``."""
        self._port.timeout = seconds
        data: bytes = self._port.read(1)
        return data + self._port.read(self._port.in_waiting) if data else data

    def discard_input(self) -> None:
        """Throw away what the printer has answered."""
        self._port.reset_input_buffer()

    def discard_output(self) -> None:
        """Throw away what the driver holds."""
        self._port.reset_output_buffer()

    def close(self) -> None:
        """Close it; the kernel waits for what the driver still holds."""
        self._port.close()


class DescriptorLine:
    """A USB printer's device file, or a connection to a printer in the network."""

    held_s = 0.0

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_readable = True
        os.set_blocking(descriptor, False)

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        rest = memoryview(data)
        while rest:
            if not select.select([], [self._descriptor], [], STALL_S)[1]:
                raise TimeoutError("the printer does not take the data")
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._descriptor, rest[:_BLOCK]) :]

    def read(self, seconds: float) -> bytes:
        """Return what arrives within ``seconds``.

        A device file whose printer has no way back ends at once: then the time is waited.
        """
        deadline = time.monotonic() + seconds
        while self._is_readable and (left := deadline - time.monotonic()) > 0:
            if not select.select([self._descriptor], [], [], left)[0]:
                return b""
            with contextlib.suppress(BlockingIOError):
                if data := os.read(self._descriptor, 256):
                    return data
                self._is_readable = False
        time.sleep(max(0.0, deadline - time.monotonic()))
        return b""

    def discard_input(self) -> None:
        """Throw away answers that have arrived."""
        while self._is_readable and select.select([self._descriptor], [], [], 0)[0]:
            if not os.read(self._descriptor, 256):
                self._is_readable = False

    def discard_output(self) -> None:
        """Do nothing: what was sent cannot be taken back."""

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def _open_file(path: str) -> PrinterLine:
    """Open a USB printer's device file."""
    return DescriptorLine(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))


def _connect(host: str, port: int) -> PrinterLine:
    with contextlib.closing(socket.create_connection((host, port), _CONNECT_S)) as connection:
        return DescriptorLine(os.dup(connection.fileno()))


def _is_terminal(path: str) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_line(settings: PrinterSettings) -> Iterator[PrinterLine]:
    """Open the way that ``[printer] port`` names: a device's path, or ``host:port``.

    Raises:
        OSError: it is not there, or another program uses it.
    """
    if address := settings.address:
        line = _connect(*address)
    elif _is_terminal(settings.port):
        line = SerialLine(settings)
    else:
        line = _open_file(settings.port)
    try:
        yield line
    except TimeoutError:
        with contextlib.suppress(OSError):
            line.discard_output()
        raise
    finally:
        with contextlib.suppress(OSError):
            line.close()
