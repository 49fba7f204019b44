"""Reads the machine's real-time clock: the chip that knows the time while the power is off.

Sources: the kernel's ``/sys/class/rtc`` (``Documentation/ABI/testing/sysfs-class-rtc``); the
driver of a Raspberry Pi 5 adds ``battery_voltage`` and ``charging_voltage``, in microvolts. A
clock without such a value counts as kept by its battery when it still tells a time that can be
right: a chip that was without power tells none (the driver refuses), or begins again in the past.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk.api.states import RtcState
from kiosk.clocks import EARLIEST_VALID, wall_time

ROOT = Path("/sys/class/rtc")
EMPTY_V = 2.0
"""A lithium cell below this is empty, or is not there: the socket alone shows a fraction of it."""
MOST_APART_S = 5.0
"""It tells whole seconds; the kernel sets a synchronised time into it every eleven minutes."""


@dataclass(frozen=True, kw_only=True)
class RealTimeClock:
    """What the kernel tells of the chip now.

    Attributes:
        state: whether it is there, kept, and tells the kiosk's own time.
        battery_v: voltage of its battery; None: it is not measured.
        charging_v: voltage to which its battery is charged, 0: not at all; None: not told.
        apart_s: seconds by which it is ahead of the wall clock; None: it tells no time.
        has_set_clock: whether the wall clock came from it at the boot (``hctosys``).
    """

    state: RtcState = RtcState.ABSENT
    battery_v: float | None = None
    charging_v: float | None = None
    apart_s: float | None = None
    has_set_clock: bool = False


def read_real_time_clock(
    root: Path = ROOT, wall: Callable[[], datetime] = wall_time
) -> RealTimeClock:
    """Read the clock that set the time at the boot, else the first; what is not told is None.

    Args:
        root: folder with a folder for each clock (``rtc0``).
        wall: the wall clock.
    """
    clocks = sorted(root.glob("rtc[0-9]*"), key=lambda path: _number(path / "hctosys") != 1)
    if not clocks:
        return RealTimeClock()
    chip = clocks[0]
    seconds = _number(chip / "since_epoch")
    is_lost = seconds is None or seconds < EARLIEST_VALID.timestamp()
    apart_s = None if seconds is None or is_lost else round(seconds - wall().timestamp(), 1)
    battery_v = _volts(chip / "battery_voltage")
    state = RtcState.KEPT
    if is_lost or (battery_v is not None and battery_v < EMPTY_V):
        state = RtcState.UNKEPT
    elif apart_s is not None and abs(apart_s) > MOST_APART_S:
        state = RtcState.DIFFERS
    return RealTimeClock(
        state=state,
        battery_v=battery_v,
        charging_v=_volts(chip / "charging_voltage"),
        apart_s=apart_s,
        has_set_clock=_number(chip / "hctosys") == 1,
    )


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None


def _volts(path: Path) -> float | None:
    value = _number(path)
    return None if value is None else round(value / 1e6, 2)
