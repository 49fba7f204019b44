"""A block of a microphone's samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.api.states import MicrophoneState

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class SampleSums:
    """What is measured of some samples: their number, sum, sum of squares, least and greatest.

    Of signed 16 bit they are exact: no sum exceeds 2^53.
    """

    count: int
    total: float
    squares: float
    low: float
    high: float

    @property
    def mean(self) -> float:
        """The mean, which a sound card may shift."""
        return self.total / self.count

    @property
    def power(self) -> float:
        """The mean square without the mean: a constant is no sound, however large it is."""
        return max(0.0, self.squares / self.count - self.mean**2)

    @property
    def peak(self) -> float:
        """The greatest distance from the mean."""
        return max(self.high - self.mean, self.mean - self.low)

    def joined(self, other: SampleSums) -> SampleSums:
        """Return the sums of these samples and those of ``other``."""
        return SampleSums(
            self.count + other.count,
            self.total + other.total,
            self.squares + other.squares,
            min(self.low, other.low),
            max(self.high, other.high),
        )


def sum_samples(samples: Samples | NDArray[np.float32]) -> SampleSums:
    """Return the sums of ``samples``: at least one."""
    exact = samples.astype(np.float64)
    low, high = np.minimum.reduce(samples), np.maximum.reduce(samples)  # min() costs twice as much
    total, squares = np.add.reduce(exact), np.einsum("i,i", exact, exact)  # no thread of BLAS
    return SampleSums(len(samples), float(total), float(squares), float(low), float(high))


def sound_power(samples: Samples | NDArray[np.float32]) -> float:
    """Return :attr:`SampleSums.power` of ``samples``, 0 if there are none."""
    return sum_samples(samples).power if len(samples) else 0.0


@dataclass(frozen=True)
class SoundlessPeriod:
    """A time in which a microphone gave no sound: its state, start and end (recording clock).

    ``end_ns`` is None while it lasts.
    """

    state: MicrophoneState
    start_ns: int
    end_ns: int | None = None


@dataclass(frozen=True)
class AudioBlock:
    """Samples of one microphone.

    Attributes:
        epoch: a new one begins where samples were lost or the device was reopened.
        index: samples of this epoch's device before this block.
        start_ns: recording clock of the first sample.
        samples: mono, signed 16 bit.
    """

    epoch: int
    index: int
    start_ns: int
    samples: Samples
