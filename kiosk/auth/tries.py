"""Counts the wrong tries of each person at each place, so that nobody guesses a PIN.

A try is counted **before** it is checked, and its wait begins then: many tries at the same moment,
or a recorder that is killed while it checks, win nothing. Only a right one of the same person at
the same place sets its count back. The counts are in a small file, so that a restart forgets none.

Time is ``CLOCK_BOOTTIME``, which nobody can set: a wrong wall clock neither frees an attacker nor
locks anybody out. After a boot, the wait of each count begins again.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kiosk.auth.person import Place, SignInWaitError
from kiosk.clocks import boot_id, boot_seconds
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, read_json, write_json

log = logging.getLogger(__name__)
FREE_TRIES = 3
"""Wrong PINs of a person before each further one must wait."""
FIRST_WAIT_S, MAX_PIN_WAIT_S = 5.0, 300.0
"""12 tries an hour at the limit: half of all four-digit PINs take 17 days, with an alarm all the
time. A person with a badge never waits."""
FREE_BADGES, MAX_BADGE_WAIT_S = 5, 5.0
"""An unknown badge belongs to nobody, so all share this wait; it is short."""
FORGET_S = 3600.0
"""A count is forgotten an hour after its last try. An attacker who waits for that gets nine tries
an hour, fewer than with the longest wait."""
ALARM_TRIES, ALARM_TRIES_AT_PLACE = 5, 12
MAX_COUNTS = 20_000
"""More than a list has people at two places."""
UNKNOWN, BADGES = "?unknown", "?badges"
"""Counts of persons who are not on the list, and of unknown badges."""


@dataclass
class _Count:
    person: str
    place: str
    wrong: int = 0
    last: float = 0.0
    until: float = 0.0


class TryCounter:
    """The counts, in memory and in a file.

    Args:
        path: the file; it is the recorder's alone.
        clock: seconds since the boot.
        boot: id of this boot.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = boot_seconds,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        self._path = path
        self._clock = clock
        self._boot = boot()
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], _Count] = {}
        self._used: list[str] = []
        self._load()

    def begin(self, person: str, place: Place) -> None:
        """Count a try that is about to be checked.

        Raises:
            SignInWaitError: it comes too soon; it is not counted.
        """
        with self._lock:
            now = self._clock()
            self._forget(now)
            count = self._counts.setdefault((person, place), _Count(person, place))
            if now < count.until:
                raise SignInWaitError(count.until - now)
            count.wrong += 1
            count.last = now
            count.until = now + wait_after(person, count.wrong)
            self._save()

    def wait(self, person: str, place: Place) -> float:
        """Return the seconds until the next try is possible."""
        with self._lock:
            count = self._counts.get((person, place))
            return max(0.0, count.until - self._clock()) if count is not None else 0.0

    def succeed(self, person: str, place: Place) -> None:
        """Note that the try which was counted last was right: the count starts again.

        Unknown badges are no person's: a right badge takes back its own try alone.
        """
        with self._lock:
            count = self._counts.pop((person, place), None)
            if count is not None and person == BADGES and count.wrong > 1:
                self._counts[person, place] = count
                count.wrong -= 1
                count.until = count.last
            self._save()

    def note_use(self, person: str) -> None:
        """Remember that ``person`` has signed in now."""
        with self._lock:
            if self._used[:1] != [person]:
                self._used = [person, *(one for one in self._used if one != person)][:100]
                self._save()

    def recency(self, person: str) -> int:
        """Return a number by which to sort persons: who signed in last comes first."""
        used = self._used  # another thread may put a new list in its place
        return used.index(person) if person in used else len(used)

    def guessed_places(self) -> list[str]:
        """Return the places at which somebody seems to guess: ``screen``, ``command``."""
        with self._lock:
            self._forget(self._clock())
            counts = list(self._counts.values())
        places = sorted({count.place for count in counts})
        return [
            place
            for place in places
            if max(count.wrong for count in counts if count.place == place) >= ALARM_TRIES
            or sum(count.wrong for count in counts if count.place == place) >= ALARM_TRIES_AT_PLACE
        ]

    def _forget(self, now: float) -> None:
        self._counts = {
            key: count for key, count in self._counts.items() if now - count.last < FORGET_S
        }

    def _load(self) -> None:
        try:
            value = read_json(self._path)
            counts = [self._read_count(row) for row in value["counts"][:MAX_COUNTS]]
            used = [str(person) for person in value["used"]]
            boot = value["boot"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            log.error("the counts of wrong tries cannot be read: %s", type(error).__name__)
            return
        if boot != self._boot:
            now = self._clock()
            for count in counts:
                count.last, count.until = now, now + wait_after(count.person, count.wrong)
        self._counts = {(count.person, count.place): count for count in counts}
        self._used = used

    def _read_count(self, row: dict[str, Any]) -> _Count:
        """Return a count of the file; no damage makes a wait longer than a wrong try does.

        Raises:
            ValueError, KeyError, TypeError, OverflowError: it is none.
        """
        now, wrong, last, until = self._clock(), int(row["wrong"]), row["last"], row["until"]
        if not (math.isfinite(last) and math.isfinite(until)):
            raise ValueError("not a time")
        longest = wait_after("", wrong)
        return _Count(
            str(row["person"]), str(row["place"]), wrong, min(last, now), min(until, now + longest)
        )

    def _save(self) -> None:
        value: dict[str, Any] = {
            "boot": self._boot,
            "counts": [asdict(count) for count in self._counts.values()],
            "used": self._used,
        }
        try:
            make_folder(self._path.parent, 0o700)
            write_json(self._path, value, 0o600)
        except StorageError as error:  # a full disk keeps nobody out of a hearing
            log.error("the counts of wrong tries cannot be saved: %s", error)


def wait_after(person: str, wrong: int) -> float:
    """Return the seconds to wait after the ``wrong``-th wrong try in a row."""
    if person == BADGES:
        return 0.0 if wrong < FREE_BADGES else MAX_BADGE_WAIT_S
    if wrong < FREE_TRIES:
        return 0.0
    return min(MAX_PIN_WAIT_S, FIRST_WAIT_S * 2.0 ** min(wrong - FREE_TRIES, 10))
