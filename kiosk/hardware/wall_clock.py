"""Tells whether the wall clock is set, synchronised, and kept by a battery."""

from __future__ import annotations

from pathlib import Path

from kiosk.api.states import ClockState, RtcState
from kiosk.clocks import EARLIEST_VALID, is_synchronised, wall_time
from kiosk.hardware.real_time_clock import ROOT, read_real_time_clock


def clock_state() -> ClockState:
    """Return how far the wall clock can be trusted."""
    if wall_time() < EARLIEST_VALID:
        return ClockState.UNSET
    return ClockState.OK if is_synchronised() else ClockState.UNSYNCHRONISED


def is_clock_trusted(rtc: Path = ROOT) -> bool:
    """Return whether spans of wall time over a power cut can be trusted.

    Args:
        rtc: folder of the real-time clocks. One is a witness if it set the time at the boot, has
            a battery, and still tells the same time.
    """
    if wall_time() < EARLIEST_VALID:
        return False
    if is_synchronised():
        return True
    chip = read_real_time_clock(rtc)
    return chip.has_set_clock and chip.state is RtcState.KEPT
