"""Samples of a microphone in blocks, and the states a microphone can have.

One child process per audio device (:mod:`kiosk.hardware.sources.audio_child`), because PortAudio
does not say that a device has died and hangs when a stalled stream is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
MicrophoneState = Literal[
    "ok", "starting", "absent", "dead", "muted", "quiet", "clipping", "humming"
]


@dataclass(frozen=True)
class AudioBlock:
    """Samples of one microphone.

    Attributes:
        epoch: a new one begins where samples were lost or the device was opened anew.
        index: samples of this epoch's device before this block.
        start_ns: recording clock of the first sample.
        samples: mono, signed 16 bit.
    """

    epoch: int
    index: int
    start_ns: int
    samples: Samples
