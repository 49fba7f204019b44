"""Every state of the screen, canned: what the catalogue draws and the tests check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk.selftest import Result
from kiosk.ui.catalogue import canned, papers
from kiosk.ui.desk import Desk
from kiosk.ui.facts import Delivery, FilingState, Preview, Recorder, Schedule, Staff, Sync
from kiosk.ui.frame import Notice
from kiosk.ui.places import (
    AdHoc,
    AskingDate,
    AtBench,
    Calling,
    ChoosingType,
    Confirming,
    Feeding,
    Listing,
    Looking,
    PinPad,
    Refused,
    Registered,
    Registering,
    Scanning,
    Sealed,
    Stuck,
    Today,
    Tracking,
)
from kiosk.ui.technician.bench import BenchState


@dataclass(frozen=True)
class State:
    """One state: the picture's name, the screen it must show, how to get there."""

    name: str
    screen: str
    prepare: Callable[[Desk], None]


def base(desk: Desk) -> None:
    """Everything runs and nothing happens."""
    desk.recorder = Recorder.model_validate(canned.recorder())
    desk.sync = Sync.model_validate(canned.sync())
    desk.recorder_at = desk.now()
    desk.recorder_line.up = desk.sync_line.up = True
    desk.office.schedule = Schedule.model_validate(canned.schedule())


def staff(desk: Desk, who: dict[str, Any] = canned.SECRETARY, **recorder: Any) -> None:
    """Somebody is signed in; ``recorder`` replaces the recorder's state."""
    base(desk)
    desk.staff = Staff.model_validate(who)
    if recorder:
        desk.recorder = Recorder.model_validate(recorder)
        desk.levels = canned.LEVELS
        if recorder.get("hearing"):
            picture = papers.courtroom(desk.layout.preview)
            preview = Preview(path=str(picture), width=640, height=360)
            desk.recorder = desk.recorder.model_copy(update={"preview": preview})


def _home(**changes: Any) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        for name, value in changes.items():
            setattr(desk, name, value)

    return prepare


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


