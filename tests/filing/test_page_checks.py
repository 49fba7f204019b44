"""Page checks on pages that truly have each fault (R6)."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from kiosk.filing.imaging.encoding import classify_page
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.imaging.page_checks import check_page
from kiosk.filing.imaging.segmentation import ToneRegion
from kiosk.hardware.virtual.claim_pages import draw_claim_page, simulate_scan

pytestmark = pytest.mark.slow

DPI = 150
PAPER = (250, 249, 245)


@pytest.fixture(scope="module")
def clean() -> Image.Image:
    """Return the claim's first page, straight, with a scanner's noise."""
    return simulate_scan(draw_claim_page(1).reduce(2), 0, seed=3)


def advice_on(image: Image.Image) -> tuple[str, ...]:
    """Return the advice on ``image``."""
    return check_page(image, DPI).advice


def faded(image: Image.Image, share: float) -> Image.Image:
    """Return ``image`` with its ink at ``share`` of its strength."""
    pixels = np.asarray(image).astype(float)
    return Image.fromarray((255 - (255 - pixels) * share).astype(np.uint8))


def coding_of(image: Image.Image) -> tuple[str, list[ToneRegion]]:
    """Return how ``image`` is coded, and the regions that keep their tones."""
    return classify_page(image, DPI, check_page(image, DPI))


def test_good_page_has_no_advice(clean: Image.Image) -> None:
    assert advice_on(clean) == ()


@pytest.mark.parametrize("angle", [-4.0, -1.5, -0.5, 0.6, 2.0, 5.0])
def test_skew_is_measured(clean: Image.Image, angle: float) -> None:
    quality = check_page(clean.rotate(angle, Image.Resampling.BICUBIC, fillcolor=PAPER), DPI)
    assert quality.skew == pytest.approx(angle, abs=0.21)
    assert "page_skewed" in quality.advice


@pytest.mark.parametrize(("radius", "blurred"), [(0.4, False), (0.8, False), (2.0, True)])
def test_blur(clean: Image.Image, radius: float, blurred: bool) -> None:
    found = advice_on(clean.filter(ImageFilter.GaussianBlur(radius)))
    assert ("page_blurred" in found) is blurred


def test_dark_page(clean: Image.Image) -> None:
    assert advice_on(ImageEnhance.Brightness(clean).enhance(0.45)) == ("page_dark",)


def test_grey_recycled_paper_is_not_dark(clean: Image.Image) -> None:
    assert advice_on(ImageEnhance.Brightness(clean).enhance(0.75)) == ()


@pytest.mark.parametrize("share", [0.18, 0.33])
def test_faint_writing_is_not_blank(clean: Image.Image, share: float) -> None:
    found = advice_on(faded(clean, share))
    assert "page_faint" in found
    assert "page_blank" not in found


def test_blank_page() -> None:
    assert advice_on(simulate_scan(Image.new("RGB", (1240, 1754), PAPER), 0)) == ("page_blank",)


PAPERS = [
    (250, 249, 245),
    (240, 225, 140),
    (240, 190, 195),
    (180, 205, 235),
    (200, 195, 180),
    (150, 150, 150),
]


def sheet_of(
    colour: tuple[int, int, int], noise: float, specks: int = 0, light: float = 1
) -> Image.Image:
    """Return a blank sheet: its colour, a sensor's noise, a paper's specks, uneven light."""
    random = np.random.default_rng(7)
    page = np.ones((1754, 1240, 3)) * colour
    page *= np.linspace(1, light, 1240)[None, :, None]
    page += random.normal(0, noise, (1754, 1240, 1)) + random.normal(0, noise / 2, page.shape)
    for _ in range(specks):
        y, x = random.integers(0, 1740), random.integers(0, 1230)
        speck = page[y : y + random.integers(1, 4), x : x + random.integers(1, 5)]
        speck -= random.integers(15, 60)
    return Image.fromarray(page.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("colour", PAPERS)
@pytest.mark.parametrize(
    ("noise", "specks", "light"),
    [(2, 0, 1), (6, 0, 1), (12, 0, 1), (4, 400, 1), (4, 0, 0.85), (8, 200, 0.9)],
)
def test_a_blank_sheet_is_blank_whatever_its_paper(
    colour: tuple[int, int, int], noise: float, specks: int, light: float
) -> None:
    assert advice_on(sheet_of(colour, noise, specks, light)) == ("page_blank",)


@pytest.mark.parametrize("colour", PAPERS)
@pytest.mark.parametrize("noise", [2, 6, 10])
@pytest.mark.parametrize("is_signature", [False, True])
def test_faint_writing_on_any_paper_is_not_blank(
    clean: Image.Image, colour: tuple[int, int, int], noise: float, is_signature: bool
) -> None:
    page = sheet_of(colour, noise)
    if is_signature:
        draw = ImageDraw.Draw(page)
        y = 1200 + 25 * np.sin(np.linspace(0, 20, 300))
        darker = tuple(round(value - 40) for value in colour)
        draw.line(list(zip(range(500, 800), y, strict=True)), fill=darker, width=3)
    else:
        ink = 255 - np.asarray(clean).astype(float)
        page = Image.fromarray((np.asarray(page) - 0.18 * ink).clip(0, 255).astype(np.uint8))
    assert "page_faint" in advice_on(page)


def shaded(page: Image.Image, turns: int, mm: float, level: int, share: float) -> Image.Image:
    """Return ``page`` with a dark band along an edge; ``share`` below 1: a wedge, or a part."""
    pixels = np.asarray(page).copy()
    side = np.rot90(pixels, turns)
    wide = side.shape[1]
    for x in range(wide if share > 0.6 else round(wide * share)):
        side[: round(mm / 25.4 * DPI * (1 - (1 - share) * x / wide)), x] = level
    return Image.fromarray(pixels)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mm", [0.4, 2, 6])
@pytest.mark.parametrize(("level", "share"), [(5, 1), (110, 1), (170, 1), (30, 0.7), (30, 0.4)])
def test_a_scanners_dark_edge_is_not_cut_text(
    clean: Image.Image, turns: int, mm: float, level: int, share: float
) -> None:
    assert advice_on(shaded(clean, turns, mm, level, share)) == ()
    blank = sheet_of((240, 225, 140), 4)
    assert advice_on(shaded(blank, turns, mm, level, share)) == ("page_blank",)


@pytest.mark.parametrize("box", [(210, 0, 1240, 1754), (0, 0, 900, 1754), (0, 0, 1240, 700)])
def test_text_over_the_edge_is_seen_beside_a_shadow(
    clean: Image.Image, box: tuple[int, int, int, int]
) -> None:
    page = clean.crop(box)
    for turns in range(4):
        assert "page_cut_off" in advice_on(shaded(page, turns, 2, 30, 0.4))


def test_page_on_its_side(clean: Image.Image) -> None:
    assert "page_sideways" in advice_on(clean.rotate(90, expand=True))


@pytest.mark.parametrize("box", [(210, 0, 1240, 1754), (0, 0, 900, 1754)])
def test_text_over_the_edge(clean: Image.Image, box: tuple[int, int, int, int]) -> None:
    assert "page_cut_off" in advice_on(clean.crop(box))


def test_shadow_along_a_whole_edge_is_not_cut_text(clean: Image.Image) -> None:
    page = clean.copy()
    page.paste((30, 30, 30), (0, 0, 4, page.height))
    assert "page_cut_off" not in advice_on(page)


def test_how_pages_are_coded(clean: Image.Image) -> None:
    stamped = simulate_scan(draw_claim_page(3).reduce(2), 0)
    photo = clean.copy()
    ramp = np.linspace(60, 200, 400).astype(np.uint8)
    photo.paste(Image.fromarray(np.tile(ramp, (400, 1))).convert("RGB"), (300, 900))
    assert coding_of(clean) == ("text", [])
    kind, regions = coding_of(stamped)
    assert kind == "mixed"
    signature, stamp = regions
    assert signature.is_coloured
    assert stamp.is_coloured
    assert signature.share < 0.03 < stamp.share < 0.1
    kind, (shown,) = coding_of(photo)
    assert kind == "mixed"
    assert not shown.is_coloured
    assert (shown.left, shown.top) == pytest.approx((300 / 1240, 900 / 1754), abs=0.02)
    assert coding_of(faded(clean, 0.2)) == ("grey", [])
    assert coding_of(photo.crop((250, 850, 750, 1350)))[0] == "grey"


def test_paper_with_a_tint_is_not_colour(clean: Image.Image) -> None:
    pixels = np.asarray(clean) * np.array([1.0, 0.97, 0.75])
    tinted = Image.fromarray(pixels.astype(np.uint8))
    assert coding_of(tinted) == ("text", [])


def test_every_advice_has_words() -> None:
    for advice in ADVICE.values():
        assert advice.sentence
        assert advice.remedy or advice.is_fixed
