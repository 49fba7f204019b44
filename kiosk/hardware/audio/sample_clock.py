"""When a sample was captured: from delivery times that jitter to a steady recording clock.

A sound card counts samples by its own crystal and delivers blocks late by a varying amount, but
never early. So the lateness of the blocks against the nominal rate has a lower envelope that is a
straight line: its slope is the crystal's error. The line is fitted to the least lateness of each
half second of the last thirty (no point below it, the edge of their convex hull in the middle).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

NS_PER_S = 1_000_000_000
SETTLE_NS = 250_000_000
"""The first blocks are held this long, so that the first stamp is already a good one."""
LATE_NS = 45_000_000
"""A block later than this waits until it is known to be backlog, or samples to be lost.

A device that overruns loses a whole buffer (two blocks, 66 ms); sound servers deliver in lumps of
their own, which look like jitter of up to a block.
"""
RESOLVE_NS = 250_000_000
"""After this long lateness counts as lost samples."""
LARGEST_DRIFT = 500e-6
"""Crystals differ from the system clock by at most this much."""
BUCKET_S = 0.5
BUCKETS = 60
LEAST_FOR_DRIFT_S = 8.0
"""Over a shorter time jitter looks like drift."""
SMOOTHING_S = 1.0


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


class Envelope:
    """The line below all lateness of the last thirty seconds."""

    def __init__(self) -> None:
        self._least: deque[Point] = deque(maxlen=BUCKETS)
        self._bucket = -1
        self._at = 0.0
        self._level = 0.0
        self._slope = 0.0

    def value(self, seconds: float) -> float:
        """Return the lateness (ns) of a block delivered without delay at that device time."""
        return self._level + self._slope * (seconds - self._at)

    def push(self, seconds: float, lateness: float) -> None:
        """Note the lateness of a block; the line follows where it must."""
        bucket = int(seconds / BUCKET_S)
        fresh = bucket != self._bucket
        if fresh:
            self._bucket = bucket
            self._least.append((seconds, lateness))
        elif lateness < self._least[-1][1]:
            self._least[-1] = (seconds, lateness)
        if fresh or lateness < self.value(seconds):
            self._fit()

    def _fit(self) -> None:
        points = list(self._least)
        length = points[-1][0] - points[0][0]
        if length < LEAST_FOR_DRIFT_S:
            self._slope = 0.0
        else:
            middle = points[0][0] + length / 2
            hull = lower_hull(points)
            right = next(n for n, point in enumerate(hull) if point[0] >= middle)
            (x1, y1), (x2, y2) = hull[right - 1], hull[right]
            limit = LARGEST_DRIFT * NS_PER_S
            self._slope = max(-limit, min(limit, (y2 - y1) / (x2 - x1)))
        self._at = points[-1][0]
        self._level = min(y - self._slope * (x - self._at) for x, y in points)


@dataclass(frozen=True)
class StampedBlock:
    """Samples of a device with their place in time.

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
class _Held:
    arrival_ns: int
    seconds: float
    lateness: float
    index: int
    frames: int
    data: bytes


@dataclass
class SampleClock:
    """Places the blocks of one opened device on the recording clock.

    Args:
        rate: nominal sample rate in Hz.

    Attributes:
        epoch: see :class:`StampedBlock`; may be set before the first block.
    """

    rate: int
    epoch: int = 0
    _index: int = 0
    _envelope: Envelope = field(default_factory=Envelope)
    _smooth: float = 0.0
    _settled: bool = False
    _held: list[_Held] = field(default_factory=list)

    def push(self, arrival_ns: int, frames: int, data: bytes) -> Iterator[StampedBlock]:
        """Take a block that arrived at ``arrival_ns``; yield the blocks whose time is known."""
        start = self._index
        self._index += frames
        seconds = self._index / self.rate
        late = arrival_ns - seconds * NS_PER_S
        self._held.append(_Held(arrival_ns, seconds, late, start, frames, data))
        if not self._settled:
            if arrival_ns - self._held[0].arrival_ns < SETTLE_NS:
                return
            self._settled = True
            self._anchor()
        elif abs(late - self._envelope.value(seconds)) > LATE_NS:
            too_late = late > self._envelope.value(seconds)
            if too_late and arrival_ns - self._held[0].arrival_ns < RESOLVE_NS:
                return
            self.epoch += 1
            self._anchor()
        else:
            self._envelope.push(seconds, late)
            now = self._envelope.value(seconds)
            self._smooth += (now - self._smooth) * min(1.0, frames / self.rate / SMOOTHING_S)
        yield from self._release()

    def _anchor(self) -> None:
        """Begin anew: take the least lateness of the held blocks as the truth."""
        self._envelope = Envelope()
        least = min(self._held, key=lambda item: item.lateness)
        self._envelope.push(least.seconds, least.lateness)
        self._smooth = least.lateness

    def _release(self) -> Iterator[StampedBlock]:
        for item in self._held:
            start_ns = round(item.index * NS_PER_S / self.rate + self._smooth)
            yield StampedBlock(self.epoch, item.index, start_ns, item.frames, item.data)
        self._held.clear()


def joined(blocks: Sequence[StampedBlock], longest: int = 4) -> Iterator[StampedBlock]:
    """Yield ``blocks`` with up to ``longest`` that follow each other made one: fewer to handle."""
    group: list[StampedBlock] = []
    for block in blocks:
        last = group[-1] if group else None
        if last is not None and (
            len(group) == longest
            or block.epoch != last.epoch
            or block.index != last.index + last.frames
        ):
            yield _one(group)
            group = []
        group.append(block)
    if group:
        yield _one(group)


def _one(group: list[StampedBlock]) -> StampedBlock:
    if len(group) == 1:
        return group[0]
    data = b"".join(block.data for block in group)
    return replace(group[0], frames=sum(block.frames for block in group), data=data)
