"""How loud speech usually is at each microphone: what a much quieter voice is compared with.

Kept is one number for each microphone and hearing, of the last hearings: no sound, no name. A
hearing counts where enough was said; the median of the last ones is what is usual. A new gain is
usual after half of them.
"""

from __future__ import annotations

import logging
import math
import statistics
import threading
from collections.abc import Iterable
from pathlib import Path

from kiosk.api.speech import SpeechTotal
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import read_json_or_none, write_json

log = logging.getLogger(__name__)
HEARINGS, NEEDED = 10, 3
"""So many are kept for each microphone; of fewer than the second nothing is said to be usual."""
LEAST_SECONDS = 20.0
"""Of speech at a microphone in a hearing; less is not kept."""
LOWEST_DB, HIGHEST_DB = -120.0, 6.0


class SpeechLevels:
    """Levels of the last hearings.

    Args:
        path: JSON file; what cannot be read of it counts as absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        known = read_json_or_none(path) or {}
        self._levels = {name: found for name, rows in known.items() if (found := _levels(rows))}

    def usual(self, name: str) -> float | None:
        """Return the usual level (dB of full scale) at a microphone; None: not known yet."""
        with self._lock:
            rows = self._levels.get(name, ())
            return statistics.median(rows) if len(rows) >= NEEDED else None

    def add(self, totals: Iterable[SpeechTotal]) -> None:
        """Take what was said in a hearing, and write it; without a disk it is only remembered."""
        new = {
            row.source: row.level_db
            for row in totals
            if row.level_db is not None and row.seconds >= LEAST_SECONDS
        }
        if not new:
            return
        with self._lock:
            for name, level_db in new.items():
                self._levels[name] = (*self._levels.get(name, ()), level_db)[-HEARINGS:]
            try:
                write_json(self._path, self._levels)
            except StorageError as error:
                log.warning("levels of speech are not kept: %s", error)


def _levels(rows: object) -> tuple[float, ...]:
    """Return the levels in ``rows`` of a file, those that can be some."""
    found = rows if isinstance(rows, list) else []
    numbers = [row for row in found if type(row) in (int, float) and math.isfinite(row)]
    return tuple(float(row) for row in numbers if LOWEST_DB <= row <= HIGHEST_DB)[-HEARINGS:]
