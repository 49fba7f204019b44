"""Parks the visitor's filing, prints its ticket, and opens the filing again with the ticket."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.printing.ticket import normalise_code
from kiosk.filing.service import Ticket
from kiosk.ui.registry import (
    DocumentsPlace,
    DocumentStatusPlace,
    HomePlace,
    ParkedPlace,
    RegisteringPlace,
    ResumePlace,
)

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)

MAX_TICKET_CODE_LENGTH = 24


class Parking:
    """Parks the visitor's filing and resumes it with a ticket.

    Args:
        visit: whose filing is parked or resumed.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._parking = False

    # -- parking -------------------------------------------------------------------------------

    @property
    def can_park(self) -> bool:
        """Whether there are pages to park."""
        visit = self._visit
        open_draft = visit.filing is not None and not visit.filing.is_closed
        busy = (
            isinstance(visit.place, RegisteringPlace | ParkedPlace) or visit.submission is not None
        )
        return open_draft and bool(visit.pages) and not busy and not self._parking

    async def park(self, *, hearing_started: bool = False) -> None:
        """Park the filing, print its ticket, wipe everything else of the visitor.

        Args:
            because: a hearing started.
        """
        visit = self._visit
        if not self.can_park or visit.filing is None:
            return
        self._parking = True
        try:
            visit.scan.close()
            ticket = await visit.filing_service.park(visit.filing)
        finally:
            self._parking = False
        await visit.discard_filing()
        visit.show(
            ParkedPlace(
                ticket, visit.now() + visit.receipt_seconds, hearing_started=hearing_started
            )
        )
        await self.print_ticket()

    async def print_ticket(self) -> None:
        """Print the ticket (again); the screen shows it even if printing fails."""
        visit, place = self._visit, self._visit.place
        if not isinstance(place, ParkedPlace):
            return
        until = max(place.until, visit.now() + visit.receipt_seconds / 2)
        visit.show(replace(place, until=until, printing="printing", printer_error=""))
        try:
            await visit.filing_service.print_ticket(place.ticket)
            after = replace(place, until=until, printing="printed", printer_error="")
        except KioskError as error:
            log.warning("ticket: %s", error)
            after = replace(place, until=until, printing="failed", printer_error=error.code)
        if self._is_shown(place.ticket):
            visit.show(after)

    def _is_shown(self, ticket: Ticket) -> bool:
        place = self._visit.place
        return isinstance(place, ParkedPlace) and place.ticket is ticket

    def extend_hidden_ticket(self, *, hidden: bool) -> None:
        """Keep a ticket that could not be printed until the visitor sees the screen again."""
        visit, place = self._visit, self._visit.place
        if hidden and isinstance(place, ParkedPlace) and place.printing == "failed":
            visit.place = replace(place, until=visit.now() + visit.receipt_seconds)

    # -- going on with a ticket ------------------------------------------------------------------

    def ask_for_ticket(self) -> None:
        """Ask for the ticket's code."""
        self._visit.show(ResumePlace())

    def type_ticket_code(self, key: str) -> None:
        """Type one character of the ticket's code (``""``: delete the last)."""
        place = self._visit.place
        if isinstance(place, ResumePlace) and not place.is_searching:
            typed = (place.typed + key)[:MAX_TICKET_CODE_LENGTH] if key else place.typed[:-1]
            self._visit.show(ResumePlace(typed))

    def is_ticket_code(self, text: str) -> bool:
        """Return whether ``text`` is the code of a ticket and a ticket is accepted now."""
        shown = isinstance(self._visit.place, HomePlace | DocumentStatusPlace | ResumePlace)
        return shown and normalise_code(text) is not None

    async def resume(self, text: str = "") -> None:
        """Open the filing of a ticket by its code, read or typed."""
        visit, place = self._visit, self._visit.place
        typed = text or (place.typed if isinstance(place, ResumePlace) else "")
        if not typed or visit.filing is not None:
            return
        shown = place.typed if isinstance(place, ResumePlace) else ""
        visit.show(ResumePlace(shown, is_searching=True))
        try:
            filing = await visit.filing_service.resume(typed)
        except KioskError as error:
            log.info("ticket: %s", error.code)
            visit.show(ResumePlace(shown, is_unknown=True))
            return
        visit.filing = filing
        visit.show(DocumentsPlace())
        await filing.rebuild_previews()
        visit.notify_change()
