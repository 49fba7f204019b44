"""The receipt printer: ESC/POS over a serial line, through python-escpos and pyserial.

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
from typing import TYPE_CHECKING, Any

import serial
from PIL import Image

from kiosk.config import PrinterSettings
from kiosk.errors import HardwareError

if TYPE_CHECKING:
    from escpos.printer import Serial  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

#: Real-time status requests (DLE EOT n) and the bits used from their answers.
_QUERY_PRINTER, _QUERY_OFFLINE, _QUERY_PAPER = b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04"
_FIXED_MASK, _FIXED_BITS = 0b1001_0011, 0b0001_0010
_COVER_OPEN, _PAPER_OUT, _PAPER_LOW = 0x04, 0x60, 0x0C
_ANSWER_TIMEOUT_S = 1.0
_ATTEMPTS = 3
#: Rows in one raster command: they fit a printer's buffer.
_ROWS_PER_RASTER = 256
_WRITE_TIMEOUT_S = 5.0


class PrinterError(HardwareError):
    """Base of the printer's errors."""

    code = "printer_silent"


class PrinterAbsentError(PrinterError):
    """No printer is configured, or its serial line is absent."""

    code = "printer_absent"


class PrinterSilentError(PrinterError):
    """The printer does not answer or accept data; it is unknown what it printed."""

    code = "printer_silent"


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
        with self._open_printer() as printer:
            return _query_status(printer)

    def print_image(self, image: Image.Image) -> PrinterStatus:
        """Print ``image`` (dark on light), cut the paper, and query the result.

        Args:
            image: at most ``width_dots`` wide; mode ``1`` is printed unchanged.

        Raises:
            PrinterError: the exact one. After a fault in the middle, part of a receipt may hang
                out; the whole receipt is printed again.
        """
        if image.width > self._settings.width_dots:
            raise ValueError(f"{image.width} dots on a head of {self._settings.width_dots}")
        with self._open_printer() as printer:
            _query_status(printer)
            printer.hw("INIT")
            printer.image(image, impl="bitImageRaster", fragment_height=_ROWS_PER_RASTER)
            printer.cut(mode="PART")
            return _query_status(printer)

    @contextlib.contextmanager
    def _open_printer(self) -> Iterator[Serial]:
        """Open the serial line for one exchange; translate its errors."""
        printer = _open_serial(self._settings)
        try:
            yield printer
        except serial.SerialTimeoutException as error:
            raise PrinterSilentError("the printer does not take the data") from error
        except (serial.SerialException, OSError) as error:
            raise PrinterAbsentError(f"{self._settings.port}: {error}") from error
        finally:
            # Not printer.close(): it flushes first, and would wait for ever on a dead line.
            with contextlib.suppress(serial.SerialException, OSError):
                printer.device.reset_output_buffer()
            with contextlib.suppress(serial.SerialException, OSError):
                printer.device.close()


def _open_serial(settings: PrinterSettings) -> Serial:
    """Return python-escpos' printer on an exclusive serial line with a write timeout."""
    if not settings.port:
        raise PrinterAbsentError("no receipt printer is configured")
    printer: Serial = _load_escpos().Serial(devfile=settings.port)
    transfer_s = _ROWS_PER_RASTER * settings.width_dots / 8 * 10 / settings.baud
    try:
        printer.device = serial.Serial(
            settings.port,
            settings.baud,
            timeout=_ANSWER_TIMEOUT_S / 20,
            write_timeout=_WRITE_TIMEOUT_S + transfer_s,
            exclusive=True,
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise PrinterAbsentError(f"{settings.port}: {error}") from error
    return printer


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


def _query_status(printer: Serial) -> PrinterStatus:
    """Return the printer's state by its answers.

    Raises:
        PrinterError: no answer, no paper, or cover open.
    """
    paper = _query_byte(printer, _QUERY_PAPER)
    offline = _query_byte(printer, _QUERY_OFFLINE)
    if offline & _COVER_OPEN:
        raise PrinterCoverOpenError("the cover is open")
    if paper & _PAPER_OUT:
        raise PrinterNoPaperError("the roll is at its end")
    online = not _query_byte(printer, _QUERY_PRINTER) & 0x08
    return PrinterStatus(online, bool(paper & _PAPER_LOW))


def _query_byte(printer: Serial, request: bytes) -> int:
    """Return the status byte for ``request``; ignore bytes whose fixed bits are wrong."""
    for _ in range(_ATTEMPTS):
        printer.device.reset_input_buffer()
        deadline = time.monotonic() + _ANSWER_TIMEOUT_S
        data = printer.query_status(request)
        while time.monotonic() < deadline:
            for value in data:
                if value & _FIXED_MASK == _FIXED_BITS:
                    return int(value)
            data = printer.device.read(1)
    raise PrinterSilentError("the printer does not answer")
