"""State and actions of one visitor: place, filing, submission, wiping. Asyncio, no Kivy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from kiosk.errors import KioskError
from kiosk.filing.errors import PageFailedError
from kiosk.filing.model import Page
from kiosk.filing.service import FilingService, OpenFiling, PageChecked, Submission
from kiosk.locale import Language
from kiosk.ui.registry import (
    ApplicantPlace,
    CasePlace,
    DocumentsPlace,
    DocumentTypePlace,
    FilingFailedPlace,
    HearingsPlace,
    HomePlace,
    InsertPaperPlace,
    PageReviewPlace,
    ParkedPlace,
    ReceiptPlace,
    RegisteringPlace,
    ScanFaultPlace,
    ScanningPlace,
    SecretaryCallPlace,
    SummaryPlace,
    VisitorPlace,
)
from kiosk.ui.visitor.flow.filing_questions import FilingQuestions
from kiosk.ui.visitor.flow.page_review import PageReview
from kiosk.ui.visitor.flow.parking import Parking
from kiosk.ui.visitor.flow.scan import Scan
from kiosk.ui.visitor.flow.tracking import DocumentTracking

log = logging.getLogger(__name__)


class Visit:
    """State and actions of one visitor at the screen; wiped as a whole.

    Args:
        filing_service: opens, stores and submits filings.
        now: monotonic seconds.
        receipt_seconds: how long the receipt stays on the screen.
        on_change: called after every change.
        on_error: called with an error's code.
    """

    def __init__(
        self,
        filing_service: FilingService,
        now: Callable[[], float],
        receipt_seconds: float,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self.filing_service = filing_service
        self.now, self.receipt_seconds = now, receipt_seconds
        self.notify_change, self._report_error = on_change, on_error
        self.place: VisitorPlace = HomePlace()
        self.is_leaving = False
        self.filing: OpenFiling | None = None
        self.submission: Submission | None = None
        #: The visitor has reached the summary: every screen opened from there leads back to it.
        self.returns_to_summary = False
        self.scan = Scan(self)
        self.page_review = PageReview(self)
        self.questions = FilingQuestions(self)
        self.parking = Parking(self)
        self.tracking = DocumentTracking(self)
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- state ---------------------------------------------------------------------------------

    @property
    def pages(self) -> tuple[Page, ...]:
        """All pages that are kept, in order."""
        return self.filing.record.kept_pages if self.filing else ()

    @property
    def slot_pages(self) -> tuple[Page, ...]:
        """The kept pages of the document that is being scanned or reviewed."""
        if self.filing is None:
            return ()
        return self.filing.record.pages_of(self.filing.record.slot)

    @property
    def is_idle_blocked(self) -> bool:
        """Whether the idle timeout is suspended: paper moves, or the kiosk itself works."""
        return isinstance(self.place, ScanningPlace | RegisteringPlace | ReceiptPlace)

    def check_of(self, number: int) -> PageChecked | None:
        """Return the result of a page's check, or None while it is running."""
        return self.filing.check_of(number) if self.filing else None

    # -- places --------------------------------------------------------------------------------

    def show(self, place: VisitorPlace) -> None:
        """Show ``place`` to the visitor."""
        self.place = place
        self.is_leaving = False
        self.notify_change()

    def start_filing(self) -> None:
        """Start a filing: the visitor chooses the document type first."""
        self.show(DocumentTypePlace())

    def list_hearings(self) -> None:
        """Show today's hearings."""
        self.show(HearingsPlace())

    def show_types(self, group: str, page: int) -> None:
        """Show another group or page of the document types."""
        self.show(DocumentTypePlace(group, page))

    def show_hearings(self, page: int) -> None:
        """Show another page of today's hearings."""
        self.show(HearingsPlace(page))

    def choose_type(self, document_type: str, language: Language) -> None:
        """Create a filing of that type, or change the type of the open filing."""
        group = self.place.group if isinstance(self.place, DocumentTypePlace) else "common"
        try:
            if self.filing is None:
                self.filing = self.filing_service.create(document_type, language)
            elif self.filing.record.document_type != document_type:
                self.filing.update_details(document_type=document_type)
            if group in self.filing_service.rules.case_kinds:
                self.filing.update_details(case_kind=group)
        except KioskError as error:
            self.show(FilingFailedPlace(error.code))
            return
        self.advance_to(CasePlace())

    def advance_to(self, place: VisitorPlace) -> None:
        """Show ``place``, or the summary if the visitor came from there."""
        self.show(SummaryPlace() if self.returns_to_summary else place)

    def step_back(self) -> None:
        """Show the step before; no answer and no page is lost."""
        if self.returns_to_summary:
            self.show(SummaryPlace())
        elif isinstance(self.place, CasePlace):
            self.show(DocumentTypePlace())
        elif isinstance(self.place, ApplicantPlace):
            self.show(CasePlace())
        elif isinstance(self.place, DocumentsPlace) or self.filing is None:
            self.show(PageReviewPlace() if self.slot_pages else DocumentTypePlace())
        else:
            self.show(DocumentsPlace())

    def leave_types(self) -> None:
        """Leave the document types unchanged: to the summary, or home."""
        if self.returns_to_summary:
            self.show(SummaryPlace())
        else:
            self.leave_or_ask()

    def show_summary(self) -> None:
        """Show the summary before submission, if there are pages."""
        if self.pages:
            self.returns_to_summary = True
            self.show(SummaryPlace())

    # -- help ----------------------------------------------------------------------------------

    def call_secretary(self) -> None:
        """Show the sign that calls the secretary; pages are kept."""
        back = None if isinstance(self.place, SecretaryCallPlace | HomePlace) else self.place
        self.show(SecretaryCallPlace(return_to=back))

    def end_call(self) -> None:
        """Return from the sign to where the visitor was."""
        back = self.place.return_to if isinstance(self.place, SecretaryCallPlace) else None
        if not self.scan.is_open and isinstance(
            back, InsertPaperPlace | ScanningPlace | ScanFaultPlace
        ):
            back = (
                PageReviewPlace() if self.slot_pages else DocumentsPlace() if self.filing else None
            )
        self.show(back or HomePlace())

    # -- leaving -------------------------------------------------------------------------------

    def leave_or_ask(self) -> None:
        """Go to the first screen; ask first if pages would be lost."""
        if self.pages and self.submission is None:
            self.is_leaving = True
            self.notify_change()
        else:
            self.spawn(self.wipe())

    def cancel_leaving(self) -> None:
        """Stay with the scanned pages."""
        self.is_leaving = False
        self.notify_change()

    def leave(self) -> None:
        """Wipe the scanned pages and go to the first screen."""
        self.spawn(self.wipe())

    # -- handing in ----------------------------------------------------------------------------

    async def submit(self) -> None:
        """Submit the filing, register it, print the receipt."""
        if self.filing is None or self.submission is not None:
            return
        self.show(RegisteringPlace())
        try:
            self.submission = await self.filing_service.submit(self.filing)
        except PageFailedError:
            self._report_error(PageFailedError.code)
            self.show(self._first_failed_page())
            return
        except KioskError as error:
            log.warning("handing in: %s", error)
            self.show(FilingFailedPlace(error.code))
            return
        self.show(ReceiptPlace(self.now() + self.receipt_seconds))
        await self.print_receipt()

    def _first_failed_page(self) -> PageReviewPlace:
        """Return the place of the first page that could not be processed."""
        assert self.filing is not None
        for view in self.filing.slots():
            for position, page in enumerate(view.pages, start=1):
                check = self.check_of(page.number)
                if check and PageFailedError.code in check.advice:
                    self.filing.choose_slot(view.slot.id)
                    return PageReviewPlace(position)
        return PageReviewPlace()

    async def print_receipt(self, *, large: bool = False) -> None:
        """Print the receipt (again); the screen shows it even if printing fails."""
        if self.filing is None or not isinstance(self.place, ReceiptPlace):
            return
        until = max(self.place.until, self.now() + self.receipt_seconds / 2)
        self.show(ReceiptPlace(until, "printing"))
        try:
            await self.filing_service.print_receipt(self.filing, large=large)
            after = ReceiptPlace(until, "printed")
        except KioskError as error:
            log.warning("receipt: %s", error)
            after = ReceiptPlace(until, "failed", error.code)
        if isinstance(self.place, ReceiptPlace):
            self.show(after)

    # -- the end -----------------------------------------------------------------------------------

    async def wipe(self) -> None:
        """Wipe everything of this visitor."""
        self.scan.close()
        self.is_leaving = False
        self.place = HomePlace()
        self.notify_change()
        await self.discard_filing()

    async def discard_filing(self) -> None:
        """Wipe the filing, unless it was submitted or parked."""
        filing, self.filing, self.submission = self.filing, None, None
        self.returns_to_summary = False
        if filing is not None and not filing.is_closed and filing.record.state == "draft":
            self.filing_service.wipe(filing)  # first: nothing readable is left when this returns
        await self.scan.wait_until_closed()

    @property
    def screen_expires_at(self) -> float | None:
        """When a receipt or ticket is wiped from the screen (monotonic seconds), or None."""
        return self.place.until if isinstance(self.place, ReceiptPlace | ParkedPlace) else None

    def spawn(self, step: Any) -> None:
        """Run ``step`` in the background and show its error as a notice."""
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def try_action(self, step: Callable[[], Any]) -> bool:
        """Run ``step`` and show its error as a notice; return whether it succeeded."""
        try:
            step()
        except KioskError as error:
            log.warning("visit: %s", error.code)
            self._report_error(error.code)
            return False
        return True

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, KioskError):
            self._report_error(error.code)
        elif error is not None:
            log.error("visit: %r", error)

    async def close(self) -> None:
        """Stop all tasks; wipe an unfinished filing."""
        with contextlib.suppress(KioskError):
            await self.wipe()
        await asyncio.gather(*self._tasks, return_exceptions=True)
