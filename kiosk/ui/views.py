"""What each screen shows: from what the desk knows to a view, without Kivy."""

from __future__ import annotations

from typing import Any, assert_never

from kiosk.filing.model import Filing
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Recorder
from kiosk.ui.places import (
    AskingFee,
    AtHome,
    Calling,
    ChoosingCase,
    ChoosingType,
    Confirming,
    Counting,
    Feeding,
    Gathering,
    Introducing,
    Listing,
    Looking,
    NamingCase,
    NamingOriginals,
    Parked,
    Refused,
    Registered,
    Registering,
    Resuming,
    Scanning,
    Stuck,
    Tracking,
)
from kiosk.ui.screen import screen_name
from kiosk.ui.secretary.copy_views import copies_view
from kiosk.ui.secretary.leftovers import leftovers_view
from kiosk.ui.secretary.readiness import role_of
from kiosk.ui.secretary.recording_views import recording_view
from kiosk.ui.secretary.stopped_views import SealedView, locked_view, sealed_view, stopped_view
from kiosk.ui.secretary.today_views import schedule_age, today_view
from kiosk.ui.technician.views import selftest_view
from kiosk.ui.visitor import end_views, paper_views, telling_views

FilingPlace = (
    ChoosingCase
    | Gathering
    | Counting
    | NamingOriginals
    | AskingFee
    | Feeding
    | Scanning
    | Looking
    | Confirming
)


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
        case "secretary.copies":
            return copies_view(here, office.copies.state)
        case "secretary.leftovers":
            return leftovers_view(here, desk.leftovers.state)
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
    filing = visit.filing.filing if visit.filing else None
    match visit.place:
        case ChoosingType(group=group, page=page):
            return paper_views.type_view(labels, group, page)
        case Refused(code=code):
            return end_views.refused_view(here, code, len(visit.pages))
        case Tracking() as place:
            return end_views.track_view(here, place)
        case Resuming() as place:
            return telling_views.resume_view(here, place)
        case Parked() as place:
            return end_views.parked_view(here, place)
        case Listing(page=page):
            schedule = desk.office.schedule
            age, _tone = schedule_age(here, schedule)
            return end_views.hearings_view(here, schedule, page, age)
        case NamingCase() as place:
            return telling_views.number_view(here, labels, place)
        case Introducing() as place:
            return telling_views.who_view(here, labels.rules, place)
        case Registered() as place if visit.handed_in:
            return end_views.receipt_view(here, labels, place, visit.handed_in)
        case Stuck() as place:
            return paper_views.fault_view(here, place)
        case AtHome() | Registering() | Registered() | Calling() as place:
            return place
        case (
            ChoosingCase()
            | Gathering()
            | Counting()
            | NamingOriginals()
            | AskingFee()
            | Feeding()
            | Scanning()
            | Looking()
            | Confirming()
        ) as place:
            return _filing_view(desk, place, filing) if filing else place
        case never:
            assert_never(never)


def _filing_view(desk: Desk, place: FilingPlace, filing: Filing) -> Any:
    """Return what the screen shows of the filing that is being made."""
    here, visit, labels = desk.here(), desk.visit, desk.labels
    pages = visit.slot_pages
    seen = {p.number: looks for p in visit.pages if (looks := visit.looks_of(p.number))}
    label = labels.document_type(filing.slot_of(filing.slot).type)
    match place:
        case ChoosingCase():
            return telling_views.case_view(labels, filing)
        case Gathering():
            return telling_views.slots_view(here, labels, visit.telling.slots(), filing, place)
        case Counting():
            return telling_views.sheets_view(here, place, visit.telling.scanned())
        case NamingOriginals():
            return telling_views.originals_view(here, filing)
        case AskingFee():
            exemptions = desk.filing_desk.exemptions(visit.filing) if visit.filing else ()
            return telling_views.fee_view(here, place, visit.telling.fees(), exemptions)
        case Feeding() | Scanning():
            return paper_views.feed_view(here, place, paper_views.thumbs_of(pages, seen), label)
        case Looking():
            others = tuple(
                (slot.id, labels.document_type(slot.type))
                for slot in filing.slots
                if slot.id != filing.slot
            )
            return paper_views.pages_view(here, place, pages, seen, label, others)
        case Confirming():
            flagged = sum(t.flagged for t in paper_views.thumbs_of(visit.pages, seen))
            slots, fees = visit.telling.slots(), len(visit.telling.fees())
            return end_views.confirm_view(here, labels, filing, slots, flagged, fees)
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
        hearing_id=hearing_id,
        online=bool(desk.sync and desk.sync.link.state == "up"),
    )


def current_screen(desk: Desk) -> str:
    """Return the name of the screen to show now."""
    return screen_name(desk.known())
