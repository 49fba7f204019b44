"""Draws the test receipt: letters of all alphabets in use, and blocks that show a worn head."""

from __future__ import annotations

from PIL import Image, ImageDraw

from kiosk import fonts
from kiosk.clocks import format_wall
from kiosk.config import Settings
from kiosk.fonts.drawing import load_font

_LETTERS = "ӘәҒғҚқҢңӨөҰұҮүҺһІі ЁёЪъЫы 0123456789 №«»"
_MARGIN = 16


def render_test_receipt(settings: Settings) -> Image.Image:
    """Return the receipt as a black and white image, as wide as the printer."""
    width = settings.printer.width_dots
    image = Image.new("L", (width, 420), 255)
    draw = ImageDraw.Draw(image)
    large, small = (load_font(fonts.MEDIUM, size) for size in (40, 24))
    draw.text((_MARGIN, 16), "Тексеру · Проверка · Test", font=large, fill=0)
    draw.text((_MARGIN, 76), f"{settings.kiosk.id} · {format_wall()}", font=small, fill=0)
    for row, start in enumerate(range(0, len(_LETTERS), 21)):
        draw.text((_MARGIN, 116 + 34 * row), _LETTERS[start : start + 21], font=small, fill=0)
    for x in range(0, width, 8):  # every heating element prints once: a gap shows a dead one
        draw.line((x, 200, x + 7, 300), fill=0)
    draw.rectangle((_MARGIN, 320, width - _MARGIN, 360), fill=0)
    draw.rectangle((0, 380, width - 1, 419), outline=0)
    return image.point(lambda value: 255 if value > 127 else 0).convert("1")
