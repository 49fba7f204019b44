"""Colours and sizes. Sizes come from millimetres of the real screen, colours from two palettes.

Plain Python: tested without a window. Pixels of the design are those of a 1280x800 screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DESIGN_WIDTH, DESIGN_HEIGHT = 1280, 800
TARGET_MM = 12.7
GAP_MM = 2.5
CAP_HEIGHT = 0.727  # Inter: height of a capital as a part of the font size
TEXT_FACTORS = {1: 1.0, 2: 1.18, 3: 1.36, 4: 1.55}

Tone = Literal["plain", "accent", "good", "caution", "fault", "dark"]
Kind = Literal[
    "display", "headline", "title", "choice", "say", "option", "heading", "lead", "body", "small"
]


def tone_colour(tone: Tone, other: str) -> str:
    """Return the colour of words in ``tone``; ``other`` for a tone without a colour of its own."""
    return tone if tone in ("good", "caution", "fault") else other


@dataclass(frozen=True)
class Palette:
    """Colours as ``#rrggbb``. Red belongs to recording and faults, green to what was checked."""

    background: str = "#f4f6f8"
    surface: str = "#ffffff"
    line: str = "#d8dfe5"
    edge: str = "#b9c6d0"
    text: str = "#10202c"
    quiet: str = "#4c5e6a"
    accent: str = "#00607c"
    on_accent: str = "#ffffff"
    on_accent_quiet: str = "#d9ecf2"
    accent_pressed: str = "#004c63"
    tint: str = "#e2f1f5"
    tint_line: str = "#bcdfe8"
    tint_text: str = "#005a73"
    good: str = "#14652f"
    good_tint: str = "#e3f3e8"
    caution: str = "#7a5200"
    caution_tint: str = "#fff3d1"
    caution_line: str = "#ecd9a4"
    fault: str = "#a31515"
    fault_tint: str = "#fdeaea"
    recording: str = "#ff4d4d"
    recording_halo: str = "#5a2f38"
    dark: str = "#10202c"
    dark_pill: str = "#2b3b47"
    closed: str = "#4a2566"
    on_dark: str = "#ffffff"
    meter: str = "#e6ebef"
    meter_quiet: str = "#8fa1ad"
    neutral: str = "#edf1f4"
    pressed: str = "#e8eef2"


STANDARD = Palette()
HIGH_CONTRAST = Palette(
    background="#000000",
    surface="#000000",
    line="#ffffff",
    edge="#ffffff",
    text="#ffffff",
    quiet="#ffffff",
    accent="#ffe14d",
    on_accent="#000000",
    on_accent_quiet="#000000",
    accent_pressed="#d9bd2e",
    tint="#1d1d1d",
    tint_line="#ffe14d",
    tint_text="#ffe14d",
    good="#7dffa0",
    good_tint="#00210c",
    caution="#ffd24d",
    caution_tint="#241a00",
    caution_line="#ffd24d",
    fault="#ff9c9c",
    fault_tint="#2b0000",
    recording="#ff4d4d",
    recording_halo="#5a1c1c",
    dark="#000000",
    dark_pill="#1d1d1d",
    closed="#2a0040",
    on_dark="#ffffff",
    meter="#333333",
    meter_quiet="#a0a0a0",
    neutral="#1d1d1d",
    pressed="#2d2d2d",
)

# Font sizes in design pixels at the first text size. A running hearing's timer and a filing's
# number have sizes of their own.
KINDS: dict[Kind, int] = {
    "display": 84,
    "headline": 59,  # capitals of 7.3 mm: what a visitor must read from 60 cm
    "title": 42,
    "choice": 42,
    "say": 36,
    "option": 30,
    "heading": 27,
    "lead": 26,
    "body": 22,
    "small": 19,
}
MIN_CAP_MM = 2.1  # nothing on the screen has smaller capitals, on any screen


@dataclass(frozen=True)
class Theme:
    """Sizes and colours for one screen and one look.

    Args:
        width, height: of the window, pixels.
        width_mm: of the screen's picture, millimetres.
        text_size: 1 to 4.
        high_contrast: white and yellow on black.
    """

    width: int = DESIGN_WIDTH
    height: int = DESIGN_HEIGHT
    width_mm: float = 217.0
    text_size: int = 1
    high_contrast: bool = False

    @property
    def palette(self) -> Palette:
        """Return the colours in force."""
        return HIGH_CONTRAST if self.high_contrast else STANDARD

    @property
    def scale(self) -> float:
        """Return pixels of this screen per design pixel."""
        return min(self.width / DESIGN_WIDTH, self.height / DESIGN_HEIGHT)

    @property
    def compact(self) -> bool:
        """Return whether the screen is a small one (800x480): lists page, extras go."""
        return self.height < 600

    def mm(self, millimetres: float) -> int:
        """Return ``millimetres`` in pixels, rounded up."""
        return int(millimetres * self.width / self.width_mm + 0.999)

    def px(self, design: float) -> int:
        """Return ``design`` pixels on this screen."""
        return max(1, round(design * self.scale))

    @property
    def target(self) -> int:
        """Return the least side of anything that can be touched: 12.7 mm."""
        return self.mm(TARGET_MM)

    @property
    def gap(self) -> int:
        """Return the least gap between two targets: 2.5 mm."""
        return max(self.mm(GAP_MM), self.px(14))

    @property
    def min_font(self) -> int:
        """Return the smallest font size on this screen."""
        return self.mm(MIN_CAP_MM / CAP_HEIGHT)

    def font(self, kind: Kind, factor: float = 1.0) -> int:
        """Return the font size of ``kind`` in pixels, at the chosen text size."""
        wanted = KINDS[kind] * self.scale * TEXT_FACTORS[self.text_size] * factor
        return max(round(wanted), self.min_font)

    def usual_font(self, kind: Kind, factor: float = 1.0) -> int:
        """Return the font size of ``kind`` in pixels at the first text size."""
        return max(round(KINDS[kind] * self.scale * factor), self.min_font)

    def cap_mm(self, font_size: float) -> float:
        """Return the height of a capital of ``font_size`` pixels, in millimetres."""
        return font_size * CAP_HEIGHT * self.width_mm / self.width


def contrast_ratio(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two ``#rrggbb`` colours (1 to 21)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
