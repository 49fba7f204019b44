"""State of one visitor that all steps of the visit share: place, filing, submission."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from kiosk.errors import KioskError
from kiosk.filing.form.required_documents import SlotView
from kiosk.filing.model import Filing, Page
from kiosk.filing.service import FilingService, OpenFiling, PageChecked, Submission
from kiosk.ui.registry import (
    ApplicantPlace,
    DocumentStatusPlace,
    HomePlace,
    ParkedPlace,
    ReceiptPlace,
    SummaryPlace,
    VisitorPlace,
)

log = logging.getLogger(__name__)

P = TypeVar("P")

APPLICANT_FIELDS: dict[str, tuple[str, ...]] = {
    "person": ("iin", "name", "phone"),
    "entity": ("bin", "organisation", "name", "phone"),
}


@dataclass(eq=False)
class VisitContext:
    """Place, filing and submission of one visitor.

    Attributes:
        filing_service: opens, stores and submits filings.
        now: monotonic seconds.
        receipt_seconds: how long a receipt or ticket stays on the screen.
        notify_change: called after every change.
        report_error: called with an error's code.
        spawn: runs a step in the background and shows its error.
        place: where the visitor is.
        is_leaving: the visitor is asked whether to leave the scanned pages.
        filing: the open filing.
        submission: what came of its submission.
        returns_to_summary: the visitor has reached the summary: every screen opened from there
            leads back to it.
    """

    filing_service: FilingService
    now: Callable[[], float]
    receipt_seconds: float
    notify_change: Callable[[], None]
    report_error: Callable[[str], None]
    spawn: Callable[[Coroutine[Any, Any, Any]], None]
    place: VisitorPlace = field(default_factory=HomePlace, init=False)
    is_leaving: bool = field(default=False, init=False)
    filing: OpenFiling | None = field(default=None, init=False)
    submission: Submission | None = field(default=None, init=False)
    returns_to_summary: bool = field(default=False, init=False)

    # -- the filing ----------------------------------------------------------------------------

    @property
    def record(self) -> Filing:
        """The record of the open filing."""
        assert self.filing is not None
        return self.filing.record

    @property
    def pages(self) -> tuple[Page, ...]:
        """All pages that are kept, in order."""
        return self.filing.record.kept_pages if self.filing else ()

    @property
    def slot_pages(self) -> tuple[Page, ...]:
        """The kept pages of the document that is being scanned or reviewed."""
        return self.record.pages_of(self.record.slot) if self.filing else ()

    @property
    def slots(self) -> tuple[SlotView, ...]:
        """The documents of the filing."""
        return self.filing.slots() if self.filing else ()

    @property
    def checks(self) -> dict[int, PageChecked]:
        """The results of the page checks by page number, without those still running."""
        known = {page.number: self.check_of(page.number) for page in self.pages}
        return {number: check for number, check in known.items() if check}

    def check_of(self, number: int) -> PageChecked | None:
        """Return the result of a page's check, or None while it is running."""
        return self.filing.check_of(number) if self.filing else None

    def position_of(self, number: int) -> int:
        """Return the position (from 1) of page ``number``, or after the last if it is unknown."""
        numbers = [page.number for page in self.slot_pages]
        return numbers.index(number) + 1 if number in numbers else len(numbers) + 1

    def update_filing(self, **changes: object) -> bool:
        """Store ``changes`` in the filing; return whether that succeeded."""
        filing = self.filing
        return filing is not None and self.try_action(lambda: filing.update_details(**changes))

    def try_action(self, step: Callable[[], Any]) -> bool:
        """Run ``step`` and show its error as a notice; return whether it succeeded."""
        try:
            step()
        except KioskError as error:
            log.warning("visit: %s", error.code)
            self.report_error(error.code)
            return False
        return True

    # -- the place -----------------------------------------------------------------------------

    def show(self, place: VisitorPlace) -> None:
        """Show ``place`` to the visitor."""
        self.place = place
        self.is_leaving = False
        self.notify_change()

    def at(self, kind: type[P]) -> P | None:
        """Return the place if it is of ``kind``, else None."""
        return self.place if isinstance(self.place, kind) else None

    def place_as(self, kind: type[P]) -> P:
        """Return the place, which is of ``kind``."""
        assert isinstance(self.place, kind), self.place
        return self.place

    def change_place(self, kind: type[VisitorPlace], **changes: Any) -> None:
        """Change the state of the place, if it is of ``kind``."""
        if isinstance(self.place, kind):
            self.show(replace(self.place, **changes))

    def advance_to(self, place: VisitorPlace) -> None:
        """Show ``place``, or the summary if the visitor came from there."""
        self.show(SummaryPlace() if self.returns_to_summary else place)

    def show_summary(self) -> None:
        """Show the summary before submission, if there are pages."""
        if self.pages:
            self.returns_to_summary = True
            self.show(SummaryPlace())

    def applicant_place(self) -> ApplicantPlace:
        """Return the place where the applicant is typed, as far as known."""
        known = self.record.applicant
        return ApplicantPlace(known, APPLICANT_FIELDS[known.kind][0])

    async def show_printing(
        self, place: ReceiptPlace | ParkedPlace | DocumentStatusPlace, job: Awaitable[None]
    ) -> None:
        """Show at ``place`` that ``job`` prints and how it ended, unless the visitor has left."""
        printing = replace(place, printing="printing", printer_error="")
        self.show(printing)
        try:
            await job
            after = replace(printing, printing="printed")
        except KioskError as error:
            log.warning("printing: %s", error)
            after = replace(printing, printing="failed", printer_error=error.code)
        if self.place == printing:
            self.show(after)
