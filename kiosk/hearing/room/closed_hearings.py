"""Remembers which hearings were closed here, so that lists go on hiding their titles.

The list of hearings knows nothing of a hearing that the court closes while it is held, and its
folder is deleted after delivery; the list may still show it then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from kiosk.storage.atomic_io import read_json_or_none, write_json

MOST = 1000
"""Ids that are kept, the newest; a list spans days, no kiosk hears that many in them."""


class ClosedHearings:
    """Ids of ended hearings that were closed, or that touch a state secret.

    Args:
        path: JSON file; one that cannot be read counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        known = (read_json_or_none(path) or {}).get("hearings", [])
        self._ids = [str(name) for name in known] if isinstance(known, list) else []

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, the newest last."""
        return tuple(self._ids)

    def add(self, ids: Iterable[str]) -> None:
        """Remember ``ids``, in memory until :meth:`save`."""
        with self._lock:
            new = [name for name in ids if name not in self._ids]
            self._ids = [*self._ids, *new][-MOST:]

    def save(self) -> None:
        """Write what is remembered.

        Raises:
            StorageError: the disk cannot take it now.
        """
        with self._lock:
            write_json(self._path, {"hearings": self._ids})
