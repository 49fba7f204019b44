"""Samples of all screens, for the screenshots and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kiosk.filing.form.cases import CaseLookup
from kiosk.filing.model import Applicant
from kiosk.filing.service import Ticket
from kiosk.filing.submission.status import FilingStatus
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import (
    ApplicantPlace,
    CaseNumberPlace,
    CasePlace,
    DocumentsPlace,
    DocumentStatusPlace,
    DocumentTypePlace,
    FeePlace,
    FilingFailedPlace,
    HearingsPlace,
    InsertPaperPlace,
    OriginalsPlace,
    PageReviewPlace,
    ParkedPlace,
    ReceiptPlace,
    RegisteringPlace,
    ResumePlace,
    ScanFaultPlace,
    ScanningPlace,
    SecretaryCallPlace,
    SheetCountPlace,
    SummaryPlace,
)
from kiosk.ui.samples import documents as sample_documents
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.hearing_samples import HEARING_SAMPLES
from kiosk.ui.samples.screen_sample import ScreenSample, prepare_idle
from kiosk.ui.samples.secretary_samples import SECRETARY_SAMPLES
from kiosk.ui.samples.technician_samples import TECHNICIAN_SAMPLES
from kiosk.ui.screen_chrome import Notice
from kiosk.ui.service_models import Schedule, SyncState


def _home(**changes: Any) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        for name, value in changes.items():
            setattr(app, name, value)

    return prepare


def _visit(
    place: Any,
    pages: int = 0,
    advice: dict[int, tuple[str, ...]] | None = None,
    touched: float = 0.0,
    **changes: Any,
) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        if pages or isinstance(place, InsertPaperPlace | ScanFaultPlace | ScanningPlace):
            app.visit.filing = sample_documents.filing(app, pages, advice)
        app.visit.place = place
        if isinstance(place, ReceiptPlace) and app.visit.filing:
            provisional = bool(changes.get("provisional"))
            app.visit.submission = sample_documents.submission(
                app.visit.filing, provisional=provisional
            )
        app.visit.is_leaving = bool(changes.get("is_leaving"))
        if touched:
            now = app.now()
            app.now = lambda: now + touched

    return prepare


def _hearings(hearings: list[dict[str, Any]] | None, page: int = 0) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        app.secretary.schedule = Schedule.model_validate(sample_data.schedule(hearings))
        app.visit.place = HearingsPlace(page)

    return prepare


PAGE_ADVICE: dict[int, tuple[str, ...]] = {
    2: ("page_skewed",),
    3: ("page_blurred",),
    7: ("page_blank",),
}
REFERENCE = "urn:uuid:00000000-0000-4000-8000-000000000001"
ACCEPTED = FilingStatus(
    "accepted",
    ("received", "registered", "sent", "accepted"),
    "7514-26-00-4/1187",
    None,
    None,
    sample_data.NOW,
    240.0,
)
RETURNED = FilingStatus(
    "returned",
    ("received", "registered", "sent", "returned"),
    "7514-26-00-4/1187",
    None,
    "Қол қойылмаған",
    sample_data.NOW,
    86400.0 * 3,
)
TICKET = Ticket("f", "7K3M-Q9TD-04XW-HB6P", sample_data.NOW + timedelta(hours=24), b"")
PERSON = Applicant(name="Ахметов Асқар", iin="900101300017", phone="+7701")
ORGANISATION = Applicant(kind="entity", organisation="«Қала құрылыс» ЖШС", bin="990140000126")
KNOWN_CASE = CaseLookup("7514-26-00-2/1187", "known", "civil", {"kk": "Бостандық аудандық соты"})


def _fee(**changes: Any) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        _visit(FeePlace(), 2)(app)
        app.visit.questions.ask_fee()
        app.visit.place = replace(app.visit.place, **changes)
        if changes.get("amount"):
            app.visit.questions.type_amount("0")

    return prepare


def _filing(place: Any = None, *, declared: int | None = None, **changes: Any) -> Any:
    def prepare(app: AppState) -> None:
        _visit(place or DocumentsPlace(), 3)(app)
        filing = app.visit.filing
        assert filing is not None
        for slot in changes.get("skipped", ()):
            filing.skip_slot(slot)
        filing.choose_slot("claim")
        if declared is not None:
            filing.declare_sheets(declared, "claim")
        filing.update_details(
            not_scanned=changes.get("originals", ()),
            applicant=changes.get("applicant", Applicant()),
        )

    return prepare


VISITOR_SAMPLES = [
    ScreenSample("document_type", "visitor.document_type", _visit(DocumentTypePlace())),
    ScreenSample(
        "document_type-civil", "visitor.document_type", _visit(DocumentTypePlace("civil"))
    ),
    ScreenSample(
        "document_type-criminal-3",
        "visitor.document_type",
        _visit(DocumentTypePlace("criminal", 2)),
    ),
    ScreenSample("case", "visitor.case", _filing(CasePlace())),
    ScreenSample("case_number", "visitor.case_number", _filing(CaseNumberPlace())),
    ScreenSample(
        "case_number-typed", "visitor.case_number", _filing(CaseNumberPlace("7514-26-00-2/11"))
    ),
    ScreenSample(
        "case_number-known",
        "visitor.case_number",
        _filing(CaseNumberPlace(KNOWN_CASE.number, found=KNOWN_CASE)),
    ),
    ScreenSample(
        "case_number-unknown",
        "visitor.case_number",
        _filing(CaseNumberPlace("7514-2Ә", found=CaseLookup("7514-2Ә", "unknown"))),
    ),
    ScreenSample("applicant", "visitor.applicant", _filing(ApplicantPlace())),
    ScreenSample("applicant-name", "visitor.applicant", _filing(ApplicantPlace(PERSON, "name"))),
    ScreenSample(
        "applicant-wrong",
        "visitor.applicant",
        _filing(ApplicantPlace(PERSON.model_copy(update={"iin": "900101300018"}))),
    ),
    ScreenSample(
        "applicant-entity",
        "visitor.applicant",
        _filing(ApplicantPlace(ORGANISATION, "organisation", key_page=1)),
    ),
    ScreenSample("documents", "visitor.documents", _filing()),
    ScreenSample(
        "documents-fee", "visitor.documents", _filing(DocumentsPlace("fee_receipt"), declared=3)
    ),
    ScreenSample(
        "documents-skipped",
        "visitor.documents",
        _filing(
            DocumentsPlace("power_of_attorney"), skipped=("power_of_attorney",), originals=("Диск",)
        ),
    ),
    ScreenSample(
        "documents-there", "visitor.documents", _filing(DocumentsPlace("claim"), declared=4)
    ),
    ScreenSample("sheet_count", "visitor.sheet_count", _filing(SheetCountPlace())),
    ScreenSample(
        "sheet_count-pad", "visitor.sheet_count", _filing(SheetCountPlace("12", has_keypad=True))
    ),
    ScreenSample("sheet_count-fewer", "visitor.sheet_count", _filing(SheetCountPlace(declared=4))),
    ScreenSample("sheet_count-more", "visitor.sheet_count", _filing(SheetCountPlace(declared=2))),
    ScreenSample("originals", "visitor.originals", _filing(OriginalsPlace())),
    ScreenSample("fee-choose", "visitor.fee", _fee()),
    ScreenSample("fee", "visitor.fee", _fee(fee="property", choosing="amount", amount="100000")),
    ScreenSample("fee-exempt", "visitor.fee", _fee(fee="property", choosing="exemption")),
    ScreenSample(
        "fee-exempted",
        "visitor.fee",
        _fee(fee="property", choosing="amount", exemption="alimony", amount="100000"),
    ),
    ScreenSample("parked", "visitor.parked", _visit(ParkedPlace(TICKET, 1088.0, "printed"))),
    ScreenSample(
        "parked-no-paper",
        "visitor.parked",
        _visit(ParkedPlace(TICKET, 1088.0, "failed", "printer_no_paper", hearing_started=True)),
    ),
    ScreenSample("resume", "visitor.resume", _visit(ResumePlace())),
    ScreenSample(
        "resume-wrong", "visitor.resume", _visit(ResumePlace("7K3M-Q9TD", is_unknown=True))
    ),
    ScreenSample("insert_paper", "visitor.insert_paper", _visit(InsertPaperPlace())),
    ScreenSample(
        "insert_paper-again",
        "visitor.insert_paper",
        _visit(InsertPaperPlace(3, is_sheet_missing=True), pages=3),
    ),
    ScreenSample("insert_paper-more", "visitor.insert_paper", _visit(InsertPaperPlace(3), pages=3)),
    ScreenSample(
        "insert_paper-retake",
        "visitor.insert_paper",
        _visit(InsertPaperPlace(3, retake=2), pages=3),
    ),
    ScreenSample(
        "insert_paper-glass",
        "visitor.insert_paper",
        _visit(InsertPaperPlace(1, glass=True), pages=1),
    ),
    ScreenSample("scanning", "visitor.scanning", _visit(ScanningPlace(5), pages=5)),
    *(
        ScreenSample(
            f"scan_fault-{code}", "visitor.scan_fault", _visit(ScanFaultPlace(code, 2, 3), pages=2)
        )
        for code in (
            "scanner_jam",
            "scanner_double_feed",
            "scanner_cover_open",
            "scanner_stalled",
            "scanner_lost",
            "page_incomplete",
        )
    ),
    ScreenSample(
        "scan_fault-scanner_absent",
        "visitor.scan_fault",
        _visit(ScanFaultPlace("scanner_absent", 0, 1)),
    ),
    ScreenSample(
        "scan_fault-sheet-awaited",
        "visitor.scan_fault",
        _visit(ScanFaultPlace("scanner_jam", 2, 3, is_sheet_expected=True), pages=2),
    ),
    ScreenSample(
        "scan_fault-finish",
        "visitor.scan_fault",
        _visit(ScanFaultPlace("scanner_jam", 2, 3, True), pages=2),
    ),
    ScreenSample("page_review", "visitor.page_review", _visit(PageReviewPlace(2), 3, PAGE_ADVICE)),
    ScreenSample(
        "page_review-blurred", "visitor.page_review", _visit(PageReviewPlace(3), 3, PAGE_ADVICE)
    ),
    ScreenSample(
        "page_review-many", "visitor.page_review", _visit(PageReviewPlace(7), 14, PAGE_ADVICE)
    ),
    ScreenSample(
        "page_review-flagged",
        "visitor.page_review",
        _visit(PageReviewPlace(3, flagged_only=True), 14, PAGE_ADVICE),
    ),
    ScreenSample(
        "page_enlarged",
        "visitor.page_enlarged",
        _visit(PageReviewPlace(2, layout="large"), 3, PAGE_ADVICE),
    ),
    ScreenSample(
        "page_overview",
        "visitor.page_overview",
        _visit(PageReviewPlace(7, layout="all"), 60, PAGE_ADVICE),
    ),
    ScreenSample(
        "page_move", "visitor.page_move", _visit(PageReviewPlace(7, layout="move"), 14, PAGE_ADVICE)
    ),
    ScreenSample(
        "page_review-undo", "visitor.page_review", _visit(PageReviewPlace(1, deleted=3), 2)
    ),
    ScreenSample("summary", "visitor.summary", _filing(SummaryPlace())),
    ScreenSample("summary-flagged", "visitor.summary", _visit(SummaryPlace(), 3, PAGE_ADVICE)),
    ScreenSample(
        "summary-full",
        "visitor.summary",
        _filing(
            SummaryPlace(),
            declared=3,
            applicant=ORGANISATION,
            skipped=("fee_receipt",),
            originals=("Диск", "Паспорт"),
        ),
    ),
    ScreenSample("registering", "visitor.registering", _visit(RegisteringPlace(), 3)),
    ScreenSample("receipt", "visitor.receipt", _visit(ReceiptPlace(1088.0, "printed"), 3)),
    ScreenSample("receipt-printing", "visitor.receipt", _visit(ReceiptPlace(1088.0), 3)),
    ScreenSample(
        "receipt-provisional",
        "visitor.receipt",
        _visit(ReceiptPlace(1061.0, "printed"), 3, provisional=True),
    ),
    ScreenSample(
        "receipt-printer-silent",
        "visitor.receipt",
        _visit(ReceiptPlace(1041.0, "failed", "printer_silent"), 3),
    ),
    ScreenSample(
        "receipt-no-paper",
        "visitor.receipt",
        _visit(ReceiptPlace(1001.0, "failed", "printer_no_paper"), 3),
    ),
    ScreenSample(
        "filing_failed-disk-full",
        "visitor.filing_failed",
        _visit(FilingFailedPlace("disk_full"), 3),
    ),
    ScreenSample(
        "filing_failed-too-large",
        "visitor.filing_failed",
        _visit(FilingFailedPlace("document_too_large"), 3),
    ),
    ScreenSample("document_status", "visitor.document_status", _visit(DocumentStatusPlace())),
    ScreenSample(
        "document_status-found",
        "visitor.document_status",
        _visit(DocumentStatusPlace(REFERENCE, ACCEPTED)),
    ),
    ScreenSample(
        "document_status-returned",
        "visitor.document_status",
        _visit(
            DocumentStatusPlace(
                REFERENCE, RETURNED, printing="failed", printer_error="printer_no_paper"
            )
        ),
    ),
    ScreenSample(
        "document_status-unknown",
        "visitor.document_status",
        _visit(DocumentStatusPlace(REFERENCE, error="not_found")),
    ),
    ScreenSample(
        "document_status-offline",
        "visitor.document_status",
        _visit(DocumentStatusPlace(REFERENCE, error="sync_down")),
    ),
    ScreenSample("hearings", "visitor.hearings", _hearings(None)),
    ScreenSample("hearings-none", "visitor.hearings", _hearings([])),
    ScreenSample("secretary_call", "visitor.secretary_call", _visit(SecretaryCallPlace())),
    ScreenSample(
        "leave_confirmation",
        "visitor.leave_confirmation",
        _visit(PageReviewPlace(), 3, is_leaving=True),
    ),
    ScreenSample(
        "idle_warning", "visitor.idle_warning", _visit(PageReviewPlace(), 3, touched=95.0)
    ),
]


HOME_SAMPLES = [
    ScreenSample("home", "visitor.home", prepare_idle),
    ScreenSample(
        "home-offline",
        "visitor.home",
        _home(sync_state=SyncState.model_validate(sample_data.sync("down"))),
    ),
    ScreenSample(
        "home-unknown-badge", "visitor.home", _home(notice=Notice("unknown_badge", until=1e9))
    ),
]


SCREEN_SAMPLES = [
    *HOME_SAMPLES,
    *VISITOR_SAMPLES,
    *SECRETARY_SAMPLES,
    *HEARING_SAMPLES,
    *TECHNICIAN_SAMPLES,
]
