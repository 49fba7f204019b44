"""Sheets of paper for the virtual scanner, drawn once for each test process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image, ImageDraw

from kiosk.hardware.virtual.claim_pages import simulate_scan

DPI: Final = 150


def draw_sheet(path: Path, number: int, size: tuple[int, int] = (1240, 1754)) -> Path:
    """Write an A4 sheet at 150 dpi with its number as a black bar code of ``number`` bars."""
    image = Image.new("RGB", size, (249, 248, 244))
    draw = ImageDraw.Draw(image)
    for bar in range(number):
        draw.rectangle((120 + 60 * bar, 120, 150 + 60 * bar, 420), fill=(20, 20, 24))
    draw.rectangle((120, size[1] - 200, size[0] - 120, size[1] - 190), fill=(20, 20, 24))
    simulate_scan(image, 0, seed=number).save(path, compress_level=1, dpi=(DPI, DPI))
    return path


def bars_on(path: Path) -> int:
    """Return the number of bars on the scanned page: which sheet it is."""
    with Image.open(path) as image:
        row = image.convert("L").crop((100, 260, image.width, 261))
        dark = [bool(value) for value in np.asarray(row)[0] < 128]
    return sum(1 for left, right in zip([False, *dark], dark, strict=False) if right and not left)


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return five sheets."""
    folder = tmp_path_factory.mktemp("sheets")
    return [draw_sheet(folder / f"sheet-{number}.png", number) for number in range(1, 6)]
