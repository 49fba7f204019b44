"""Samples of the steps, for pictures and tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiosk.api.court_keys import CourtKeyStatus
from kiosk.api.recorder import Alarm
from kiosk.api.room import FoundInput, Room, StickProfile
from kiosk.commissioning.record import STEPS, Record
from kiosk.commissioning.walk import Seat
from kiosk.hardware.audio.outputs import FoundOutput
from kiosk.hardware.scanner.listing import FoundScanner
from kiosk.ui.actions.commissioning_actions import CommissioningState
from kiosk.ui.actions.commissioning_codes import CodeState, Purpose
from kiosk.ui.actions.commissioning_devices import DevicesState
from kiosk.ui.actions.commissioning_report import ReportState
from kiosk.ui.actions.commissioning_stick import StickState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CommissioningPlace
from kiosk.ui.samples import documents, service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at

CONTROLLER = "usb:1f00200000.usb"
ROWS = [
    {"name": "presiding", "role": "presiding", "device": f"{CONTROLLER}/1.1", "channel": 0},
    {"name": "witness", "role": "witness", "device": f"{CONTROLLER}/1.2", "channel": 0},
    {"name": "defender", "role": "defender", "device": f"{CONTROLLER}/1.4", "channel": 0},
]
INPUTS = tuple(
    FoundInput(
        id=f"{CONTROLLER}/1.{port}#0",
        device=f"{CONTROLLER}/1.{port}",
        channel=0,
        rate=48000,
        label="USB PnP Sound Device: USB Audio (hw:1,0)",
    )
    for port in (1, 2, 3)
)
SEATS = (
    Seat("presiding", "presiding", -61.0, "presiding", -22.4, -60.2),
    Seat("witness", "witness", None, "defender", -48.0, -57.0),
    Seat("plaintiff", "plaintiff", None, "plaintiff", -49.0, -63.0),
    Seat("defender", "defender"),
)
MEASURED_SEATS = (
    Seat("presiding", "presiding", -61.0, "presiding", -22.4, -60.2),
    Seat("witness", "witness", None, "witness", -26.0, -57.0),
    Seat("plaintiff", "plaintiff", None, "plaintiff", -29.0, -63.0),
    Seat("defender", "defender", None, "defender", -31.0, -61.0),
)
TRANSMISSION = {
    "presiding": {"index": 0.71, "quality": "good", "level_db": -27.1},
    "witness": {"index": 0.62, "quality": "good", "level_db": -31.4},
    "plaintiff": {"index": 0.48, "quality": "fair", "level_db": -38.0},
    "defender": {"index": None, "quality": "unheard"},
}
_CHECK: dict[str, Any] = {
    "state": "passed",
    "code": None,
    "measured": {},
    "seconds": 1.0,
    "at": service_states.ago(30),
    "deviations": {},
    "limits": {},
}


def check(name: str, **changes: Any) -> dict[str, Any]:
    """Return the kept result of a check."""
    return {"check": name, **_CHECK, **changes}


def record_until(step: str, **changes: Any) -> Record:
    """Return a record whose steps before ``step`` have results."""
    record = Record(started=service_states.ago(300), person="p-1", **changes)
    for before in STEPS[: STEPS.index(step)]:
        state = "skipped" if before == "network" else "done"
        record = record.with_result(before, state, "later" if state == "skipped" else "")  # type: ignore[arg-type]
    return record


def _room(rows: list[dict[str, Any]]) -> Room:
    return Room(profile={}, settings={"kiosk": {"room": "12"}, "microphones": rows})


def _at(step: str, record: Record | None = None, **changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        staff_at(CommissioningPlace(), who=service_states.TECHNICIAN)(app)
        rows = changes.pop("rows", []) if "rows" in changes else list(ROWS)
        known = record or record_until(step or STEPS[-1])
        state = {"room": _room(rows), "record": known, "step": step, **changes}
        app.commissioning.state = CommissioningState(**state)
        app.audio_levels = {
            INPUTS[0].id: {"rms_db": -58.0},
            INPUTS[1].id: {"rms_db": -20.0},
            INPUTS[2].id: {"rms_db": -55.0},
        }

    return prepare


def _report(**report: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        _at("report", MADE)(app)
        made = {"id": "3b1f", "commissioning": True}
        room = _room(ROWS)
        room.settings["printer"] = {"port": "/dev/usb/by-id/Epson-TM-T20III-printer"}
        app.commissioning.state = replace(app.commissioning.state, room=room)
        app.commissioning.report.state = ReportState(report=made, **report)

    return prepare


PROFILES = (
    StickProfile(file="room-12.toml", room="12", microphones=4),
    StickProfile(file="room-14.toml", room="14", microphones=6),
    StickProfile(file="kiosk.toml", problem="[paths] is not the room's: see kiosk.toml"),
)


def _code(purpose: Purpose, typed: str, problem: str = "") -> Prepare:
    def prepare(app: AppState) -> None:
        _at("network" if purpose == "enrol" else "court_keys")(app)
        app.commissioning.codes.state = CodeState(purpose, typed, problem=problem)

    return prepare


def _unregistered() -> Prepare:
    def prepare(app: AppState) -> None:
        _at("network")(app)
        assert app.recorder_state is not None
        alarms = (Alarm(code="not_enrolled"),)
        app.recorder_state = app.recorder_state.model_copy(update={"alarms": alarms})

    return prepare


def _keys() -> Prepare:
    def prepare(app: AppState) -> None:
        _at("court_keys")(app)
        keys = CourtKeyStatus(is_pinned=True, court=service_states.ago(60))
        files = ("kiosk-0001-court-challenge.age", "kiosk-0001-escrow-challenge.age")
        app.commissioning.codes.state = CodeState(keys=keys, files=files)

    return prepare


def _stick(**state: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        _at("room")(app)
        app.commissioning.stick.state = StickState(**state)

    return prepare


OUTPUTS = (
    FoundOutput("id:Headphones", "bcm2835 Headphones"),
    FoundOutput(f"{CONTROLLER}/1.3", "USB2.0 Device: USB Audio"),
)
SCANNERS = (
    FoundScanner("airscan:e0:Brother ADS-4300N", "eSCL Brother ADS-4300N"),
    FoundScanner("fujitsu:fi-8170:110225", "FUJITSU fi-8170", is_ambiguous=True),
)


def _devices(step: str, **state: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        _at(step)(app)
        app.commissioning.devices.state = DevicesState(**state)

    return prepare


def _camera(app: AppState) -> None:
    _at("camera", record_until("camera", checks={"camera": check("camera")}))(app)
    picture = str(documents.draw_courtroom(app.paths.preview))
    assert app.recorder_state is not None
    preview = app.recorder_state.preview.model_copy(update={"path": picture})
    app.recorder_state = app.recorder_state.model_copy(update={"preview": preview})


PAPER = {
    "scanner": check("scanner"),
    "receipt_printer": check("receipt_printer", state="failed", code="printer_no_paper"),
}
DONE = record_until("report").with_result("report", "done").with_result("camera", "failed")
MADE = record_until("report").with_result("report", "done")
SAMPLES: dict[str, Prepare] = {
    "commissioning-new": _at("", Record()),
    "commissioning-begun": _at("", record_until("camera")),
    "commissioning-done": _at("", DONE),
    "commissioning-language": _at("language"),
    "commissioning-room": _at("room"),
    "commissioning-microphones": _at("microphones", inputs=INPUTS, heard=INPUTS[1].id),
    "commissioning-no-microphone": _at("microphones", inputs=()),
    "commissioning-seats": _at("microphones", inputs=INPUTS, chosen=INPUTS[1].id),
    "commissioning-restart": _at("microphones", inputs=INPUTS, running="restart"),
    "commissioning-refused": _at(
        "microphones",
        inputs=INPUTS,
        problem="room_profile_refused",
        detail="witness: “USB PnP Sound Device” fits 2 devices",
    ),
    "commissioning-walk": _at("walk", seats=SEATS, asked_seat=3),
    "commissioning-rest": _at("walk", seats=SEATS, asked_seat=4, running="microphones"),
    "commissioning-sweep": _at("walk", seats=SEATS, asked_seat=4, running="speech_transmission"),
    "commissioning-measured": _at(
        "walk",
        record_until(
            "walk",
            checks={"speech_transmission": check("speech_transmission", measured=TRANSMISSION)},
        ),
        seats=MEASURED_SEATS,
        asked_seat=4,
        is_measured=True,
    ),
    "commissioning-not-quiet": _at(
        "walk",
        record_until(
            "walk",
            checks={
                "speech_transmission": check(
                    "speech_transmission", state="skipped", code="sweep_disturbed"
                )
            },
        ),
        seats=MEASURED_SEATS,
        asked_seat=4,
        is_measured=True,
    ),
    "commissioning-camera": _camera,
    "commissioning-paper": _at("paper", record_until("paper", checks=PAPER)),
    "commissioning-question": _at("paper", running="receipt_printer", question="receipt_readable"),
    "commissioning-network": _at(
        "network",
        record_until(
            "network", checks={"link": check("link", state="failed", code="link_unreachable")}
        ),
    ),
    "commissioning-skip": _at("network", is_skip_asked=True),
    "commissioning-keys": _at("court_keys"),
    "commissioning-report": _at("report", running="panel"),
    "commissioning-loudspeakers": _devices(
        "walk", kind="outputs", outputs=OUTPUTS, heard=OUTPUTS[1].address
    ),
    "commissioning-scanners": _devices("paper", kind="scanners", scanners=SCANNERS),
    "commissioning-scanner-search": _devices("paper", kind="scanners"),
    "commissioning-not-registered": _unregistered(),
    "commissioning-code": _code("enrol", "ABCDEFGH2345"),
    "commissioning-code-unknown": _code("enrol", "A" * 28, problem="code_unknown"),
    "commissioning-key-answer": _code("court_key", "ABCDEFGH23456723"),
    "commissioning-keys-proven": _keys(),
    "commissioning-stick": _stick(profiles=PROFILES),
    "commissioning-stick-taken": _stick(taken=PROFILES[0]),
    "commissioning-stick-absent": _stick(problem="drive_absent"),
    "commissioning-report-made": _report(printing="printed"),
    "commissioning-report-no-paper": _report(printing="printer_no_paper", is_delivered=True),
}
