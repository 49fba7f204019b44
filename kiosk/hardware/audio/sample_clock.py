"""Computes capture times on the recording clock from jittering delivery times.

A sound card counts samples by its own crystal and delivers blocks late by a varying amount, but
never early. So the lower envelope of the blocks' lateness against the nominal rate is a straight
line, and its slope is the crystal's error. The line is fitted to the least lateness of each half
second of the last thirty seconds: no point is below it, and it is the middle edge of their convex
hull.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kiosk.clocks import NS_PER_S

FIRST_HOLD_NS = 250_000_000
"""The first blocks are held this long, so that the first time is already exact."""
SUSPECT_LATENESS_NS = 45_000_000
"""A block later than this waits until it is clear whether it is late or samples were lost.

A device that overruns loses a whole buffer (two blocks, 80 ms). Sound servers deliver several
blocks at once, which looks like jitter of up to a block.
"""
LOSS_AFTER_NS = 250_000_000
"""A block that stays late for this long means lost samples."""
MAX_DRIFT = 500e-6
"""Maximum difference between a crystal and the system clock."""
BUCKET_S = 0.5
BUCKETS = 60
MIN_DRIFT_SPAN_S = 8.0
"""Minimum time to measure drift: over a shorter one, jitter looks like drift."""
SMOOTHING_S = 1.0
STEP_NS = 10_000_000
"""A clock that turns out to be this much too late is set back at once, not smoothly.

The first blocks of a device that was opened on a busy machine are all late.
"""


Point = tuple[float, float]
"""Device time in seconds, lateness in nanoseconds."""


def lower_hull(points: list[Point]) -> list[Point]:
    """Return the lower convex hull of points in the order of their first coordinate."""
    hull: list[Point] = []
    for point in points:
        while len(hull) >= 2:
            (x1, y1), (x2, y2) = hull[-2:]
            if (y2 - y1) * (point[0] - x1) < (point[1] - y1) * (x2 - x1):
                break
            hull.pop()
        hull.append(point)
    return hull


class LatenessEnvelope:
    """The line below the lateness of all blocks of the last thirty seconds."""

    def __init__(self) -> None:
        self._minima: deque[Point] = deque(maxlen=BUCKETS)
        self._bucket = -1
        self._anchor_s = 0.0
        self._anchor_lateness = 0.0
        self._slope = 0.0

    def value(self, seconds: float) -> float:
        """Return the lateness (ns) of a block without delay at that device time."""
        return self._anchor_lateness + self._slope * (seconds - self._anchor_s)

    def push(self, seconds: float, lateness: float) -> None:
        """Add the lateness of a block and fit the line again if needed."""
        bucket = int(seconds / BUCKET_S)
        is_new_bucket = bucket != self._bucket
        if is_new_bucket:
            self._bucket = bucket
            self._minima.append((seconds, lateness))
        elif lateness < self._minima[-1][1]:
            self._minima[-1] = (seconds, lateness)
        if is_new_bucket or lateness < self.value(seconds):
            self._fit()

    def _fit(self) -> None:
        points = list(self._minima)
        length = points[-1][0] - points[0][0]
        if length < MIN_DRIFT_SPAN_S:
            self._slope = 0.0
        else:
            middle = points[0][0] + length / 2
            hull = lower_hull(points)
            right = next(n for n, point in enumerate(hull) if point[0] >= middle)
            (x1, y1), (x2, y2) = hull[right - 1], hull[right]
            limit = MAX_DRIFT * NS_PER_S
            self._slope = max(-limit, min(limit, (y2 - y1) / (x2 - x1)))
        self._anchor_s = points[-1][0]
        self._anchor_lateness = min(y - self._slope * (x - self._anchor_s) for x, y in points)


@dataclass(frozen=True)
class StampedBlock:
    """Samples of a device with their capture time.

    Attributes:
        epoch: counts from 0; a new one begins where samples were lost.
        index: samples of the device before this block.
        start_ns: recording clock of the first sample.
        frames: samples per channel.
        data: interleaved signed 16-bit little-endian samples.
    """

    epoch: int
    index: int
    start_ns: int
    frames: int
    data: bytes


@dataclass
class _PendingBlock:
    arrival_ns: int
    seconds: float
    lateness: float
    index: int
    frames: int
    data: bytes


@dataclass
class SampleClock:
    """Computes the capture times of one open device's blocks.

    Args:
        rate: nominal sample rate in Hz.

    Attributes:
        epoch: see :class:`StampedBlock`; may be set before the first block.
    """

    rate: int
    epoch: int = 0
    _index: int = 0
    _envelope: LatenessEnvelope = field(default_factory=LatenessEnvelope)
    _smoothed_lateness: float = 0.0
    _has_started: bool = False
    _pending: list[_PendingBlock] = field(default_factory=list)

    def push(self, arrival_ns: int, frames: int, data: bytes) -> Iterator[StampedBlock]:
        """Add a block that arrived at ``arrival_ns``; yield the blocks whose time is known."""
        start = self._index
        self._index += frames
        seconds = self._index / self.rate
        lateness = arrival_ns - seconds * NS_PER_S
        self._pending.append(_PendingBlock(arrival_ns, seconds, lateness, start, frames, data))
        if not self._has_started:
            if arrival_ns - self._pending[0].arrival_ns < FIRST_HOLD_NS:
                return
            self._has_started = True
            self._restart_envelope()
        elif abs(lateness - self._envelope.value(seconds)) > SUSPECT_LATENESS_NS:
            too_late = lateness > self._envelope.value(seconds)
            if too_late and arrival_ns - self._pending[0].arrival_ns < LOSS_AFTER_NS:
                return
            self.epoch += 1
            self._restart_envelope()
        else:
            self._envelope.push(seconds, lateness)
            now = self._envelope.value(seconds)
            if self._smoothed_lateness - now > STEP_NS:
                self.epoch += 1
                self._smoothed_lateness = now
            self._smoothed_lateness += (now - self._smoothed_lateness) * min(
                1.0, frames / self.rate / SMOOTHING_S
            )
        yield from self._stamp_pending()

    def _restart_envelope(self) -> None:
        """Restart the envelope at the least lateness of the pending blocks."""
        self._envelope = LatenessEnvelope()
        least = min(self._pending, key=lambda item: item.lateness)
        self._envelope.push(least.seconds, least.lateness)
        self._smoothed_lateness = least.lateness

    def _stamp_pending(self) -> Iterator[StampedBlock]:
        for item in self._pending:
            start_ns = round(item.index * NS_PER_S / self.rate + self._smoothed_lateness)
            yield StampedBlock(self.epoch, item.index, start_ns, item.frames, item.data)
        self._pending.clear()


def join_blocks(blocks: Sequence[StampedBlock], limit: int = 5) -> Iterator[StampedBlock]:
    """Yield ``blocks``, up to ``limit`` consecutive ones joined: fewer to handle."""
    group: list[StampedBlock] = []
    for block in blocks:
        last = group[-1] if group else None
        if last is not None and (
            len(group) == limit
            or block.epoch != last.epoch
            or block.index != last.index + last.frames
        ):
            yield _join_group(group)
            group = []
        group.append(block)
    if group:
        yield _join_group(group)


def _join_group(group: list[StampedBlock]) -> StampedBlock:
    if len(group) == 1:
        return group[0]
    data = b"".join(block.data for block in group)
    return replace(group[0], frames=sum(block.frames for block in group), data=data)
