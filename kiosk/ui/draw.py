"""Who draws which screen."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.locked import LockedPage, PinPage
from kiosk.ui.secretary.recording import RecordingScene
from kiosk.ui.secretary.sealed import SealedPage
from kiosk.ui.secretary.starting import AdHocPage, DatePage
from kiosk.ui.secretary.stopped import StoppedPage
from kiosk.ui.secretary.today import TodayPage
from kiosk.ui.technician.screens import SelfTestPage
from kiosk.ui.visitor import screens as visitor
from kiosk.ui.visitor.home import HomePage
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Scene

Draw = Callable[[Kit, Desk], Scene]

SCENES: dict[str, Draw] = {
    "visitor.home": HomePage,
    "visitor.type": visitor.TypePage,
    "visitor.feed": visitor.FeedPage,
    "visitor.scanning": visitor.FeedPage,
    "visitor.fault": visitor.FaultPage,
    "visitor.pages": visitor.PagesPage,
    "visitor.confirm": visitor.ConfirmPage,
    "visitor.registering": visitor.RegisteringPage,
    "visitor.receipt": visitor.ReceiptPage,
    "visitor.refused": visitor.RefusedPage,
    "visitor.track": visitor.TrackPage,
    "visitor.hearings": visitor.HearingsPage,
    "visitor.called": visitor.CalledPage,
    "visitor.leave": visitor.LeavePage,
    "visitor.idle": visitor.IdlePage,
    "secretary.today": TodayPage,
    "secretary.adhoc": AdHocPage,
    "secretary.date": DatePage,
    "secretary.recording": RecordingScene,
    "secretary.stopped": StoppedPage,
    "secretary.sealing": SealedPage,
    "secretary.delivered": SealedPage,
    "secretary.locked": LockedPage,
    "staff.pin": PinPage,
    "technician.tests": SelfTestPage,
}
