"""The visitor's scan: paper is awaited, passes, is stuck; by feeder or sheet by sheet on glass."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kiosk.errors import KioskError
from kiosk.filing.service import DeskEvent, PageChecked
from kiosk.hardware.scanner.session import (
    Done,
    Fault,
    Mended,
    Moving,
    Opened,
    PageReady,
    ScanSession,
    SheetAwaited,
    WaitingForPaper,
)
from kiosk.ui.places import (
    Calling,
    Feeding,
    Gathering,
    Introducing,
    Looking,
    Scanning,
    Stuck,
    VisitPlace,
)

if TYPE_CHECKING:
    from kiosk.ui.visitor.flow.visit import Visit

log = logging.getLogger(__name__)


class Scan:
    """The scan into the visitor's open filing.

    Args:
        visit: whose place changes with what the scanner says.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._session: ScanSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._duplex = False
        self._glass = False

    @property
    def runs(self) -> bool:
        """Whether a scan is open."""
        return self._session is not None

    # -- begin ---------------------------------------------------------------------------------

    def begin(self, slot: str | None = None) -> None:
        """Wait for the paper of ``slot`` (None: the current one)."""
        filing = self._visit.filing
        if filing is None:
            return
        if slot is not None and not self._visit.attempt(lambda: filing.choose_slot(slot)):
            return
        self._glass = False
        self._visit.go(Feeding(len(self._visit.slot_pages), duplex=self._duplex))
        self._open(filing.session(duplex=self._duplex))

    def insert(self, place: int) -> None:
        """Scan pages into the current slot so that the first gets ``place``."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.go(Feeding(len(self._visit.slot_pages), duplex=self._duplex))
            self._open(filing.session(duplex=self._duplex, at=place))

    def retake(self, number: int) -> None:
        """Scan page ``number`` again."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.go(Feeding(len(self._visit.slot_pages), number))
            self._open(filing.session(retake=(number,)), number)

    def _open(self, session: ScanSession, retake: int | None = None) -> None:
        self._session = session
        self._task = asyncio.get_running_loop().create_task(self._run(session, retake))

    async def _run(self, session: ScanSession, retake: int | None) -> None:
        filing = self._visit.filing
        assert filing is not None
        try:
            async for event in filing.scan(session):
                if session is self._session:
                    self._take(event, retake)
        except KioskError as error:
            log.warning("scan: %s", error)
            if session is self._session:
                self._session = None
                kept = len(self._visit.slot_pages)
                self._goes(Stuck(error.code, kept, kept + 1))

    # -- what the scanner says -----------------------------------------------------------------

    def _take(self, event: DeskEvent, retake: int | None) -> None:
        """Go where one event of the scan leads."""
        kept = len(self._visit.slot_pages)
        match event:
            case WaitingForPaper(source=source, pages=pages):
                self._glass = source == "glass"
                known = {page.number for page in self._visit.slot_pages}
                late = retake is None and bool(pages) and pages[0] <= max(known, default=0)
                self._goes(Feeding(kept, retake, self._glass, self._duplex, late))
            case Moving() | PageReady():
                self._goes(Scanning(kept, retake))
            case Fault(code=code, page=page):
                self._goes(Stuck(code, kept, self._place_of(page)))
            case SheetAwaited(code=code, page=page):
                self._goes(Stuck(code, kept, self._place_of(page), awaited=True))
            case Mended():
                self._goes(Scanning(kept, retake))
            case Done():
                self._session = None
                place = Looking(self._place_of(retake) if retake else 1)
                self._goes(place if self._visit.slot_pages else Gathering())
            case PageChecked() | Opened():
                self._visit.changed()

    def _goes(self, place: VisitPlace) -> None:
        """Change the place; the sign for help stays until it is taken down."""
        here = self._visit.place
        self._visit.go(Calling(back=place) if isinstance(here, Calling) else place)

    def _place_of(self, number: int) -> int:
        """Return the place (from 1) of a page that is to be put in (again)."""
        return self._visit.review.place_of(number)

    # -- what the visitor says -----------------------------------------------------------------

    def scan_glass(self) -> None:
        """Use the glass; where it is in use already, scan the sheet that lies on it."""
        if self._session is None:
            return
        place = self._visit.place
        if self._glass or not isinstance(place, Feeding):
            self._session.use("glass")
            return
        self._change_source("glass")

    def use_feeder(self) -> None:
        """Go back from the glass to the feeder."""
        self._change_source("feeder")

    def other_sides(self) -> None:
        """Scan both sides of each sheet, or the front only."""
        self._duplex = not self._duplex
        self._change_source("feeder")

    def _change_source(self, source: str) -> None:
        """Open the scan anew with another source; no page was on its way."""
        filing, place = self._visit.filing, self._visit.place
        if filing is None or not isinstance(place, Feeding):
            return
        self.end()
        retake = (place.retake,) if place.retake is not None else ()
        glass = source == "glass"
        self._glass = glass
        self._visit.go(replace(place, glass=glass, duplex=self._duplex))
        session = filing.session(
            source="glass" if glass else None, duplex=self._duplex, retake=retake
        )
        self._open(session, place.retake)

    def sheet_lies_in(self, back_in: bool) -> None:
        """Answer where the sheet is that came out: on top again, or to be scanned at the end."""
        if self._session is not None:
            self._session.confirm(back_in)
        kept = len(self._visit.slot_pages)
        self._visit.go(Feeding(kept, again=not back_in, duplex=self._duplex))

    def stop(self) -> None:
        """Enough pages: look them over; none: one step back."""
        self.end()
        visit = self._visit
        if visit.slot_pages:
            visit.go(Looking(len(visit.slot_pages)))
        else:
            visit.go(Gathering() if visit.pages else Introducing(visit.telling.applicant))

    def ask_finish(self, asks: bool) -> None:
        """Ask whether to finish with the pages there are."""
        place = self._visit.place
        if isinstance(place, Stuck):
            self._visit.go(replace(place, asks=asks))

    def end(self) -> None:
        """End the scan; pages that are there stay."""
        session, self._session = self._session, None
        if session is not None:
            session.finish()

    async def ended(self) -> None:
        """Wait until nothing of the scan runs any more."""
        self._duplex = self._glass = False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
