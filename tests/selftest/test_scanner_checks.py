"""When a room is set up, a sheet must come through the scanner; an answer alone is no test."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from kiosk.config import ScannerSettings
from kiosk.hardware.virtual.scanner import VirtualScanner
from kiosk.selftest import CheckResult
from kiosk.selftest.run import run_check
from tests.selftest.conftest import Open, answering

pytestmark = pytest.mark.slow
DPI: Final = 150


def check(
    open_kiosk: Open, scanner: VirtualScanner, seconds: float = 20.0, *, is_new: bool = True
) -> CheckResult:
    """Return the result of the check; ``is_new``: in a room that is being set up."""

    async def story() -> CheckResult:
        settings = ScannerSettings(
            device=scanner.device, sane_config_dir=scanner.config_dir, resolution=DPI
        )
        async with open_kiosk(scanner=settings) as kiosk:
            context = replace(
                kiosk.context, ask=answering(), check_seconds=seconds, commissioning=is_new
            )
            return await run_check(context, "scanner")

    return asyncio.run(story())


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """An A4 sheet with something on it."""
    path = tmp_path / "sheet.png"
    image = Image.effect_noise((1240, 1754), 12).convert("RGB")
    image.paste((20, 20, 24), (120, 300, 1120, 420))
    image.save(path, dpi=(DPI, DPI))
    return path


def test_a_sheet_is_measured_and_kept_nowhere(
    open_kiosk: Open, sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with VirtualScanner([sheet]) as scanner:
        result = check(open_kiosk, scanner)
        assert (result.state, result.code) == ("passed", None)
        assert abs(result.measured["sheet_width_mm"] - 210) <= 3
        assert abs(result.measured["sheet_height_mm"] - 297) <= 3
        assert scanner.sheets_left == 0
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_scanner_that_answers_has_not_passed_without_a_sheet(open_kiosk: Open) -> None:
    with VirtualScanner() as scanner:
        result = check(open_kiosk, scanner, 3.0)
        assert (result.state, result.code) == ("failed", "scanner_no_paper")
        assert check(open_kiosk, scanner, is_new=False).state == "passed"


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (VirtualScanner.jam, "scanner_jam"),
        (VirtualScanner.open_cover, "scanner_cover_open"),
        (VirtualScanner.send_half_page, "page_incomplete"),
    ],
    ids=["jam", "cover", "half"],
)
def test_a_sheet_that_did_not_pass_says_why(
    open_kiosk: Open, sheet: Path, break_it: Callable[[VirtualScanner], None], code: str
) -> None:
    with VirtualScanner([sheet]) as scanner:
        break_it(scanner)
        result = check(open_kiosk, scanner)
        assert (result.state, result.code) == ("failed", code)
