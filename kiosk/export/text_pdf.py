"""Renders text (such as the minutes) as A4 pages in one PDF/A-2b."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.export.minutes import Minutes
from kiosk.fonts.drawing import wrap_text

_DPI = 200
_WIDTH, _HEIGHT = round(8.27 * _DPI), round(11.69 * _DPI)
_MARGIN = round(0.9 * _DPI)
_SIZE = round(11 / 72 * _DPI)
_LEADING = round(1.45 * _SIZE)


def minutes_to_pdf(minutes: Minutes) -> bytes:
    """Return ``minutes`` as a PDF/A-2b file.

    Raises:
        PageFailedError: the PDF cannot be made.
    """
    return text_to_pdf(minutes.as_text(), minutes.title, minutes.language)


def text_to_pdf(text: str, title: str, language: str) -> bytes:
    """Return plain ``text`` as a PDF/A-2b file with this title, in this language.

    Raises:
        PageFailedError: the PDF cannot be made.
    """
    # A third of the recorder's start, for what it needs after a hearing.
    from kiosk.filing.imaging.page_pdf import make_page_pdf
    from kiosk.filing.imaging.pdf import make_pdf

    with tempfile.TemporaryDirectory(prefix="kiosk-minutes-") as folder:
        pages = []
        for number, image in enumerate(render_pages(text), 1):
            picture = BytesIO()
            image.save(picture, "TIFF", compression="group4", dpi=(_DPI, _DPI))
            path = Path(folder) / f"{number:04d}.pdf"
            path.write_bytes(make_page_pdf(picture.getvalue(), (), _DPI))
            pages.append(path)
        return make_pdf(pages, title=title, language=language)


def render_pages(text: str) -> Iterator[Image.Image]:
    """Yield pages of ``text``, black on white (mode ``1``), each with its number.

    One at a time: a page takes 4 MB of the recorder's memory, and the minutes of a large trial have
    hundreds.
    """
    font = ImageFont.truetype(str(fonts.REGULAR), _SIZE)
    lines = [line for paragraph in text.splitlines() for line in _wrap_paragraph(paragraph, font)]
    fit = (_HEIGHT - 2 * _MARGIN) // _LEADING - 1
    chunks = [lines[start : start + fit] for start in range(0, len(lines), fit)]
    for number, chunk in enumerate(chunks, 1):
        yield _render_page(chunk, f"{number} / {len(chunks)}", font)


def _render_page(lines: list[str], number: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    image = Image.new("1", (_WIDTH, _HEIGHT), 1)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((_MARGIN, _MARGIN + row * _LEADING), line, font=font, fill=0)
    draw.text((_WIDTH // 2, _HEIGHT - _MARGIN), number, font=font, fill=0, anchor="ma")
    return image


def _wrap_paragraph(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Return ``text`` in lines that fit the page; each keeps the indent of the first."""
    indent = text[: len(text) - len(text.lstrip())]
    return wrap_text(text, font, _WIDTH - 2 * _MARGIN, indent) or [""]
