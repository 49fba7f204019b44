"""The receipt printer through python-escpos and pyserial, against a pseudo-terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image, ImageChops

from kiosk.config import PrinterSettings
from kiosk.hardware.receipt_printer import (
    PrinterAbsentError,
    PrinterCoverOpenError,
    PrinterError,
    PrinterNoPaperError,
    PrinterSilentError,
    PrinterStatus,
    ReceiptPrinter,
)
from kiosk.hardware.virtual.receipt_printer import EscPosDecoder, VirtualPrinter

WIDTH: Final = 576


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    """Return a virtual printer with paper."""
    with VirtualPrinter(width=WIDTH) as device:
        yield device


def settings_for(port: str) -> PrinterSettings:
    """Return settings that reach ``port``."""
    return PrinterSettings(port=port, baud=115200, width_dots=WIDTH)


def noise(rows: int) -> Image.Image:
    """Return a bilevel image in which every byte value occurs, ``DLE EOT`` included."""
    dots = np.random.default_rng(1).integers(0, 2, (rows, WIDTH)).astype(bool)
    return Image.fromarray(dots)


def test_every_dot_arrives(printer: VirtualPrinter) -> None:
    image = noise(700)
    status = ReceiptPrinter(settings_for(printer.port)).print_image(image)
    assert status == PrinterStatus(online=True, paper_low=False)
    printed = printer.wait_for_receipt()
    assert printed.size == image.size
    assert ImageChops.difference(printed.convert("L"), image.convert("L")).getbbox() is None


def test_a_code_that_was_printed_can_be_read(printer: VirtualPrinter, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    segno.make("kiosk:0001", error="m").save(str(path), scale=6, border=4)
    image = Image.new("1", (WIDTH, 300), 255)
    with Image.open(path) as code:
        image.paste(code.convert("1"), (20, 20))
    ReceiptPrinter(settings_for(printer.port)).print_image(image)
    found = zxingcpp.read_barcodes(printer.wait_for_receipt().convert("L"))
    assert [code.text for code in found] == ["kiosk:0001"]


def test_receipts_are_written_one_a_file(tmp_path: Path) -> None:
    with VirtualPrinter(tmp_path / "out", width=WIDTH) as printer:
        device = ReceiptPrinter(settings_for(printer.port))
        device.print_image(noise(40))
        device.print_image(noise(50))
        printer.wait_for_receipt(2)
    heights = [Image.open(path).height for path in sorted((tmp_path / "out").iterdir())]
    assert heights == [40, 50]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("break_it", "error"),
    [
        (VirtualPrinter.remove_paper, PrinterNoPaperError),
        (VirtualPrinter.open_cover, PrinterCoverOpenError),
        (VirtualPrinter.stop_answering, PrinterSilentError),
    ],
)
def test_faults_are_reported_and_cleared(
    printer: VirtualPrinter,
    break_it: Callable[[VirtualPrinter], None],
    error: type[PrinterError],
) -> None:
    device = ReceiptPrinter(settings_for(printer.port))
    break_it(printer)
    with pytest.raises(error):
        device.print_image(noise(30))
    assert printer.receipts == []
    printer.clear_fault()
    device.print_image(noise(30))
    assert printer.wait_for_receipt().height == 30


def test_printer_that_takes_no_bytes_is_silent(
    printer: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.hardware.receipt_printer._ANSWER_TIMEOUT_S", 0.2)
    printer.stop_accepting()
    with pytest.raises(PrinterSilentError):
        ReceiptPrinter(settings_for(printer.port)).print_image(noise(2000))


@pytest.mark.parametrize("port", ["", "/dev/kiosk-no-such-line"])
def test_printer_that_is_not_there(port: str) -> None:
    with pytest.raises(PrinterAbsentError):
        ReceiptPrinter(settings_for(port)).status()


def test_paper_decodes_whatever_way_the_bytes_are_cut() -> None:
    stream = b"\x1b@" + b"\x1dv0\x00\x01\x00\x02\x00\xff\x81" + b"\x1bd\x06\x1dV\x01\x10\x04\x04"
    whole, pieces = EscPosDecoder(8), EscPosDecoder(8)
    assert whole.feed(stream) == [4]
    assert [n for byte in stream for n in pieces.feed(bytes([byte]))] == [4]
    assert [r.tobytes() for r in whole.receipts] == [r.tobytes() for r in pieces.receipts]
    assert whole.receipts[0].getpixel((0, 0)) == 0
    assert whole.receipts[0].getpixel((1, 1)) == 255
