"""Detects from capture and arrival times of its pictures whether an encoder is too slow.

A slow encoder either skips pictures (picamera2's and the virtual camera's run in the camera's own
loop) or lets its queue grow, so that pictures arrive later and later.
"""

from __future__ import annotations

from collections import deque

from kiosk.clocks import NS_PER_S

WINDOW_NS = 2 * NS_PER_S
"""Time for which pictures are counted."""
LATE_NS = NS_PER_S // 2
"""If every picture of half a second is later than this, the queue has grown."""
SLOW_AFTER_NS = NS_PER_S // 2
MISSING_SHARE = 0.2
RECOVERED_SHARE = 0.05
"""Share of missing pictures at which it becomes slow and recovers again."""


class EncoderMonitor:
    """Monitors one encoder.

    Args:
        fps: pictures a second that it should deliver.

    Attributes:
        is_slow: whether it is too slow now.
    """

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self.reset()

    def reset(self) -> None:
        """Forget all pictures: another encoder starts."""
        self.is_slow = False
        self._missing: deque[tuple[int, int]] = deque()
        self._first_ns: int | None = None
        self._last_ns = 0
        self._late_since_ns: int | None = None

    def push(self, captured_ns: int, arrival_ns: int) -> int:
        """Count a picture; return how many are missing before it.

        A gap of a second or more means a frozen camera, not a slow encoder.
        """
        missing = 0
        if self._first_ns is None:
            self._first_ns = captured_ns
        else:
            missing = max(0, round((captured_ns - self._last_ns) * self._fps / NS_PER_S) - 1)
        self._last_ns = captured_ns
        if missing < self._fps:
            self._missing.append((captured_ns, missing))
        while self._missing and captured_ns - self._missing[0][0] > WINDOW_NS:
            self._missing.popleft()
        is_late = arrival_ns - captured_ns > LATE_NS
        if not is_late:
            self._late_since_ns = None
        elif self._late_since_ns is None:
            self._late_since_ns = captured_ns
        self._update(captured_ns)
        return missing

    def _update(self, now_ns: int) -> None:
        since = self._late_since_ns
        is_late = since is not None and now_ns - since >= SLOW_AFTER_NS
        lost = sum(number for _, number in self._missing)
        share = lost / (lost + max(1, len(self._missing)))
        assert self._first_ns is not None
        is_known = now_ns - self._first_ns >= WINDOW_NS // 2
        limit = RECOVERED_SHARE if self.is_slow else MISSING_SHARE
        self.is_slow = is_late or (is_known and share > limit)
