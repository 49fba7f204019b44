"""Samples of the technician's screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiosk.selftest import CheckResult
from kiosk.ui.actions.self_test_runner import SelfTestState
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import (
    SelfTestPlace,
)
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.samples.screen_sample import ScreenSample, prepare_staff


def _tests(state: SelfTestState, chosen: str | None = None) -> Callable[[AppState], None]:
    def prepare(app: AppState) -> None:
        prepare_staff(app, sample_data.TECHNICIAN, **sample_data.recorder())
        app.secretary.place = SelfTestPlace(chosen)
        app.self_test.state = state

    return prepare


def result(
    check: str, state: Any = "passed", code: str | None = None, **measured: Any
) -> CheckResult:
    """Return a result of the self-test."""
    return CheckResult(check, state, code, measured, 1.2, sample_data.at(8, 10))


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


TECHNICIAN_SAMPLES = [
    ScreenSample("self_test-never", "technician.self_test", _tests(SelfTestState())),
    ScreenSample(
        "self_test-microphones",
        "technician.self_test",
        _tests(SelfTestState(HALF, tuple(list(DONE)[2:]), "microphones")),
    ),
    ScreenSample(
        "self_test-question",
        "technician.self_test",
        _tests(SelfTestState(DONE, ("storage", "clock"), "panel", "lamp_seen")),
    ),
    ScreenSample(
        "self_test-badge",
        "technician.self_test",
        _tests(SelfTestState(DONE, ("panel",), "badge_reader", "badge_held")),
    ),
    ScreenSample(
        "self_test-done", "technician.self_test", _tests(SelfTestState(DONE, report="saved"))
    ),
    ScreenSample(
        "self_test-link",
        "technician.self_test",
        _tests(SelfTestState(DONE, report="saved"), "link"),
    ),
    ScreenSample(
        "self_test-unsaved", "technician.self_test", _tests(SelfTestState(DONE, report="disk_full"))
    ),
]
