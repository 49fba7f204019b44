"""Tells whether the wall clock is set, synchronised, and kept by a battery."""

from __future__ import annotations

from pathlib import Path

from kiosk.api.states import ClockState
from kiosk.clocks import EARLIEST_VALID, is_synchronised, wall_time


def clock_state() -> ClockState:
    """Return how far the wall clock can be trusted."""
    if wall_time() < EARLIEST_VALID:
        return ClockState.UNSET
    return ClockState.OK if is_synchronised() else ClockState.UNSYNCHRONISED


def has_battery(rtc: Path = Path("/sys/class/rtc")) -> bool:
    """Return whether a battery-backed clock set the system time at boot (``hctosys`` is 1)."""
    for path in rtc.glob("rtc*/hctosys"):
        try:
            if path.read_text(encoding="ascii").strip() == "1":
                return True
        except OSError:
            continue
    return False


def is_clock_trusted() -> bool:
    """Return whether spans of wall time over a power cut can be trusted."""
    return wall_time() >= EARLIEST_VALID and (is_synchronised() or has_battery())
