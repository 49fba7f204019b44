"""Parks the visitor's filing, prints its ticket, and opens the filing again with the ticket."""

from __future__ import annotations

import logging
from dataclasses import replace

from kiosk.errors import KioskError
from kiosk.filing.printing.ticket import normalise_code
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.actions.visit.scan import Scan
from kiosk.ui.formatting import append_key
from kiosk.ui.registry import (
    DocumentsPlace,
    DocumentStatusPlace,
    HomePlace,
    ParkedPlace,
    RegisteringPlace,
    ResumePlace,
)

log = logging.getLogger(__name__)

MAX_TICKET_CODE_LENGTH = 24


class Parking:
    """Parks the visitor's filing and resumes it with a ticket.

    Args:
        visit: the visit with the filing that is parked or resumed.
        scan: closed before the filing is parked.
    """

    def __init__(self, visit: VisitContext, scan: Scan) -> None:
        self._visit, self._scan = visit, scan
        self._is_parking = False

    # -- parking -------------------------------------------------------------------------------

    @property
    def can_park(self) -> bool:
        """Whether there are pages to park."""
        visit = self._visit
        is_open = visit.filing is not None and not visit.filing.is_closed
        is_done = (
            isinstance(visit.place, RegisteringPlace | ParkedPlace) or visit.submission is not None
        )
        return is_open and bool(visit.pages) and not is_done and not self._is_parking

    async def park(self, *, hearing_started: bool = False) -> None:
        """Park the filing, print its ticket, wipe everything else of the visitor.

        Args:
            hearing_started: it is parked because a hearing started.
        """
        visit = self._visit
        if not self.can_park or visit.filing is None:
            return
        self._is_parking = True
        try:
            self._scan.close()
            ticket = await visit.filing_service.park(visit.filing)
        finally:
            self._is_parking = False
        until = visit.now() + visit.receipt_seconds
        visit.show(ParkedPlace(ticket, until, hearing_started=hearing_started))
        await self._scan.discard_filing()
        await self.print_ticket()

    async def print_ticket(self) -> None:
        """Print the ticket (again); the screen shows it even if printing fails."""
        visit = self._visit
        if place := visit.at(ParkedPlace):
            until = max(place.until, visit.now() + visit.receipt_seconds / 2)
            job = visit.filing_service.print_ticket(place.ticket)
            await visit.show_printing(replace(place, until=until), job)

    def extend_hidden_ticket(self, *, hidden: bool) -> None:
        """Keep a ticket that could not be printed until the visitor sees the screen again."""
        visit = self._visit
        place = visit.at(ParkedPlace)
        if hidden and place and place.printing == "failed":
            visit.place = replace(place, until=visit.now() + visit.receipt_seconds)

    # -- going on with a ticket ----------------------------------------------------------------

    def ask_for_ticket(self) -> None:
        """Ask for the ticket's code."""
        self._visit.show(ResumePlace())

    def type_ticket_code(self, key: str) -> None:
        """Type one character of the ticket's code (``""``: delete the last)."""
        place = self._visit.at(ResumePlace)
        if place and not place.is_searching:
            self._visit.show(ResumePlace(append_key(place.typed, key, MAX_TICKET_CODE_LENGTH)))

    def is_ticket_code(self, text: str) -> bool:
        """Return whether ``text`` is the code of a ticket and a ticket is accepted now."""
        is_asked = isinstance(self._visit.place, HomePlace | DocumentStatusPlace | ResumePlace)
        return is_asked and normalise_code(text) is not None

    async def resume(self, text: str = "") -> None:
        """Open the filing of a ticket by its code, read or typed."""
        visit = self._visit
        place = visit.at(ResumePlace)
        shown = place.typed if place else ""
        typed = text or shown
        if not typed or visit.filing is not None:
            return
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
