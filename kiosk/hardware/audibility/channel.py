"""One microphone's sound as the voice model takes it: 16 kHz, without the card's offset."""

from __future__ import annotations

import av
import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, Floats
from kiosk.hardware.audio.block import Samples

HOLE_NS = NS_PER_S * 4 // 100
"""A longer hole between two blocks begins the sound anew."""
UNHEARD_NS = NS_PER_S // 2
"""In a longer hole somebody may have spoken unheard."""
OFFSET_SHARE = 0.2
"""Share of what came since the last call in the mean that is taken away."""
MAX_SAMPLES = 4 * RATE
"""What waits at most: of more the oldest is forgotten."""


class Channel:
    """Resamples the blocks of one microphone and cuts them into chunks.

    Args:
        rate: sample rate of the microphone in Hz.

    Attributes:
        since_ns: recording clock since which it is listened to without a longer hole.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._next_ns = self.since_ns = 0
        self._forget()

    def _forget(self) -> None:
        self._blocks: list[Samples] = []
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
        return is_new

    def take(self) -> Floats:
        """Return the complete chunks that came, oldest first, and forget them."""
        if self._blocks:
            joined = np.concatenate((self._samples, *self._resample()))
            if len(joined) > MAX_SAMPLES:  # the oldest of it is listened to by nobody
                self.since_ns = self._next_ns - MAX_SAMPLES * NS_PER_S // RATE
            self._samples = joined[-MAX_SAMPLES:]
        complete = len(self._samples) // CHUNK * CHUNK
        taken, self._samples = self._samples[:complete], self._samples[complete:]
        return taken

    def _resample(self) -> list[Floats]:
        """Return the blocks at :data:`RATE`, all in one go: block by block costs twice as much."""
        samples = np.concatenate(self._blocks)
        self._blocks = []
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
