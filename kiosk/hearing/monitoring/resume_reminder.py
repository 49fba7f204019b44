"""Reminds that nothing is recorded when nobody resumes after a recess or a retirement.

It runs on the recording clock: a step of the wall clock neither triggers nor delays it. How long an
interruption had lasted before this boot nobody can tell for certain: it begins again then.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.api import recorder as api
from kiosk.api.states import Phase
from kiosk.clocks import NS_PER_S, boot_id, recording_ns

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

    def poll(self, phase: Phase, stopped_at: str, stopped_ns: int = 0, boot: str = "") -> bool:
        """Check the phase; return whether another reminder is due now.

        Args:
            stopped_at: wall time of the stop; it identifies the interruption.
            stopped_ns, boot: the stop on the recording clock of that boot: after a restart of the
                recorder it shows how long the interruption has lasted.
        """
        if phase not in STOPPED:
            self._stopped_at, self.count = "", 0
            return False
        now_ns = self._clock()
        if stopped_at != self._stopped_at or not self._stopped_at:
            self._stopped_at, self.count = stopped_at or "?", 0
            is_same_boot = bool(boot) and boot == boot_id()
            self._since_ns = min(now_ns, stopped_ns) if is_same_boot else now_ns
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
