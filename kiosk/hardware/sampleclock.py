"""When a sample was captured: from delivery times that jitter to a steady recording clock.

A sound card counts samples by its own crystal and delivers blocks late by a varying amount, but
never early. The smallest lateness seen is therefore the truth; it is followed at once downwards
and released upwards slowly enough not to follow jitter, fast enough to follow any crystal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

NS_PER_S = 1_000_000_000
SETTLE_NS = 250_000_000
"""The first blocks are held this long, so that the first stamp is already a good one."""
LATE_NS = 20_000_000
"""A block later than this waits until it is known to be backlog, or samples to be lost."""
RESOLVE_NS = 250_000_000
"""After this long lateness counts as lost samples."""
RELEASE_PPM = 300.0
"""Crystals differ from the system clock by at most this much."""
SMOOTHING_S = 1.0


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
    _lateness: float | None = None
    _smooth: float = 0.0
    _settled: bool = False
    _held: list[_Held] = field(default_factory=list)

    def push(self, arrival_ns: int, frames: int, data: bytes) -> Iterator[StampedBlock]:
        """Take a block that arrived at ``arrival_ns``; yield the blocks whose time is known."""
        start = self._index
        self._index += frames
        late = arrival_ns - self._index * NS_PER_S / self.rate
        self._held.append(_Held(arrival_ns, late, start, frames, data))
        if not self._settled:
            if arrival_ns - self._held[0].arrival_ns < SETTLE_NS:
                return
            self._settled = True
            self._anchor()
        elif self._lateness is not None and abs(late - self._lateness) > LATE_NS:
            if late > self._lateness and self._held_for(arrival_ns) < RESOLVE_NS:
                return
            self.epoch += 1
            self._anchor()
        else:
            self._follow(late, frames)
        yield from self._release()

    def _held_for(self, now_ns: int) -> int:
        return now_ns - self._held[0].arrival_ns

    def _anchor(self) -> None:
        """Take the least lateness of the held blocks as the truth."""
        self._lateness = self._smooth = min(item.lateness for item in self._held)

    def _follow(self, late: float, frames: int) -> None:
        """Let the truth follow one block that came in time."""
        assert self._lateness is not None
        seconds = frames / self.rate
        release = RELEASE_PPM * 1e3 * seconds  # ns
        self._lateness += min(late - self._lateness, release)
        self._smooth += (self._lateness - self._smooth) * min(1.0, seconds / SMOOTHING_S)

    def _release(self) -> Iterator[StampedBlock]:
        for item in self._held:
            start_ns = round(item.index * NS_PER_S / self.rate + self._smooth)
            yield StampedBlock(self.epoch, item.index, start_ns, item.frames, item.data)
        self._held.clear()
