"""When the backlog will be empty and when the disk would be full, by simulation. Pure.

The days to come are gone through in steps of five minutes: hearings of the list fill the disk and
the backlog, windows, caps and running hearings say how fast it empties, deliveries leave the disk
when they have stayed as long as the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kiosk.clocks import wall_time
from kiosk.config import Sync
from kiosk.sync.state.upload_policy import permit
from kiosk.sync.transport.pacing import BYTES_PER_MBIT

STEP = timedelta(minutes=5)
HORIZON = timedelta(days=8)
MORNING = time(7)
USABLE_SHARE = 0.9  # of the measured uplink: requests, hashing, urgent things in between


@dataclass(frozen=True)
class Coming:
    """A hearing of the list."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Outlook:
    """What is known now.

    Attributes:
        now: aware wall time.
        zone: the court's.
        settings: ``[sync]``.
        backlog: bytes that wait for delivery.
        up_mbit: measured uplink, or None while nothing was measured.
        bytes_per_hour: of recording, measured or from the bit rates.
        hearings: of the list.
        free_bytes: on the disk, down to what counts as full.
        leaving: ``(when, bytes)`` of delivered recordings that will leave the device.
    """

    now: datetime
    zone: ZoneInfo
    settings: Sync
    backlog: int
    up_mbit: float | None
    bytes_per_hour: float
    hearings: Sequence[Coming] = ()
    free_bytes: int = 0
    leaving: Sequence[tuple[datetime, int]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Forecast:
    """What will be.

    Attributes:
        empty_at: when the backlog is empty for the first time; ``now`` when it is.
        endless: it will not be within :data:`HORIZON` (``empty_at`` is None).
        full_at: when the disk would be full, or None within :data:`HORIZON`.
    """

    empty_at: datetime | None
    endless: bool
    full_at: datetime | None


def forecast(outlook: Outlook) -> Forecast:
    """Return the forecast; without a measured uplink nothing is said about the backlog."""
    empty_at = outlook.now if outlook.backlog <= 0 else None
    full_at = outlook.now if outlook.free_bytes <= 0 else None
    backlog, free = float(outlook.backlog), float(outlook.free_bytes)
    leaving = sorted(outlook.leaving)
    hours = STEP / timedelta(hours=1)
    now = outlook.now
    while now < outlook.now + HORIZON and (empty_at is None or full_at is None):
        running = any(one.start <= now < one.end for one in outlook.hearings)
        after = now + STEP
        if running:
            free -= outlook.bytes_per_hour * hours
            backlog += outlook.bytes_per_hour * hours
        while leaving and leaving[0][0] < after:
            free += leaving.pop(0)[1]
        sent = _bytes_sent(outlook, now, running=running)
        if empty_at is None and sent and backlog <= sent:
            empty_at = now + STEP * (backlog / sent)
        backlog = max(0.0, backlog - sent)
        if full_at is None and free <= 0:
            full_at = after
        now = after
    measured = outlook.up_mbit is not None
    return Forecast(empty_at, measured and empty_at is None, full_at)


def is_late(empty_at: datetime | None, zone: ZoneInfo) -> bool:
    """Say whether a backlog that is empty at ``empty_at`` lasts beyond tomorrow morning."""
    if empty_at is None:
        return False
    tomorrow = wall_time().astimezone(zone).date() + timedelta(days=1)
    return empty_at > datetime.combine(tomorrow, MORNING, tzinfo=zone)


def _bytes_sent(outlook: Outlook, now: datetime, *, running: bool) -> float:
    """Return how many bytes of recordings leave in the step that begins at ``now``."""
    if not outlook.up_mbit:
        return 0.0
    recorder = {"phase": "recording" if running else "idle"}
    allowed = permit(
        outlook.settings, now.astimezone(outlook.zone), recorder, {"up_mbit": outlook.up_mbit}
    )
    if not allowed.given:
        return 0.0
    line = outlook.up_mbit * BYTES_PER_MBIT * USABLE_SHARE
    return (min(line, allowed.rate) if allowed.rate else line) * STEP.total_seconds()
