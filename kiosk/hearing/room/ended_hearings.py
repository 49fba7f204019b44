"""Remembers which hearings have ended here today, so that the hall's display can say so.

A hearing that is postponed may come back another day under its id: ids are kept for one day.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from kiosk.storage.atomic_io import read_json_or_none, write_json


class EndedHearings:
    """Ids of the hearings that ended on one day.

    Args:
        path: JSON file; one that cannot be read counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        known = read_json_or_none(path) or {}
        ids = known.get("hearings", [])
        self._day = str(known.get("day", ""))
        self._ids = frozenset(map(str, ids)) if isinstance(ids, list) else frozenset()

    def on(self, day: date) -> frozenset[str]:
        """Return the ids of those that ended on ``day``, of which only the newest is known."""
        with self._lock:
            return self._ids if self._day == day.isoformat() else frozenset()

    def add(self, ids: Iterable[str], day: date) -> None:
        """Remember ``ids``, in memory until :meth:`save`."""
        with self._lock:
            known = self._ids if self._day == day.isoformat() else frozenset()
            self._day, self._ids = day.isoformat(), known | frozenset(ids)

    def save(self) -> None:
        """Write what is remembered.

        Raises:
            StorageError: the disk cannot take it now.
        """
        with self._lock:
            write_json(self._path, {"day": self._day, "hearings": sorted(self._ids)})
