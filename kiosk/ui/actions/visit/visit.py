"""The visit of one visitor: composes its steps, submits the filing, wipes everything."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace

from kiosk.errors import KioskError
from kiosk.filing.errors import PageFailedError
from kiosk.locale import Language
from kiosk.ui.actions.visit.applicant import ApplicantForm
from kiosk.ui.actions.visit.case import CaseQuestion
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.actions.visit.documents import DocumentList
from kiosk.ui.actions.visit.fee import FeeHintForm
from kiosk.ui.actions.visit.page_review import PageReview
from kiosk.ui.actions.visit.parking import Parking
from kiosk.ui.actions.visit.scan import Scan
from kiosk.ui.actions.visit.tracking import DocumentTracking
from kiosk.ui.registry import (
    ApplicantPlace,
    CasePlace,
    DocumentsPlace,
    DocumentTypePlace,
    FilingFailedPlace,
    HearingsPlace,
    HomePlace,
    InsertPaperPlace,
    OnlineServicesPlace,
    PageReviewPlace,
    ParkedPlace,
    ReceiptPlace,
    RegisteringPlace,
    ScanFaultPlace,
    ScanningPlace,
    SecretaryCallPlace,
    SummaryPlace,
)

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Visit(VisitContext):
    """State and actions of one visitor at the screen; wiped as a whole."""

    def __post_init__(self) -> None:
        """Compose the steps of the visit."""
        self.scan = Scan(self)
        self.page_review = PageReview(self, self.scan)
        self.case = CaseQuestion(self)
        self.applicant = ApplicantForm(self, self.scan)
        self.documents = DocumentList(self, self.scan)
        self.fee = FeeHintForm(self)
        self.parking = Parking(self, self.scan)
        self.tracking = DocumentTracking(self)

    @property
    def is_idle_blocked(self) -> bool:
        """Whether the idle timeout is suspended: paper moves, or the kiosk itself works."""
        return isinstance(self.place, ScanningPlace | RegisteringPlace | ReceiptPlace)

    @property
    def screen_expires_at(self) -> float | None:
        """When a receipt or ticket is wiped from the screen (monotonic seconds), or None."""
        return self.place.until if isinstance(self.place, ReceiptPlace | ParkedPlace) else None

    # -- first steps ---------------------------------------------------------------------------

    def start_filing(self) -> None:
        """Start a filing: the visitor chooses the document type first."""
        self.show(DocumentTypePlace())

    def show_types(self, group: str, page: int) -> None:
        """Show another group or page of the document types."""
        self.show(DocumentTypePlace(group, page))

    def show_hearings(self, page: int = 0) -> None:
        """Show today's hearings."""
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

    def show_online_services(self, chosen: str = "") -> None:
        """Show what can be done from home, with the code of one service."""
        self.show(OnlineServicesPlace(chosen))

    # -- help and leaving ----------------------------------------------------------------------

    def call_secretary(self) -> None:
        """Show the sign that calls the secretary; pages are kept."""
        back = None if isinstance(self.place, SecretaryCallPlace | HomePlace) else self.place
        self.show(SecretaryCallPlace(return_to=back))

    def end_call(self) -> None:
        """Return from the sign to where the visitor was."""
        back = self.place.return_to if isinstance(self.place, SecretaryCallPlace) else None
        is_scan_over = not self.scan.is_open and isinstance(
            back, InsertPaperPlace | ScanningPlace | ScanFaultPlace
        )
        if is_scan_over and self.slot_pages:
            back = PageReviewPlace()
        elif is_scan_over:
            back = DocumentsPlace() if self.filing else None
        self.show(back or HomePlace())

    def leave_types(self) -> None:
        """Leave the document types unchanged: to the summary, or home."""
        if self.returns_to_summary:
            self.show(SummaryPlace())
        else:
            self.leave_or_ask()

    def leave_or_ask(self) -> None:
        """Go to the first screen; ask first if pages would be lost."""
        if self.pages and self.submission is None:
            self.is_leaving = True
            self.notify_change()
        else:
            self.leave()

    def cancel_leaving(self) -> None:
        """Stay with the scanned pages."""
        self.is_leaving = False
        self.notify_change()

    def leave(self) -> None:
        """Wipe the scanned pages and go to the first screen."""
        self.spawn(self.wipe())

    # -- submission ----------------------------------------------------------------------------

    async def submit(self) -> None:
        """Submit the filing, register it, print the receipt."""
        if self.filing is None or self.submission is not None:
            return
        self.show(RegisteringPlace())
        try:
            self.submission = await self.filing_service.submit(self.filing)
        except PageFailedError:
            self.report_error(PageFailedError.code)
            self.show(self._first_failed_page())
            return
        except KioskError as error:
            log.warning("submission: %s", error)
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
        place = self.at(ReceiptPlace)
        if self.filing is not None and place is not None:
            until = max(place.until, self.now() + self.receipt_seconds / 2)
            job = self.filing_service.print_receipt(self.filing, large=large)
            await self.show_printing(replace(place, until=until), job)

    # -- the end -------------------------------------------------------------------------------

    async def wipe(self) -> None:
        """Wipe everything of this visitor."""
        self.scan.close()
        self.show(HomePlace())
        await self.scan.discard_filing()

    async def close(self) -> None:
        """Wipe an unfinished filing and end its scan."""
        with contextlib.suppress(KioskError):
            await self.wipe()
