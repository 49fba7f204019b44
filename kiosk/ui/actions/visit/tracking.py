"""Shows where a document is, by the code of its receipt."""

from __future__ import annotations

import logging

from kiosk.errors import KioskError
from kiosk.filing.printing.receipt import parse_reference
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.registry import DocumentStatusPlace

log = logging.getLogger(__name__)


class DocumentTracking:
    """Finds a filing by its receipt and prints the receipt again.

    Args:
        visit: the visit that shows the answer.
    """

    def __init__(self, visit: VisitContext) -> None:
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
        place = self._visit.at(DocumentStatusPlace)
        if place and place.reference:
            await self._visit.show_printing(place, self._print(place.reference))

    async def _print(self, reference: str) -> None:
        service = self._visit.filing_service
        await service.print_receipt(service.find_by_reference(reference))
