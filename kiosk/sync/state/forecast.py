"""Forecasts when the backlog will be empty and when the disk would be full. Pure simulation.

It simulates the coming days in steps of five minutes: scheduled hearings fill the disk and the
backlog; windows, caps and running hearings limit the upload rate; delivered hearings leave the disk
after the number of days in the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kiosk.clocks import wall_time
from kiosk.config import SyncSettings
from kiosk.sync.state.upload_policy import current_upload_policy
from kiosk.sync.transport.pacing import BYTES_PER_MBIT

STEP = timedelta(minutes=5)
HORIZON = timedelta(days=8)
MORNING = time(7)
USABLE_SHARE = 0.9  # of the measured uplink: requests, hashing, urgent things in between


@dataclass(frozen=True)
class ScheduledHearing:
    """A hearing of the schedule."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class ForecastInput:
    """Inputs of the forecast.

    Attributes:
        now: aware wall time.
        zone: the court's.
        settings: ``[sync]``.
        backlog: bytes that wait for delivery.
        up_mbit: measured uplink, or None while nothing was measured.
        bytes_per_hour: of recording, measured or from the bit rates.
        hearings: of the schedule.
        free_bytes: on the disk, down to what counts as full.
        deletions: ``(when, bytes)`` of delivered recordings that will be deleted.
    """

    now: datetime
    zone: ZoneInfo
    settings: SyncSettings
    backlog: int
    up_mbit: float | None
    bytes_per_hour: float
    hearings: Sequence[ScheduledHearing] = ()
    free_bytes: int = 0
    deletions: Sequence[tuple[datetime, int]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Forecast:
    """Result of the forecast.

    Attributes:
        empty_at: when the backlog is empty for the first time; ``now`` when it is.
        is_endless: it will not be empty within :data:`HORIZON` (``empty_at`` is None).
        full_at: when the disk would be full, or None within :data:`HORIZON`.
    """

    empty_at: datetime | None
    is_endless: bool
    full_at: datetime | None


def compute_forecast(inputs: ForecastInput) -> Forecast:
    """Return the forecast; without a measured uplink it says nothing about the backlog."""
    empty_at = inputs.now if inputs.backlog <= 0 else None
    full_at = inputs.now if inputs.free_bytes <= 0 else None
    backlog, free = float(inputs.backlog), float(inputs.free_bytes)
    deletions = sorted(inputs.deletions)
    hours = STEP / timedelta(hours=1)
    now = inputs.now
    while now < inputs.now + HORIZON and (empty_at is None or full_at is None):
        is_recording = any(hearing.start <= now < hearing.end for hearing in inputs.hearings)
        step_end = now + STEP
        if is_recording:
            free -= inputs.bytes_per_hour * hours
            backlog += inputs.bytes_per_hour * hours
        while deletions and deletions[0][0] < step_end:
            free += deletions.pop(0)[1]
        sent = _bytes_sent(inputs, now, is_recording=is_recording)
        if empty_at is None and sent and backlog <= sent:
            empty_at = now + STEP * (backlog / sent)
        backlog = max(0.0, backlog - sent)
        if full_at is None and free <= 0:
            full_at = step_end
        now = step_end
    is_measured = inputs.up_mbit is not None
    return Forecast(empty_at, is_measured and empty_at is None, full_at)


def is_late(empty_at: datetime | None, zone: ZoneInfo) -> bool:
    """Return whether a backlog that is empty at ``empty_at`` lasts beyond tomorrow morning."""
    if empty_at is None:
        return False
    tomorrow = wall_time().astimezone(zone).date() + timedelta(days=1)
    return empty_at > datetime.combine(tomorrow, MORNING, tzinfo=zone)


def _bytes_sent(inputs: ForecastInput, now: datetime, *, is_recording: bool) -> float:
    """Return how many bytes of recordings are sent in the step that starts at ``now``."""
    if not inputs.up_mbit:
        return 0.0
    local = now.astimezone(inputs.zone)
    policy = current_upload_policy(
        inputs.settings, local, inputs.up_mbit, is_hearing_open=is_recording
    )
    if not policy.is_upload_allowed:
        return 0.0
    link_rate = inputs.up_mbit * BYTES_PER_MBIT * USABLE_SHARE
    return (min(link_rate, policy.rate) if policy.rate else link_rate) * STEP.total_seconds()
