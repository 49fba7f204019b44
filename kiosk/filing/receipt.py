"""The receipt: what a visitor takes home as proof of filing, drawn dot by dot.

It is laid out here and printed as a raster, because receipt printers lack the Kazakh letters;
the same picture is shown on the screen when the printer cannot print it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import segno
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.locale import N_, Translator

#: Stages of a filing, in order; on a receipt those that are reached carry a mark.
STAGES = ("received", "registered", "sent", "accepted")
_STAGE_WORDS = {
    "received": N_("Received by the kiosk"),
    "registered": N_("Registered"),
    "sent": N_("Sent to the court"),
    "accepted": N_("Accepted"),
}
_REFERENCE = "urn:uuid:"


@dataclass(frozen=True)
class ReceiptDocument:
    """One file on the receipt."""

    pages: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What stands on a receipt.

    Attributes:
        filing_id: the filing; its status reference is in the QR code.
        court: name of the court, in the visitor's language.
        room: number of the courtroom.
        kiosk: the kiosk's id.
        number: registration number, or the provisional one.
        provisional: whether the number is the kiosk's own.
        at: when it was handed in, in the court's time zone.
        type_label: document type, in the visitor's language.
        documents: the files, more than one where the document had to be split.
        reached: the stages reached when it was printed.
        not_scanned: what has to be handed in on paper.
    """

    filing_id: str
    court: str
    room: str
    kiosk: str
    number: str
    provisional: bool
    at: datetime
    type_label: str
    documents: Sequence[ReceiptDocument]
    reached: Sequence[str] = ("received",)
    not_scanned: Sequence[str] = ()


def status_reference(filing_id: str) -> str:
    """Return what the QR code holds: the filing's id and nothing about anybody."""
    return f"{_REFERENCE}{filing_id}"


def filing_of_reference(text: str) -> str | None:
    """Return the filing id in a scanned ``text``, or None where it is something else."""
    if not text.lower().startswith(_REFERENCE):
        return None
    try:
        return str(UUID(text[len(_REFERENCE) :]))
    except ValueError:
        return None


def short_hash(sha256: str) -> str:
    """Return the first 16 digits in groups, to be compared by eye."""
    digits = sha256[:16].upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def draw_receipt(
    receipt: Receipt, translate: Translator, *, width: int = 576, large: bool = False
) -> Image.Image:
    """Return the receipt as black dots on white (mode ``1``).

    Args:
        receipt: what stands on it.
        translate: in the visitor's language.
        width: dots across the paper (576 on 80 mm).
        large: large print, for those who see badly.
    """
    _ = translate
    paper = _Paper(width, scale=(1.45 if large else 1.0) * width / 576)
    paper.text(receipt.court, 30, fonts.SEMI_BOLD)
    paper.text(_("Courtroom {room}", room=receipt.room), 26)
    paper.rule()
    paper.text(_("Filing receipt"), 30, fonts.SEMI_BOLD)
    label = _("Provisional number") if receipt.provisional else _("Registration number")
    paper.text(label, 24, gap=18)
    paper.number(receipt.number)
    if receipt.provisional:
        paper.text(
            _("There was no connection. The court's number follows; this one stays valid."), 24
        )
    paper.text(receipt.at.strftime("%d.%m.%Y %H:%M"), 32, fonts.MEDIUM, gap=10)
    paper.rule()
    paper.text(receipt.type_label, 30, fonts.MEDIUM)
    pages = sum(document.pages for document in receipt.documents)
    paper.text(_.ngettext("{n} page", "{n} pages", pages), 28)
    _draw_hashes(paper, receipt.documents, _)
    paper.rule()
    for stage in STAGES:
        paper.checked(_(_STAGE_WORDS[stage]), 26, stage in receipt.reached)
    paper.rule()
    paper.code(status_reference(receipt.filing_id))
    paper.text(_("Hold this code before the kiosk's reader to see where it stands."), 24)
    paper.rule()
    paper.text(_("Keep the paper original and show it to the court when it is asked for."), 24)
    if receipt.not_scanned:
        paper.text(_("To be handed in on paper:"), 26, fonts.MEDIUM, gap=12)
        for item in receipt.not_scanned:
            paper.text(f"• {item}", 26)
    paper.text(receipt.kiosk, 20, gap=18)
    return paper.finish()


def _draw_hashes(
    paper: _Paper, documents: Sequence[ReceiptDocument], _: Callable[..., str]
) -> None:
    """Draw the short hash of each file."""
    for index, document in enumerate(documents, start=1):
        name = "SHA-256"
        if len(documents) > 1:
            name = _("File {n}, SHA-256", n=index)
        paper.text(f"{name}: {short_hash(document.sha256)}", 22, fonts.TABULAR_MEDIUM)


def to_png(image: Image.Image) -> bytes:
    """Return the receipt as a PNG file."""
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


class _Paper:
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
