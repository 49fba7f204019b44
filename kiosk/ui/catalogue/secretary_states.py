"""Canned states of the secretary's screens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from kiosk.ui.catalogue import canned
from kiosk.ui.catalogue.state import State, alarm, base, staff
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Delivery, Schedule, Sync
from kiosk.ui.frame import Notice
from kiosk.ui.places import (
    AdHoc,
    AskingDate,
    PinPad,
    Sealed,
    Today,
)


def _today(
    recorder: dict[str, Any] | None = None,
    schedule: dict[str, Any] | None = None,
    sync: dict[str, Any] | None = None,
    place: Any = None,
    deliveries: dict[str, Delivery] | None = None,
    up: bool = True,
) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        staff(desk, **(recorder or canned.recorder()))
        desk.office.schedule = Schedule.model_validate(schedule or canned.schedule())
        desk.sync = Sync.model_validate(sync or canned.sync())
        desk.office.place = place or Today()
        desk.office.deliveries = deliveries or {}
        desk.recorder_line.up = up

    return prepare


def running_hearing(
    notice: str = "",
    up: bool = True,
    ends: bool = False,
    every: bool = False,
    who: dict[str, Any] | None = canned.SECRETARY,
    phase: str = "recording",
    pin: bool = False,
    typing: str | None = None,
    **changes: Any,
) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        state = canned.recording(**changes)
        state["phase"] = phase
        staff(desk, **state)
        if who is None:
            desk.staff = None
        desk.recorder_line.up = up
        desk.office.asks_end = ends
        desk.office.show_all = every
        desk.office.typing = typing
        desk.pin = PinPad("12") if pin else None
        if notice:
            desk.notice = Notice(notice, until=1e9)

    return prepare


def _sealed(delivery: Delivery | None, link: str = "up") -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        staff(desk, **canned.recorder())
        desk.sync = Sync.model_validate(canned.sync(link))
        desk.office.place = Sealed("h1", "7514-26-00-2/4511")
        if delivery:
            desk.office.deliveries = {"h1": delivery}

    return prepare


def _at(place: Any) -> Callable[[Desk], None]:
    return _today(place=place)


def _pin(pin: PinPad) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        desk.pin = pin

    return prepare


DEAD = canned.microphones(
    defendant={"state": "absent", "heard": None},
    plaintiff={"state": "muted"},
    witness={"state": "quiet"},
)


FAINT = canned.microphones(
    witness={"heard": None}, defendant={"state": "quiet"}, plaintiff={"state": "clipping"}
)


BROKEN = canned.recorder(
    camera={"state": "absent"},
    microphones=canned.microphones(defendant={"state": "absent", "heard": None}),
    storage={"free_bytes": 9 * 10**9, "hours_left": 2.0, "state": "low"},
    clock={"state": "unsynchronised"},
)


UNSET = canned.recorder(clock={"state": "unset"})


GAP = [{"source": "defendant", "kind": "lost", "at": canned.at(9, 42, 11), "seconds": 14.0}]


SECRETARY_STATES = [
    State("today", "secretary.today", _today()),
    State("today-second-page", "secretary.today", _today(place=Today(None, 1))),
    State(
        "today-one-over",
        "secretary.today",
        _today(
            deliveries={
                canned.LIST[0]["id"]: Delivery(state="delivered", central_sha256_match=True)
            }
        ),
    ),
    State("today-faint", "secretary.today", _today(canned.recorder(microphones=FAINT))),
    State("today-broken", "secretary.today", _today(BROKEN, sync=canned.sync("down"))),
    State("today-recorder-down", "secretary.today", _today(up=False)),
    State(
        "today-offline-old-list",
        "secretary.today",
        _today(schedule=canned.schedule(age=26 * 3600), sync=canned.sync("down")),
    ),
    State("today-empty", "secretary.today", _today(schedule={"pulled_at": None, "hearings": []})),
    State("adhoc", "secretary.adhoc", _at(AdHoc())),
    State("adhoc-typed", "secretary.adhoc", _at(AdHoc("7514-26-00-1/208", "criminal"))),
    State("date", "secretary.date", _today(UNSET, place=AskingDate(date(2026, 11, 23)))),
    State("recording", "secretary.recording", running_hearing()),
    State(
        "recording-first-minute",
        "secretary.recording",
        running_hearing(
            hearing={
                "seconds": 4.0,
                "marks": [],
                "expected": ["opening", "case_announced"],
                "open_questions": ["format", "format_decided_by"],
            },
            proof={"state": "none", "age_seconds": None},
        ),
    ),
    State(
        "recording-question-and-alarm",
        "secretary.recording",
        running_hearing(
            hearing={"open_questions": ["recess_reason"]},
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant")],
        ),
    ),
    State(
        "recording-question-who",
        "secretary.recording",
        running_hearing(hearing={"open_questions": ["format_decided_by"]}),
    ),
    State(
        "recording-question-ground",
        "secretary.recording",
        running_hearing(hearing={"publicity": "closed", "open_questions": ["closure_ground"]}),
    ),
    State(
        "recording-question-number",
        "secretary.recording",
        running_hearing(
            hearing={"case_number": "", "open_questions": ["case_number"]}, typing="7514-26"
        ),
    ),
    State(
        "recording-microphone-lost",
        "secretary.recording",
        running_hearing(
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant"), alarm("microphone_quiet", "witness")],
            hearing={"interruptions": GAP},
        ),
    ),
    State(
        "recording-no-camera",
        "secretary.recording",
        running_hearing(camera={"state": "absent"}, alarms=[alarm("camera_absent", "camera")]),
    ),
    State("recording-disk-low", "secretary.recording", running_hearing(alarms=[alarm("disk_low")])),
    State(
        "recording-proof-bad",
        "secretary.recording",
        running_hearing(
            proof={"state": "bad", "age_seconds": 9.0, "detail": ""},
            alarms=[alarm("proof_failed")],
        ),
    ),
    State("recording-recorder-gone", "secretary.recording", running_hearing(up=False)),
    State(
        "recording-recovered",
        "secretary.recording",
        running_hearing(
            recovered={"hearing_id": "h1", "gap_seconds": 12.0},
            hearing={"open_questions": ["failure_reason"], "part": 2, "parts": 2},
        ),
    ),
    State(
        "recording-overrun",
        "secretary.recording",
        running_hearing(hearing={"scheduled_at": canned.at(7, 30), "seconds": 8412.0}),
    ),
    State(
        "recording-closed-case",
        "secretary.recording",
        running_hearing(hearing={"publicity": "closed", "seconds": 36010.0}),
    ),
    State("recording-end", "secretary.recording", running_hearing(ends=True)),
    State("recording-all-events", "secretary.recording", running_hearing(every=True)),
    State(
        "recording-second-start", "secretary.recording", running_hearing(notice="already_recording")
    ),
    State("recess", "secretary.stopped", running_hearing(phase="recess", proof={"state": "none"})),
    State(
        "recess-reminder",
        "secretary.stopped",
        running_hearing(
            phase="recess",
            alarms=[alarm("resume_reminder")],
            hearing={"open_questions": ["recess_reason"]},
        ),
    ),
    State("recess-end", "secretary.stopped", running_hearing(phase="recess", ends=True)),
    State("retired", "secretary.stopped", running_hearing(phase="retired")),
    State("sealing", "secretary.sealing", running_hearing(phase="sealing")),
    State("sealed-waiting", "secretary.delivered", _sealed(Delivery(), "down")),
    State(
        "sealed-sending",
        "secretary.delivered",
        _sealed(Delivery(state="sending", bytes_done=18_400_000, bytes_total=61_000_000)),
    ),
    State(
        "sealed-delivered",
        "secretary.delivered",
        _sealed(Delivery(state="delivered", central_sha256_match=True)),
    ),
    State(
        "sealed-mismatch",
        "secretary.delivered",
        _sealed(Delivery(state="delivered", central_sha256_match=False)),
    ),
    State("locked", "secretary.locked", running_hearing(who=None)),
    State("locked-recess", "secretary.locked", running_hearing(who=None, phase="recess")),
    State("pin", "staff.pin", _pin(PinPad("1234"))),
    State("pin-wrong", "staff.pin", _pin(PinPad(wrong=True))),
]
