"""Samples of several clocks on one time line: the mix is resampled, the channels are not.

Every block of a source carries the recording time of its first sample
(:mod:`kiosk.hardware.sampleclock`). Between two of these anchors time runs evenly; so each
output sample of the mix, whose place on the recording clock is fixed, finds its place between
two input samples, whatever the crystals do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.microphones import AudioBlock
from kiosk.recording.codecs import AAC_FRAME, MIX_RATE

Mono = NDArray[np.float32]
_NEIGHBOURS = 2
"""Samples needed on either side of a place between samples."""


def _interpolate(samples: Mono, places: NDArray[np.float64]) -> Mono:
    """Return the values at ``places`` (fractional indices) by Catmull-Rom splines."""
    whole = np.floor(places).astype(np.intp)
    part = (places - whole).astype(np.float32)
    last = len(samples) - 1
    before, here, after, beyond = (
        samples[np.clip(whole + step, 0, last)] for step in (-1, 0, 1, 2)
    )
    cubic = 3.0 * (here - after) + beyond - before
    square = 2.0 * before - 5.0 * here + 4.0 * after - beyond
    curve = here + 0.5 * part * (after - before + part * (square + part * cubic))
    return np.asarray(curve, dtype=np.float32)


@dataclass
class _Stretch:
    """Samples of one epoch that are still needed, with their anchors."""

    epoch: int
    first: int
    samples: Mono
    anchor_index: list[int] = field(default_factory=list)
    anchor_ns: list[int] = field(default_factory=list)

    def append(self, block: AudioBlock) -> None:
        self.samples = np.concatenate((self.samples, block.samples.astype(np.float32) / 32768))
        self.anchor_index.append(block.index)
        self.anchor_ns.append(block.start_ns)

    def end_ns(self, rate: int) -> int:
        """Return the recording time after the last sample."""
        count = self.first + len(self.samples) - self.anchor_index[-1]
        return self.anchor_ns[-1] + count * NS_PER_S // rate

    def render(self, times_ns: NDArray[np.float64], rate: int) -> tuple[Mono, NDArray[np.bool_]]:
        """Return the values at ``times_ns`` and where there are any."""
        end_index, end_ns = self.first + len(self.samples), self.end_ns(rate)
        anchors_ns = np.array([*self.anchor_ns, end_ns], dtype=np.float64)
        anchors = np.array([*self.anchor_index, end_index], dtype=np.float64)
        inside = (times_ns >= anchors_ns[0]) & (times_ns < anchors_ns[-1])
        places = np.interp(times_ns, anchors_ns, anchors) - self.first
        return np.where(inside, _interpolate(self.samples, places), np.float32(0)), inside

    def forget(self, before_ns: int) -> None:
        """Drop what lies before the anchor that ``before_ns`` needs."""
        keep = 0
        while keep + 1 < len(self.anchor_ns) and self.anchor_ns[keep + 1] <= before_ns:
            keep += 1
        if keep:
            del self.anchor_index[:keep], self.anchor_ns[:keep]
            first = max(self.first, self.anchor_index[0] - _NEIGHBOURS)
            self.samples = self.samples[first - self.first :]
            self.first = first


class MixInput:
    """One source on its way into the mix."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._stretches: list[_Stretch] = []

    @property
    def covered_ns(self) -> int | None:
        """Recording time up to which there are samples, or None."""
        return self._stretches[-1].end_ns(self._rate) if self._stretches else None

    def push(self, block: AudioBlock) -> None:
        """Take a block."""
        last = self._stretches[-1] if self._stretches else None
        if (
            last is None
            or last.epoch != block.epoch
            or last.first + len(last.samples) != block.index
        ):
            last = _Stretch(block.epoch, block.index, np.zeros(0, np.float32))
            self._stretches.append(last)
        last.append(block)

    def render(self, times_ns: NDArray[np.float64]) -> Mono | None:
        """Return the samples at ``times_ns`` (zero where there are none), or None for nothing."""
        total: Mono | None = None
        for stretch in self._stretches:
            if stretch.end_ns(self._rate) <= times_ns[0] or stretch.anchor_ns[0] > times_ns[-1]:
                continue
            values, inside = stretch.render(times_ns, self._rate)
            total = values if total is None else np.where(inside, values, total)
        return total

    def forget(self, before_ns: int) -> None:
        """Drop what lies before ``before_ns``."""
        self._stretches = [
            stretch
            for stretch in self._stretches
            if stretch is self._stretches[-1] or stretch.end_ns(self._rate) > before_ns
        ]
        for stretch in self._stretches:
            stretch.forget(before_ns)


@dataclass(frozen=True)
class MixChunk:
    """A piece of the mix, and who is in it."""

    samples: Mono
    sources: frozenset[str]


class Mix:
    """Sums all sources on the recording clock, from ``start_ns`` on, without a hole.

    Args:
        start_ns: recording clock of the first output sample.
        rates: sample rate of each source, by name.
    """

    CHUNK = 2 * AAC_FRAME
    DEADLINE_NS = 350_000_000
    """So long a living source is waited for; then the mix goes on without it."""

    def __init__(self, start_ns: int, rates: dict[str, int]) -> None:
        self._start_ns = start_ns
        self._inputs = {name: MixInput(rate) for name, rate in rates.items()}
        self._done = 0

    def push(self, name: str, block: AudioBlock) -> None:
        """Take a block of source ``name``."""
        self._inputs[name].push(block)

    def _time(self, sample: int) -> int:
        return self._start_ns + sample * NS_PER_S // MIX_RATE

    def ready(self, now_ns: int, living: frozenset[str]) -> bool:
        """Tell whether the next chunk has all it can get."""
        end_ns = self._time(self._done + self.CHUNK)
        if now_ns - end_ns > self.DEADLINE_NS:
            return True
        return now_ns > end_ns and self.covers(end_ns, living)

    def covers(self, until_ns: int, living: frozenset[str]) -> bool:
        """Tell whether all living sources have given their samples until ``until_ns``."""
        ends = (self._inputs[name].covered_ns for name in living)
        return all(end is not None and end >= until_ns for end in ends)

    def next(self, count: int | None = None) -> MixChunk:
        """Return the next :data:`CHUNK` (or ``count``) samples."""
        count = self.CHUNK if count is None else count
        first = self._time(self._done)
        times = first + np.arange(count, dtype=np.float64) * (NS_PER_S / MIX_RATE)
        total = np.zeros(count, np.float32)
        heard = []
        for name, source in self._inputs.items():
            values = source.render(times)
            if values is not None:
                total += values
                heard.append(name)
        self._done += count
        for source in self._inputs.values():
            source.forget(self._time(self._done))
        return MixChunk(np.clip(total, -1.0, 1.0), frozenset(heard))

    def rest(self, stop_ns: int) -> int:
        """Return the samples from here to ``stop_ns``."""
        return max(0, (stop_ns - self._start_ns) * MIX_RATE // NS_PER_S - self._done)
