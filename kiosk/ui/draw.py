"""Who draws which screen."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.copying import CopiesPage
from kiosk.ui.secretary.leftovers_page import LeftoversPage
from kiosk.ui.secretary.locked import LockedPage, PinPage
from kiosk.ui.secretary.recording import RecordingScene
from kiosk.ui.secretary.sealed import SealedPage
from kiosk.ui.secretary.starting import AdHocPage, DatePage
from kiosk.ui.secretary.stopped import StoppedPage
from kiosk.ui.secretary.today import TodayPage
from kiosk.ui.technician.screens import SelfTestPage
from kiosk.ui.visitor import end_screens as end
from kiosk.ui.visitor import other_screens as other
from kiosk.ui.visitor import pages_screens as pages
from kiosk.ui.visitor import paper_screens as paper
from kiosk.ui.visitor import slots_screens as slots
from kiosk.ui.visitor import telling_screens as telling
from kiosk.ui.visitor.home import HomePage
from kiosk.ui.visitor.type_screen import TypePage
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Scene

Draw = Callable[[Kit, Desk], Scene]

SCENES: dict[str, Draw] = {
    "visitor.home": HomePage,
    "visitor.type": TypePage,
    "visitor.case": telling.CasePage,
    "visitor.number": telling.NumberPage,
    "visitor.who": telling.WhoPage,
    "visitor.feed": paper.FeedPage,
    "visitor.scanning": paper.FeedPage,
    "visitor.fault": paper.FaultPage,
    "visitor.pages": pages.PagesPage,
    "visitor.page": pages.LargePage,
    "visitor.contact": pages.ContactPage,
    "visitor.move": pages.MovePage,
    "visitor.sheets": slots.SheetsPage,
    "visitor.slots": slots.SlotsPage,
    "visitor.originals": slots.OriginalsPage,
    "visitor.fee": slots.FeePage,
    "visitor.confirm": end.ConfirmPage,
    "visitor.registering": end.RegisteringPage,
    "visitor.receipt": end.ReceiptPage,
    "visitor.parked": end.ParkedPage,
    "visitor.refused": end.RefusedPage,
    "visitor.track": other.TrackPage,
    "visitor.resume": other.ResumePage,
    "visitor.hearings": other.HearingsPage,
    "visitor.called": other.CalledPage,
    "visitor.leave": other.LeavePage,
    "visitor.idle": other.IdlePage,
    "secretary.today": TodayPage,
    "secretary.adhoc": AdHocPage,
    "secretary.date": DatePage,
    "secretary.copies": CopiesPage,
    "secretary.leftovers": LeftoversPage,
    "secretary.recording": RecordingScene,
    "secretary.stopped": StoppedPage,
    "secretary.sealing": SealedPage,
    "secretary.delivered": SealedPage,
    "secretary.locked": LockedPage,
    "staff.pin": PinPage,
    "technician.tests": SelfTestPage,
}
