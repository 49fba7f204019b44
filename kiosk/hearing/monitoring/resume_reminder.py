"""Reminds that nothing is recorded when nobody resumes after a recess or a retirement.

It runs on the recording clock: a step of the wall clock neither triggers nor delays it.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.api import recorder as api
from kiosk.api.states import Phase
from kiosk.clocks import NS_PER_S, parse_wall, recording_ns, wall_time

STOPPED = (Phase.RECESS, Phase.RETIRED)


class ResumeReminder:
    """Counts the reminders of one interruption.

    Args:
        minutes: from the stop to the first reminder, and from each reminder to the next.

    Attributes:
        count: reminders so far in this interruption; 0: none was due.
    """

    def __init__(self, minutes: float, clock: Callable[[], int] = recording_ns) -> None:
        self._every_ns = round(minutes * 60 * NS_PER_S)
        self._clock = clock
        self._stopped_at = ""
        self._since_ns = 0
        self.count = 0

    def poll(self, phase: Phase, stopped_at: str) -> bool:
        """Check the phase; return whether another reminder is due now.

        Args:
            stopped_at: wall time of the stop; it identifies the interruption, and after a restart
                shows how long it has lasted.
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
    """Return the time from the wall time ``text`` to now; 0 if it is no time or in the future."""
    moment = parse_wall(text)
    seconds = (wall_time() - moment).total_seconds() if moment is not None else 0.0
    return round(max(0.0, seconds) * NS_PER_S)
