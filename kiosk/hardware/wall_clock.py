"""Tells whether the wall clock is set, synchronised, and kept by a battery."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from pathlib import Path

from kiosk.api.states import ClockState
from kiosk.clocks import wall_time

EARLIEST_VALID = datetime(2026, 1, 1, tzinfo=UTC)
"""The product did not exist before: a clock with an earlier time was never set."""
_STA_UNSYNC = 0x0040  # linux/timex.h
_STATUS_OFFSET = 40  # of struct timex on 64-bit Linux: modes, offset, freq, maxerror, esterror
_STATUS_OFFSET_32 = 20


def is_synchronised() -> bool:
    """Return whether the kernel reports the clock as synchronised (adjtimex(2))."""
    buffer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
        return False
    is_64_bit = ctypes.sizeof(ctypes.c_long) == 8
    offset = _STATUS_OFFSET if is_64_bit else _STATUS_OFFSET_32
    return not ctypes.c_int.from_buffer(buffer, offset).value & _STA_UNSYNC


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
