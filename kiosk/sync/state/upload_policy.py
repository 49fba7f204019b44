"""When recordings may be sent, and how fast: windows and caps of the settings, running hearings.

Filings, journal heads and reports are small and always go; this is about recordings alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

from kiosk.config import Sync
from kiosk.sync.transport.pacing import BUSY_PHASES, BYTES_PER_MBIT, UNLIMITED, pacing_rate

PermitState = Literal["free", "capped", "paced", "paused", "outside_window"]
BLOCKED = frozenset({"paused", "outside_window"})


@dataclass(frozen=True)
class Window:
    """A part of the court's day, possibly over midnight; ``start`` belongs to it."""

    start: time
    end: time

    def holds(self, moment: time) -> bool:
        """Say whether ``moment`` lies in it; equal ends mean the whole day."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class Permit:
    """What recordings may do now.

    Attributes:
        state: why.
        rate: most bytes a second; 0: no limit.
        until: when the next window begins, for ``outside_window``.
    """

    state: PermitState = "free"
    rate: int = UNLIMITED
    until: datetime | None = None

    @property
    def given(self) -> bool:
        """Whether anything of a recording may be sent."""
        return self.state not in BLOCKED


def windows_of(texts: Iterable[str]) -> tuple[Window, ...]:
    """Return the windows of the setting ``[sync] windows`` (its form was checked there)."""
    pairs = (text.split("-") for text in texts)
    return tuple(Window(time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)


def permit(
    settings: Sync,
    now: datetime,
    recorder: dict[str, Any] | None,
    check: dict[str, Any] | None,
) -> Permit:
    """Return what recordings may do.

    Args:
        settings: ``[sync]``.
        now: the court's local time.
        recorder: the recorder's state, or None while it does not answer.
        check: the last link check's result, or None.
    """
    windows = windows_of(settings.windows)
    if windows and not any(window.holds(now.timetz().replace(tzinfo=None)) for window in windows):
        return Permit("outside_window", until=_next_start(windows, now))
    busy = recorder is not None and recorder.get("phase") in BUSY_PHASES
    if busy and settings.during_hearing == "paused":
        return Permit("paused")
    cap = int(settings.cap_mbit * BYTES_PER_MBIT)
    pace = pacing_rate(recorder, check)
    rate = min((limit for limit in (cap, pace) if limit), default=UNLIMITED)
    if pace and rate == pace:
        return Permit("paced", rate)
    return Permit("capped", rate) if rate else Permit()


def _next_start(windows: tuple[Window, ...], now: datetime) -> datetime:
    starts = []
    for window in windows:
        start = now.replace(hour=window.start.hour, minute=window.start.minute, second=0)
        start = start.replace(microsecond=0)
        starts.append(start if start > now else start + timedelta(days=1))
    return min(starts)
