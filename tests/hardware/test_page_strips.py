"""A page is kept in strips: the same picture, its whole size known, in bounded memory."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner import page_strips
from kiosk.hardware.scanner.page_strips import STRIP_ROWS, PageStrips, strips_of
from kiosk.hardware.scanner.session import ScanSession
from kiosk.hardware.virtual import escl
from kiosk.hardware.virtual import scanner as virtual_scanner
from kiosk.hardware.virtual.escl import ScanSettings
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.hardware.scan_helpers import pages_of, scan

MOST_BYTES, WHOLE = 150 << 20, 1 << 30


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return paper with gradients and noise of a sensor."""
    noise = np.random.default_rng(3).integers(-4, 5, (height, width, 3))
    x, y = np.meshgrid(np.linspace(60, 240, width), np.linspace(0, 12, height))
    whole = np.stack([x, x[:, ::-1], 128 + 90 * np.sin(y)], axis=-1) + noise
    return Image.fromarray(whole.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg_of(page: PageStrips, size: tuple[int, int] | None = None) -> Image.Image:
    """Return the page's JPEG, read again by a strict reader."""
    file = io.BytesIO()
    page.write_jpeg(file.write, size)
    image = Image.open(io.BytesIO(file.getvalue()))
    image.load()
    assert image.info["dpi"] == (300, 300)
    return image


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kept_bytes", [0, 150_000, WHOLE])
@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((333, 1500), None),
        ((333, 12 * STRIP_ROWS), (333, 12 * STRIP_ROWS)),
        ((333, 1500), (333, 1100)),
        ((333, 1500), (250, 1499)),
        ((333, 100), (17, 16)),
    ],
)
def test_the_jpeg_of_the_strips_is_the_picture(
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    kept_bytes: int,
    size: tuple[int, int],
    wanted: tuple[int, int] | None,
) -> None:
    monkeypatch.setattr(page_strips, "PIXEL_BYTES", kept_bytes)
    whole, page = picture(*size, mode), PageStrips(300)
    for strip in strips_of(whole):
        page.add(strip)
    found = jpeg_of(page, wanted)
    width, height = wanted or size
    assert (found.size, found.mode) == ((width, height), mode)
    file = io.BytesIO()
    whole.crop((0, 0, width, height)).save(file, "JPEG", quality=94, subsampling="4:4:4")
    plain = np.asarray(Image.open(file), dtype=np.int16)
    rows = np.abs(np.asarray(found, dtype=np.int16) - plain).reshape(height, -1).mean(axis=1)
    if kept_bytes == WHOLE:
        assert rows.max() == 0, "as if it had been made at once"
    assert rows.max() < 3, "no strip is displaced"


@pytest.mark.parametrize("height", [5, STRIP_ROWS - 1, STRIP_ROWS, STRIP_ROWS + 3, 777])
def test_what_is_not_white_is_known_to_the_pixel(height: int) -> None:
    whole = Image.new("RGB", (400, 900), (255, 255, 255))
    whole.paste(picture(300, height), (0, 0))
    page = PageStrips(300)
    for strip in strips_of(whole):
        page.add(strip)
    assert page.used == (300, height)
    assert page.used_tail is not None
    tail = whole.crop((0, max(0, height - 8), 300, height))
    assert np.array_equal(np.asarray(page.used_tail)[-tail.height :], np.asarray(tail))
    assert page.tail.getextrema() == ((255, 255),) * 3
    assert page.size_without((255, 255, 255), 0) == (300, height)


@contextmanager
def greatest_memory() -> Iterator[list[int]]:
    """Yield a list that gets the greatest resident size of a scanning child, in bytes."""
    done, found = threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.005):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if "sane_child" not in (process / "cmdline").read_text():
                        continue
                    status = (process / "status").read_text()
                except OSError:
                    continue
                if f"PPid:\t{os.getpid()}\n" in status:
                    value = status.partition("VmHWM:")[2].split()
                    found[0] = max(found[0], int(value[0]) << 10 if value else 0)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_a_page_of_600_dpi_takes_no_more_than_150_mb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window of three metres, and a sheet as large as the window that is asked for."""

    def noisy(_page: Path, settings: ScanSettings) -> bytes:
        size = tuple(settings.width * 2 if n == 0 else settings.height * 2 for n in (0, 1))
        rng, file = np.random.default_rng(5), io.BytesIO()
        rows = rng.integers(225, 250, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(rows).save(file, "JPEG", quality=90)
        return file.getvalue()

    monkeypatch.setattr(escl, "MAX_HEIGHT", 36600)
    monkeypatch.setattr(virtual_scanner, "render_page", noisy)
    sheet = tmp_path / "sheet.png"
    Image.new("L", (8, 8)).save(sheet)
    (folder := tmp_path / "pages").mkdir()
    with VirtualScanner([sheet, sheet]) as device, greatest_memory() as memory:
        settings = ScannerSettings(
            device=device.device, sane_config_dir=device.config_dir, resolution=600
        )
        events = scan(ScanSession(settings, folder, first_page=2))
    assert [(page.width, page.height) for page in pages_of(events)] == [(5100, 8400)] * 2
    assert 20 << 20 < memory[0] <= MOST_BYTES, f"{memory[0] >> 20} MB"
