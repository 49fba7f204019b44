"""The receipt printer through python-escpos and pyserial, against a pseudo-terminal."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image, ImageChops
from pydantic import ValidationError

from kiosk.config import PrinterSettings
from kiosk.hardware import receipt_printer
from kiosk.hardware.receipt_printer import (
    PrinterAbsentError,
    PrinterCoverOpenError,
    PrinterError,
    PrinterNoPaperError,
    PrinterSilentError,
    PrinterStatus,
    PrinterUnconfirmedError,
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


@pytest.mark.parametrize("port", ["", "/dev/kiosk-no-such-line", "127.0.0.1:1"])
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


class NetworkPrinter(socketserver.StreamRequestHandler):
    """A printer in the network that answers as the other one does."""

    decoder = EscPosDecoder(WIDTH)

    def handle(self) -> None:
        """Take all that one connection sends."""
        while data := self.request.recv(4096):
            self.request.sendall(b"\x12" * len(self.decoder.feed(data)))


def test_a_printer_in_the_network_prints_and_answers() -> None:
    image = noise(300)
    with socketserver.TCPServer(("127.0.0.1", 0), NetworkPrinter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        printer = ReceiptPrinter(PrinterSettings(port=f"{host!s}:{port}", width_dots=WIDTH))
        status = printer.print_image(image)
        server.shutdown()
    assert status == PrinterStatus(online=True, paper_low=False)
    assert [receipt.height for receipt in NetworkPrinter.decoder.receipts] == [300]


def test_a_device_file_without_a_way_back_is_printed_to_and_not_called_printed(
    tmp_path: Path,
) -> None:
    """As ``/dev/usb/lp0`` of a printer that answers nothing."""
    file, image = tmp_path / "lp0", noise(300)
    file.touch()
    with pytest.raises(PrinterSilentError):
        ReceiptPrinter(PrinterSettings(port=str(file), width_dots=WIDTH)).status()
    file.write_bytes(b"")
    settings = PrinterSettings(port=str(file), width_dots=WIDTH, answers=False)
    with pytest.raises(PrinterUnconfirmedError):
        ReceiptPrinter(settings).print_image(image)
    decoder = EscPosDecoder(WIDTH)
    assert decoder.feed(file.read_bytes()) == []
    (printed,) = decoder.receipts
    assert ImageChops.difference(printed.convert("L"), image.convert("L")).getbbox() is None


@pytest.mark.parametrize("port", ["lp0", "printer:99999", "printer:", "http://printer:9100"])
def test_a_port_that_is_neither_path_nor_address_is_refused(port: str) -> None:
    with pytest.raises(ValidationError):
        PrinterSettings(port=port)


class PlayedLine:
    """A line and its printer in played time: answers come late, in order, or one behind.

    Args:
        held_s: until the printer has what was sent.
        delay_s: from a question to its answer.
        behind: answers that stay in the printer until the next one.
        printing_s: a printer that answers only when it has printed.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        held_s: float = 0.0,
        delay_s: float = 0.0,
        behind: int = 0,
        stale: bool = False,
        printing_s: float = 0.0,
        states: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self.held_s, self._delay_s, self._behind = held_s, delay_s, behind
        self._printing_s, self._states = printing_s, states
        self._now_s = 0.0
        self._free_s = 0.0
        self._answers: list[tuple[float, int]] = []
        self._kept: list[int] = [0x12] if stale else []
        self._decoder = EscPosDecoder(WIDTH)
        monkeypatch.setattr("kiosk.hardware.receipt_printer.time.monotonic", lambda: self._now_s)
        monkeypatch.setattr(receipt_printer, "open_line", self._open)

    @contextlib.contextmanager
    def _open(self, _settings: PrinterSettings) -> Iterator[PlayedLine]:
        yield self

    def write(self, data: bytes) -> None:
        if len(data) > 100:
            self._free_s = self._now_s + self.held_s + self._printing_s
        for request in self._decoder.feed(data):
            self._kept.append(0x12 | self._states.get(request, 0))
            while len(self._kept) > self._behind:
                at_s = max(self._free_s, self._now_s) + self._delay_s
                self._answers.append((at_s, self._kept.pop(0)))

    def read(self, seconds: float) -> bytes:
        until_s = self._now_s + seconds
        if not self._answers or self._answers[0][0] > until_s:
            self._now_s = until_s
            return b""
        at_s, answer = self._answers.pop(0)
        self._now_s = max(self._now_s, at_s)
        return bytes([answer])

    def discard_input(self) -> None:
        self._answers = [row for row in self._answers if row[0] > self._now_s]

    def discard_output(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param({"held_s": 4.27}, id="a line of 9600 baud still holds 4096 bytes"),
        pytest.param({"delay_s": 1.4}, id="answers come late"),
        pytest.param({"delay_s": 0.9}, id="answers come late, but in time"),
        pytest.param({"stale": True, "behind": 1}, id="each answer is that to the question before"),
        pytest.param({"behind": 1}, id="each answer waits for the next question"),
        pytest.param({"printing_s": 2.0}, id="answers only when it has printed"),
    ],
)
def test_a_healthy_printer_is_never_called_silent_or_open(
    monkeypatch: pytest.MonkeyPatch, shape: dict[str, Any]
) -> None:
    """Low paper in the answer of another question would be an open cover."""
    PlayedLine(monkeypatch, states={4: 0x0C}, **shape)
    status = ReceiptPrinter(settings_for("/dev/played")).print_image(noise(500))
    assert status == PrinterStatus(online=True, paper_low=True)


def test_an_open_cover_is_found_behind_late_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    PlayedLine(monkeypatch, states={2: 0x04}, delay_s=1.4)
    with pytest.raises(PrinterCoverOpenError):
        ReceiptPrinter(settings_for("/dev/played")).status()


def test_a_printer_that_never_answers_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    PlayedLine(monkeypatch, behind=1000)
    with pytest.raises(PrinterSilentError):
        ReceiptPrinter(settings_for("/dev/played")).print_image(noise(500))
