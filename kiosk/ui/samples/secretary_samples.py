"""Samples of the secretary's screens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import (
    AdHocPlace,
    DatePlace,
    DeliveryPlace,
    PinPlace,
    TodayPlace,
)
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.screen_sample import ScreenSample, alarm, prepare_idle, prepare_staff
from kiosk.ui.screen_chrome import Notice
from kiosk.ui.service_models import Delivery, Schedule, SyncState


def _today(
    recorder: dict[str, Any] | None = None,
    schedule: dict[str, Any] | None = None,
    sync: dict[str, Any] | None = None,
    place: Any = None,
    deliveries: dict[str, Delivery] | None = None,
    up: bool = True,
) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_staff(app, **(recorder or sample_data.recorder()))
        app.secretary.schedule = Schedule.model_validate(schedule or sample_data.schedule())
        app.sync_state = SyncState.model_validate(sync or sample_data.sync())
        app.secretary.place = place or TodayPlace()
        app.secretary.deliveries = deliveries or {}
        app.recorder_connection.is_up = up

    return prepare


def running_hearing(
    notice: str = "",
    up: bool = True,
    ends: bool = False,
    every: bool = False,
    who: dict[str, Any] | None = sample_data.SECRETARY,
    phase: str = "recording",
    pin: bool = False,
    typing: str | None = None,
    **changes: Any,
) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        state = sample_data.recording(**changes)
        state["phase"] = phase
        prepare_staff(app, **state)
        if who is None:
            app.staff = None
        app.recorder_connection.is_up = up
        app.secretary.is_end_asked = ends
        app.secretary.are_all_events_shown = every
        app.secretary.typed_answer = typing
        app.pin = PinPlace("12") if pin else None
        if notice:
            app.notice = Notice(notice, until=1e9)

    return prepare


def _sealed(delivery: Delivery | None, link: str = "up") -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_staff(app, **sample_data.recorder())
        app.sync_state = SyncState.model_validate(sample_data.sync(link))
        app.secretary.place = DeliveryPlace("h1", "7514-26-00-2/4511")
        if delivery:
            app.secretary.deliveries = {"h1": delivery}

    return prepare


def _at(place: Any) -> Callable[[AppState], None]:
    return _today(place=place)


def _pin(pin: PinPlace) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        app.pin = pin

    return prepare


DEAD = sample_data.microphones(
    defendant={"state": "absent", "heard": None},
    plaintiff={"state": "muted"},
    witness={"state": "quiet"},
)


FAINT = sample_data.microphones(
    witness={"heard": None}, defendant={"state": "quiet"}, plaintiff={"state": "clipping"}
)


BROKEN = sample_data.recorder(
    camera={"state": "absent"},
    microphones=sample_data.microphones(defendant={"state": "absent", "heard": None}),
    storage={"free_bytes": 9 * 10**9, "hours_left": 2.0, "state": "low"},
    clock={"state": "unsynchronised"},
)


UNSET = sample_data.recorder(clock={"state": "unset"})


GAP = [{"source": "defendant", "kind": "lost", "at": sample_data.at(9, 42, 11), "seconds": 14.0}]


SECRETARY_SAMPLES = [
    ScreenSample("today", "secretary.today", _today()),
    ScreenSample("today-second-page", "secretary.today", _today(place=TodayPlace(None, 1))),
    ScreenSample(
        "today-one-over",
        "secretary.today",
        _today(
            deliveries={
                sample_data.LIST[0]["id"]: Delivery(state="delivered", central_sha256_match=True)
            }
        ),
    ),
    ScreenSample("today-faint", "secretary.today", _today(sample_data.recorder(microphones=FAINT))),
    ScreenSample("today-broken", "secretary.today", _today(BROKEN, sync=sample_data.sync("down"))),
    ScreenSample("today-recorder-down", "secretary.today", _today(up=False)),
    ScreenSample(
        "today-offline-old-list",
        "secretary.today",
        _today(schedule=sample_data.schedule(age=26 * 3600), sync=sample_data.sync("down")),
    ),
    ScreenSample(
        "today-empty", "secretary.today", _today(schedule={"pulled_at": None, "hearings": []})
    ),
    ScreenSample("adhoc", "secretary.adhoc", _at(AdHocPlace())),
    ScreenSample("adhoc-typed", "secretary.adhoc", _at(AdHocPlace("7514-26-00-1/208", "criminal"))),
    ScreenSample("date", "secretary.date", _today(UNSET, place=DatePlace(date(2026, 11, 23)))),
    ScreenSample("recording", "secretary.recording", running_hearing()),
    ScreenSample(
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
    ScreenSample(
        "recording-question-and-alarm",
        "secretary.recording",
        running_hearing(
            hearing={"open_questions": ["recess_reason"]},
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant")],
        ),
    ),
    ScreenSample(
        "recording-question-who",
        "secretary.recording",
        running_hearing(hearing={"open_questions": ["format_decided_by"]}),
    ),
    ScreenSample(
        "recording-question-ground",
        "secretary.recording",
        running_hearing(hearing={"publicity": "closed", "open_questions": ["closure_ground"]}),
    ),
    ScreenSample(
        "recording-question-number",
        "secretary.recording",
        running_hearing(
            hearing={"case_number": "", "open_questions": ["case_number"]}, typing="7514-26"
        ),
    ),
    ScreenSample(
        "recording-microphone-lost",
        "secretary.recording",
        running_hearing(
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant"), alarm("microphone_quiet", "witness")],
            hearing={"interruptions": GAP},
        ),
    ),
    ScreenSample(
        "recording-no-camera",
        "secretary.recording",
        running_hearing(camera={"state": "absent"}, alarms=[alarm("camera_absent", "camera")]),
    ),
    ScreenSample(
        "recording-disk-low", "secretary.recording", running_hearing(alarms=[alarm("disk_low")])
    ),
    ScreenSample(
        "recording-proof-bad",
        "secretary.recording",
        running_hearing(
            proof={"state": "bad", "age_seconds": 9.0, "detail": ""},
            alarms=[alarm("proof_failed")],
        ),
    ),
    ScreenSample("recording-recorder-gone", "secretary.recording", running_hearing(up=False)),
    ScreenSample(
        "recording-recovered",
        "secretary.recording",
        running_hearing(
            recovered={"hearing_id": "h1", "gap_seconds": 12.0},
            hearing={"open_questions": ["failure_reason"], "part": 2, "parts": 2},
        ),
    ),
    ScreenSample(
        "recording-overrun",
        "secretary.recording",
        running_hearing(hearing={"scheduled_at": sample_data.at(7, 30), "seconds": 8412.0}),
    ),
    ScreenSample(
        "recording-closed-case",
        "secretary.recording",
        running_hearing(hearing={"publicity": "closed", "seconds": 36010.0}),
    ),
    ScreenSample("recording-end", "secretary.recording", running_hearing(ends=True)),
    ScreenSample("recording-all-events", "secretary.recording", running_hearing(every=True)),
    ScreenSample(
        "recording-second-start", "secretary.recording", running_hearing(notice="already_recording")
    ),
    ScreenSample(
        "recess", "secretary.recess", running_hearing(phase="recess", proof={"state": "none"})
    ),
    ScreenSample(
        "recess-reminder",
        "secretary.recess",
        running_hearing(
            phase="recess",
            alarms=[alarm("resume_reminder")],
            hearing={"open_questions": ["recess_reason"]},
        ),
    ),
    ScreenSample("recess-end", "secretary.recess", running_hearing(phase="recess", ends=True)),
    ScreenSample("retired", "secretary.recess", running_hearing(phase="retired")),
    ScreenSample("sealing", "secretary.sealing", running_hearing(phase="sealing")),
    ScreenSample("delivery-waiting", "secretary.delivery", _sealed(Delivery(), "down")),
    ScreenSample(
        "delivery-sending",
        "secretary.delivery",
        _sealed(Delivery(state="sending", bytes_done=18_400_000, bytes_total=61_000_000)),
    ),
    ScreenSample(
        "delivery-delivered",
        "secretary.delivery",
        _sealed(Delivery(state="delivered", central_sha256_match=True)),
    ),
    ScreenSample(
        "delivery-mismatch",
        "secretary.delivery",
        _sealed(Delivery(state="delivered", central_sha256_match=False)),
    ),
    ScreenSample("lock", "secretary.lock", running_hearing(who=None)),
    ScreenSample("lock-recess", "secretary.lock", running_hearing(who=None, phase="recess")),
    ScreenSample("pin", "staff.pin", _pin(PinPlace("1234"))),
    ScreenSample("pin-wrong", "staff.pin", _pin(PinPlace(is_wrong=True))),
]
