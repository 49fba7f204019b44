"""Mixes sources with clocks of their own onto the recording clock by resampling.

Every block of a source carries the recording time of its first sample
(:mod:`kiosk.hardware.audio.sample_clock`). Between two of these anchors time is taken as linear.
Each output sample has a fixed time on the recording clock and is interpolated between the input
samples around that time, so that the drift of the devices' clocks does not matter.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock
from kiosk.recording.formats.codecs import AAC_FRAME, MIX_RATE

Mono = NDArray[np.float32]
_NEIGHBOUR_SAMPLES = 2
"""Samples needed on either side of a position between samples."""


def interpolate(samples: Mono, first: float, last: float, count: int) -> Mono:
    """Return ``count`` values at evenly spaced positions from ``first`` towards ``last``.

    Positions are fractional indices; values between samples are on a Catmull-Rom spline.
    """
    values = interpolate_regular(samples, first, last, count)
    if values is not None:
        return values
    positions = first + np.arange(count) * ((last - first) / count)
    whole = np.floor(positions).astype(np.intp)
    fraction = (positions - whole).astype(np.float32)
    return _spline(fraction, *(samples.take(whole + step, mode="clip") for step in range(-1, 3)))


def interpolate_regular(samples: Mono, first: float, last: float, count: int) -> Mono | None:
    """Return the same values faster, for steps close to one sample.

    Return None if the drift crosses a sample, or at an edge.
    """
    base = math.floor(first)
    drift = (last - first) / count - 1.0
    start, end = first - base, first - base + (count - 1) * drift
    if not (0 <= start < 1 and 0 <= end < 1 and base >= 1 and base + count + 2 <= len(samples)):
        return None
    fraction = np.float32(start) + np.arange(count, dtype=np.float32) * np.float32(drift)
    taps = (samples[base + step : base + step + count] for step in range(-1, 3))
    return _spline(fraction, *taps)


def _spline(fraction: Mono, before: Mono, here: Mono, after: Mono, beyond: Mono) -> Mono:
    """Return the Catmull-Rom values at ``fraction`` between ``here`` and ``after``."""
    rise = after - before
    cubic = 3.0 * (here - after) + beyond - before
    square = 2.0 * before - 5.0 * here + 4.0 * after - beyond
    return np.asarray(
        here + 0.5 * fraction * (rise + fraction * (square + fraction * cubic)), np.float32
    )


@dataclass
class _Segment:
    """Samples of one epoch, without a hole, that are still needed, and their anchors."""

    epoch: int
    first: int
    rate: int
    next: int
    samples: Mono = field(default_factory=lambda: np.zeros(0, np.float32))
    new_blocks: list[NDArray[np.int16]] = field(default_factory=list)
    anchor_index: list[int] = field(default_factory=list)
    anchor_ns: list[int] = field(default_factory=list)

    def append(self, block: AudioBlock) -> None:
        self.new_blocks.append(block.samples)
        self.next += len(block.samples)
        self.anchor_index.append(block.index)
        self.anchor_ns.append(block.start_ns)

    @property
    def end_ns(self) -> int:
        """Recording time after the last sample."""
        count = self.next - self.anchor_index[-1]
        return self.anchor_ns[-1] + count * NS_PER_S // self.rate

    def position(self, at_ns: int) -> float:
        """Return the position (index into the samples) of a moment."""
        known = bisect_right(self.anchor_ns, at_ns) - 1
        if known < 0 or known + 1 == len(self.anchor_ns):  # beyond the anchors: nominal rate
            known = max(0, known)
            index = self.anchor_index[known]
            return index + (at_ns - self.anchor_ns[known]) * self.rate / NS_PER_S - self.first
        since, until = self.anchor_ns[known : known + 2]
        index, following = self.anchor_index[known : known + 2]
        part = (at_ns - since) / (until - since)
        return index + part * (following - index) - self.first

    def render(self, first_ns: int, last_ns: int, count: int) -> Mono:
        """Return ``count`` values from ``first_ns`` to ``last_ns``; zero for missing samples."""
        if self.new_blocks:
            added = np.concatenate(self.new_blocks).astype(np.float32)
            added *= 1 / 32768
            self.samples = np.concatenate((self.samples, added))
            self.new_blocks.clear()
        values = interpolate(self.samples, self.position(first_ns), self.position(last_ns), count)
        step = (last_ns - first_ns) / count
        missing = self.anchor_ns[0] - first_ns
        if missing > 0:
            values[: round(missing / step)] = 0
        beyond = last_ns - self.end_ns
        if beyond > 0:
            values[count - round(beyond / step) :] = 0
        return values

    def drop_before(self, before_ns: int) -> None:
        """Drop the samples before the anchor that ``before_ns`` needs."""
        dropped = bisect_right(self.anchor_ns, before_ns) - 1
        if dropped <= 0 or self.new_blocks:
            return
        del self.anchor_index[:dropped], self.anchor_ns[:dropped]
        first = max(self.first, self.anchor_index[0] - _NEIGHBOUR_SAMPLES)
        self.samples = self.samples[first - self.first :]
        self.first = first


class MixInput:
    """One source on its way into the mix."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._segments: list[_Segment] = []

    @property
    def available_until_ns(self) -> int | None:
        """Recording time up to which there are samples, or None."""
        return self._segments[-1].end_ns if self._segments else None

    def push(self, block: AudioBlock) -> None:
        """Add a block."""
        segment = self._segments[-1] if self._segments else None
        if segment is None or segment.epoch != block.epoch or segment.next != block.index:
            segment = _Segment(block.epoch, block.index, self._rate, block.index)
            self._segments.append(segment)
        segment.append(block)

    def render(self, first_ns: int, last_ns: int, count: int) -> Mono | None:
        """Return ``count`` values from ``first_ns`` up to ``last_ns``; None without samples."""
        total: Mono | None = None
        for segment in self._segments:
            if segment.end_ns > first_ns and segment.anchor_ns[0] < last_ns:
                values = segment.render(first_ns, last_ns, count)
                total = values if total is None else total + values
        return total

    def drop_before(self, before_ns: int) -> None:
        """Drop the samples before ``before_ns``."""
        if len(self._segments) > 1:
            ended = [s for s in self._segments[:-1] if s.end_ns > before_ns]
            self._segments = [*ended, self._segments[-1]]
        for segment in self._segments:
            segment.drop_before(before_ns)


