"""Draws, saves and prints the receipts of submitted filings."""

from __future__ import annotations

import asyncio
from datetime import datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from kiosk.filing.context import FilingContext
from kiosk.filing.errors import StepRefusedError
from kiosk.filing.folder import FilingFolder
from kiosk.filing.form.required_documents import is_missing, slot_label
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import Receipt, ReceiptDocument, draw_receipt, to_png
from kiosk.filing.registration import Registration
from kiosk.hardware.receipt_printer import ReceiptPrinter
from kiosk.locale import Translator
from kiosk.storage.atomic_io import write_bytes


class ReceiptPrinterService:
    """Draws and prints receipts, one at a time, in a thread."""

    def __init__(self, context: FilingContext) -> None:
        self._context = context
        self._printer = ReceiptPrinter(context.settings.printer)
        self._print_lock = asyncio.Lock()

    async def save_receipt(self, folder: FilingFolder, registration: Registration) -> None:
        """Draw and save the receipt if there is none yet."""
        if not folder.receipt_file.exists():
            picture = await asyncio.to_thread(self._draw_receipt, folder.filing, registration)
            write_bytes(folder.receipt_file, to_png(picture))

    async def receipt_png(self, folder: FilingFolder, *, large: bool = False) -> bytes:
        """Return the receipt as PNG, for the screen.

        Raises:
            StepRefusedError: it is not submitted yet.
        """
        return to_png(await asyncio.to_thread(self._receipt_image, folder, large))

    async def print_receipt(self, folder: FilingFolder, *, large: bool = False) -> None:
        """Print the receipt: as saved, or in large print.

        Raises:
            PrinterError: the exact one; the receipt is still saved as a picture.
            StepRefusedError: it is not submitted yet.
        """
        await self.print_image(await asyncio.to_thread(self._receipt_image, folder, large))

    async def print_png(self, picture: bytes) -> None:
        """Print a picture in PNG format.

        Raises:
            PrinterError: the exact one.
        """
        with Image.open(BytesIO(picture), formats=("PNG",)) as opened:
            image: Image.Image = opened.convert("1")
        await self.print_image(image)

    async def print_image(self, image: Image.Image) -> None:
        """Print a picture.

        Raises:
            PrinterError: the exact one.
        """
        async with self._print_lock:
            await asyncio.to_thread(self._printer.print_image, image)

    def _receipt_image(self, folder: FilingFolder, large: bool) -> Image.Image:
        known = folder.registration()
        if known is None:
            raise StepRefusedError("no number was given yet")
        if large or not folder.receipt_file.exists():
            registration = Registration(**{**known, "documents": ()})
            return self._draw_receipt(folder.filing, registration, large=large)
        return _read_image(folder.receipt_file)

    def _draw_receipt(
        self, filing: Filing, registration: Registration, *, large: bool = False
    ) -> Image.Image:
        context = self._context
        language, kiosk = filing.language, context.settings.kiosk
        reached = ["received"] + (["registered"] if registration.state == "registered" else [])
        at = datetime.fromisoformat(filing.submitted_at or registration.at)
        labels = {
            slot.id: slot_label(filing, slot, context.rules, language) for slot in filing.slots
        }
        receipt = Receipt(
            filing_id=filing.id,
            court=kiosk.court.get(language, ""),
            room=kiosk.room,
            kiosk_id=kiosk.id,
            number=registration.number,
            is_provisional=registration.state == "provisional",
            submitted_at=context.to_local(at),
            type_label=context.rules.document_type(filing.document_type).label.text(language),
            documents=[
                ReceiptDocument(
                    document.pages,
                    document.sha256,
                    labels.get(document.slot, ""),
                    document.part,
                    document.parts,
                )
                for document in filing.documents
            ],
            reached_stages=reached,
            not_scanned=filing.not_scanned,
            missing=[labels[slot.id] for slot in filing.slots if is_missing(filing, slot)],
            office=context.settings.filing.office.get(language, ""),
            provisional_number=registration.provisional,
        )
        width = context.settings.printer.width_dots
        return draw_receipt(receipt, Translator(language), width=width, large=large)


def _read_image(path: Path) -> Image.Image:
    with Image.open(path, formats=("PNG",)) as kept:
        image: Image.Image = kept.convert("1")
        return image
