"""How loud speech usually is at each microphone: what a much quieter voice is compared with.

Kept is one number for each microphone and hearing, of the last hearings, and the one of the
sentence that was said at the seat at commissioning: no sound, no name. A hearing counts where
enough was said; the median of the last ones is what is usual, and until there are enough of them
what commissioning found. A new gain is usual after half of them; a new commissioning begins anew.
"""

from __future__ import annotations

import logging
import statistics
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kiosk.api.reports import TestedCheck
from kiosk.api.speech import SpeechTotal
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import read_json_or_none, write_json

log = logging.getLogger(__name__)
HEARINGS, NEEDED = 10, 3
"""So many are kept for each microphone; of fewer than the second nothing is said to be usual."""
LEAST_SECONDS = 20.0
"""Of speech at a microphone in a hearing; less is not kept."""
LOWEST_DB, HIGHEST_DB = -120.0, 6.0


@dataclass(frozen=True)
class MicrophoneLevels:
    """What is known of one microphone, dB of full scale.

    Attributes:
        commissioned: when its sentence was said at commissioning; empty: never.
        commissioning: level of that sentence; None: none was heard.
        hearings: levels of the last hearings since then, the newest last.
    """

    commissioned: str = ""
    commissioning: float | None = None
    hearings: tuple[float, ...] = ()

    @property
    def usual(self) -> float | None:
        """The usual level; None: not known yet."""
        enough = len(self.hearings) >= NEEDED
        return statistics.median(self.hearings) if enough else self.commissioning


class SpeechLevels:
    """Levels of commissioning and of the last hearings.

    Args:
        path: JSON file; what cannot be read of it counts as absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        known = read_json_or_none(path) or {}
        self._levels = {name: _read(row) for name, row in known.items()}

    def usual(self, name: str) -> float | None:
        """Return the usual level (dB of full scale) at a microphone; None: not known yet."""
        with self._lock:
            return self._of(name).usual

    def add(self, totals: Iterable[SpeechTotal]) -> None:
        """Take what was said in a hearing, and write it; without a disk it is only remembered."""
        new = {
            row.source: row.level_db
            for row in totals
            if row.level_db is not None and row.seconds >= LEAST_SECONDS
        }
        with self._lock:
            changed = {
                name: replace(before, hearings=(*before.hearings, level_db)[-HEARINGS:])
                for name, level_db in new.items()
                for before in (self._of(name),)
            }
            self._keep(changed)

    def begin_anew(self, results: Iterable[TestedCheck]) -> None:
        """Take what was said at the seats at a commissioning, in place of what was known.

        A commissioning of other devices brings the same result of the microphones once more: it
        changes nothing.

        Args:
            results: of the commissioning's checks; that of the microphones counts if it passed.
        """
        with self._lock:
            changed = {
                name: found
                for row in results
                if row.check == "microphones" and row.state == "passed"
                for name, measured in row.measured.items()
                for found in (_commissioned(row.at, measured),)
                if self._of(name).commissioned != found.commissioned
            }
            self._keep(changed)

    def _of(self, name: str) -> MicrophoneLevels:
        return self._levels.get(name, MicrophoneLevels())

    def _keep(self, changed: Mapping[str, MicrophoneLevels]) -> None:
        if not changed:
            return
        self._levels |= changed
        try:
            write_json(self._path, {name: asdict(row) for name, row in self._levels.items()})
        except StorageError as error:
            log.warning("levels of speech are not kept: %s", error)


def _commissioned(at: str, measured: object) -> MicrophoneLevels:
    spoken = measured.get("speech_db") if isinstance(measured, dict) else None
    return MicrophoneLevels(at, _level(spoken))


def _read(row: object) -> MicrophoneLevels:
    """Return what a file says of a microphone, as far as it can be; a list is of hearings alone."""
    fields: dict[str, Any] = row if isinstance(row, dict) else {"hearings": row}
    rows, at = fields.get("hearings"), fields.get("commissioned")
    hearings = [
        level
        for one in (rows if isinstance(rows, list) else [])
        if (level := _level(one)) is not None
    ]
    return MicrophoneLevels(
        at if isinstance(at, str) else "",
        _level(fields.get("commissioning")),
        tuple(hearings[-HEARINGS:]),
    )


def _level(value: object) -> float | None:
    """Return ``value`` as a level, dB of full scale; None: it can be none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if LOWEST_DB <= value <= HIGHEST_DB else None  # however many digits it has
