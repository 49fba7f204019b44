"""Black and white pages: level lines, and an ink threshold for every dot."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kiosk.filing.imaging.bilevel import to_bilevel
from kiosk.hardware.virtual.claim_pages import draw_claim_page


@pytest.fixture(scope="module")
def grey() -> Image.Image:
    """A page whose sides are no multiples of a threshold's block."""
    page = draw_claim_page(1).convert("L")
    return page.crop((0, 0, page.width - 3, page.height - 1))


def _ink(image: Image.Image) -> NDArray[np.bool_]:
    return ~np.asarray(image.convert("1", dither=Image.Dither.NONE))


def _with_neighbours(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    tones = Image.fromarray(ink.astype(np.uint8) * np.uint8(255))
    return np.asarray(tones.filter(ImageFilter.MaxFilter(3))) > 0


@pytest.mark.parametrize("skew", [0.3, -0.6, 3.0, -6.0])
def test_a_page_is_turned_as_pillow_turns_it_dot_for_neighbouring_dot(
    grey: Image.Image, skew: float
) -> None:
    level = to_bilevel(grey, 245, 300)
    expected = level.convert("L").rotate(-skew, Image.Resampling.NEAREST, fillcolor=255)
    found = to_bilevel(grey, 245, 300, skew)
    assert found.size == grey.size
    ours, pillows = _ink(found), _ink(expected)
    assert ours.sum() > 10_000
    assert not (ours & ~_with_neighbours(pillows)).any()
    assert not (pillows & ~_with_neighbours(ours)).any()


def test_ink_in_the_last_rows_and_columns_is_ink(grey: Image.Image) -> None:
    marked = Image.new("L", grey.size, 245)
    marked.paste(10, (grey.width - 5, grey.height - 5, grey.width, grey.height))
    assert _ink(to_bilevel(marked, 245, 300))[-5:, -5:].all()
    assert _ink(to_bilevel(marked, 245, 300)).sum() == 25
