"""One visitor's way through the screens: filing, finding a document. Plain asyncio, no Kivy."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk.errors import KioskError
from kiosk.filing.desk import DeskEvent, FilingDesk, HandedIn, OpenFiling, PageChecked
from kiosk.filing.errors import PageFailedError
from kiosk.filing.folder import folders_in
from kiosk.filing.model import Page
from kiosk.filing.receipt import filing_of_reference
from kiosk.hardware.scanner import (
    Done,
    Fault,
    Mended,
    Moving,
    Opened,
    PageReady,
    ScanSession,
    WaitingForPaper,
)
from kiosk.ipc import LocalClient
from kiosk.locale import Language
from kiosk.ui.facts import FilingState
from kiosk.ui.places import (
    AtHome,
    Calling,
    ChoosingType,
    Confirming,
    Feeding,
    Listing,
    Looking,
    Refused,
    Registered,
    Registering,
    Scanning,
    Stuck,
    Tracking,
    VisitPlace,
)

log = logging.getLogger(__name__)

LONGEST_NUMBER = 40


class Visit:
    """What the visitor has done so far; wiped as a whole.

    Args:
        filing_desk: the filing room.
        sync: says where a filing stands.
        filings: folder of the filings (to find one by its number).
        now: monotonic seconds.
        receipt_seconds: how long the receipt stays on the screen.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        filing_desk: FilingDesk,
        sync: LocalClient,
        filings: Path,
        now: Callable[[], float],
        receipt_seconds: float,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._desk, self._sync, self._filings = filing_desk, sync, filings
        self._now, self._receipt_seconds = now, receipt_seconds
        self._changed, self._failed = on_change, on_error
        self.place: VisitPlace = AtHome()
        self.leaving = False
        self.filing: OpenFiling | None = None
        self.handed_in: HandedIn | None = None
        self._session: ScanSession | None = None
        self._scan: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[Any]] = set()

    # -- places --------------------------------------------------------------------------------

    def go(self, place: VisitPlace) -> None:
        """Change the place."""
        self.place = place
        self.leaving = False
        self._changed()

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages that are kept, in order."""
        return self.filing.filing.kept_pages if self.filing else ()

    @property
    def stands_still(self) -> bool:
        """Whether time must not run out: paper moves, or the kiosk itself is at work."""
        return isinstance(self.place, Scanning | Registering | Registered)

    def looks_of(self, number: int) -> PageChecked | None:
        """Return what was seen on a page."""
        return self.filing.looks_of(number) if self.filing else None

    def begin_filing(self) -> None:
        """Hand in documents: choose the type first."""
        self.go(ChoosingType())

    def begin_tracking(self) -> None:
        """Ask where a document is."""
        self.go(Tracking())

    def list_hearings(self) -> None:
        """Show today's hearings."""
        self.go(Listing())

    def call_secretary(self) -> None:
        """Show the sign that the secretary is needed; pages are kept meanwhile."""
        if self.filing is None:
            self.go(Calling())
        else:
            self.go(Calling(back=self.place))

    def call_done(self) -> None:
        """Help came, or is not needed: go on where the visitor was."""
        back = self.place.back if isinstance(self.place, Calling) else None
        if self.filing is not None and self._session is None and isinstance(back, Feeding | Stuck):
            back = Looking() if self.pages else AtHome()
        self.go(back or AtHome())

    def show_types(self, group: str, page: int) -> None:
        """Show another group or page of the document types."""
        self.go(ChoosingType(group, page))

    def show_hearings(self, page: int) -> None:
        """Show another page of today's hearings."""
        self.go(Listing(page))

    def back_to_pages(self) -> None:
        """Look the pages over again."""
        self.go(Looking())

    def ask_home(self) -> None:
        """Go to the first screen; asks first when pages would be lost."""
        if self.pages and self.handed_in is None:
            self.leaving = True
            self._changed()
        else:
            self._do(self.wipe())

    def stay(self) -> None:
        """Do not leave after all."""
        self.leaving = False
        self._changed()

    def leave(self) -> None:
        """Leave: what was scanned is wiped."""
        self._do(self.wipe())

    # -- scanning ------------------------------------------------------------------------------

    def choose_type(self, document_type: str, language: Language) -> None:
        """Begin a filing of that type and wait for its paper."""
        try:
            self.filing = self._desk.begin(document_type, language)
        except KioskError as error:
            self.go(Refused(error.code))
            return
        self.go(Feeding())
        self._begin_scan(self.filing.session())

    def _begin_scan(self, session: ScanSession, retake: int | None = None) -> None:
        self._session = session
        self._scan = asyncio.get_running_loop().create_task(self._run_scan(session, retake))

    async def _run_scan(self, session: ScanSession, retake: int | None) -> None:
        assert self.filing is not None
        try:
            async for event in self.filing.scan(session):
                if session is self._session:
                    self._take(event, retake)
        except KioskError as error:
            log.warning("scan: %s", error)
            self.go(Stuck(error.code, len(self.pages), len(self.pages) + 1))

    def _take(self, event: DeskEvent, retake: int | None) -> None:
        """Go where one event of the scan leads."""
        kept = len(self.pages)
        match event:
            case WaitingForPaper(source=source):
                self._scan_goes(Feeding(kept, retake, source == "glass"))
            case Moving() | PageReady():
                self._scan_goes(Scanning(kept, retake))
            case Fault(code=code, page=page):
                self._scan_goes(Stuck(code, kept, self._place_of(page)))
            case Mended():
                self._scan_goes(Scanning(kept, retake))
            case Done():
                self._session = None
                place = Looking(self._place_of(retake) if retake else 1)
                self._scan_goes(place if self.pages else Feeding())
            case PageChecked() | Opened():
                self._changed()

    def _scan_goes(self, place: VisitPlace) -> None:
        """Change the place; the sign for help stays until it is taken down."""
        self.go(Calling(back=place) if isinstance(self.place, Calling) else place)

    def _place_of(self, number: int) -> int:
        """Return the place (from 1) of a page that is to be put in (again)."""
        places = {page.number: n for n, page in enumerate(self.pages, start=1)}
        return places.get(number, len(self.pages) + 1)

    def scan_glass(self) -> None:
        """Scan the sheet that lies on the glass."""
        if self._session is not None:
            self._session.use("glass")

    def stop_scan(self) -> None:
        """Enough pages: look them over (none: choose the type again)."""
        self._end_scan()
        if self.pages:
            self.go(Looking(len(self.pages)))
        else:
            self._do(self._forget_filing())
            self.go(ChoosingType())

    def _end_scan(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.finish()

    def ask_finish(self, asks: bool) -> None:
        """Ask whether to finish with the pages there are."""
        if isinstance(self.place, Stuck):
            place = self.place
            self.go(Stuck(place.code, place.kept, place.sheet, asks))

    # -- looking over --------------------------------------------------------------------------

    def choose_page(self, number: int) -> None:
        """Show the ``number``-th page large."""
        if isinstance(self.place, Looking):
            self.go(Looking(number, self.place.page, self.place.deleted))

    def turn_thumbnails(self, page: int) -> None:
        """Show another page of the thumbnails."""
        if isinstance(self.place, Looking):
            self.go(Looking(self.place.chosen, page, self.place.deleted))

    def _chosen(self) -> Page | None:
        if not isinstance(self.place, Looking) or not 1 <= self.place.chosen <= len(self.pages):
            return None
        return self.pages[self.place.chosen - 1]

    async def rotate(self) -> None:
        """Turn the chosen page clockwise."""
        page = self._chosen()
        if page is not None and self.filing is not None:
            await self.filing.turn(page.number)
            self._changed()

    def retake(self) -> None:
        """Scan the chosen page again."""
        page = self._chosen()
        if page is not None and self.filing is not None:
            self.go(Feeding(len(self.pages), page.number))
            self._begin_scan(self.filing.session(retake=(page.number,)), page.number)

    def delete(self) -> None:
        """Take the chosen page out; it can be taken back."""
        page = self._chosen()
        if page is None or self.filing is None or not isinstance(self.place, Looking):
            return
        self.filing.delete(page.number)
        chosen = max(1, min(self.place.chosen, len(self.pages)))
        self.go(Looking(chosen, self.place.page, page.number))

    def undo(self) -> None:
        """Take the deleted page back."""
        if isinstance(self.place, Looking) and self.place.deleted and self.filing:
            number = self.place.deleted
            self.filing.restore(number)
            self.go(Looking(self._place_of(number), self.place.page))

    def add_pages(self) -> None:
        """Scan more pages."""
        if self.filing is not None:
            self.go(Feeding(len(self.pages)))
            self._begin_scan(self.filing.session())

    def confirm(self) -> None:
        """All pages are there: ask once more before handing in."""
        if self.pages:
            self.go(Confirming())

    # -- handing in ----------------------------------------------------------------------------

    async def submit(self) -> None:
        """Hand in, register, print the receipt."""
        if self.filing is None:
            return
        self.go(Registering())
        try:
            self.handed_in = await self._desk.submit(self.filing)
        except PageFailedError:
            self._failed(PageFailedError.code)
            self.go(Looking(self._first_failed()))
            return
        except KioskError as error:
            log.warning("handing in: %s", error)
            self.go(Refused(error.code))
            return
        self.go(Registered(self._now() + self._receipt_seconds))
        await self.print_receipt()

    def _first_failed(self) -> int:
        for place, page in enumerate(self.pages, start=1):
            seen = self.looks_of(page.number)
            if seen and PageFailedError.code in seen.advice:
                return place
        return 1

    async def print_receipt(self) -> None:
        """Print the receipt (again); the screen shows it, whatever the printer does."""
        if self.filing is None or not isinstance(self.place, Registered):
            return
        until = max(self.place.until, self._now() + self._receipt_seconds / 2)
        self.go(Registered(until, "printing"))
        try:
            await self._desk.print_receipt(self.filing)
            after = Registered(until, "printed")
        except KioskError as error:
            log.warning("receipt: %s", error)
            after = Registered(until, "failed", error.code)
        if isinstance(self.place, Registered):
            self.go(after)

    # -- where is my document --------------------------------------------------------------------

    def type_key(self, key: str) -> None:
        """Type one character of the number (``""``: delete the last)."""
        if isinstance(self.place, Tracking):
            typed = self.place.typed + key if key else self.place.typed[:-1]
            self.go(Tracking(typed[:LONGEST_NUMBER]))

    def is_reference(self, text: str) -> bool:
        """Return whether ``text`` is what a receipt's QR code holds."""
        return filing_of_reference(text) is not None

    async def track_reference(self, text: str) -> None:
        """Show where the filing of a receipt's QR code stands."""
        filing_id = filing_of_reference(text)
        if filing_id is not None:
            await self._track(filing_id, "")

    async def track_number(self) -> None:
        """Show where the filing with the typed number stands."""
        if not isinstance(self.place, Tracking) or not self.place.typed:
            return
        typed = self.place.typed
        found = await asyncio.to_thread(find_by_number, self._filings, typed)
        if found is None:
            self.go(Tracking(typed, unknown=True))
        else:
            await self._track(found, typed)

    async def _track(self, filing_id: str, typed: str) -> None:
        try:
            answer = await self._sync.get(f"/v1/filings/{filing_id}")
            self.go(Tracking(typed, FilingState.model_validate(answer)))
        except (KioskError, ValidationError) as error:
            log.info("tracking: %s", error)
            self.go(Tracking(typed, unknown=True))

    # -- the end -----------------------------------------------------------------------------------

    async def wipe(self) -> None:
        """Wipe everything of this visitor."""
        self._end_scan()
        self.leaving = False
        self.place = AtHome()
        self._changed()
        await self._forget_filing()

    async def _forget_filing(self) -> None:
        filing, self.filing, self.handed_in = self.filing, None, None
        if filing is not None and filing.filing.state == "draft":
            self._desk.wipe(filing)  # first: nothing readable is left when this returns
        if self._scan is not None:
            self._scan.cancel()
            await asyncio.gather(self._scan, return_exceptions=True)
            self._scan = None

    def _do(self, step: Any) -> None:
        task = asyncio.get_running_loop().create_task(step)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, KioskError):
            self._failed(error.code)
        elif error is not None:
            log.error("visit: %r", error)

    async def close(self) -> None:
        """End what runs; an unfinished filing is wiped."""
        with contextlib.suppress(KioskError):
            await self.wipe()
        await asyncio.gather(*self._work, return_exceptions=True)


def find_by_number(root: Path, number: str) -> str | None:
    """Return the id of the filing with that registration number (or end of a provisional one)."""
    wanted = number.strip().casefold()
    for folder in folders_in(root):
        try:
            value = json.loads((folder / "registration.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for known in (value.get("number"), value.get("provisional")):
            text = str(known or "").casefold()
            if text == wanted or (len(wanted) >= 10 and text.endswith(f"-{wanted}")):
                return folder.name
    return None
