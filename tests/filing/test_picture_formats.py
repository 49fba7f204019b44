"""A picture of another format is refused whatever its name says; no decoder of it runs."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest
from PIL import Image

from kiosk.filing.errors import PageFailedError
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.hardware.scanner.errors import ScannerLostError
from kiosk.hardware.scanner.overhead_cameras import FolderCamera

pytestmark = pytest.mark.slow


def write_psd(path: Path) -> bytes:
    """Write a small Photoshop file; return its content."""
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 8, 8, 8, 3)
    content = header + struct.pack(">IIIH", 0, 0, 0, 0) + bytes(3 * 8 * 8)
    path.write_bytes(content)
    return content


def write_picture(path: Path, kind: str) -> bytes:
    """Write a picture of format ``kind``, of which Pillow has a decoder; return its content."""
    if kind == "PSD":
        write_psd(path)
    else:
        Image.new("RGB", (8, 8)).save(path, kind)
    with Image.open(path) as opened:
        assert opened.format == kind
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["PSD", "TIFF", "GIF", "PNG"])
def test_a_page_of_another_format_is_refused_and_stays(kind: str, tmp_path: Path) -> None:
    page = tmp_path / "0001.jpg"
    content = write_picture(page, kind)

    async def prepare_twice() -> int | None:
        async with ImagingWorker() as worker:
            with pytest.raises(PageFailedError, match="cannot identify image file"):
                await worker.prepare(page, 0, tmp_path)
            child = worker.pid
            good = tmp_path / "0002.jpg"
            Image.new("RGB", (620, 877), "white").save(good, dpi=(75, 75))
            await worker.prepare(good, 0, tmp_path)
            assert worker.pid == child
            return child

    assert asyncio.run(prepare_twice())
    assert page.read_bytes() == content
    assert not (tmp_path / "0001.pdf").exists()


@pytest.mark.parametrize("kind", ["PSD", "TIFF"])
def test_the_overhead_camera_takes_no_other_format(kind: str, tmp_path: Path) -> None:
    content = write_picture(tmp_path / "desk.png", kind)
    with pytest.raises(ScannerLostError):
        FolderCamera(tmp_path, 0.0)
    assert (tmp_path / "desk.png").read_bytes() == content
