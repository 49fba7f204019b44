"""Shows where a document is, by the code of its receipt."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.printing.receipt import parse_reference
from kiosk.ui.registry import DocumentStatusPlace

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)


class DocumentTracking:
    """Finds a filing by its receipt and prints the receipt again.

    Args:
        visit: the visit that shows the answer.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def ask_for_receipt(self) -> None:
        """Ask for the receipt of a document."""
        self._visit.show(DocumentStatusPlace())

    def is_receipt_code(self, text: str) -> bool:
        """Return whether ``text`` is the QR code of a receipt."""
        return parse_reference(text) is not None

    async def track(self, text: str) -> None:
        """Show the status of the filing with this receipt, and of no other."""
        visit = self._visit
        try:
            status = await visit.filing_service.status(text)
        except KioskError as error:
            log.info("tracking: %s", error.code)
            visit.show(DocumentStatusPlace(text, error=error.code))
            return
        visit.show(DocumentStatusPlace(text, status))

    async def reprint_receipt(self) -> None:
        """Print the receipt again whose code was read."""
        visit, place = self._visit, self._visit.place
        if not isinstance(place, DocumentStatusPlace) or not place.reference:
            return
        visit.show(replace(place, printing="printing", printer_error=""))
        try:
            await visit.filing_service.print_receipt(
                visit.filing_service.find_by_reference(place.reference)
            )
            after = replace(place, printing="printed", printer_error="")
        except KioskError as error:
            log.warning("receipt: %s", error.code)
            after = replace(place, printing="failed", printer_error=error.code)
        shown = visit.place
        if isinstance(shown, DocumentStatusPlace) and shown.reference == place.reference:
            visit.show(after)
