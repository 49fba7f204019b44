"""The widget class of each screen."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.adhoc_screen import AdHocScreen, DateScreen
from kiosk.ui.secretary.delivery_screen import DeliveryScreen
from kiosk.ui.secretary.export_screen import ExportScreen
from kiosk.ui.secretary.lock_screen import LockScreen, PinScreen
from kiosk.ui.secretary.recess_screen import RecessScreen
from kiosk.ui.secretary.recording_screen import RecordingScreen
from kiosk.ui.secretary.today_screen import TodayScreen
from kiosk.ui.secretary.unfinished_filings_screen import UnfinishedFilingsScreen
from kiosk.ui.technician.self_test_screen import SelfTestScreen
from kiosk.ui.visitor import end_screens as end
from kiosk.ui.visitor import other_screens as other
from kiosk.ui.visitor import pages_screens as pages
from kiosk.ui.visitor import paper_screens as paper
from kiosk.ui.visitor import slots_screens as documents
from kiosk.ui.visitor import telling_screens as questions
from kiosk.ui.visitor.home import HomeScreen
from kiosk.ui.visitor.type_screen import DocumentTypeScreen
from kiosk.ui.widgets.screen import Screen
from kiosk.ui.widgets.widget_kit import WidgetKit

ScreenFactory = Callable[[WidgetKit, AppState], Screen]

SCREENS: dict[str, ScreenFactory] = {
    "visitor.home": HomeScreen,
    "visitor.document_type": DocumentTypeScreen,
    "visitor.case": questions.CaseScreen,
    "visitor.case_number": questions.CaseNumberScreen,
    "visitor.applicant": questions.ApplicantScreen,
    "visitor.insert_paper": paper.InsertPaperScreen,
    "visitor.scanning": paper.InsertPaperScreen,
    "visitor.scan_fault": paper.ScanFaultScreen,
    "visitor.page_review": pages.PageReviewScreen,
    "visitor.page_enlarged": pages.PageEnlargedScreen,
    "visitor.page_overview": pages.PageOverviewScreen,
    "visitor.page_move": pages.PageMoveScreen,
    "visitor.sheet_count": documents.SheetCountScreen,
    "visitor.documents": documents.DocumentsScreen,
    "visitor.originals": documents.OriginalsScreen,
    "visitor.fee": documents.FeeScreen,
    "visitor.summary": end.SummaryScreen,
    "visitor.registering": end.RegisteringScreen,
    "visitor.receipt": end.ReceiptScreen,
    "visitor.parked": end.ParkedScreen,
    "visitor.filing_failed": end.FilingFailedScreen,
    "visitor.document_status": other.DocumentStatusScreen,
    "visitor.resume": other.ResumeScreen,
    "visitor.hearings": other.HearingsScreen,
    "visitor.secretary_call": other.SecretaryCallScreen,
    "visitor.leave_confirmation": other.LeaveConfirmationScreen,
    "visitor.idle_warning": other.IdleWarningScreen,
    "secretary.today": TodayScreen,
    "secretary.adhoc": AdHocScreen,
    "secretary.date": DateScreen,
    "secretary.export": ExportScreen,
    "secretary.unfinished_filings": UnfinishedFilingsScreen,
    "secretary.recording": RecordingScreen,
    "secretary.recess": RecessScreen,
    "secretary.sealing": DeliveryScreen,
    "secretary.delivery": DeliveryScreen,
    "secretary.lock": LockScreen,
    "staff.pin": PinScreen,
    "technician.self_test": SelfTestScreen,
}
