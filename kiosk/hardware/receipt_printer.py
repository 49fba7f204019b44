"""The receipt printer: ESC/POS through python-escpos.

Only rasters are printed (``GS v 0``): the printer's fonts lack the Kazakh letters. The state comes
only from the printer's answers: python-escpos reports "adequate" paper without an answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

from kiosk.config import PrinterSettings
from kiosk.errors import HardwareError
from kiosk.hardware.printer_line import PrinterLine, open_line

log = logging.getLogger(__name__)

#: Real-time status requests (DLE EOT n) and the bits used from their answers.
_QUERY_PRINTER, _QUERY_OFFLINE, _QUERY_PAPER = b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04"
_FIXED_MASK, _FIXED_BITS = 0b1001_0011, 0b0001_0010
_COVER_OPEN, _PAPER_OUT, _PAPER_LOW = 0x04, 0x60, 0x0C
_ANSWER_TIMEOUT_S = 1.0
_ATTEMPTS = 3
#: Rows in one raster command: they fit a printer's buffer.
_ROWS_PER_RASTER = 256
#: The slowest printers print 30 mm a second, 8 rows each; some answer only when they are through.
_ROWS_PER_SECOND = 240


class PrinterError(HardwareError):
    """Base of the printer's errors."""

    code = "printer_silent"


class PrinterAbsentError(PrinterError):
    """No printer is configured, or its serial line is absent."""

    code = "printer_absent"


class PrinterSilentError(PrinterError):
    """The printer does not answer or accept data; it is unknown what it printed."""

    code = "printer_silent"


class PrinterUnconfirmedError(PrinterError):
    """All was sent to a printer that answers nothing by its settings; nobody knows if it prints."""

    code = "printer_unconfirmed"


class PrinterNoPaperError(PrinterError):
    """The paper roll has ended."""

    code = "printer_no_paper"


class PrinterCoverOpenError(PrinterError):
    """The cover is open."""

    code = "printer_cover_open"


@dataclass(frozen=True)
class PrinterStatus:
    """The printer's own report of its state; nothing is assumed."""

    online: bool
    paper_low: bool


@dataclass(frozen=True)
class PrinterInfo:
    """Port and library in use, for the device list and the self-test."""

    port: str
    library: str
    version: str
    width_dots: int


class ReceiptPrinter:
    """The printer of ``[printer]``. Calls block: use them in a thread.

    Args:
        settings: ``[printer]`` of the settings.
    """

    def __init__(self, settings: PrinterSettings) -> None:
        self._settings = settings

    @property
    def info(self) -> PrinterInfo:
        """Port and library in use."""
        return PrinterInfo(
            self._settings.port,
            "python-escpos",
            version("python-escpos"),
            self._settings.width_dots,
        )

    def status(self) -> PrinterStatus:
        """Query the printer.

        Raises:
            PrinterError: the exact one.
        """
        with self._open_line() as line:
            return _query_status(line)

    def print_image(self, image: Image.Image) -> PrinterStatus:
        """Print ``image`` (dark on light), cut the paper, and query the result.

        Args:
            image: at most ``width_dots`` wide; mode ``1`` is printed unchanged.

        Raises:
            PrinterError: the exact one. After a fault in the middle, part of a receipt may hang
                out; the whole receipt is printed again.
            PrinterUnconfirmedError: it was sent to a printer that answers nothing.
        """
        if image.width > self._settings.width_dots:
            raise ValueError(f"{image.width} dots on a head of {self._settings.width_dots}")
        commands = _receipt_commands(image)
        with self._open_line() as line:
            if not self._settings.answers:
                line.write(commands)
                raise PrinterUnconfirmedError("the printer answers nothing")
            _query_status(line)
            line.write(commands)
            return _query_status(line, line.held_s + image.height / _ROWS_PER_SECOND)

    @contextlib.contextmanager
    def _open_line(self) -> Iterator[PrinterLine]:
        """Open the line for one exchange; translate its errors."""
        port = self._settings.port
        if not port:
            raise PrinterAbsentError("no receipt printer is configured")
        try:
            with open_line(self._settings) as line:
                try:
                    yield line
                except TimeoutError as error:
                    raise PrinterSilentError(str(error)) from error
        except OSError as error:
            raise PrinterAbsentError(f"{port}: {error}") from error


def _receipt_commands(image: Image.Image) -> bytes:
    """Return the ESC/POS commands that print ``image`` and cut the paper."""
    printer = _load_escpos().Dummy()
    printer.hw("INIT")
    printer.image(image, impl="bitImageRaster", fragment_height=_ROWS_PER_RASTER)
    printer.cut(mode="PART")
    return bytes(printer.output)


def _load_escpos() -> Any:
    """Import python-escpos with a small profile: its own takes seconds to parse on a Pi."""
    profile = Path(__file__).with_name("escpos-profile.json")
    os.environ.setdefault("ESCPOS_CAPABILITIES_FILE", str(profile))
    from escpos import capabilities  # type: ignore[import-untyped]
    from escpos import printer as escpos_printer

    # python-escpos makes a folder under /tmp for each process.
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return escpos_printer


class _StatusDialogue:
    """Questions to a printer and its answers.

    An answer does not say to which question it belongs, and some printers are late or one answer
    behind. So each question is asked twice, all answers are waited for, and the last one counts.
    """

    def __init__(self, line: PrinterLine) -> None:
        self._line = line
        self._unanswered = 0
        line.discard_input()

    def ask(self, request: bytes, timeout_s: float = _ANSWER_TIMEOUT_S) -> int:
        """Return the status byte for ``request``; ignore bytes whose fixed bits are wrong.

        Raises:
            TimeoutError: no answer.
        """
        answers: list[int] = []
        for attempt in range(_ATTEMPTS):
            questions = 1 if attempt else 2
            self._line.write(request * questions)
            self._unanswered += questions
            deadline = time.monotonic() + timeout_s
            while self._unanswered > 0 and (left := deadline - time.monotonic()) > 0:
                got = [b for b in self._line.read(left) if b & _FIXED_MASK == _FIXED_BITS]
                self._unanswered -= len(got)
                answers += got
            if len(answers) >= 2:
                return answers[-1]
            timeout_s = _ANSWER_TIMEOUT_S
        raise TimeoutError("the printer does not answer")


def _query_status(line: PrinterLine, printing_s: float = 0.0) -> PrinterStatus:
    """Return the printer's state by its answers.

    Args:
        printing_s: seconds until it may have printed all that was sent before.

    Raises:
        PrinterError: no paper, or cover open. TimeoutError: no answer.
    """
    dialogue = _StatusDialogue(line)
    paper = dialogue.ask(_QUERY_PAPER, _ANSWER_TIMEOUT_S + printing_s)
    offline = dialogue.ask(_QUERY_OFFLINE)
    if offline & _COVER_OPEN:
        raise PrinterCoverOpenError("the cover is open")
    if paper & _PAPER_OUT:
        raise PrinterNoPaperError("the roll is at its end")
    online = not dialogue.ask(_QUERY_PRINTER) & 0x08
    return PrinterStatus(online, bool(paper & _PAPER_LOW))
