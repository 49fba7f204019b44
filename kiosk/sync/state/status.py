"""What sync knows about itself: the link, the alarms, what is being sent. Thread-safe."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiosk.clocks import wall_text
from kiosk.sync.outbox.manifest import KINDS

GOODPUT_SAMPLES, GOODPUT_LEAST = 300, 20  # seconds in which something was sent
UP, DOWN, UNKNOWN = "up", "down", "unknown"
LINK_ALARMS = frozenset(
    {"captive_portal", "not_enrolled", "certificate_invalid", "central_contract_unknown"}
)


class AlarmSet:
    """The alarms in force, each with the moment it came up.

    Args:
        changed: called after each change, from whichever thread made it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], str] = {}

    def raise_(self, code: str, source: str = "") -> None:
        """Bring an alarm up (again: nothing changes)."""
        with self._lock:
            if (code, source) in self._since:
                return
            self._since[(code, source)] = wall_text()
        self._changed()

    def clear(self, code: str, source: str = "") -> None:
        """Take an alarm back."""
        with self._lock:
            if self._since.pop((code, source), None) is None:
                return
        self._changed()

    def put(self, code: str, on: bool, source: str = "") -> None:
        """Bring an alarm up, or take it back."""
        if on:
            self.raise_(code, source)
        else:
            self.clear(code, source)

    def listed(self) -> list[dict[str, str]]:
        """Return the alarms as in ``State.alarms``."""
        with self._lock:
            return [
                {"code": code, "source": source, "since": since}
                for (code, source), since in self._since.items()
            ]


class LinkStatus:
    """Whether the central system can be talked to, since when, and what stands in the way."""

    def __init__(self, alarms: AlarmSet, changed: Callable[[], None]) -> None:
        self._alarms = alarms
        self._changed = changed
        self._lock = threading.Lock()
        self._state = UNKNOWN
        self._problem: str | None = None
        self._since = wall_text()
        self._last_contact: str | None = None
        self._alarm: str | None = None

    @property
    def is_up(self) -> bool:
        """Whether the last exchange succeeded."""
        return self._state == UP

    def worked(self) -> None:
        """Note that the central system answered as it should."""
        self._set(UP, None)

    def failed(self, code: str) -> None:
        """Note that it could not be reached or did not take this kiosk, and why."""
        self._set(DOWN, code)

    def _set(self, state: str, problem: str | None) -> None:
        with self._lock:
            now = wall_text()
            if state == UP:
                self._last_contact = now
            if (state, problem) == (self._state, self._problem):
                return
            if state != self._state:
                self._since = now
            self._state, self._problem = state, problem
            before, self._alarm = self._alarm, _alarm_for(problem)
            after = self._alarm
        if before is not None and before != after:
            self._alarms.clear(before)
        if after is not None:
            self._alarms.raise_(after)
        self._changed()

    def listed(self) -> dict[str, Any]:
        """Return ``State.link``."""
        with self._lock:
            return {
                "state": self._state,
                "since": self._since,
                "last_contact": self._last_contact,
                "problem": self._problem,
            }


def _alarm_for(problem: str | None) -> str | None:
    """Return the alarm for a problem of the link: an exact one or the general one."""
    if problem is None:
        return None
    return problem if problem in LINK_ALARMS else "central_unreachable"


@dataclass(frozen=True)
class Delivering:
    """What is being sent now."""

    id: str
    kind: str
    done_bytes: int
    total_bytes: int


class Progress:
    """What is being sent, by deliverer; the most urgent one is shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: dict[str, Delivering] = {}
        self.bytes_sent = 0
        self._sent: deque[tuple[float, int]] = deque(maxlen=GOODPUT_SAMPLES)

    def set(self, deliverer: str, delivering: Delivering | None) -> None:
        """Note what ``deliverer`` is sending (None: nothing)."""
        with self._lock:
            before = self._now.pop(deliverer, None)
            if delivering is None:
                return
            self._now[deliverer] = delivering
            if before is not None and before.id == delivering.id:
                fresh = max(0, delivering.done_bytes - before.done_bytes)
                self.bytes_sent += fresh
                self._note(fresh)

    def _note(self, size: int) -> None:
        """Keep how many bytes were sent in each of the last seconds in which any were."""
        second = math.floor(time.monotonic())
        if self._sent and self._sent[-1][0] == second:
            size += self._sent.pop()[1]
        self._sent.append((second, size))

    def goodput_mbit(self) -> float | None:
        """Return the median of the seconds of sending in Mbit/s, or None for too few of them."""
        with self._lock:
            sizes = [size for _, size in self._sent]
        return statistics.median(sizes) * 8 / 1e6 if len(sizes) >= GOODPUT_LEAST else None

    def listed(self) -> dict[str, Any] | None:
        """Return ``State.delivering``."""
        with self._lock:
            now = min(self._now.values(), key=lambda one: KINDS.index(one.kind), default=None)
        if now is None:
            return None
        return {
            "id": now.id,
            "kind": now.kind,
            "done_bytes": now.done_bytes,
            "total_bytes": now.total_bytes,
        }

    def live_bytes(self, item_id: str) -> int | None:
        """Return the bytes of an item that are sent now, or None when it is not being sent."""
        with self._lock:
            for now in self._now.values():
                if now.id == item_id:
                    return now.done_bytes
        return None
