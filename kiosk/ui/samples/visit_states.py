"""States of a visit, for the samples of the visitor's screens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiosk.filing.model import Applicant
from kiosk.filing.service import Ticket
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import InsertPaperPlace, ScanFaultPlace, ScanningPlace, VisitorPlace
from kiosk.ui.samples import documents, service_states
from kiosk.ui.samples.screen_sample import Prepare, prepare_idle

PAGE_ADVICE: dict[int, tuple[str, ...]] = {
    2: ("page_skewed",),
    3: ("page_blurred",),
    7: ("page_blank",),
}
REFERENCE = "urn:uuid:00000000-0000-4000-8000-000000000001"
TICKET = Ticket("f", "7K3M-Q9TD-04XW-HB6P", service_states.NOW + timedelta(hours=24), b"")
ORGANISATION = Applicant(kind="entity", organisation="«Қала құрылыс» ЖШС", bin="990140000126")


def visit(
    place: VisitorPlace,
    pages: int = 0,
    advice: dict[int, tuple[str, ...]] | None = None,
    **changes: Any,
) -> Prepare:
    """Return a visit at ``place``.

    Args:
        pages: scanned pages of the filing.
        advice: results of the page checks, by page number.
        changes: attributes of the visit.
    """

    def prepare(app: AppState) -> None:
        prepare_idle(app)
        if pages or isinstance(place, InsertPaperPlace | ScanFaultPlace | ScanningPlace):
            app.visit.filing = documents.filing(app, pages, advice)
        app.visit.place = place
        for name, value in changes.items():
            setattr(app.visit, name, value)

    return prepare


def submitted(place: VisitorPlace, *, provisional: bool = False) -> Prepare:
    """Return a visit whose filing was submitted."""

    def prepare(app: AppState) -> None:
        visit(place, 3)(app)
        assert app.visit.filing is not None
        app.visit.submission = documents.submission(app.visit.filing, provisional=provisional)

    return prepare


def filing(
    place: VisitorPlace,
    *,
    declared: int | None = None,
    skipped: tuple[str, ...] = (),
    originals: tuple[str, ...] = (),
    applicant: Applicant | None = None,
) -> Prepare:
    """Return a visit with three pages of a claim at ``place``.

    Args:
        declared: number of sheets.
        skipped: slots recorded as missing.
        originals: not scanned.
        applicant: who files.
    """

    def prepare(app: AppState) -> None:
        visit(place, 3)(app)
        filing = app.visit.filing
        assert filing is not None
        for slot in skipped:
            filing.skip_slot(slot)
        filing.choose_slot("claim")
        if declared is not None:
            filing.declare_sheets(declared, "claim")
        filing.update_details(not_scanned=originals, applicant=applicant or Applicant())

    return prepare
