"""Canned states of the technician's screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.selftest import Result
from kiosk.ui.catalogue import canned
from kiosk.ui.catalogue.state import State, staff
from kiosk.ui.desk import Desk
from kiosk.ui.places import (
    AtBench,
)
from kiosk.ui.technician.bench import BenchState


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
