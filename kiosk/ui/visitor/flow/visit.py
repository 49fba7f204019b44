"""One visitor's way through the screens: where they are, and what is wiped. Asyncio, no Kivy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from kiosk.errors import KioskError
from kiosk.filing.errors import PageFailedError
from kiosk.filing.model import Page
from kiosk.filing.service import FilingDesk, HandedIn, OpenFiling, PageChecked
from kiosk.locale import Language
from kiosk.ui.places import (
    AtHome,
    Calling,
    ChoosingCase,
    ChoosingType,
    Confirming,
    Feeding,
    Gathering,
    Introducing,
    Listing,
    Looking,
    Parked,
    Refused,
    Registered,
    Registering,
    Scanning,
    Stuck,
    VisitPlace,
)
from kiosk.ui.visitor.flow.filing_questions import Telling
from kiosk.ui.visitor.flow.page_review import Review
from kiosk.ui.visitor.flow.parking_and_tracking import Later
from kiosk.ui.visitor.flow.scan import Scan

log = logging.getLogger(__name__)


class Visit:
    """What the visitor has done so far; wiped as a whole.

    Args:
        filing_desk: the filing room.
        now: monotonic seconds.
        receipt_seconds: how long the receipt stays on the screen.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        filing_desk: FilingDesk,
        now: Callable[[], float],
        receipt_seconds: float,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self.desk = filing_desk
        self.now, self.receipt_seconds = now, receipt_seconds
        self.changed, self._failed = on_change, on_error
        self.place: VisitPlace = AtHome()
        self.leaving = False
        self.filing: OpenFiling | None = None
        self.handed_in: HandedIn | None = None
        #: The summary was reached: a step that was opened from there leads back to it.
        self.summing_up = False
        self.scan = Scan(self)
        self.review = Review(self)
        self.telling = Telling(self)
        self.later = Later(self)
        self._work: set[asyncio.Task[Any]] = set()

    # -- what is there -------------------------------------------------------------------------

    @property
    def pages(self) -> tuple[Page, ...]:
        """All pages that are kept, in order."""
        return self.filing.filing.kept_pages if self.filing else ()

    @property
    def slot_pages(self) -> tuple[Page, ...]:
        """The kept pages of the document that is being scanned or looked over."""
        if self.filing is None:
            return ()
        return self.filing.filing.pages_of(self.filing.filing.slot)

    @property
    def stands_still(self) -> bool:
        """Whether time must not run out: paper moves, or the kiosk itself is at work."""
        return isinstance(self.place, Scanning | Registering | Registered)

    def looks_of(self, number: int) -> PageChecked | None:
        """Return what was seen on a page."""
        return self.filing.looks_of(number) if self.filing else None

    # -- places --------------------------------------------------------------------------------

    def go(self, place: VisitPlace) -> None:
        """Change the place."""
        self.place = place
        self.leaving = False
        self.changed()

    def begin_filing(self) -> None:
        """Hand in documents: choose the type first."""
        self.go(ChoosingType())

    def list_hearings(self) -> None:
        """Show today's hearings."""
        self.go(Listing())

    def show_types(self, group: str, page: int) -> None:
        """Show another group or page of the document types."""
        self.go(ChoosingType(group, page))

    def show_hearings(self, page: int) -> None:
        """Show another page of today's hearings."""
        self.go(Listing(page))

    def choose_type(self, document_type: str, language: Language) -> None:
        """Begin a filing of that type (or make the one there is of that type)."""
        group = self.place.group if isinstance(self.place, ChoosingType) else "common"
        try:
            if self.filing is None:
                self.filing = self.desk.begin(document_type, language)
            elif self.filing.filing.document_type != document_type:
                self.filing.describe(document_type=document_type)
            if group in self.desk.rules.case_kinds:
                self.filing.describe(case_kind=group)
        except KioskError as error:
            self.go(Refused(error.code))
            return
        self.go_on(ChoosingCase())

    def go_on(self, place: VisitPlace) -> None:
        """Take the next step: ``place``, or the summary where the visitor came from there."""
        self.go(Confirming() if self.summing_up else place)

    def back(self) -> None:
        """Take one step back; nothing that was said or scanned is lost."""
        if self.summing_up:
            self.go(Confirming())
        elif isinstance(self.place, ChoosingCase):
            self.go(ChoosingType())
        elif isinstance(self.place, Introducing):
            self.go(ChoosingCase())
        elif isinstance(self.place, Gathering) or self.filing is None:
            self.go(Looking() if self.slot_pages else ChoosingType())
        else:
            self.go(Gathering())

    def back_from_types(self) -> None:
        """Leave the document types as they are: to the summary, or home."""
        if self.summing_up:
            self.go(Confirming())
        else:
            self.ask_home()

    def confirm(self) -> None:
        """Everything is said and scanned: ask once more before handing in."""
        if self.pages:
            self.summing_up = True
            self.go(Confirming())

    # -- help ----------------------------------------------------------------------------------

    def call_secretary(self) -> None:
        """Show the sign that the secretary is needed; pages are kept meanwhile."""
        back = None if isinstance(self.place, Calling | AtHome) else self.place
        self.go(Calling(back=back))

    def call_done(self) -> None:
        """Help came, or is not needed: go on where the visitor was."""
        back = self.place.back if isinstance(self.place, Calling) else None
        if not self.scan.runs and isinstance(back, Feeding | Scanning | Stuck):
            back = Looking() if self.slot_pages else Gathering() if self.filing else None
        self.go(back or AtHome())

    # -- leaving -------------------------------------------------------------------------------

    def ask_home(self) -> None:
        """Go to the first screen; asks first when pages would be lost."""
        if self.pages and self.handed_in is None:
            self.leaving = True
            self.changed()
        else:
            self.do(self.wipe())

    def stay(self) -> None:
        """Do not leave after all."""
        self.leaving = False
        self.changed()

    def leave(self) -> None:
        """Leave: what was scanned is wiped."""
        self.do(self.wipe())

    # -- handing in ----------------------------------------------------------------------------

    async def submit(self) -> None:
        """Hand in, register, print the receipt."""
        if self.filing is None or self.handed_in is not None:
            return
        self.go(Registering())
        try:
            self.handed_in = await self.desk.submit(self.filing)
        except PageFailedError:
            self._failed(PageFailedError.code)
            self.go(self._first_failed())
            return
        except KioskError as error:
            log.warning("handing in: %s", error)
            self.go(Refused(error.code))
            return
        self.go(Registered(self.now() + self.receipt_seconds))
        await self.print_receipt()

    def _first_failed(self) -> Looking:
        """Show the first page that could not be worked on."""
        assert self.filing is not None
        for view in self.filing.slots():
            for place, page in enumerate(view.pages, start=1):
                seen = self.looks_of(page.number)
                if seen and PageFailedError.code in seen.advice:
                    self.filing.choose_slot(view.slot.id)
                    return Looking(place)
        return Looking()

    async def print_receipt(self, *, large: bool = False) -> None:
        """Print the receipt (again); the screen shows it, whatever the printer does."""
        if self.filing is None or not isinstance(self.place, Registered):
            return
        until = max(self.place.until, self.now() + self.receipt_seconds / 2)
        self.go(Registered(until, "printing"))
        try:
            await self.desk.print_receipt(self.filing, large=large)
            after = Registered(until, "printed")
        except KioskError as error:
            log.warning("receipt: %s", error)
            after = Registered(until, "failed", error.code)
        if isinstance(self.place, Registered):
            self.go(after)

    # -- the end -----------------------------------------------------------------------------------

    async def wipe(self) -> None:
        """Wipe everything of this visitor."""
        self.scan.end()
        self.leaving = False
        self.place = AtHome()
        self.changed()
        await self.forget_filing()

    async def forget_filing(self) -> None:
        """Wipe the filing, if it was not handed in or parked."""
        filing, self.filing, self.handed_in = self.filing, None, None
        self.summing_up = False
        if filing is not None and not filing.gone and filing.filing.state == "draft":
            self.desk.wipe(filing)  # first: nothing readable is left when this returns
        await self.scan.ended()

    @property
    def keeps_screen(self) -> float | None:
        """When a screen with a number to take home is wiped (monotonic), or None."""
        return self.place.until if isinstance(self.place, Registered | Parked) else None

    def do(self, step: Any) -> None:
        """Run ``step`` in the background; an error shows as a notice."""
        task = asyncio.get_running_loop().create_task(step)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def attempt(self, step: Callable[[], Any]) -> bool:
        """Do something that may fail; an error shows as a notice. Return whether it was done."""
        try:
            step()
        except KioskError as error:
            log.warning("visit: %s", error.code)
            self._failed(error.code)
            return False
        return True

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
