"""Decides when recordings may be sent, and how fast: by windows, caps and running hearings.

It does not apply to filings, journal heads and reports, which are small and always sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from kiosk.config import SyncSettings
from kiosk.sync.transport.pacing import BYTES_PER_MBIT, UNLIMITED, pacing_rate

PolicyState = Literal["free", "capped", "paced", "paused", "outside_window"]
BLOCKED = frozenset({"paused", "outside_window"})


@dataclass(frozen=True)
class UploadWindow:
    """A part of the court's day, possibly over midnight; ``start`` belongs to it."""

    start: time
    end: time

    def contains(self, moment: time) -> bool:
        """Return whether ``moment`` is inside the window. Equal start and end means all day."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class UploadPolicy:
    """Whether and how fast recordings may be sent now.

    Attributes:
        state: why.
        rate: most bytes a second; 0: no limit.
        until: when the next window begins, for ``outside_window``.
    """

    state: PolicyState = "free"
    rate: int = UNLIMITED
    until: datetime | None = None

    @property
    def is_upload_allowed(self) -> bool:
        """Whether anything of a recording may be sent."""
        return self.state not in BLOCKED


def parse_windows(texts: Iterable[str]) -> tuple[UploadWindow, ...]:
    """Return the windows of the setting ``[sync] windows`` (its form was checked there)."""
    pairs = (text.split("-") for text in texts)
    return tuple(UploadWindow(time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)


def current_upload_policy(
    settings: SyncSettings, now: datetime, up_mbit: float | None, *, is_hearing_open: bool
) -> UploadPolicy:
    """Return the upload policy of this moment.

    Args:
        settings: ``[sync]``.
        now: the court's local time.
        up_mbit: uplink by the last link check, or None while nothing was measured.
        is_hearing_open: whether a hearing is open in this room, captured or not.
    """
    windows = parse_windows(settings.windows)
    if windows and not any(
        window.contains(now.timetz().replace(tzinfo=None)) for window in windows
    ):
        return UploadPolicy("outside_window", until=_next_start(windows, now))
    if is_hearing_open and settings.during_hearing == "paused":
        return UploadPolicy("paused")
    cap = int(settings.cap_mbit * BYTES_PER_MBIT)
    paced_rate = pacing_rate(up_mbit, is_hearing_open=is_hearing_open)
    rate = min((limit for limit in (cap, paced_rate) if limit), default=UNLIMITED)
    if paced_rate and rate == paced_rate:
        return UploadPolicy("paced", rate)
    return UploadPolicy("capped", rate) if rate else UploadPolicy()


def _next_start(windows: tuple[UploadWindow, ...], now: datetime) -> datetime:
    starts = []
    for window in windows:
        start = now.replace(hour=window.start.hour, minute=window.start.minute, second=0)
        start = start.replace(microsecond=0)
        starts.append(start if start > now else start + timedelta(days=1))
    return min(starts)
