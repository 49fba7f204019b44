"""The recording clock and wall time.

The *recording clock* is ``CLOCK_MONOTONIC`` in nanoseconds: it never jumps, and it is the same
for every process of one boot. Wall time is only ever written *beside* it, never used to order
or measure media (a wall clock that is stepped must not cut a recording).
"""

from __future__ import annotations

import ctypes
import time
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from pathlib import Path

NS_PER_S = 1_000_000_000
EARLIEST_VALID = datetime(2026, 1, 1, tzinfo=UTC)
"""The product did not exist before: a clock with an earlier time was never set."""
_STA_UNSYNC = 0x0040  # linux/timex.h
_STATUS_OFFSET = 40  # of struct timex on 64-bit Linux: modes, offset, freq, maxerror, esterror
_STATUS_OFFSET_32 = 20


def recording_ns() -> int:
    """Return the recording clock now, in nanoseconds since an arbitrary start (boot)."""
    return time.monotonic_ns()


def boottime_to_recording_ns(boottime_ns: int) -> int:
    """Convert a ``CLOCK_BOOTTIME`` stamp (libcamera's ``SensorTimestamp``) to recording ns."""
    offset = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return boottime_ns - offset


def boot_seconds() -> float:
    """Return the seconds since the boot, sleep included; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_synchronised() -> bool:
    """Return whether the kernel reports the wall clock as synchronised (adjtimex(2)).

    A step by hand takes the mark away; so do nine hours without a time server.
    """
    buffer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
        return False
    is_64_bit = ctypes.sizeof(ctypes.c_long) == 8
    offset = _STATUS_OFFSET if is_64_bit else _STATUS_OFFSET_32
    return not ctypes.c_int.from_buffer(buffer, offset).value & _STA_UNSYNC


def wall_time() -> datetime:
    """Return the wall time now, aware, UTC."""
    return datetime.now(UTC)


def format_wall(moment: datetime | None = None) -> str:
    """Return ``moment`` (default: now) as RFC 3339 text in UTC with milliseconds and ``Z``."""
    value = (moment or wall_time()).astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def parse_wall(text: str | None) -> datetime | None:
    """Return RFC 3339 ``text`` as an aware time (no zone: UTC); None where it is none.

    A time of the first or last year is none: no other zone can show it.
    """
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    if not MINYEAR < value.year < MAXYEAR:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def parse_set_wall(text: str | None) -> datetime | None:
    """Return what :func:`parse_wall` does; None too where nobody had set the clock by then."""
    value = parse_wall(text)
    return value if value is not None and value >= EARLIEST_VALID else None


def boot_id() -> str:
    """Return the kernel's id of this boot: recording clocks of two boots cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