def _rec(
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


def alarm(code: str, source: str | None = None) -> dict[str, Any]:
    """Return an alarm of the recorder."""
    return {"code": code, "source": source, "since": canned.ago(6)}


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
    State("recording", "secretary.recording", _rec()),
    State(
        "recording-first-minute",
        "secretary.recording",
        _rec(
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
        _rec(
            hearing={"open_questions": ["recess_reason"]},
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant")],
        ),
    ),
    State(
        "recording-question-who",
        "secretary.recording",
        _rec(hearing={"open_questions": ["format_decided_by"]}),
    ),
    State(
        "recording-question-ground",
        "secretary.recording",
        _rec(hearing={"publicity": "closed", "open_questions": ["closure_ground"]}),
    ),
    State(
        "recording-question-number",
        "secretary.recording",
        _rec(hearing={"case_number": "", "open_questions": ["case_number"]}, typing="7514-26"),
    ),
    State(
        "recording-microphone-lost",
        "secretary.recording",
        _rec(
            microphones=DEAD,
            alarms=[alarm("microphone_absent", "defendant"), alarm("microphone_quiet", "witness")],
            hearing={"interruptions": GAP},
        ),
    ),
    State(
        "recording-no-camera",
        "secretary.recording",
        _rec(camera={"state": "absent"}, alarms=[alarm("camera_absent", "camera")]),
    ),
    State("recording-disk-low", "secretary.recording", _rec(alarms=[alarm("disk_low")])),
    State(
        "recording-proof-bad",
        "secretary.recording",
        _rec(
            proof={"state": "bad", "age_seconds": 9.0, "detail": ""},
            alarms=[alarm("proof_failed")],
        ),
    ),
    State("recording-recorder-gone", "secretary.recording", _rec(up=False)),
    State(
        "recording-recovered",
        "secretary.recording",
        _rec(
            recovered={"hearing_id": "h1", "gap_seconds": 12.0},
            hearing={"open_questions": ["failure_reason"], "part": 2, "parts": 2},
        ),
    ),
    State(
        "recording-overrun",
        "secretary.recording",
        _rec(hearing={"scheduled_at": canned.at(7, 30), "seconds": 8412.0}),
    ),
    State(
        "recording-closed-case",
        "secretary.recording",
        _rec(hearing={"publicity": "closed", "seconds": 36010.0}),
    ),
    State("recording-end", "secretary.recording", _rec(ends=True)),
    State("recording-all-events", "secretary.recording", _rec(every=True)),
    State("recording-second-start", "secretary.recording", _rec(notice="already_recording")),
    State("recess", "secretary.stopped", _rec(phase="recess", proof={"state": "none"})),
    State(
        "recess-reminder",
        "secretary.stopped",
        _rec(
            phase="recess",
            alarms=[alarm("resume_reminder")],
            hearing={"open_questions": ["recess_reason"]},
        ),
    ),
    State("recess-end", "secretary.stopped", _rec(phase="recess", ends=True)),
    State("retired", "secretary.stopped", _rec(phase="retired")),
    State("sealing", "secretary.sealing", _rec(phase="sealing")),
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
    State("locked", "secretary.locked", _rec(who=None)),
    State("locked-recess", "secretary.locked", _rec(who=None, phase="recess")),
    State("pin", "staff.pin", _pin(PinPad("1234"))),
    State("pin-wrong", "staff.pin", _pin(PinPad(wrong=True))),
]


def _visit(
    place: Any,
    pages: int = 0,
    advice: dict[int, tuple[str, ...]] | None = None,
    touched: float = 0.0,
    **changes: Any,
) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        if pages:
            desk.visit.filing = papers.filing(desk, pages, advice)
        desk.visit.place = place
        if isinstance(place, Registered) and desk.visit.filing:
            provisional = bool(changes.get("provisional"))
            desk.visit.handed_in = papers.handed_in(desk.visit.filing, provisional=provisional)
        desk.visit.leaving = bool(changes.get("leaving"))
        if touched:
            now = desk.now()
            desk.now = lambda: now + touched

    return prepare


def _listing(hearings: list[dict[str, Any]] | None, page: int = 0) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        base(desk)
        desk.office.schedule = Schedule.model_validate(canned.schedule(hearings))
        desk.visit.place = Listing(page)

    return prepare


ADVICE: dict[int, tuple[str, ...]] = {2: ("page_skewed",), 3: ("page_blurred",), 7: ("page_blank",)}
TRACKED = FilingState(state="accepted", number="7514-26-00-4/1187", as_of=canned.ago(240))
RETURNED = FilingState(state="returned", number="7514-26-00-4/1187", as_of=canned.ago(86400 * 3))

VISITOR_STATES = [
    State("type", "visitor.type", _visit(ChoosingType())),
    State("type-civil", "visitor.type", _visit(ChoosingType("civil"))),
    State("type-criminal-3", "visitor.type", _visit(ChoosingType("criminal", 2))),
    State("feed", "visitor.feed", _visit(Feeding())),
    State("feed-more", "visitor.feed", _visit(Feeding(3), pages=3)),
    State("feed-retake", "visitor.feed", _visit(Feeding(3, retake=2), pages=3)),
    State("feed-glass", "visitor.feed", _visit(Feeding(1, glass=True), pages=1)),
    State("scanning", "visitor.scanning", _visit(Scanning(5), pages=5)),
    *(
        State(f"fault-{code}", "visitor.fault", _visit(Stuck(code, 2, 3), pages=2))
        for code in (
            "scanner_jam",
            "scanner_double_feed",
            "scanner_cover_open",
            "scanner_stalled",
            "scanner_lost",
            "page_incomplete",
        )
    ),
    State("fault-scanner_absent", "visitor.fault", _visit(Stuck("scanner_absent", 0, 1))),
    State("fault-finish", "visitor.fault", _visit(Stuck("scanner_jam", 2, 3, True), pages=2)),
    State("pages", "visitor.pages", _visit(Looking(2), 3, ADVICE)),
    State("pages-blurred", "visitor.pages", _visit(Looking(3), 3, ADVICE)),
    State("pages-many", "visitor.pages", _visit(Looking(7), 14, ADVICE)),
    State("pages-undo", "visitor.pages", _visit(Looking(1, deleted=3), 2)),
    State("confirm", "visitor.confirm", _visit(Confirming(), 3)),
    State("confirm-flagged", "visitor.confirm", _visit(Confirming(), 3, ADVICE)),
    State("registering", "visitor.registering", _visit(Registering(), 3)),
    State("receipt", "visitor.receipt", _visit(Registered(1088.0, "printed"), 3)),
    State("receipt-printing", "visitor.receipt", _visit(Registered(1088.0), 3)),
    State(
        "receipt-provisional",
        "visitor.receipt",
        _visit(Registered(1061.0, "printed"), 3, provisional=True),
    ),
    State(
        "receipt-printer-silent",
        "visitor.receipt",
        _visit(Registered(1041.0, "failed", "printer_silent"), 3),
    ),
    State(
        "receipt-no-paper",
        "visitor.receipt",
        _visit(Registered(1001.0, "failed", "printer_no_paper"), 3),
    ),
    State("refused-disk-full", "visitor.refused", _visit(Refused("disk_full"), 3)),
    State("refused-too-large", "visitor.refused", _visit(Refused("document_too_large"), 3)),
    State("track", "visitor.track", _visit(Tracking())),
    State("track-found", "visitor.track", _visit(Tracking("7514-26-00-4/1187", TRACKED))),
    State("track-returned", "visitor.track", _visit(Tracking("7514-26-00-4/1187", RETURNED))),
    State("track-unknown", "visitor.track", _visit(Tracking("123", unknown=True))),
    State("hearings", "visitor.hearings", _listing(None)),
    State("hearings-none", "visitor.hearings", _listing([])),
    State("called", "visitor.called", _visit(Calling())),
    State("leave", "visitor.leave", _visit(Looking(), 3, leaving=True)),
    State("idle", "visitor.idle", _visit(Looking(), 3, touched=95.0)),
]


def _tests(state: BenchState, chosen: str | None = None) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        staff(desk, canned.TECHNICIAN, **canned.recorder())
        desk.office.place = AtBench(chosen)
        desk.bench.state = state

    return prepare


def result(check: str, state: Any = "passed", code: str | None = None, **measured: Any) -> Result:
    """Return a result of the self-test."""
    return Result(check, state, code, measured, 1.2, canned.at(8, 10))


DONE = {
    "camera": result("camera", fps=25.0, dropped=0),
    "microphones": result("microphones", judge={"rms_db": -21.0}, witness={"rms_db": -23.5}),
    "scanner": result("scanner", resolution=300, seconds_to_open=0.02),
    "receipt_printer": result("receipt_printer", "failed", "printer_no_paper"),
    "badge_reader": result("badge_reader"),
    "panel": result("panel", "skipped", "not_confirmed"),
    "storage": result("storage", free_bytes=212 * 10**9, write_mib_s=88.1),
    "clock": result("clock"),
    "link": result("link", down_mbit=4.8, up_mbit=2.1, rtt_ms=31.0, loss=0.0, jitter_ms=2.2),
    "delivery": result("delivery", seconds=0.8),
}
HALF = {check: DONE[check] for check in ("camera",)}

TECHNICIAN_STATES = [
    State("tests-never", "technician.tests", _tests(BenchState())),
    State(
        "tests-microphones",
        "technician.tests",
        _tests(BenchState(HALF, tuple(list(DONE)[2:]), "microphones")),
    ),
    State(
        "tests-question",
        "technician.tests",
        _tests(BenchState(DONE, ("storage", "clock"), "panel", "lamp_seen")),
    ),
    State(
        "tests-badge",
        "technician.tests",
        _tests(BenchState(DONE, ("panel",), "badge_reader", "badge_held")),
    ),
    State("tests-done", "technician.tests", _tests(BenchState(DONE, report="saved"))),
    State("tests-link", "technician.tests", _tests(BenchState(DONE, report="saved"), "link")),
    State("tests-unsaved", "technician.tests", _tests(BenchState(DONE, report="disk_full"))),
]

HOME_STATES = [
    State("home", "visitor.home", base),
    State("home-offline", "visitor.home", _home(sync=Sync.model_validate(canned.sync("down")))),
    State("home-unknown-badge", "visitor.home", _home(notice=Notice("unknown_badge", until=1e9))),
]

STATES = [*HOME_STATES, *VISITOR_STATES, *SECRETARY_STATES, *TECHNICIAN_STATES]
