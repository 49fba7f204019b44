"""A block of a microphone's samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.api.states import MicrophoneState

Samples = NDArray[np.int16]


def sound_power(samples: NDArray[np.float32]) -> float:
    """Return the mean square of ``samples`` without their mean.

    A sound card may add a constant to every sample. It is no sound, however large it is.
    """
    if not len(samples):
        return 0.0
    centred = samples - samples.mean()
    return float(np.dot(centred, centred)) / len(centred)


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
