"""Who draws which screen."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ui.desk import Desk
from kiosk.ui.secretary import screens as secretary
from kiosk.ui.secretary.recording import RecordingScene
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
    "secretary.today": secretary.TodayPage,
    "secretary.adhoc": secretary.AdHocPage,
    "secretary.date": secretary.DatePage,
    "secretary.recording": RecordingScene,
    "secretary.stopped": secretary.StoppedPage,
    "secretary.sealing": secretary.SealedPage,
    "secretary.delivered": secretary.SealedPage,
    "secretary.locked": secretary.LockedPage,
    "staff.pin": secretary.PinPage,
    "technician.tests": SelfTestPage,
}
