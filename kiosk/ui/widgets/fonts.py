"""Fonts and icons registered with Kivy under the names used by the widgets."""

from __future__ import annotations

from functools import cache
from typing import Literal

from kivy.core.text import Label as CoreLabel
from kivy.core.text import LabelBase

from kiosk import fonts

Weight = Literal["regular", "medium", "semibold", "tabular"]

NAMES: dict[Weight, str] = {
    "regular": "Inter",
    "medium": "Inter Medium",
    "semibold": "Inter SemiBold",
    "tabular": "Inter Tabular",
}
ICONS = "Icons"


def register_fonts() -> None:
    """Make the fonts known to Kivy; call once per process."""
    LabelBase.register(NAMES["regular"], str(fonts.REGULAR), fn_bold=str(fonts.SEMI_BOLD))
    LabelBase.register(NAMES["medium"], str(fonts.MEDIUM))
    LabelBase.register(NAMES["semibold"], str(fonts.SEMI_BOLD))
    LabelBase.register(NAMES["tabular"], str(fonts.TABULAR_SEMI_BOLD))
    LabelBase.register(ICONS, str(fonts.ICONS))


@cache
def _core_label(font_name: str, font_size: int) -> CoreLabel:
    return CoreLabel(font_name=font_name, font_size=font_size)


def text_extents(text: str, font_name: str, font_size: int) -> tuple[int, int]:
    """Return width and height of ``text`` on one line, in pixels."""
    width, height = _core_label(font_name, font_size).get_extents(text)
    return int(width), int(height)
