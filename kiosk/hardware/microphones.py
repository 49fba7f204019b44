"""Microphones: samples, levels, and what a microphone's state means.

One child process per audio device (:mod:`kiosk.hardware.microphone_child`), because PortAudio
does not say that a device has died and hangs when a stalled stream is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S

Samples = NDArray[np.int16]
MicrophoneState = Literal["ok", "starting", "absent", "dead", "silent", "quiet", "clipping"]

FLOOR_DB = -100.0
"""What digital silence is shown as."""
SPEECH_DB = -45.0
"""A tenth of a second louder than this (RMS, dB of full scale) counts as heard."""
QUIET_DB = -66.0
"""Ten seconds below this: the gain is at zero, or the microphone is covered."""
QUIET_NS = 10 * NS_PER_S
SILENT_NS = NS_PER_S // 2
"""Digital zero for so long: muted."""
CLIPPED = 32_760
CLIPPING_NS = NS_PER_S
WINDOW_S = 0.1


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


def decibels(amplitude: float) -> float:
    """Return ``amplitude`` (1.0: full scale) in dB, not below :data:`FLOOR_DB`."""
    return max(FLOOR_DB, 20.0 * float(np.log10(max(amplitude, 1e-9))))


class LevelMeter:
    """Level and audibility of one microphone, ten times a second.

    Attributes:
        rms_db, peak_db: of the last tenth of a second, dB of full scale.
        heard_ns: recording clock when it was last louder than :data:`SPEECH_DB`, or None.
        zero_ns: recording clock since which there is digital zero, or None.
    """

    def __init__(self, rate: int) -> None:
        self._window = round(rate * WINDOW_S)
        self._rate = rate
        self.heard_ns: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget levels, as after a loss of the device."""
        self.rms_db = self.peak_db = FLOOR_DB
        self.zero_ns: int | None = None
        self._loud_ns: int | None = None
        self._clipped_ns: int | None = None
        self._last_ns: int | None = None
        self._count = self._peak = self._clips = 0
        self._energy = 0.0

    def push(self, block: AudioBlock) -> None:
        """Measure one block."""
        samples = block.samples
        end_ns = block.start_ns + len(samples) * NS_PER_S // self._rate
        peak = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
        if self._loud_ns is None:
            self._loud_ns = block.start_ns
        if peak:
            self.zero_ns = None
            wide = samples.astype(np.float32)
            self._energy += float(np.dot(wide, wide))
        elif self.zero_ns is None:
            self.zero_ns = block.start_ns
        if peak >= CLIPPED:
            self._clips += int(np.count_nonzero(np.abs(samples.astype(np.int32)) >= CLIPPED))
        self._peak = max(self._peak, peak)
        self._count += len(samples)
        self._last_ns = end_ns
        if self._count >= self._window:
            self._close_window(end_ns)

    def _close_window(self, end_ns: int) -> None:
        self.rms_db = decibels((self._energy / self._count) ** 0.5 / 32768)
        self.peak_db = decibels(self._peak / 32768)
        if self.rms_db > SPEECH_DB:
            self.heard_ns = end_ns
        if self.rms_db > QUIET_DB:
            self._loud_ns = end_ns
        if self._clips >= 3:
            self._clipped_ns = end_ns
        self._count = self._peak = self._clips = 0
        self._energy = 0.0

    def verdict(self) -> Literal["ok", "silent", "quiet", "clipping"]:
        """Return what the last seconds of samples say."""
        now = self._last_ns
        if now is None or self._loud_ns is None:
            return "ok"
        if self.zero_ns is not None and now - self.zero_ns >= SILENT_NS:
            return "silent"
        if self._clipped_ns is not None and now - self._clipped_ns < CLIPPING_NS:
            return "clipping"
        return "quiet" if now - self._loud_ns >= QUIET_NS else "ok"
