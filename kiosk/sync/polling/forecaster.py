"""Gathers the inputs of the forecast: uplink, backlog, schedule, disk, measured bytes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.api.hearing import Hearing
from kiosk.clocks import wall_time
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.sync.context import SyncContext
from kiosk.sync.outbox.request_bodies import part_seconds
from kiosk.sync.polling.heartbeat import queue_state
from kiosk.sync.state.forecast import Forecast, ForecastInput, ScheduledHearing, compute_forecast

MEASURE_SECONDS = 900.0
MEASURED_HEARINGS = 5  # the newest ones on the device
MIN_SECONDS = 60.0  # of recording, for a reliable rate
DEFAULT_MINUTES = 60  # where the schedule gives no duration


class Forecaster:
    """Makes the forecast; measures from time to time how many bytes recordings take.

    Args:
        context: shared state of sync.
    """

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._measured_rate = 0.0
        self._measured_at = float("-inf")

    def forecast(self, hearings: Iterable[Hearing]) -> Forecast:
        """Return the forecast for the hearings of the list."""
        context, settings = self._context, self._context.settings
        keep_delivered = timedelta(days=settings.recording.keep_delivered_days)
        deletions = [
            (moment + keep_delivered, size)
            for moment, size in context.outbox.delivered_sizes("hearing")
        ]
        return compute_forecast(
            ForecastInput(
                now=wall_time(),
                zone=ZoneInfo(settings.kiosk.timezone),
                settings=settings.sync,
                backlog=queue_state(context).bytes,
                up_mbit=context.uplink_mbit(),
                bytes_per_hour=self._bytes_per_hour(),
                hearings=tuple(scheduled_hearings(hearings)),
                free_bytes=shutil.disk_usage(context.paths.data).free - FULL_BYTES,
                deletions=tuple(deletions),
            )
        )

    def _bytes_per_hour(self) -> float:
        if time.monotonic() - self._measured_at > MEASURE_SECONDS:
            self._measured_at = time.monotonic()
            settings, folder = self._context.settings, self._context.paths.hearings
            self._measured_rate = measured_bytes_per_hour(folder) or bytes_per_hour(settings)
        return self._measured_rate


def scheduled_hearings(hearings: Iterable[Hearing]) -> Iterator[ScheduledHearing]:
    """Yield the hearings of the schedule that have a time."""
    for hearing in hearings:
        start = hearing.starts_at
        if start is not None:
            length = timedelta(minutes=hearing.duration_minutes or DEFAULT_MINUTES)
            yield ScheduledHearing(start, start + length)


def measured_bytes_per_hour(hearings: Path) -> float | None:
    """Return the bytes of an hour of recording in the newest hearings; None: none to measure."""
    if not hearings.is_dir():
        return None
    folders = [folder for folder in hearings.iterdir() if folder.is_dir()]
    newest = sorted(folders, key=lambda folder: folder.stat().st_mtime)[-MEASURED_HEARINGS:]
    size, seconds = 0, 0.0
    for part in (part for folder in newest for part in folder.glob("part-*")):
        length = part_seconds(part / JOURNAL_FILE)
        if length:
            size += sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
            seconds += length
    return size / seconds * 3600 if seconds >= MIN_SECONDS else None
