"""Gathers what the forecast needs: uplink, backlog, list of hearings, disk, measured bytes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.clocks import wall_time
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.sync.context import SyncRoom
from kiosk.sync.outbox.request_bodies import part_seconds
from kiosk.sync.polling.heartbeat import queue_of
from kiosk.sync.state.forecast import Coming, Forecast, Outlook, forecast

MEASURE_SECONDS = 900.0
MEASURED_HEARINGS = 5  # the newest ones on the device
LEAST_SECONDS = 60.0  # of recording, for a rate worth believing
HEARING_MINUTES = 60  # where the list does not say


class Foresight:
    """Makes the forecast again and again; what a recording takes is measured now and then.

    Args:
        room: what sync shares.
    """

    def __init__(self, room: SyncRoom) -> None:
        self._room = room
        self._rate = 0.0
        self._measured = float("-inf")

    def look(self, hearings: Iterable[dict[str, Any]]) -> Forecast:
        """Return the forecast; ``hearings`` of the list, as in ``published/schedule.json``."""
        room, settings = self._room, self._room.settings
        keep = timedelta(days=settings.recording.keep_delivered_days)
        leaving = [(moment + keep, size) for moment, size in room.outbox.delivered_sizes("hearing")]
        return forecast(
            Outlook(
                now=wall_time(),
                zone=ZoneInfo(settings.kiosk.timezone),
                settings=settings.sync,
                backlog=queue_of(room)["bytes"],
                up_mbit=room.uplink_mbit(),
                bytes_per_hour=self._bytes_per_hour(),
                hearings=tuple(coming(hearings)),
                free_bytes=shutil.disk_usage(room.layout.data).free - FULL_BYTES,
                leaving=tuple(leaving),
            )
        )

    def _bytes_per_hour(self) -> float:
        if time.monotonic() - self._measured > MEASURE_SECONDS:
            self._measured = time.monotonic()
            settings, folder = self._room.settings, self._room.layout.hearings
            self._rate = measured_bytes_per_hour(folder) or bytes_per_hour(settings)
        return self._rate


def coming(hearings: Iterable[dict[str, Any]]) -> Iterator[Coming]:
    """Yield the hearings of the list that say when they are."""
    for hearing in hearings:
        try:
            start = datetime.fromisoformat(str(hearing["scheduled_at"]))
        except (KeyError, ValueError):
            continue
        minutes = hearing.get("duration_minutes")
        length = minutes if isinstance(minutes, int | float) else HEARING_MINUTES
        if start.tzinfo is not None:
            yield Coming(start, start + timedelta(minutes=length))


def measured_bytes_per_hour(hearings: Path) -> float | None:
    """Return what an hour of recording took in the newest hearings, or None: nothing to measure."""
    if not hearings.is_dir():
        return None
    folders = [folder for folder in hearings.iterdir() if folder.is_dir()]
    newest = sorted(folders, key=lambda folder: folder.stat().st_mtime)[-MEASURED_HEARINGS:]
    size, seconds = 0, 0.0
    for part in (part for folder in newest for part in folder.glob("part-*")):
        length = part_seconds(part / "journal.jsonl")
        if length:
            size += sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
            seconds += length
    return size / seconds * 3600 if seconds >= LEAST_SECONDS else None
