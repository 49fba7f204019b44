"""Fixtures: a filing service, and a scanner, a printer and a sync service under test control."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.config import PathSettings, PrinterSettings, ScannerSettings, Settings
from kiosk.hardware.virtual.claim_pages import draw_claim_page, simulate_scan
from kiosk.hardware.virtual.receipt_printer import VirtualPrinter
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.ipc import ServiceDownError
from kiosk.rules import Rules, load_rules


class FakeSync:
    """Fake sync service: gives a set answer, or none."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | None = {
            "state": "registered",
            "number": "7514-26-00-4/1187",
            "at": "2026-11-23T04:45:00.000Z",
        }
        self.asked: list[str] = []
        self.delivered = False

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """Answer, or be down."""
        del body, timeout
        self.asked.append(path)
        if self.answer is None:
            raise ServiceDownError("sync.sock: nobody answers")
        return self.answer

    async def get(self, path: str, timeout: float = 10.0) -> dict[str, Any]:
        """Say whether it was delivered, or be down."""
        del path, timeout
        if self.answer is None:
            raise ServiceDownError("sync.sock: nobody answers")
        return {"state": "registered", "delivered": self.delivered}


def half(image: Image.Image) -> Image.Image:
    """Return the page at 150 dpi: enough for every check, and quick."""
    return image.reduce(2)


@pytest.fixture(scope="session")
def claim(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the three pages of the Kazakh claim at 150 dpi."""
    folder = tmp_path_factory.mktemp("claim")
    paths = []
    for number, angle in ((1, 0.5), (2, -0.6), (3, 0.0)):
        page = simulate_scan(half(draw_claim_page(number)), angle, seed=number)
        path = folder / f"page-{number}.jpg"
        page.save(path, quality=95, subsampling="4:4:4", dpi=(150, 150))
        paths.append(path)
    return paths


@pytest.fixture(scope="session")
def rules() -> Rules:
    """Return the rules data."""
    return load_rules()


@pytest.fixture
def scanner() -> Iterator[VirtualScanner]:
    """Return an empty scanner."""
    with VirtualScanner() as device:
        yield device


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    """Return a printer with paper."""
    with VirtualPrinter() as device:
        yield device


@pytest.fixture
def settings(tmp_path: Path, scanner: VirtualScanner, printer: VirtualPrinter) -> Settings:
    """Return settings with the virtual devices."""
    return Settings(
        paths=PathSettings(data=tmp_path / "data", run=tmp_path / "run"),
        scanner=ScannerSettings(
            device=scanner.device, sane_config_dir=scanner.config_dir, resolution=150
        ),
        printer=PrinterSettings(port=printer.port, baud=115200),
    )


@pytest.fixture
def sync() -> FakeSync:
    """Return a sync service that registers."""
    return FakeSync()
