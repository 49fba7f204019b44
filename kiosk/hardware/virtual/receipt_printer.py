"""A receipt printer on a pseudo-terminal that understands ESC/POS.

It prints rasters (``GS v 0``) into PNG files, one for each receipt, and answers real-time status
requests (``DLE EOT``). Faults can be set while it runs.

``python -m kiosk.hardware.virtual.receipt_printer --out DIR`` runs it by hand and takes ``paper``,
``no-paper``, ``cover``, ``silent`` and ``mend`` on standard input.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import sys
import tempfile
import threading
import tty
from pathlib import Path
from typing import Literal, Self

from PIL import Image

FaultKind = Literal["none", "no_paper", "cover", "silent", "stuck"]

_DLE, _EOT, _ESC, _GS = 0x10, 0x04, 0x1B, 0x1D


class EscPosDecoder:
    """Decodes an ESC/POS byte stream into receipts.

    Args:
        width: dots across the paper.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._pending = bytearray()
        self._strips: list[Image.Image] = []
        self.receipts: list[Image.Image] = []
        """Finished receipts, in the order they were cut."""

    def feed(self, data: bytes) -> list[int]:
        """Decode bytes; return the real-time status requests (1 to 4) among them, in order."""
        self._pending += data
        requests = []
        while self._pending:
            length, request = self._run_command()
            if length == 0:
                break
            if request:
                requests.append(request)
            del self._pending[:length]
        return requests

    def discard_pending(self) -> None:
        """Discard an unfinished receipt after a fault."""
        self._pending.clear()
        self._strips.clear()

    def _run_command(self) -> tuple[int, int]:
        """Execute the first command; return its length (0: incomplete) and a status request."""
        data = self._pending
        lengths = {_DLE: 3, _ESC: 2, _GS: 3}
        if len(data) < lengths.get(data[0], 1):
            return 0, 0
        if data[0] == _DLE and data[1] == _EOT:
            return 3, data[2]
        if data[0] == _ESC:
            return self._escape(data[1]), 0
        if data[0] == _GS:
            return self._group(data[1]), 0
        return 1, 0  # printable text and line feeds: the kiosk uses none

    def _escape(self, name: int) -> int:
        if name == ord("@"):
            return 2
        return 3 if len(self._pending) >= 3 else 0

    def _group(self, name: int) -> int:
        data = self._pending
        if name == ord("V"):
            length = 4 if data[2] in (65, 66) else 3
            if len(data) < length:
                return 0
            self._cut()
            return length
        if name == ord("v"):
            return self._raster()
        return 3

    def _raster(self) -> int:
        """Print ``GS v 0 m xL xH yL yH`` and the dots (most significant bit left, 1 is black)."""
        data = self._pending
        if len(data) < 8:
            return 0
        row_bytes, rows = data[4] + 256 * data[5], data[6] + 256 * data[7]
        length = 8 + row_bytes * rows
        if len(data) < length:
            return 0
        strip = Image.frombytes("1", (row_bytes * 8, rows), bytes(data[8:length]))
        self._strips.append(strip.point(lambda dot: 255 - dot))
        return length

    def _cut(self) -> None:
        if not self._strips:
            return
        height = sum(strip.height for strip in self._strips)
        paper = Image.new("1", (self._width, height), 255)
        y = 0
        for strip in self._strips:
            paper.paste(strip, (0, y))
            y += strip.height
        self._strips = []
        self.receipts.append(paper)


class VirtualPrinter:
    """The printer: a context manager whose ``port`` goes into ``[printer] port``.

    Args:
        folder: for receipts, as ``receipt-0001.png``; None keeps them in memory only.
        width: dots across the paper.
    """

    def __init__(self, folder: Path | None = None, *, width: int = 576) -> None:
        self._folder = folder
        self._decoder = EscPosDecoder(width)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._fault: FaultKind = "none"
        self._written = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._run, name="virtual-printer", daemon=True)

    def __enter__(self) -> Self:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._wake_writer)
        self._thread.join(2)
        for descriptor in (self._master, self._slave, self._wake_reader):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    @property
    def receipts(self) -> list[Image.Image]:
        """Receipts printed and cut so far."""
        with self._lock:
            return list(self._decoder.receipts)

    def wait_for_receipt(self, number: int = 1, timeout: float = 10.0) -> Image.Image:
        """Wait for receipt ``number`` (from 1) and return it.

        Raises:
            TimeoutError: it was not printed within ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._decoder.receipts) >= number, timeout):
                raise TimeoutError(f"receipt {number} was not printed")
            return self._decoder.receipts[number - 1]

    def remove_paper(self) -> None:
        """Remove the paper: status answers report it, and nothing is printed."""
        self._set_fault("no_paper")

    def open_cover(self) -> None:
        """Open the cover."""
        self._set_fault("cover")

    def stop_answering(self) -> None:
        """Discard all input and answer nothing, like a printer with a broken return line."""
        self._set_fault("silent")

    def stop_accepting(self) -> None:
        """Accept no bytes, like a printer that is switched off behind flow control."""
        self._set_fault("stuck")

    def clear_fault(self) -> None:
        """Clear the fault."""
        self._set_fault("none")

    def _set_fault(self, fault: FaultKind) -> None:
        with self._lock:
            self._fault = fault
            self._decoder.discard_pending()

    def _run(self) -> None:
        while True:
            with self._lock:
                stuck = self._fault == "stuck"
            watched = [self._wake_reader] if stuck else [self._master, self._wake_reader]
            readable, _, _ = select.select(watched, [], [], 0.05 if stuck else None)
            if self._wake_reader in readable:
                return
            if self._master in readable:
                self._handle_input(os.read(self._master, 65536))

    def _handle_input(self, data: bytes) -> None:
        with self._changed:
            if self._fault == "silent":
                return
            requests = self._decoder.feed(data) if self._fault == "none" else _status_requests(data)
            answers = bytes(self._status_byte(request) for request in requests)
            self._save()
            self._changed.notify_all()
        if answers:
            os.write(self._master, answers)

    def _status_byte(self, request: int) -> int:
        """Return the status byte (DLE EOT n). Lock is held."""
        status = 0b0001_0010
        if request == 1 and self._fault != "none":
            status |= 0x08
        if request == 2:
            status |= 0x04 if self._fault == "cover" else 0
            status |= 0x20 if self._fault == "no_paper" else 0
        if request == 4 and self._fault == "no_paper":
            status |= 0x60
        return status

    def _save(self) -> None:
        if self._folder is None:
            return
        for receipt in self._decoder.receipts[self._written :]:
            self._written += 1
            receipt.save(self._folder / f"receipt-{self._written:04d}.png")


def _status_requests(data: bytes) -> list[int]:
    """Return the status requests in ``data``, which a printer answers during a fault, too."""
    return [
        data[at + 2]
        for at in range(len(data) - 2)
        if data[at] == _DLE and data[at + 1] == _EOT and 1 <= data[at + 2] <= 4
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the printer until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "receipts")
    arguments = parser.parse_args(argv)
    with VirtualPrinter(arguments.out) as printer:
        print(f'port = "{printer.port}"', flush=True)
        actions = {
            "paper": printer.clear_fault,
            "mend": printer.clear_fault,
            "no-paper": printer.remove_paper,
            "cover": printer.open_cover,
            "silent": printer.stop_answering,
        }
        for line in sys.stdin:
            action = actions.get(line.strip())
            if action is None:
                print(f"commands: {', '.join(actions)}", flush=True)
                continue
            action()
            print(f"{line.strip()}: done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
