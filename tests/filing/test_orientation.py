"""Upside-down pages are found; an upright page is never turned."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from bench.sample_pages import KAZAKH, RUSSIAN
from kiosk import fonts
from kiosk.filing.imaging.encoding import prepare_page
from kiosk.filing.imaging.page_checks import check_page
from kiosk.hardware.virtual.claim_pages import draw_claim_page, simulate_scan

pytestmark = pytest.mark.slow

DPI = 150
INSTALLED = ("LiberationSerif-Regular.ttf", "DejaVuSerif.ttf")
WORDS = " ".join((*KAZAKH, *RUSSIAN)).split()


def faces() -> list[Path]:
    """Return the kiosk's own typeface, and a serif where one is installed."""
    found = [path for name in INSTALLED for path in Path("/usr/share/fonts").rglob(name)]
    return [fonts.REGULAR, *found[:1]]


def draw_column(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, place: int) -> None:
    """Draw a column of text that is ragged on the right."""
    left, width = ((150, 950), (100, 480), (660, 480))[place]
    y, line = 180, ""
    for word in WORDS[place * 40 :]:
        longer = f"{line} {word}".strip()
        if draw.textlength(longer, font) > width:
            draw.text((left, y), line, 30, font)
            y, longer = y + round(font.size * 1.4), word
        line = longer


def draw_table(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, seed: int) -> None:
    """Draw a table of figures and words with its rules."""
    chance, high, across = random.Random(seed), round(font.size * 1.9), (100, 260, 620, 900, 1140)
    for row in range(21):
        y = 200 + row * high
        draw.line((100, y, 1140, y), 60, 2)
        for column, x in enumerate(across[:-1] if row < 20 else ()):
            text = str(chance.randrange(10**6)) if column % 2 == 0 else chance.choice(WORDS)
            draw.text((x + 8, y + high * 0.2), text, 30, font)
    for x in across:
        draw.line((x, 200, x, 200 + 20 * high), 60, 2)


def draw_page(kind: str, face: Path, size: int, seed: int) -> Image.Image:
    """Return an upright page at 150 dpi, skewed, blurred and noisy in its own way."""
    image = Image.new("L", (1240, 1754), 250)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(face), size, layout_engine=ImageFont.Layout.BASIC)
    chance = np.random.default_rng(seed)
    if kind == "text":
        draw_column(draw, font, 0)
    elif kind == "columns":
        draw_column(draw, font, 1)
        draw_column(draw, font, 2)
    elif kind == "capitals":
        for row, part in enumerate(" ".join(WORDS[i : i + 4]).upper() for i in range(0, 80, 4)):
            draw.text((150, 200 + row * 2 * size), part, 30, font)
    elif kind == "table":
        draw_table(draw, font, seed)
    elif kind == "figures":
        for row in range(30):
            figures = "  ".join(str(n) for n in chance.integers(0, 10**6, 5))
            draw.text((150, 200 + row * round(size * 1.5)), figures, 30, font)
    else:
        draw.text((150, 300), " ".join(WORDS[seed : seed + 7]), 30, font)
        draw.text((150, 1300), "23.11.2026   Г. Ө. Әбдіғалиева", 30, font)
    image = image.rotate(chance.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=250)
    image = image.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 0.8)))
    noisy = np.asarray(image) + chance.normal(0, chance.uniform(0, 8), (1754, 1240))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def found_turned(image: Image.Image) -> bool:
    """Return whether the kiosk would turn ``image``."""
    return "page_upside_down" in check_page(image, DPI).advice


def test_right_pages_stay_and_most_turned_ones_are_found() -> None:
    own = faces()[0]
    drawn = [(kind, own) for kind in ("text", "columns", "capitals", "table", "figures", "sparse")]
    drawn += [(kind, face) for kind in ("text", "figures") for face in faces()[1:]]
    missed = []
    for number, (kind, face) in enumerate(drawn):
        page = draw_page(kind, face, (21, 25, 29)[number % 3], seed=number)
        assert not found_turned(page), f"{kind} in {face.name} would be turned"
        if not found_turned(page.transpose(Image.Transpose.ROTATE_180)):
            missed.append((kind, face))
    assert not {kind for kind, face in missed if face == own} & {"text", "columns", "capitals"}


def test_claim_with_stamp_and_signature() -> None:
    for number in (1, 3):
        page = simulate_scan(draw_claim_page(number).reduce(2), 0.7, seed=number)
        assert not found_turned(page)
        assert found_turned(page.transpose(Image.Transpose.ROTATE_180))


def test_a_picture_stays() -> None:
    dots = np.where(np.random.default_rng(1).random((1754, 1240)) < 0.03, 20, 250)
    assert not found_turned(Image.fromarray(dots.astype(np.uint8)))


@pytest.mark.parametrize("may_turn", [True, False])
def test_document_and_picture_are_turned(may_turn: bool, tmp_path: Path) -> None:
    upright = simulate_scan(draw_claim_page(1).reduce(2), 0)
    paths = []
    for name, image in (("1", upright), ("2", upright.transpose(Image.Transpose.ROTATE_180))):
        image.save(tmp_path / f"{name}.jpg", quality=94, dpi=(DPI, DPI))
        paths.append(tmp_path / f"{name}.jpg")
    (work := tmp_path / "work").mkdir()
    first, second = (prepare_page(path, 0, work, may_turn=may_turn) for path in paths)
    assert (first.turn, first.quality.advice) == (0, ())
    assert second.turn == (180 if may_turn else 0)
    assert second.quality.advice == (("page_upside_down",) if may_turn else ())
    shown = [np.asarray(Image.open(p.preview).convert("L"), int) for p in (first, second)]
    same = np.abs(shown[0] - shown[1]).mean() < np.abs(shown[0][::-1, ::-1] - shown[1]).mean()
    assert same is np.bool_(may_turn)
