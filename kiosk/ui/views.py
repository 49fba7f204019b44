"""What each screen shows: from what the desk knows to a view, without Kivy."""

from __future__ import annotations

from typing import Any, assert_never

from kiosk.ui.desk import Desk
from kiosk.ui.facts import Recorder
from kiosk.ui.places import (
    AtHome,
    Calling,
    ChoosingType,
    Confirming,
    Feeding,
    Listing,
    Looking,
    Refused,
    Registered,
    Registering,
    Scanning,
    Stuck,
    Tracking,
)
from kiosk.ui.screen import screen_name
from kiosk.ui.secretary.readiness import role_of
from kiosk.ui.secretary.recording_views import recording_view
from kiosk.ui.secretary.stopped_views import SealedView, locked_view, sealed_view, stopped_view
from kiosk.ui.secretary.today_views import schedule_age, today_view
from kiosk.ui.technician.views import selftest_view
from kiosk.ui.visitor import views as visitor_views


def view_of(name: str, desk: Desk) -> Any:
    """Return what the screen ``name`` shows."""
    here, office = desk.here(), desk.office
    recorder = desk.recorder or Recorder()
    match name:
        case "secretary.today":
            chosen = getattr(office.place, "chosen", None)
            known = None if desk.recorder_stale else desk.recorder
            sync = desk.sync if desk.sync_line.up else None
            return today_view(here, office.schedule, chosen, known, sync, office.deliveries)
        case "secretary.recording":
            return recording_view(
                here,
                recorder,
                stale=desk.recorder_stale,
                schedule=office.schedule,
                put_off=office.put_off,
                panel=office.conduct.panel,
            )
        case "secretary.stopped":
            return stopped_view(here, recorder, office.put_off)
        case "secretary.sealing" | "secretary.delivered":
            return _sealed(desk, recorder)
        case "secretary.locked":
            return locked_view(here, recorder, stale=desk.recorder_stale)
        case "secretary.adhoc" | "secretary.date":
            return office.place
        case "staff.pin":
            return desk.pin
        case "technician.tests":
            microphones = tuple((m.name, role_of(here, m)) for m in recorder.microphones)
            chosen = getattr(office.place, "chosen", None)
            return selftest_view(here, desk.bench.state, chosen, microphones)
        case "visitor.idle":
            return desk.idle_left
        case "visitor.leave":
            return len(desk.visit.pages)
        case _:
            return visitor_view(desk)


def visitor_view(desk: Desk) -> Any:
    """Return what the visitor's screen shows, by where the visitor is."""
    here, visit, labels = desk.here(), desk.visit, desk.labels
    pages = visit.pages
    seen = {p.number: looks for p in pages if (looks := visit.looks_of(p.number)) is not None}
    thumbs = visitor_views.thumbs_of(pages, seen)
    match visit.place:
        case ChoosingType(group=group, page=page):
            return visitor_views.type_view(labels, group, page)
        case Feeding() | Scanning() as place:
            return visitor_views.feed_view(here, place, thumbs)
        case Stuck() as place:
            return visitor_views.fault_view(here, place)
        case Looking() as place:
            return visitor_views.pages_view(here, place, pages, seen)
        case Confirming():
            kind = visit.filing.filing.document_type if visit.filing else ""
            return visitor_views.confirm_view(here, labels, kind, thumbs)
        case Registered() as place if visit.handed_in:
            return visitor_views.receipt_view(here, labels, place, visit.handed_in)
        case Refused(code=code):
            return visitor_views.refused_view(here, code, len(pages))
        case Tracking() as place:
            return visitor_views.track_view(here, place)
        case Listing(page=page):
            schedule = desk.office.schedule
            age, _tone = schedule_age(here, schedule)
            return visitor_views.hearings_view(here, schedule, page, age)
        case AtHome() | Registering() | Registered() | Calling() as place:
            return place
        case never:
            assert_never(never)


def _sealed(desk: Desk, recorder: Recorder) -> SealedView:
    sealing = recorder.phase == "sealing"
    hearing = recorder.hearing
    place = desk.office.place
    hearing_id = getattr(place, "hearing_id", None) or (hearing.id if hearing else "")
    number = getattr(place, "case_number", "") or (hearing.case_number if hearing else "")
    return sealed_view(
        desk.here(),
        number,
        sealing=sealing,
        delivery=desk.office.deliveries.get(hearing_id),
        online=bool(desk.sync and desk.sync.link.state == "up"),
    )


def current_screen(desk: Desk) -> str:
    """Return the name of the screen to show now."""
    return screen_name(desk.known())
