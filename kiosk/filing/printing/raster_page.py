"""Paper of one width on which text, rules and codes are drawn dot by dot, for a raster printer."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts


class Paper:
    """Paper of one width that grows as lines are drawn on it."""

    def __init__(self, width: int, scale: float) -> None:
        self._width = width
        self._scale = scale
        self._margin = round(16 * width / 576)
        self._strips: list[Image.Image] = []

    @property
    def _room(self) -> int:
        return self._width - 2 * self._margin

    def text(self, text: str, size: int, font: Path = fonts.REGULAR, gap: int = 4) -> None:
        """Draw a paragraph, wrapped."""
        face = _face(font, round(size * self._scale))
        self._space(gap)
        for line in _wrap(text, face, self._room):
            strip = self._strip(round(face.size * 1.32))
            ImageDraw.Draw(strip).text((self._margin, face.size), line, 0, face, anchor="ls")

    def number(self, text: str) -> None:
        """Draw the number as large as the paper allows, in one line, else broken at a dash."""
        lines = [text]
        size = self._fitting(lines)
        if size < 44 * self._width / 576 and "-" in text:
            head, _, tail = text.rpartition("-")
            lines = [f"{head}-", tail]
            size = self._fitting(lines)
        face = _face(fonts.TABULAR_SEMI_BOLD, size)
        self._space(6)
        for line in lines:
            strip = self._strip(round(size * 1.2))
            ImageDraw.Draw(strip).text((self._margin, size), line, 0, face, anchor="ls")

    def _fitting(self, lines: Sequence[str]) -> int:
        """Return the largest size at which each line fits."""
        probe = _face(fonts.TABULAR_SEMI_BOLD, 100)
        widest = max(probe.getlength(line) for line in lines)
        return min(round(76 * self._scale), int(100 * self._room / widest))

    def checked(self, text: str, size: int, done: bool) -> None:
        """Draw a stage with a tick in a circle, or an empty circle."""
        face = _face(fonts.MEDIUM if done else fonts.REGULAR, round(size * self._scale))
        height = round(face.size * 1.5)
        strip = self._strip(height)
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

    def rule(self) -> None:
        """Draw a thin line between two parts."""
        strip = self._strip(round(26 * self._scale))
        middle = strip.height // 2
        ImageDraw.Draw(strip).line(
            (self._margin, middle, self._width - self._margin, middle), fill=0, width=2
        )

    def code(self, content: str) -> None:
        """Draw a QR code in the middle, its modules whole dots."""
        code = segno.make(content, error="m", micro=False)
        modules = code.symbol_size(border=4)[0]
        scale = max(4, int(self._room * 0.46) // modules)
        out = BytesIO()
        code.save(out, kind="png", scale=scale, border=4)
        with Image.open(out) as picture:
            strip = self._strip(picture.height)
            strip.paste(picture.convert("L"), ((self._width - picture.width) // 2, 0))

    def finish(self) -> Image.Image:
        """Return the whole paper."""
        self._space(24)
        paper = Image.new("L", (self._width, sum(s.height for s in self._strips)), 255)
        y = 0
        for strip in self._strips:
            paper.paste(strip, (0, y))
            y += strip.height
        return paper.point(lambda dot: 255 if dot >= 140 else 0).convert("1")

    def _space(self, dots: int) -> None:
        self._strip(max(1, round(dots * self._scale)))

    def _strip(self, height: int) -> Image.Image:
        strip = Image.new("L", (self._width, height), 255)
        self._strips.append(strip)
        return strip


def _face(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _wrap(text: str, face: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Return ``text`` in lines that fit; a word that is too long is broken."""
    lines, line = [], ""
    for word in text.split():
        while face.getlength(word) > room:
            fits = max(1, sum(face.getlength(word[:n]) <= room for n in range(1, len(word) + 1)))
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:fits])
            word = word[fits:]
        longer = f"{line} {word}".strip()
        if face.getlength(longer) > room:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line] if line else lines
