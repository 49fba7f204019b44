"""One microphone's sound as the voice model takes it: 16 kHz, without the card's offset."""

from __future__ import annotations

from collections import deque

import av
import numpy as np
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, Floats
from kiosk.hardware.audio.block import Samples

HOLE_NS = NS_PER_S * 4 // 100
"""A longer hole between two blocks begins the sound anew."""
UNHEARD_NS = NS_PER_S // 2
"""In a longer hole somebody may have spoken unheard."""
OFFSET_SHARE = 0.2
"""Share of what came since the last call in the mean that is taken away."""
CLIPPED_LEVEL, CLIPPED_SAMPLES = 32_760, 3
"""So many samples of this size in a row are cut off."""
MAX_WAITING_S = 4
"""What waits at most: of more the oldest blocks are forgotten."""


def clipped_share(samples: Samples) -> float:
    """Return the share of ``samples`` that are cut off: in runs at full scale, up or down.

    The loudest sample of a loud voice is alone, or nearly; of an overdriven one the tops are flat.
    """
    if int(np.max(samples)) < CLIPPED_LEVEL and int(np.min(samples)) > -CLIPPED_LEVEL:
        return 0.0
    return sum(
        _in_runs(side) for side in (samples >= CLIPPED_LEVEL, samples <= -CLIPPED_LEVEL)
    ) / len(samples)


def _in_runs(is_cut: NDArray[np.bool_]) -> int:
    """Return how many are in runs of :data:`CLIPPED_SAMPLES` at least."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_cut, [False]))))
    lengths = edges[1::2] - edges[::2]
    return int(np.sum(lengths[lengths >= CLIPPED_SAMPLES]))


class Channel:
    """Resamples the blocks of one microphone and cuts them into chunks.

    Args:
        rate: sample rate of the microphone in Hz.

    Attributes:
        since_ns: recording clock since which it is listened to without a longer hole.
        clipped: share of the samples of the last :meth:`take` that are cut off at full scale.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._next_ns = self.since_ns = 0
        self.clipped = 0.0
        self._forget()

    def _forget(self) -> None:
        self._blocks: deque[Samples] = deque()
        self._waiting = 0
        self._offset: float | None = None
        self._samples = np.zeros(0, np.float32)
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)

    def push(self, start_ns: int, samples: Samples) -> bool:
        """Take a block; return whether it begins anew, after a hole."""
        if not len(samples):
            return False
        is_new = abs(start_ns - self._next_ns) > HOLE_NS
        if abs(start_ns - self._next_ns) > UNHEARD_NS:
            self.since_ns = start_ns
        if is_new:
            self._forget()
        self._next_ns = start_ns + len(samples) * NS_PER_S // self._rate
        self._blocks.append(samples)
        self._waiting += len(samples)
        while self._waiting > MAX_WAITING_S * self._rate and len(self._blocks) > 1:
            self._waiting -= len(self._blocks.popleft())
            self._samples = self._samples[:0]
            self.since_ns = self._next_ns - self._waiting * NS_PER_S // self._rate
        return is_new

    def take(self) -> Floats:
        """Return the complete chunks that came, oldest first, and forget them."""
        if self._blocks:
            self._samples = np.concatenate((self._samples, *self._resample()))
        complete = len(self._samples) // CHUNK * CHUNK
        taken, self._samples = self._samples[:complete], self._samples[complete:]
        return taken

    def _resample(self) -> list[Floats]:
        """Return the blocks at :data:`RATE`, all in one go: block by block costs twice as much."""
        samples = np.concatenate(self._blocks)
        self._blocks.clear()
        self._waiting = 0
        self.clipped = clipped_share(samples)
        mean = float(np.mean(samples))
        before = mean if self._offset is None else self._offset
        self._offset = before + OFFSET_SHARE * (mean - before)
        frame = av.AudioFrame.from_ndarray(
            np.asarray(samples, np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = self._rate
        shift = np.float32(self._offset / 32768)
        return [piece.to_ndarray()[0] - shift for piece in self._resampler.resample(frame)]

    @property
    def end_ns(self) -> int:
        """Recording clock of the end of the chunks that were taken."""
        return self._next_ns - len(self._samples) * NS_PER_S // RATE
