"""Draws the receipt that a person signs on paper (R47; S13; УПК 350(2), 352(2), 360, 370(2)).

It has the text of the law where that was read, else the norm alone. Its code names hearing and
mark, and nobody: the scan of the signed sheet finds its place by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from kiosk import fonts
from kiosk.filing.printing.raster_page import RasterPage
from kiosk.locale import Translator

_QR_SHARE = 0.5
_WRITING_HEIGHT = 62
"""Of the empty space above a line to write on; of 576 dots across."""


@dataclass(frozen=True)
class SignedReceipt:
    """What stands on a receipt, in one language.

    Attributes:
        subject: the event at which it is signed.
        norm: article of the law; empty: none is known for this kind of case.
        text: of the law; empty: it was not read.
        role, name: of the person; empty: a line to write on.
        day: of the hearing, ``dd.mm.yyyy``.
        code: for the QR code.
    """

    case_number: str
    subject: str
    norm: str
    text: str
    role: str
    name: str
    day: str
    code: str


def render_signed_receipt(
    receipt: SignedReceipt, translate: Translator, *, court: str, width: int = 576
) -> Image.Image:
    """Return the receipt as black dots on white (mode ``1``).

    Args:
        translate: in the language of the proceedings.
        court: its name.
        width: dots across the paper.
    """
    _ = translate
    page = RasterPage(width, width / 576)
    page.draw_text(court, 28, fonts.SEMI_BOLD)
    page.draw_rule()
    page.draw_text(_("Receipt"), 40, fonts.SEMI_BOLD)
    page.draw_text(receipt.subject, 26)
    if receipt.case_number:
        page.draw_text(_("Case {number}", number=receipt.case_number), 28, fonts.MEDIUM)
    if receipt.day:
        page.draw_text(receipt.day, 26)
    _draw_field(page, receipt.role, receipt.name)
    page.draw_rule()
    if receipt.text:
        page.draw_text(receipt.text, 26)
    if receipt.norm:
        page.draw_text(receipt.norm, 24, fonts.MEDIUM)
    _draw_field(page, _("Signature"), "")
    page.draw_qr_code(receipt.code, _QR_SHARE)
    page.draw_text(_("Signed, this sheet is scanned at the kiosk and joined to the minutes."), 22)
    return page.render()


def _draw_field(page: RasterPage, label: str, value: str) -> None:
    """Draw a value over its label, or a line to write on."""
    if value:
        page.draw_text(value, 34, fonts.SEMI_BOLD, gap=12)
    else:
        page.draw_text(" ", _WRITING_HEIGHT)
        page.draw_rule()
    if label:
        page.draw_text(label, 22)
