"""What outlasts one stay at the screen: parking, going on with a ticket, the receipt's code."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.printing.receipt import filing_of_reference
from kiosk.filing.printing.ticket import normal_code
from kiosk.filing.service import Ticket
from kiosk.ui.places import AtHome, Gathering, Parked, Registering, Resuming, Tracking

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)

LONGEST_CODE = 24


class Later:
    """Parks the visitor's filing and finds it again.

    Args:
        visit: the visit.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._parking = False

    # -- parking -------------------------------------------------------------------------------

    @property
    def can_park(self) -> bool:
        """Whether there is something to be kept for later."""
        visit = self._visit
        open_draft = visit.filing is not None and not visit.filing.gone
        busy = isinstance(visit.place, Registering | Parked) or visit.handed_in is not None
        return open_draft and bool(visit.pages) and not busy and not self._parking

    async def park(self, *, because: bool = False) -> None:
        """Keep the filing for the holder of a ticket, print the ticket, wipe the rest.

        Args:
            because: a hearing started.
        """
        visit = self._visit
        if not self.can_park or visit.filing is None:
            return
        self._parking = True
        try:
            visit.scan.end()
            ticket = await visit.desk.park(visit.filing)
        finally:
            self._parking = False
        await visit.forget_filing()
        visit.go(Parked(ticket, visit.now() + visit.receipt_seconds, because=because))
        await self.print_ticket()

    async def print_ticket(self) -> None:
        """Print the ticket (again); the screen shows it, whatever the printer does."""
        visit, place = self._visit, self._visit.place
        if not isinstance(place, Parked):
            return
        until = max(place.until, visit.now() + visit.receipt_seconds / 2)
        visit.go(replace(place, until=until, printing="printing", printer=""))
        try:
            await visit.desk.print_ticket(place.ticket)
            after = replace(place, until=until, printing="printed", printer="")
        except KioskError as error:
            log.warning("ticket: %s", error)
            after = replace(place, until=until, printing="failed", printer=error.code)
        if self._is_shown(place.ticket):
            visit.go(after)

    def _is_shown(self, ticket: Ticket) -> bool:
        place = self._visit.place
        return isinstance(place, Parked) and place.ticket is ticket

    def keep_ticket(self, *, hidden: bool) -> None:
        """A ticket that could not be printed stays until the visitor's screen is seen again."""
        visit, place = self._visit, self._visit.place
        if hidden and isinstance(place, Parked) and place.printing == "failed":
            visit.place = replace(place, until=visit.now() + visit.receipt_seconds)

    # -- going on with a ticket ------------------------------------------------------------------

    def ask_ticket(self) -> None:
        """Ask for the ticket's code."""
        self._visit.go(Resuming())

    def ticket_key(self, key: str) -> None:
        """Type one character of the ticket's code (``""``: delete the last)."""
        place = self._visit.place
        if isinstance(place, Resuming) and not place.working:
            typed = (place.typed + key)[:LONGEST_CODE] if key else place.typed[:-1]
            self._visit.go(Resuming(typed))

    def is_ticket(self, text: str) -> bool:
        """Return whether ``text`` is a ticket's code, and a ticket is taken now."""
        here = isinstance(self._visit.place, AtHome | Tracking | Resuming)
        return here and normal_code(text) is not None

    async def resume(self, text: str = "") -> None:
        """Open the filing of a ticket: its code as held to the reader, or as typed."""
        visit, place = self._visit, self._visit.place
        typed = text or (place.typed if isinstance(place, Resuming) else "")
        if not typed or visit.filing is not None:
            return
        shown = place.typed if isinstance(place, Resuming) else ""
        visit.go(Resuming(shown, working=True))
        try:
            filing = await visit.desk.resume(typed)
        except KioskError as error:
            log.info("ticket: %s", error.code)
            visit.go(Resuming(shown, wrong=True))
            return
        visit.filing = filing
        visit.go(Gathering())
        await filing.look_again()
        visit.changed()

    # -- where is my document ----------------------------------------------------------------------

    def begin_tracking(self) -> None:
        """Ask where a document is."""
        self._visit.go(Tracking())

    def is_reference(self, text: str) -> bool:
        """Return whether ``text`` is what a receipt's QR code holds."""
        return filing_of_reference(text) is not None

    async def track(self, text: str) -> None:
        """Show where the filing of a receipt's QR code stands; nothing of anybody else."""
        visit = self._visit
        try:
            answer = await visit.desk.standing(text)
        except KioskError as error:
            log.info("tracking: %s", error.code)
            visit.go(Tracking(text, problem=error.code))
            return
        visit.go(Tracking(text, answer))

    async def reprint(self) -> None:
        """Print the receipt of the code that was held to the reader again."""
        visit, place = self._visit, self._visit.place
        if not isinstance(place, Tracking) or not place.reference:
            return
        visit.go(replace(place, printing="printing", printer=""))
        try:
            await visit.desk.print_receipt(visit.desk.by_reference(place.reference))
            after = replace(place, printing="printed", printer="")
        except KioskError as error:
            log.warning("receipt: %s", error.code)
            after = replace(place, printing="failed", printer=error.code)
        here = visit.place
        if isinstance(here, Tracking) and here.reference == place.reference:
            visit.go(after)
