"""Draws the receipt, the visitor's proof of filing.

It is printed as a raster, because receipt printers lack the Kazakh letters. The screen shows the
same picture if the printer fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import UUID

from PIL import Image

from kiosk import fonts
from kiosk.filing.printing.raster_page import RasterPage
from kiosk.locale import N_, Translator

#: Stages of a filing, in order; the receipt marks those that are reached.
STAGES = ("received", "registered", "sent", "accepted", "passed_to_judge")
_STAGE_LABELS = {
    "received": N_("Received by the kiosk"),
    "registered": N_("Registered"),
    "sent": N_("Sent to the court"),
    "accepted": N_("Accepted"),
    "passed_to_judge": N_("Passed to the judge"),
}
_REFERENCE = "urn:uuid:"


@dataclass(frozen=True)
class ReceiptDocument:
    """A file on the receipt; ``part`` of ``parts`` if a document had to be split."""

    pages: int
    sha256: str
    label: str = ""
    part: int = 1
    parts: int = 1


@dataclass(frozen=True)
class Receipt:
    """Content of a receipt.

    Attributes:
        filing_id: id of the filing, for the QR code.
        court: name of the court, in the visitor's language.
        room: number of the courtroom.
        kiosk_id: the kiosk's id.
        number: registration number, or the provisional one.
        is_provisional: whether the number is provisional.
        submitted_at: time of submission, in the court's time zone.
        type_label: document type, in the visitor's language.
        documents: the files, several if a document had to be split.
        reached_stages: stages reached at the time of printing.
        not_scanned: originals to be handed in on paper.
        missing: documents that the court expects and that are missing.
        office: place for originals, in the visitor's language; empty if it is unknown.
        provisional_number: number used before the court's own, or None.
    """

    filing_id: str
    court: str
    room: str
    kiosk_id: str
    number: str
    is_provisional: bool
    submitted_at: datetime
    type_label: str
    documents: Sequence[ReceiptDocument]
    reached_stages: Sequence[str] = ("received",)
    not_scanned: Sequence[str] = ()
    missing: Sequence[str] = ()
    office: str = ""
    provisional_number: str | None = None


def status_reference(filing_id: str) -> str:
    """Return the content of the QR code: the filing's id and no personal data."""
    return f"{_REFERENCE}{filing_id}"


def parse_reference(text: str) -> str | None:
    """Return the filing id in a scanned ``text``, or None if it is something else."""
    if not text.lower().startswith(_REFERENCE):
        return None
    try:
        return str(UUID(text[len(_REFERENCE) :]))
    except ValueError:
        return None


def short_hash(sha256: str) -> str:
    """Return the first 16 digits in groups, to compare them by eye."""
    digits = sha256[:16].upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def draw_receipt(
    receipt: Receipt, translate: Translator, *, width: int = 576, large: bool = False
) -> Image.Image:
    """Return the receipt as black dots on white (mode ``1``).

    Args:
        receipt: its content.
        translate: translator in the visitor's language.
        width: dots across the paper (576 on 80 mm).
        large: large print, for people with low vision.
    """
    _ = translate
    paper = RasterPage(width, scale=(1.45 if large else 1.0) * width / 576)
    paper.draw_text(receipt.court, 30, fonts.SEMI_BOLD)
    paper.draw_text(_("Courtroom {room}", room=receipt.room), 26)
    paper.draw_rule()
    paper.draw_text(_("Filing receipt"), 30, fonts.SEMI_BOLD)
    _draw_number(paper, receipt, _)
    paper.draw_rule()
    paper.draw_text(receipt.type_label, 30, fonts.MEDIUM)
    pages = sum(document.pages for document in receipt.documents)
    paper.draw_text(_.ngettext("{n} page", "{n} pages", pages), 28)
    _draw_documents(paper, receipt, _)
    paper.draw_rule()
    for stage in STAGES:
        paper.draw_stage(_(_STAGE_LABELS[stage]), 26, stage in receipt.reached_stages)
    paper.draw_rule()
    paper.draw_qr_code(status_reference(receipt.filing_id))
    paper.draw_text(_("Hold this code before the kiosk's reader to see where it stands."), 24)
    paper.draw_rule()
    _draw_originals(paper, receipt, _)
    paper.draw_rule()
    paper.draw_text(_("What happens next"), 26, fonts.MEDIUM)
    if receipt.is_provisional:
        paper.draw_text(_("The kiosk registers it by itself as soon as there is a connection."), 24)
    paper.draw_text(
        _("The court looks at it and accepts it, or returns it and says why. See it here."), 24
    )
    paper.draw_text(receipt.kiosk_id, 20, gap=18)
    return paper.render()


def _draw_number(paper: RasterPage, receipt: Receipt, _: Callable[..., str]) -> None:
    """Draw the number and the time of submission."""
    label = _("Provisional number") if receipt.is_provisional else _("Registration number")
    paper.draw_text(label, 24, gap=18)
    paper.draw_number(receipt.number)
    if receipt.is_provisional:
        paper.draw_text(
            _("There was no connection. The court's number follows; this one stays valid."), 24
        )
    elif receipt.provisional_number:
        paper.draw_text(f"{_('Provisional number')}: {receipt.provisional_number}", 24)
    paper.draw_text(receipt.submitted_at.strftime("%d.%m.%Y %H:%M"), 32, fonts.MEDIUM, gap=10)


def _draw_documents(paper: RasterPage, receipt: Receipt, translate: Translator) -> None:
    """Draw each file with page count and short hash, and the missing documents."""
    _ = translate
    documents = receipt.documents
    for index, document in enumerate(documents, start=1):
        if len(documents) > 1:
            of = f" ({document.part}/{document.parts})" if document.parts > 1 else ""
            paper.draw_text(f"{index}. {document.label}{of}".rstrip(), 26, fonts.MEDIUM, gap=12)
            paper.draw_text(_.ngettext("{n} page", "{n} pages", document.pages), 24)
        paper.draw_text(f"SHA-256: {short_hash(document.sha256)}", 22, fonts.TABULAR_MEDIUM)
    if any(document.parts > 1 for document in documents):
        paper.draw_text(_("It was split: a file for the court may not be larger."), 22)
    if receipt.missing:
        paper.draw_text(_("Not handed in:"), 26, fonts.MEDIUM, gap=12)
        for item in receipt.missing:
            paper.draw_text(f"• {item}", 26)


def _draw_originals(paper: RasterPage, receipt: Receipt, _: Callable[..., str]) -> None:
    """Draw what to do with the paper originals."""
    paper.draw_text(_("Keep the paper original and show it to the court when it is asked for."), 24)
    if receipt.not_scanned:
        paper.draw_text(_("Original to be handed in:"), 26, fonts.MEDIUM, gap=12)
        for item in receipt.not_scanned:
            paper.draw_text(f"• {item}", 26)
    if receipt.office:
        paper.draw_text(receipt.office, 24, gap=8)


def to_png(image: Image.Image) -> bytes:
    """Return the receipt as a PNG file."""
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
