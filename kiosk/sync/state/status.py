"""Status of sync: link, alarms, progress of the delivery. Thread-safe."""

from __future__ import annotations

import logging
import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from kiosk.api.recorder import Alarm
from kiosk.api.rows import ListReport, ReadRows, report_of
from kiosk.api.sync import CurrentDelivery, Link
from kiosk.clocks import boot_seconds, format_wall
from kiosk.sync.outbox.manifest import KINDS

log = logging.getLogger(__name__)

GOODPUT_SAMPLES, GOODPUT_MIN_SAMPLES = 300, 20  # seconds in which something was sent
LinkState = Literal["up", "down", "unknown"]
LINK_ALARMS = frozenset(
    {"captive_portal", "not_enrolled", "certificate_invalid", "central_contract_unknown"}
)


class AlarmSet:
    """The active alarms, each with the time it was raised.

    Args:
        notify_change: called after each change, in the thread that made it.
    """

    def __init__(self, notify_change: Callable[[], None]) -> None:
        self._notify_change = notify_change
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], str] = {}

    def raise_alarm(self, code: str, source: str = "") -> None:
        """Raise an alarm; an active one stays as it is."""
        with self._lock:
            if (code, source) in self._since:
                return
            self._since[(code, source)] = format_wall()
        self._notify_change()

    def clear(self, code: str, source: str = "") -> None:
        """Clear an alarm."""
        with self._lock:
            if self._since.pop((code, source), None) is None:
                return
        self._notify_change()

    def set(self, code: str, is_active: bool, source: str = "") -> None:
        """Raise or clear an alarm."""
        if is_active:
            self.raise_alarm(code, source)
        else:
            self.clear(code, source)

    def active(self) -> tuple[Alarm, ...]:
        """Return ``State.alarms``."""
        with self._lock:
            return tuple(
                Alarm(code=code, source=source, since=since)
                for (code, source), since in self._since.items()
            )


class ListReports:
    """Lists from the central system of which rows could not be read, and their alarms."""

    def __init__(self, alarms: AlarmSet) -> None:
        self._alarms = alarms
        self._lock = threading.Lock()
        self._reports: dict[str, ListReport] = {}

    def update(self, name: str, read: ReadRows[Any]) -> None:
        """Record how a list was read; raise or clear its alarm, whose source is ``1/12``."""
        code = f"{name}_unreadable"
        with self._lock:
            before = self._reports.pop(name, None)
            if read.problems:
                self._reports[name] = report_of(name, read)
            after = self._reports.get(name)
        if before is not None and (after is None or _counts(after) != _counts(before)):
            self._alarms.clear(code, _counts(before))
        if after is not None and after != before:
            log.warning("%s: %s rows cannot be read completely", name, _counts(after))
            self._alarms.raise_alarm(code, _counts(after))

    def active(self) -> tuple[ListReport, ...]:
        """Return ``State.lists``."""
        with self._lock:
            return tuple(self._reports.values())


def _counts(report: ListReport) -> str:
    return f"{report.unreadable}/{report.rows}"


class LinkStatus:
    """Whether the central system is reachable, since when, and why not.

    Attributes:
        unanswered_since: since when nothing comes back (boot clock, s); None: something does.
    """

    def __init__(self, alarms: AlarmSet, notify_change: Callable[[], None]) -> None:
        self._alarms = alarms
        self._notify_change = notify_change
        self._lock = threading.Lock()
        self._state: LinkState = "unknown"
        self._problem: str | None = None
        self._since = format_wall()
        self._last_contact: str | None = None
        self._alarm: str | None = None
        self.unanswered_since: float | None = None

    @property
    def is_up(self) -> bool:
        """Whether the last exchange succeeded."""
        return self._state == "up"

    def mark_up(self) -> None:
        """Record a successful exchange with the central system."""
        self.unanswered_since = None
        self._set("up", None)

    def mark_down(self, code: str, *, is_unanswered: bool = False) -> None:
        """Record that it was unreachable or refused this kiosk, and why.

        Args:
            is_unanswered: nothing at all came back.
        """
        before = self.unanswered_since
        now = boot_seconds() if before is None else before
        self.unanswered_since = now if is_unanswered else None
        self._set("down", code)

    def _set(self, state: LinkState, problem: str | None) -> None:
        with self._lock:
            now = format_wall()
            if state == "up":
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
            self._alarms.raise_alarm(after)
        self._notify_change()

    def current(self) -> Link:
        """Return ``State.link``."""
        with self._lock:
            return Link(
                state=self._state,
                since=self._since,
                last_contact=self._last_contact,
                problem=self._problem,
            )


def _alarm_for(problem: str | None) -> str | None:
    """Return the alarm for a problem of the link: a specific one or the general one."""
    if problem is None:
        return None
    return problem if problem in LINK_ALARMS else "central_unreachable"


class DeliveryProgress:
    """The items being sent, by worker; the most urgent one is shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deliveries: dict[str, CurrentDelivery] = {}
        self.bytes_sent = 0
        self._sent: deque[tuple[float, int]] = deque(maxlen=GOODPUT_SAMPLES)

    def set(self, worker_name: str, delivery: CurrentDelivery | None) -> None:
        """Record what a worker is sending (None: nothing)."""
        with self._lock:
            before = self._deliveries.pop(worker_name, None)
            if delivery is None:
                return
            self._deliveries[worker_name] = delivery
            if before is not None and before.id == delivery.id:
                fresh = max(0, delivery.done_bytes - before.done_bytes)
                self.bytes_sent += fresh
                self._record_sent(fresh)

    def _record_sent(self, size: int) -> None:
        """Add to the bytes sent in the current second."""
        second = math.floor(time.monotonic())
        if self._sent and self._sent[-1][0] == second:
            size += self._sent.pop()[1]
        self._sent.append((second, size))

    def goodput_mbit(self) -> float | None:
        """Return the median over the seconds of sending in Mbit/s, or None for too few samples."""
        with self._lock:
            sizes = [size for _, size in self._sent]
        return statistics.median(sizes) * 8 / 1e6 if len(sizes) >= GOODPUT_MIN_SAMPLES else None

    def current(self) -> CurrentDelivery | None:
        """Return ``State.delivering``."""
        with self._lock:
            return min(
                self._deliveries.values(),
                key=lambda delivery: KINDS.index(delivery.kind),
                default=None,
            )

    def current_bytes(self, item_id: str) -> int | None:
        """Return the bytes sent of an item, or None when it is not being sent."""
        with self._lock:
            for now in self._deliveries.values():
                if now.id == item_id:
                    return now.done_bytes
        return None
