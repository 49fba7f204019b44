"""Makes the view of each screen from the application's state, without Kivy."""

from __future__ import annotations

from typing import Any, assert_never

from kiosk.filing.model import Filing
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
    HomePlace,
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
from kiosk.ui.secretary.hearing.lock import lock_view
from kiosk.ui.secretary.hearing.recess import recess_view
from kiosk.ui.secretary.hearing.recording import recording_view
from kiosk.ui.secretary.schedule.readiness import role_of
from kiosk.ui.secretary.schedule.today import schedule_age, today_view
from kiosk.ui.secretary.sealed_hearing.delivery import DeliveryView, delivery_view
from kiosk.ui.secretary.sealed_hearing.export import export_view
from kiosk.ui.secretary.unfinished_filings import unfinished_filings_view
from kiosk.ui.service_models import Phase, RecorderState
from kiosk.ui.technician.self_test import self_test_view
from kiosk.ui.visitor import end_views, paper_views, telling_views

FilingPlace = (
    CasePlace
    | DocumentsPlace
    | SheetCountPlace
    | OriginalsPlace
    | FeePlace
    | InsertPaperPlace
    | ScanningPlace
    | PageReviewPlace
    | SummaryPlace
)


def view_of(name: str, app: AppState) -> Any:
    """Return what the screen ``name`` shows."""
    context, secretary = app.view_context(), app.secretary
    recorder = app.recorder_state or RecorderState(phase=Phase.IDLE)
    match name:
        case "secretary.today":
            chosen = getattr(secretary.place, "chosen", None)
            live_recorder = None if app.is_recorder_stale else app.recorder_state
            sync = app.sync_state if app.sync_connection.is_up else None
            return today_view(
                context, secretary.schedule, chosen, live_recorder, sync, secretary.deliveries
            )
        case "secretary.recording":
            return recording_view(
                context,
                recorder,
                stale=app.is_recorder_stale,
                schedule=secretary.schedule,
                postponed=secretary.postponed,
                panel=secretary.side_panel.panel,
            )
        case "secretary.recess":
            return recess_view(context, recorder, secretary.postponed)
        case "secretary.sealing" | "secretary.delivery":
            return _delivery_view(app, recorder)
        case "secretary.lock":
            return lock_view(context, recorder, stale=app.is_recorder_stale)
        case "secretary.adhoc" | "secretary.date":
            return secretary.place
        case "secretary.export":
            return export_view(context, secretary.export.state)
        case "secretary.unfinished_filings":
            return unfinished_filings_view(context, app.unfinished_filings.state)
        case "staff.pin":
            return app.pin
        case "technician.self_test":
            microphones = tuple((m.name, role_of(context, m)) for m in recorder.microphones)
            chosen = getattr(secretary.place, "chosen", None)
            return self_test_view(context, app.self_test.state, chosen, microphones)
        case "visitor.idle_warning":
            return app.idle_seconds_left
        case "visitor.leave_confirmation":
            return len(app.visit.pages)
        case _:
            return visitor_view(app)


def visitor_view(app: AppState) -> Any:
    """Return what the visitor's screen shows, by the visitor's place."""
    context, visit, labels = app.view_context(), app.visit, app.labels
    filing = visit.filing.record if visit.filing else None
    match visit.place:
        case DocumentTypePlace(group=group, page=page):
            return paper_views.document_type_view(labels, group, page)
        case FilingFailedPlace(code=code):
            return end_views.filing_failed_view(context, code, len(visit.pages))
        case DocumentStatusPlace() as place:
            return end_views.document_status_view(context, place)
        case ResumePlace() as place:
            return telling_views.resume_view(context, place)
        case ParkedPlace() as place:
            return end_views.parked_view(context, place)
        case HearingsPlace(page=page):
            schedule = app.secretary.schedule
            age, _tone = schedule_age(context, schedule)
            return end_views.hearings_view(context, schedule, page, age)
        case CaseNumberPlace() as place:
            return telling_views.case_number_view(context, labels, place)
        case ApplicantPlace() as place:
            return telling_views.applicant_view(context, labels.rules, place)
        case ReceiptPlace() as place if visit.submission:
            return end_views.receipt_view(context, labels, place, visit.submission)
        case ScanFaultPlace() as place:
            return paper_views.scan_fault_view(context, place)
        case HomePlace() | RegisteringPlace() | ReceiptPlace() | SecretaryCallPlace() as place:
            return place
        case (
            CasePlace()
            | DocumentsPlace()
            | SheetCountPlace()
            | OriginalsPlace()
            | FeePlace()
            | InsertPaperPlace()
            | ScanningPlace()
            | PageReviewPlace()
            | SummaryPlace()
        ) as place:
            return _filing_view(app, place, filing) if filing else place
        case never:
            assert_never(never)


def _filing_view(app: AppState, place: FilingPlace, filing: Filing) -> Any:
    """Return what the screen shows of the open filing."""
    context, visit, labels = app.view_context(), app.visit, app.labels
    pages = visit.slot_pages
    checks = {p.number: check for p in visit.pages if (check := visit.check_of(p.number))}
    label = labels.document_type(filing.find_slot(filing.slot).type)
    match place:
        case CasePlace():
            return telling_views.case_view(labels, filing)
        case DocumentsPlace():
            return telling_views.documents_view(
                context, labels, visit.questions.slots(), filing, place
            )
        case SheetCountPlace():
            return telling_views.sheet_count_view(context, place, visit.questions.scanned_sheets())
        case OriginalsPlace():
            return telling_views.originals_view(context, filing)
        case FeePlace():
            exemptions = app.filing_service.exemption_options(visit.filing) if visit.filing else ()
            return telling_views.fee_view(context, place, visit.questions.fee_options(), exemptions)
        case InsertPaperPlace() | ScanningPlace():
            return paper_views.insert_paper_view(
                context, place, paper_views.make_thumbnails(pages, checks), label
            )
        case PageReviewPlace():
            others = tuple(
                (slot.id, labels.document_type(slot.type))
                for slot in filing.slots
                if slot.id != filing.slot
            )
            return paper_views.page_review_view(context, place, pages, checks, label, others)
        case SummaryPlace():
            flagged = sum(t.is_flagged for t in paper_views.make_thumbnails(visit.pages, checks))
            slots, fees = visit.questions.slots(), len(visit.questions.fee_options())
            return end_views.summary_view(context, labels, filing, slots, flagged, fees)
        case never:
            assert_never(never)


def _delivery_view(app: AppState, recorder: RecorderState) -> DeliveryView:
    sealing = recorder.phase == "sealing"
    hearing = recorder.hearing
    place = app.secretary.place
    hearing_id = getattr(place, "hearing_id", None) or (hearing.id if hearing else "")
    number = getattr(place, "case_number", "") or (hearing and hearing.case_number) or ""
    return delivery_view(
        app.view_context(),
        number,
        sealing=sealing,
        delivery=app.secretary.deliveries.get(hearing_id),
        hearing_id=hearing_id,
        online=bool(app.sync_state and app.sync_state.link.state == "up"),
    )
