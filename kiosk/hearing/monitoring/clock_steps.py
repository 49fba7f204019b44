"""Detects steps of the wall clock, forwards or backwards.

Media are timed by the recording clock and do not move; but anyone who compares the times of marks
with a watch must know of the step.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.clocks import NS_PER_S, recording_ns

MIN_STEP_NS = NS_PER_S // 4
"""Slewing (at most 500 ppm) moves a clock far less than this between two polls."""
ALARM_NS = 300 * NS_PER_S
"""How long the alarm is shown."""


class ClockStepDetector:
    """Compares the wall clock with the recording clock.

    Args:
        wall: wall time, ns since 1970.
        clock: the recording clock, ns.
    """

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, clock: Callable[[], int] = recording_ns
    ) -> None:
        self._wall, self._clock = wall, clock
        self._offset_ns = self._offset()
        self._stepped_ns: int | None = None

    def _offset(self) -> int:
        """Return wall time minus recording clock, from the reading with the least delay."""
        best: tuple[int, int] | None = None
        for _ in range(3):
            before = self._clock()
            wall, after = self._wall(), self._clock()
            width = after - before
            if best is None or width < best[0]:
                best = (width, wall - before - width // 2)
        assert best is not None
        return best[1]

    def poll(self) -> float | None:
        """Return the seconds by which the clock has stepped since the last poll, or None."""
        offset_ns = self._offset()
        step_ns, self._offset_ns = offset_ns - self._offset_ns, offset_ns
        if abs(step_ns) < MIN_STEP_NS:
            return None
        self._stepped_ns = self._clock()
        return round(step_ns / NS_PER_S, 3)

    @property
    def has_stepped(self) -> bool:
        """Whether the clock has stepped a short while ago."""
        moment = self._stepped_ns
        return moment is not None and self._clock() - moment < ALARM_NS
