"""Colours and sizes: contrast by WCAG, targets and letters in millimetres."""

from __future__ import annotations

import pytest

from kiosk.ui.theme import HIGH_CONTRAST, STANDARD, Palette, Theme, contrast_ratio

LARGE = Theme()
SMALL = Theme(width=800, height=480, width_mm=154)
PAIRS = (
    ("text", "background"),
    ("text", "surface"),
    ("quiet", "background"),
    ("quiet", "surface"),
    ("quiet", "neutral"),
    ("on_accent", "accent"),
    ("on_accent_quiet", "accent"),
    ("on_accent", "accent_pressed"),
    ("tint_text", "tint"),
    ("good", "good_tint"),
    ("good", "surface"),
    ("good", "background"),
    ("caution", "caution_tint"),
    ("caution", "surface"),
    ("fault", "fault_tint"),
    ("fault", "surface"),
    ("on_dark", "dark"),
    ("on_dark", "dark_pill"),
)


@pytest.mark.parametrize("palette", [STANDARD, HIGH_CONTRAST], ids=["standard", "high"])
@pytest.mark.parametrize(("letters", "ground"), PAIRS)
def test_text_is_readable(palette: Palette, letters: str, ground: str) -> None:
    """4.5:1 everywhere (WCAG 2.2 AA); 7:1 in high contrast."""
    ratio = contrast_ratio(getattr(palette, letters), getattr(palette, ground))
    assert ratio >= (7.0 if palette is HIGH_CONTRAST else 4.5)


@pytest.mark.parametrize("theme", [LARGE, SMALL], ids=["1280x800", "800x480"])
def test_targets_and_letters_in_millimetres(theme: Theme) -> None:
    """Targets of 12.7 mm, gaps of 2.5 mm, no letter below 2.1 mm."""
    per_mm = theme.width / theme.width_mm
    assert theme.target / per_mm >= 12.7
    assert theme.gap / per_mm >= 2.5
    assert theme.cap_mm(theme.font("small")) >= 2.1


def test_what_visitors_must_read_has_capitals_of_7_3_mm() -> None:
    """EN 301 549: capitals of 7.3 mm at 60 cm, at the first text size already."""
    assert LARGE.cap_mm(LARGE.font("headline")) >= 7.2


def test_four_text_sizes_grow() -> None:
    """Each text size is larger than the one before."""
    sizes = [Theme(text_size=size).font("body") for size in (1, 2, 3, 4)]
    assert sizes == sorted(set(sizes))


def test_contrast_of_black_and_white_is_21() -> None:
    """The formula of WCAG."""
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21.0)
