"""The visitor's scan by feeder or on glass: waits for paper, follows the scanner, shows faults."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from kiosk.errors import KioskError
from kiosk.filing.service import FilingEvent, PageChecked
from kiosk.hardware.scanner.events import (
    FaultCleared,
    PageMoving,
    PageReady,
    PaperExpected,
    ScanFault,
    ScanFinished,
    ScannerOpened,
    SheetExpected,
)
from kiosk.hardware.scanner.session import ScanSession
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.registry import (
    DocumentsPlace,
    InsertPaperPlace,
    PageReviewPlace,
    ScanFaultPlace,
    ScanningPlace,
    SecretaryCallPlace,
    VisitorPlace,
)

log = logging.getLogger(__name__)


class Scan:
    """Scans pages into the visitor's open filing.

    Args:
        visit: the visit; its place follows the scanner.
    """

    def __init__(self, visit: VisitContext) -> None:
        self._visit = visit
        self._session: ScanSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._duplex = False
        self._glass = False

    @property
    def is_open(self) -> bool:
        """Whether a scan is open."""
        return self._session is not None

    # -- begin ---------------------------------------------------------------------------------

    def begin(self, slot: str | None = None) -> None:
        """Wait for the paper of ``slot`` (None: the current slot)."""
        filing = self._visit.filing
        if filing is None:
            return
        if slot is not None and not self._visit.try_action(lambda: filing.choose_slot(slot)):
            return
        self._glass = False
        self._visit.show(InsertPaperPlace(len(self._visit.slot_pages), duplex=self._duplex))
        self._open(filing.scan_session(duplex=self._duplex))

    def insert(self, position: int) -> None:
        """Scan pages into the current slot so that the first gets ``position``."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.show(InsertPaperPlace(len(self._visit.slot_pages), duplex=self._duplex))
            self._open(filing.scan_session(duplex=self._duplex, position=position))

    def retake(self, number: int) -> None:
        """Scan page ``number`` again."""
        filing = self._visit.filing
        if filing is not None:
            self._visit.show(InsertPaperPlace(len(self._visit.slot_pages), number))
            self._open(filing.scan_session(retake=(number,)), number)

    def _open(self, session: ScanSession, retake: int | None = None) -> None:
        self._session = session
        self._task = asyncio.get_running_loop().create_task(self._run(session, retake))

    async def _run(self, session: ScanSession, retake: int | None) -> None:
        filing = self._visit.filing
        assert filing is not None
        try:
            async for event in filing.scan(session):
                if session is self._session:
                    self._handle_event(event, retake)
        except KioskError as error:
            log.warning("scan: %s", error)
            if session is self._session:
                self._session = None
                kept = len(self._visit.slot_pages)
                self._show_unless_called(ScanFaultPlace(error.code, kept, kept + 1))

    # -- events of the scanner -----------------------------------------------------------------

    def _handle_event(self, event: FilingEvent, retake: int | None) -> None:
        """Show the place that one event of the scan leads to."""
        kept = len(self._visit.slot_pages)
        match event:
            case PaperExpected(source=source, pages=pages):
                self._glass = source == "glass"
                known = {page.number for page in self._visit.slot_pages}
                late = retake is None and bool(pages) and pages[0] <= max(known, default=0)
                self._show_unless_called(
                    InsertPaperPlace(kept, retake, self._glass, self._duplex, late)
                )
            case PageMoving() | PageReady() | FaultCleared():
                self._show_unless_called(ScanningPlace(kept, retake))
            case ScanFault(code=code, page=page):
                self._show_unless_called(ScanFaultPlace(code, kept, self._visit.position_of(page)))
            case SheetExpected(code=code, page=page):
                sheet = self._visit.position_of(page)
                self._show_unless_called(ScanFaultPlace(code, kept, sheet, is_sheet_expected=True))
            case ScanFinished():
                self._session = None
                place = PageReviewPlace(self._visit.position_of(retake) if retake else 1)
                self._show_unless_called(place if self._visit.slot_pages else DocumentsPlace())
            case PageChecked() | ScannerOpened():
                self._visit.notify_change()

    def _show_unless_called(self, place: VisitorPlace) -> None:
        """Show ``place``, or return to it after the call for help that is shown now."""
        is_called = isinstance(self._visit.place, SecretaryCallPlace)
        self._visit.show(SecretaryCallPlace(return_to=place) if is_called else place)

    # -- actions of the visitor ----------------------------------------------------------------

    def scan_glass(self) -> None:
        """Switch to the glass; if it is in use already, scan the sheet on it."""
        if self._session is None:
            return
        if self._glass or not isinstance(self._visit.place, InsertPaperPlace):
            self._session.select_source("glass")
        else:
            self._change_source(glass=True)

    def use_feeder(self) -> None:
        """Switch back from the glass to the feeder."""
        self._change_source(glass=False)

    def toggle_duplex(self) -> None:
        """Scan both sides of each sheet, or only the front."""
        self._duplex = not self._duplex
        self._change_source(glass=False)

    def _change_source(self, *, glass: bool) -> None:
        """Reopen the scan with the glass or the feeder; no page was moving."""
        filing, place = self._visit.filing, self._visit.place
        if filing is None or not isinstance(place, InsertPaperPlace):
            return
        self.close()
        retake = (place.retake,) if place.retake is not None else ()
        self._glass = glass
        self._visit.show(replace(place, glass=glass, duplex=self._duplex))
        session = filing.scan_session(
            source="glass" if glass else None, duplex=self._duplex, retake=retake
        )
        self._open(session, place.retake)

    def confirm_sheet(self, back_in: bool) -> None:
        """Answer whether the ejected sheet is back on top, or is scanned at the end."""
        if self._session is not None:
            self._session.confirm_sheet(back_in)
        kept = len(self._visit.slot_pages)
        self._visit.show(InsertPaperPlace(kept, is_sheet_missing=not back_in, duplex=self._duplex))

    def stop(self) -> None:
        """Stop scanning: review the pages, or go one step back if there are none."""
        self.close()
        visit = self._visit
        if visit.slot_pages:
            visit.show(PageReviewPlace(len(visit.slot_pages)))
        else:
            visit.show(DocumentsPlace() if visit.pages else visit.applicant_place())

    def ask_finish(self, is_finish_asked: bool) -> None:
        """Ask whether to finish with the pages there are."""
        self._visit.change_place(ScanFaultPlace, is_finish_asked=is_finish_asked)

    def close(self) -> None:
        """Close the scan session; scanned pages are kept."""
        session, self._session = self._session, None
        if session is not None:
            session.finish()

    async def discard_filing(self) -> None:
        """Wipe the filing, unless it was submitted or parked, and end the scan."""
        visit = self._visit
        filing, visit.filing, visit.submission = visit.filing, None, None
        visit.returns_to_summary = False
        if filing is not None and not filing.is_closed and filing.record.state == "draft":
            visit.filing_service.wipe(filing)  # first: nothing readable is left when this returns
        self._duplex = self._glass = False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
