"""Receipts of this kiosk: made when a filing is handed in, printed, printed again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from kiosk.filing.context import FilingRoom
from kiosk.filing.errors import StepRefusedError
from kiosk.filing.folder import FilingFolder
from kiosk.filing.form.required_documents import is_missing, slot_label
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import Receipt, ReceiptDocument, draw_receipt, to_png
from kiosk.filing.registration import Registration
from kiosk.hardware.receipt_printer import ReceiptPrinter
from kiosk.locale import Translator
from kiosk.storage.atomic_io import write_bytes


class Receipts:
    """Draws and prints; one print at a time, in a thread."""

    def __init__(self, room: FilingRoom) -> None:
        self._room = room
        self._printer = ReceiptPrinter(room.settings.printer)
        self._printing = asyncio.Lock()

    async def keep(self, folder: FilingFolder, registration: Registration) -> None:
        """Draw the receipt and keep it, unless that was done."""
        if not folder.receipt.exists():
            picture = await asyncio.to_thread(self._draw, folder.filing, registration)
            write_bytes(folder.receipt, to_png(picture))

    async def picture(self, folder: FilingFolder, *, large: bool = False) -> bytes:
        """Return the receipt as PNG, for the screen.

        Raises:
            StepRefusedError: nothing was handed in yet.
        """
        return to_png(await asyncio.to_thread(self._image, folder, large))

    async def print(self, folder: FilingFolder, *, large: bool = False) -> None:
        """Print the receipt: as it is kept, or in large print.

        Raises:
            PrinterError: exactly which one; the receipt is still there as a picture.
            StepRefusedError: nothing was handed in yet.
        """
        await self.print_image(await asyncio.to_thread(self._image, folder, large))

    async def print_png(self, picture: bytes) -> None:
        """Print a picture that is a PNG file.

        Raises:
            PrinterError: exactly which one.
        """
        with Image.open(BytesIO(picture)) as opened:
            image: Image.Image = opened.convert("1")
        await self.print_image(image)

    async def print_image(self, image: Image.Image) -> None:
        """Print a picture.

        Raises:
            PrinterError: exactly which one.
        """
        async with self._printing:
            await asyncio.to_thread(self._printer.print_image, image)

    def _image(self, folder: FilingFolder, large: bool) -> Image.Image:
        known = folder.registration()
        if known is None:
            raise StepRefusedError("no number was given yet")
        if large or not folder.receipt.exists():
            registration = Registration(**{**known, "documents": ()})
            return self._draw(folder.filing, registration, large=large)
        return _opened(folder.receipt)

    def _draw(
        self, filing: Filing, registration: Registration, *, large: bool = False
    ) -> Image.Image:
        room = self._room
        language, kiosk = filing.language, room.settings.kiosk
        reached = ["received"] + (["registered"] if registration.state == "registered" else [])
        at = datetime.fromisoformat(filing.submitted_at or registration.at)
        labels = {slot.id: slot_label(filing, slot, room.rules, language) for slot in filing.slots}
        receipt = Receipt(
            filing_id=filing.id,
            court=kiosk.court.get(language, ""),
            room=kiosk.room,
            kiosk=kiosk.id,
            number=registration.number,
            provisional=registration.state == "provisional",
            at=room.local(at),
            type_label=room.rules.document_type(filing.document_type).label.text(language),
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
            reached=reached,
            not_scanned=filing.not_scanned,
            missing=[labels[slot.id] for slot in filing.slots if is_missing(filing, slot)],
            office=room.settings.filing.office.get(language, ""),
            provisional_number=registration.provisional,
        )
        width = room.settings.printer.width_dots
        return draw_receipt(receipt, Translator(language), width=width, large=large)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as kept:
        image: Image.Image = kept.convert("1")
        return image
