"""Draws text, rules and codes on a page for a raster printer."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw

from kiosk import fonts
from kiosk.fonts.drawing import load_font, wrap_text


class RasterPage:
    """A page of fixed width that grows as lines are drawn on it.

    Args:
        width: in dots.
        scale: of all sizes.
        centred: paragraphs are centred instead of aligned left.
    """

    def __init__(self, width: int, scale: float, *, centred: bool = False) -> None:
        self._width = width
        self._centred = centred
        self._scale = scale
        self._margin = round(16 * width / 576)
        self._strips: list[Image.Image] = []

    @property
    def _text_width(self) -> int:
        return self._width - 2 * self._margin

    def draw_text(self, text: str, size: int, font: Path = fonts.REGULAR, gap: int = 4) -> None:
        """Draw a paragraph, wrapped."""
        face = load_font(font, round(size * self._scale))
        self._add_space(gap)
        for line in wrap_text(text, face, self._text_width):
            strip = self._add_strip(round(face.size * 1.32))
            x, anchor = (self._width // 2, "ms") if self._centred else (self._margin, "ls")
            ImageDraw.Draw(strip).text((x, face.size), line, 0, face, anchor=anchor)

    def draw_number(self, text: str) -> None:
        """Draw the number as large as the paper allows; break a long one at its last dash."""
        lines = [text]
        size = self._fitting_size(lines)
        if size < 44 * self._width / 576 and "-" in text:
            head, _, tail = text.rpartition("-")
            lines = [f"{head}-", tail]
            size = self._fitting_size(lines)
        face = load_font(fonts.TABULAR_SEMI_BOLD, size)
        self._add_space(6)
        for line in lines:
            strip = self._add_strip(round(size * 1.2))
            ImageDraw.Draw(strip).text((self._margin, size), line, 0, face, anchor="ls")

    def _fitting_size(self, lines: Sequence[str]) -> int:
        """Return the largest size at which all lines fit."""
        probe = load_font(fonts.TABULAR_SEMI_BOLD, 100)
        widest = max(probe.getlength(line) for line in lines)
        return min(round(76 * self._scale), int(100 * self._text_width / widest))

    def draw_stage(self, text: str, size: int, done: bool) -> None:
        """Draw a stage behind a circle, with a tick if it is done."""
        face = load_font(fonts.MEDIUM if done else fonts.REGULAR, round(size * self._scale))
        height = round(face.size * 1.5)
        strip = self._add_strip(height)
        draw = ImageDraw.Draw(strip)
        radius, middle = face.size * 0.42, height / 2
        left = self._margin + radius + 2
        box = (left - radius, middle - radius, left + radius, middle + radius)
        draw.ellipse(box, outline=0, width=max(2, round(face.size / 12)), fill=0 if done else 255)
        if done:
            tick = [(-0.5, 0.02), (-0.12, 0.4), (0.52, -0.36)]
            points = [(left + x * radius, middle + y * radius) for x, y in tick]
            draw.line(points, fill=255, width=max(3, round(face.size / 9)), joint="curve")
        x = left + radius + face.size * 0.5
        draw.text((x, middle), text, 0, face, anchor="lm")

    def draw_rule(self) -> None:
        """Draw a thin line between two parts."""
        strip = self._add_strip(round(26 * self._scale))
        middle = strip.height // 2
        ImageDraw.Draw(strip).line(
            (self._margin, middle, self._width - self._margin, middle), fill=0, width=2
        )

    def draw_qr_code(self, content: str, share: float = 0.46) -> None:
        """Draw a centred QR code of whole dots, about ``share`` of the width."""
        code = segno.make(content, error="m", micro=False)
        modules = code.symbol_size(border=4)[0]
        scale = max(4, int(self._text_width * share) // modules)
        out = BytesIO()
        code.save(out, kind="png", scale=scale, border=4)
        with Image.open(out, formats=("PNG",)) as picture:
            strip = self._add_strip(picture.height)
            strip.paste(picture.convert("L"), ((self._width - picture.width) // 2, 0))

    def render(self) -> Image.Image:
        """Return the whole page."""
        self._add_space(24)
        paper = Image.new("L", (self._width, sum(s.height for s in self._strips)), 255)
        y = 0
        for strip in self._strips:
            paper.paste(strip, (0, y))
            y += strip.height
        return paper.point(lambda dot: 255 if dot >= 140 else 0).convert("1")

    def _add_space(self, dots: int) -> None:
        self._add_strip(max(1, round(dots * self._scale)))

    def _add_strip(self, height: int) -> Image.Image:
        strip = Image.new("L", (self._width, height), 255)
        self._strips.append(strip)
        return strip
