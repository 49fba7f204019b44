"""From what the desk knows to a scene: which screen, its view, who draws it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.ui.desk import Desk
from kiosk.ui.facts import Recorder
from kiosk.ui.screen import screen_name
from kiosk.ui.secretary import screens as secretary
from kiosk.ui.secretary import views
from kiosk.ui.secretary.recording import RecordingScene
from kiosk.ui.visitor.home import HomePage
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Scene

Draw = Callable[[Kit, Desk], Scene]

SCENES: dict[str, Draw] = {
    "visitor.home": HomePage,
    "secretary.today": secretary.TodayPage,
    "secretary.adhoc": secretary.AdHocPage,
    "secretary.date": secretary.DatePage,
    "secretary.recording": RecordingScene,
    "secretary.stopped": secretary.StoppedPage,
    "secretary.sealing": secretary.SealedPage,
    "secretary.delivered": secretary.SealedPage,
    "secretary.locked": secretary.LockedPage,
    "staff.pin": secretary.PinPage,
}


def view_of(name: str, desk: Desk) -> Any:
    """Return what the screen ``name`` shows."""
    here, office = desk.here(), desk.office
    recorder = desk.recorder or Recorder()
    match name:
        case "secretary.today":
            chosen = getattr(office.place, "chosen", None)
            known = None if desk.recorder_stale else desk.recorder
            sync = desk.sync if desk.sync_line.up else None
            return views.today_view(here, office.schedule, chosen, known, sync, office.deliveries)
        case "secretary.recording":
            return views.recording_view(
                here,
                recorder,
                stale=desk.recorder_stale,
                schedule=office.schedule,
                put_off=office.put_off,
            )
        case "secretary.stopped":
            return views.stopped_view(here, recorder, office.put_off)
        case "secretary.sealing" | "secretary.delivered":
            return _sealed(desk, recorder)
        case "secretary.locked":
            return views.locked_view(here, recorder, stale=desk.recorder_stale)
        case "secretary.adhoc" | "secretary.date":
            return office.place
        case "staff.pin":
            return desk.pin
        case _:
            return desk.visit.place


def _sealed(desk: Desk, recorder: Recorder) -> views.SealedView:
    sealing = recorder.phase == "sealing"
    hearing = recorder.hearing
    place = desk.office.place
    hearing_id = getattr(place, "hearing_id", None) or (hearing.id if hearing else "")
    number = getattr(place, "case_number", "") or (hearing.case_number if hearing else "")
    return views.sealed_view(
        desk.here(),
        number,
        sealing=sealing,
        delivery=desk.office.deliveries.get(hearing_id),
        online=bool(desk.sync and desk.sync.link.state == "up"),
    )


def current_screen(desk: Desk) -> str:
    """Return the name of the screen to show now."""
    return screen_name(desk.known())
