"""The wall clock: is it set, is it synchronised, does a battery keep it over a power cut?"""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from kiosk.clocks import wall_time

ClockState = Literal["ok", "unsynchronised", "unset"]
EARLIEST_VALID = datetime(2026, 1, 1, tzinfo=UTC)
"""The product did not exist before: an earlier clock was never set."""
_STA_UNSYNC = 0x0040  # linux/timex.h
_STATUS_OFFSET = 40  # of struct timex on 64-bit Linux: modes, offset, freq, maxerror, esterror
_STATUS_OFFSET_32 = 20


def is_synchronised() -> bool:
    """Say whether the kernel knows the clock to be synchronised (adjtimex(2))."""
    buffer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
        return False
    is_64_bit = ctypes.sizeof(ctypes.c_long) == 8
    offset = _STATUS_OFFSET if is_64_bit else _STATUS_OFFSET_32
    return not ctypes.c_int.from_buffer(buffer, offset).value & _STA_UNSYNC


def clock_state() -> ClockState:
    """Return how far the wall clock can be believed."""
    if wall_time() < EARLIEST_VALID:
        return "unset"
    return "ok" if is_synchronised() else "unsynchronised"


def has_battery(rtc: Path = Path("/sys/class/rtc")) -> bool:
    """Say whether a battery-backed clock set the system's at boot (``hctosys`` is 1)."""
    for path in rtc.glob("rtc*/hctosys"):
        try:
            if path.read_text(encoding="ascii").strip() == "1":
                return True
        except OSError:
            continue
    return False


def is_clock_trusted() -> bool:
    """Say whether spans of wall time over a power cut can be believed."""
    return wall_time() >= EARLIEST_VALID and (is_synchronised() or has_battery())
