"""What a line carries, counted where it arrives: medians of windows of 250 ms.

What arrives in one piece (a TLS record of 16 KiB) was on its way since the piece before it: its
bytes are spread over that time. Counted at the moment of arrival they would make steps of
0.5 Mbit/s, which is more than a slow line has.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

WINDOW_S = 0.25
SLOW_START_WINDOWS = 4  # the first second is slow start
MIN_WINDOWS = 4


class ThroughputWindows:
    """Bytes received, by window since the first of them."""

    def __init__(self) -> None:
        self._started_at: float | None = None
        self._windows: list[float] = []
        self.seconds = 0.0  # from the first to the last arrival

    def add(self, size: int, now: float) -> None:
        """Count ``size`` bytes that have arrived at ``now`` (s, monotonic)."""
        if self._started_at is None:
            self._started_at = now
        before, self.seconds = self.seconds, max(self.seconds, now - self._started_at)
        last = int(self.seconds / WINDOW_S)
        while len(self._windows) <= last:
            self._windows.append(0.0)
        elapsed = self.seconds - before
        if elapsed <= 0:
            self._windows[last] += size
            return
        for index in range(int(before / WINDOW_S), last + 1):
            begin, end = max(before, index * WINDOW_S), min(self.seconds, (index + 1) * WINDOW_S)
            self._windows[index] += size * max(0.0, end - begin) / elapsed

    @property
    def complete(self) -> list[int]:
        """The windows that have ended, in bytes."""
        return [round(window) for window in self._windows[: int(self.seconds / WINDOW_S)]]


def median_mbit(windows: Sequence[int]) -> float | None:
    """Return the median rate after the first second in Mbit/s, or None for too short a test."""
    counted = windows[SLOW_START_WINDOWS:]
    if len(counted) < MIN_WINDOWS:
        return None
    return statistics.median(counted) * 8 / WINDOW_S / 1e6