@dataclass(frozen=True)
class MixChunk:
    """A chunk of the mix, and the sources in it."""

    samples: Mono
    sources: frozenset[str]


class Mixer:
    """Sums all sources on the recording clock from ``start_ns`` on, without a hole.

    Args:
        start_ns: recording clock of the first output sample.
        rates: sample rate of each source, by name.
    """

    CHUNK_SAMPLES = 4 * AAC_FRAME
    FIRST_CHUNK_SAMPLES = 3 * AAC_FRAME
    """The encoder needs them for its first packet."""
    MAX_WAIT_NS = 350_000_000
    """Maximum wait for a live source; then the mix goes on without it."""

    def __init__(self, start_ns: int, rates: dict[str, int]) -> None:
        self._start_ns = start_ns
        self._inputs = {name: MixInput(rate) for name, rate in rates.items()}
        self._done_samples = 0

    def push(self, name: str, block: AudioBlock) -> None:
        """Add a block of source ``name``."""
        self._inputs[name].push(block)

    def _time_of(self, sample: int) -> int:
        return self._start_ns + sample * NS_PER_S // MIX_RATE

    @property
    def _next_samples(self) -> int:
        return self.CHUNK_SAMPLES if self._done_samples else self.FIRST_CHUNK_SAMPLES

    def is_chunk_ready(self, now_ns: int, live_sources: frozenset[str]) -> bool:
        """Return whether the next chunk has all the samples it can get."""
        end_ns = self._time_of(self._done_samples + self._next_samples)
        if now_ns - end_ns > self.MAX_WAIT_NS:
            return True
        return now_ns > end_ns and self.is_complete_until(end_ns, live_sources)

    def is_complete_until(self, until_ns: int, live_sources: frozenset[str]) -> bool:
        """Return whether all live sources have delivered their samples until ``until_ns``."""
        ends = (self._inputs[name].available_until_ns for name in live_sources)
        return all(end is not None and end >= until_ns for end in ends)

    def read(self, count: int | None = None) -> MixChunk:
        """Return the next chunk, or the next ``count`` samples."""
        count = self._next_samples if count is None else count
        first_ns, last_ns = (
            self._time_of(self._done_samples),
            self._time_of(self._done_samples + count),
        )
        total = np.zeros(count, np.float32)
        sources = []
        for name, source in self._inputs.items():
            values = source.render(first_ns, last_ns, count)
            if values is not None:
                total += values
                sources.append(name)
            source.drop_before(last_ns)
        self._done_samples += count
        return MixChunk(np.clip(total, -1.0, 1.0), frozenset(sources))

    def remaining(self, stop_ns: int) -> int:
        """Return the number of samples from here to ``stop_ns``."""
        return max(0, (stop_ns - self._start_ns) * MIX_RATE // NS_PER_S - self._done_samples)
