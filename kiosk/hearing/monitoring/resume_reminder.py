"""Reminds that nothing is recorded when nobody resumes after a recess or a retirement.

Counted on the recording clock: moving the wall clock neither brings nor delays it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kiosk.api import recorder as api
from kiosk.api.states import Phase
from kiosk.clocks import NS_PER_S, recording_ns, wall_time

STOPPED = (Phase.RECESS, Phase.RETIRED)


class ResumeReminder:
    """Counts the reminders of one interruption.

    Args:
        minutes: from the stop to the first, and from each to the next.

    Attributes:
        count: reminders so far in this interruption; 0: none is due.
    """

    def __init__(self, minutes: float, clock: Callable[[], int] = recording_ns) -> None:
        self._every_ns = round(minutes * 60 * NS_PER_S)
        self._clock = clock
        self._stopped_at = ""
        self._since_ns = 0
        self.count = 0

    def poll(self, phase: Phase, stopped_at: str) -> bool:
        """Look at the phase; return whether one more reminder is due just now.

        Args:
            stopped_at: wall time of the stop; it tells one interruption from another, and after a
                restart how long it has lasted.
        """
        if phase not in STOPPED:
            self._stopped_at, self.count = "", 0
            return False
        now_ns = self._clock()
        if stopped_at != self._stopped_at or not self._stopped_at:
            self._stopped_at, self.count = stopped_at or "?", 0
            self._since_ns = now_ns - _passed_ns(stopped_at)
        due = (now_ns - self._since_ns) // self._every_ns
        if due <= self.count:
            return False
        self.count = int(due)
        return True

    def state(self) -> api.ResumeReminder | None:
        """Return ``reminder`` of State; None while none is due."""
        return api.ResumeReminder(count=self.count, minutes=self.minutes) if self.count else None

    @property
    def minutes(self) -> float:
        """Minutes since the stop."""
        passed = self._clock() - self._since_ns
        return round(passed / NS_PER_S / 60, 1) if self._stopped_at else 0.0


def _passed_ns(text: str) -> int:
    """Return the time from the wall time ``text`` to now; 0 where it is none or lies ahead."""
    try:
        seconds = (wall_time() - datetime.fromisoformat(text)).total_seconds()
    except ValueError:
        return 0
    return round(max(0.0, seconds) * NS_PER_S)
