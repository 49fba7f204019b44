"""Ages of things that are deleted or refused when they are old, by a clock that nobody can set.

A kiosk's wall clock may be wrong by weeks until a time server sets it right; an age that is the
difference of two wall times would then delete a hearing or a visitor's filing at once. These ages
count the seconds that the kiosk ran (``CLOCK_BOOTTIME``) since it first saw the thing. Time
without power counts only between two moments at which the kernel said that the clock was
synchronised. What is not certain makes a thing younger, never older.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from kiosk.clocks import (
    EARLIEST_VALID,
    boot_id,
    boot_seconds,
    format_wall,
    is_synchronised,
    parse_wall,
    wall_time,
)
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json

log = logging.getLogger(__name__)
WRITE_SECONDS = 600.0
"""A power cut makes everything younger by at most this: the disk is spared for it."""
LONGEST_SECONDS = 100 * 366 * 86_400.0


class Ages:
    """Ages by key, in memory and in a file. One thread at a time may use it.

    Args:
        path: the file, of one service alone; if it is lost, all ages begin again.
        uptime: seconds since the boot.
        boot: returns the id of this boot.
        wall: the wall clock.
        is_synchronised: whether the wall clock is right.
    """

    def __init__(
        self,
        path: Path,
        uptime: Callable[[], float] = boot_seconds,
        boot: Callable[[], str] = boot_id,
        wall: Callable[[], datetime] = wall_time,
        is_synchronised: Callable[[], bool] = is_synchronised,
    ) -> None:
        self._path, self._uptime, self._wall = path, uptime, wall
        self._is_synchronised = is_synchronised
        value = read_json_or_none(path) or {}
        self._boot = boot()
        is_same_boot = value.get("boot") == self._boot
        self._last = _seconds(value.get("uptime"), self._uptime()) if is_same_boot else 0.0
        lived = self._lived = _seconds(value.get("lived"), 0.0)
        born, certain = value.get("born"), value.get("certain")
        self._born = {
            kind: {key: min(_seconds(at, lived), lived) for key, at in _items(keys)}
            for kind, keys in _items(born)
        }
        self._certain = certain if isinstance(certain, dict) else {}
        self._written: float | None = None

    def of(self, kind: str, keys: Iterable[str]) -> dict[str, float]:
        """Return the age of each key in seconds, since this was first called with it.

        A key of ``kind`` that is not asked for any more is forgotten. The file is written when
        the keys change, else every ten minutes; a disk that refuses loses ages, which is logged.
        """
        self._advance()
        known = self._born.get(kind, {})
        born = {key: known.get(key, self._lived) for key in keys}
        is_due = self._written is None or self._lived - self._written >= WRITE_SECONDS
        self._born[kind] = born
        if known.keys() != born.keys() or (is_due and any(self._born.values())):
            self._write()
        return {key: max(0.0, self._lived - at) for key, at in born.items()}

    def certain_time(self) -> datetime | None:
        """Return the wall time; None while it cannot be right, or is not called synchronised."""
        wall = self._wall()
        return wall if wall >= EARLIEST_VALID and self._is_synchronised() else None

    def _advance(self) -> None:
        now = self._uptime()
        self._lived += max(0.0, now - self._last)
        self._last = now
        certain, before = self.certain_time(), parse_wall(str(self._certain.get("wall")))
        if certain is None:
            return
        if before and before >= EARLIEST_VALID and self._certain.get("boot") != self._boot:
            since = (certain - before).total_seconds()
            lived = _seconds(self._certain.get("lived"), self._lived - since)
            self._lived = max(self._lived, lived + since)
        self._certain = {
            "wall": format_wall(certain),
            "boot": self._boot,
            "lived": round(self._lived, 3),
        }

    def _write(self) -> None:
        value = {
            "lived": round(self._lived, 3),
            "boot": self._boot,
            "uptime": round(self._last, 3),
            "certain": self._certain,
            "born": self._born,
        }
        try:
            make_folder(self._path.parent)
            write_json(self._path, value, 0o600)
            self._written = self._lived
        except StorageError as error:
            log.warning("ages are not kept: %s", error)


def _items(value: object) -> list[tuple[str, object]]:
    """Return the items of an object that JSON gave; none if it is no object."""
    return list(value.items()) if isinstance(value, dict) else []


def _seconds(value: object, otherwise: float) -> float:
    """Return a count of seconds; ``otherwise`` if it is none, or longer than any kiosk lives."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= LONGEST_SECONDS else otherwise  # type: ignore[operator,arg-type]
