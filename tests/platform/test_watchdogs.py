"""The limits of the watchdogs fit together: nothing that still works is killed."""

from __future__ import annotations

import re
from pathlib import Path

from kiosk.services.exports import STOP_TIMEOUT_S
from kiosk.services.recorder import SHUTDOWN_S
from kiosk.services.step_runner import HUNG_STEP_S, LONGEST_STEP_S

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"


def seconds(unit: str, name: str) -> float:
    """Return a setting of a unit in seconds."""
    text = (SYSTEMD / f"{unit}.service").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{name}=(\d+)(ms|s)$", text, re.MULTILINE)
    return float(found[0]) / (1000 if found[1] == "ms" else 1)


def test_a_slow_step_of_a_hearing_ends_before_the_recorder_counts_as_hung() -> None:
    """The watchdog kills ``WatchdogSec`` after the last ping, at the earliest."""
    assert LONGEST_STEP_S >= 2
    assert HUNG_STEP_S >= 2 * LONGEST_STEP_S


def test_the_recorder_has_time_to_end_the_running_part_and_to_seal_it() -> None:
    assert (
        seconds("kiosk-recorder", "TimeoutStopSec") >= LONGEST_STEP_S + SHUTDOWN_S + STOP_TIMEOUT_S
    )


def test_every_service_is_watched() -> None:
    for unit in ("kiosk-recorder", "kiosk-sync", "kiosk-ui"):
        assert 10 <= seconds(unit, "WatchdogSec") <= 30
        text = (SYSTEMD / f"{unit}.service").read_text(encoding="utf-8")
        assert "\nType=notify\n" in text


def test_a_hung_screen_is_back_within_half_a_minute() -> None:
    """The watchdog, then the abort that a stopped process does not hear, then the kill."""
    limits = ("WatchdogSec", "TimeoutAbortSec", "RestartSec")
    assert sum(seconds("kiosk-ui", name) for name in limits) <= 30
