"""Level and audibility of one microphone, from its samples: muted, quiet, clipping, humming, ok.

Every state has its hysteresis. A microphone at which nobody speaks is no fault: it is *quiet* only
when it lies far below what this room gave it at commissioning, or when it stays at the bottom while
others hear somebody speak, or (nothing known) stays at the bottom for ten seconds.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Literal

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.hum import HumDetector
from kiosk.hardware.audio.microphones import AudioBlock

Verdict = Literal["ok", "muted", "quiet", "clipping", "humming"]

FLOOR_DB = -100.0
"""What digital silence is shown as."""
SPEECH_DB = -45.0
"""A tenth of a second louder than this (RMS, dB of full scale) counts as heard."""
MUTED_DB = -87.0
"""The noise floor of a muted device: its last bit flickers, no room is so still."""
MUTED_NS = NS_PER_S // 2
UNMUTED_WINDOWS = 2
QUIET_DB = -66.0
"""Ten seconds below this: the gain is at zero, or the microphone is covered."""
BELOW_BASELINE_DB = 12.0
QUIET_NS = 10 * NS_PER_S
QUIET_BASELINE_NS = 5 * NS_PER_S
QUIET_OTHERS_NS = 8 * NS_PER_S // 10
"""So much speech in others, none of it here."""
AUDIBLE_WINDOWS = 2
"""So many windows above the limit end "quiet"."""
QUIET_MARGIN_DB = 3.0
CLIPPED = 32_760
CLIPPING_NS = NS_PER_S
"""Two windows clip within it: clipping."""
UNCLIPPED_NS = 2 * NS_PER_S
WINDOW_S = 0.1
HISTORY_S = 20.0


def decibels(amplitude: float) -> float:
    """Return ``amplitude`` (1.0: full scale) in dB, not below :data:`FLOOR_DB`."""
    return max(FLOOR_DB, 20.0 * float(np.log10(max(amplitude, 1e-9))))


def _nobody(_now_ns: int) -> bool:
    return False


class LevelMeter:
    """Measures one microphone ten times a second.

    Args:
        rate: sample rate in Hz.
        baseline_db: noise floor at commissioning, dB of full scale, or None.
        others_heard: tells whether another microphone hears somebody speak at that moment.
        remote_silence_ns: of the line-out of a conference set: so long it may be digitally silent.
            It is never "quiet": nobody need be there.

    Attributes:
        rms_db, peak_db: of the last tenth of a second, dB of full scale.
        heard_ns: recording clock when it was last louder than :data:`SPEECH_DB`, or None.
        muted_ns: recording clock since which it gives nothing but a muted floor, or None.
    """

    def __init__(
        self,
        rate: int,
        baseline_db: float | None = None,
        others_heard: Callable[[int], bool] = _nobody,
        remote_silence_ns: int | None = None,
    ) -> None:
        self._window = round(rate * WINDOW_S)
        self._rate = rate
        self.others_heard = others_heard
        self._baseline_db = baseline_db
        self._remote = remote_silence_ns is not None
        self._muted_ns = MUTED_NS if remote_silence_ns is None else remote_silence_ns
        self._hum = HumDetector(rate)
        self.heard_ns: int | None = None
        self._history: deque[tuple[int, int, float]] = deque()
        self._history_lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget levels, as after a loss of the device."""
        self.rms_db = self.peak_db = FLOOR_DB
        self.muted_ns: int | None = None
        self._quiet = self._clipping = False
        self._loud_ns: int | None = None
        self._others_ns = 0
        self._audible = 0
        self._clips: deque[int] = deque(maxlen=2)
        self._last_ns: int | None = None
        self._sounding = 0
        self._hum.reset()
        self._begin_window()

    def _begin_window(self) -> None:
        self._count = self._peak = self._clipped = 0
        self._energy = 0.0
        self._window_ns: int | None = None

    def push(self, block: AudioBlock) -> None:
        """Measure one block."""
        samples = block.samples
        end_ns = block.start_ns + len(samples) * NS_PER_S // self._rate
        peak = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
        wide = samples.astype(np.float32)
        energy = float(np.dot(wide, wide))
        if self._window_ns is None:
            self._window_ns = block.start_ns
        if self._loud_ns is None:
            self._loud_ns = block.start_ns
        if peak >= CLIPPED:
            self._clipped += int(np.count_nonzero(np.abs(wide) >= CLIPPED))
        self._hum.push(wide, end_ns)
        self._note(block.start_ns, end_ns, energy / max(1, len(samples)) / 32768**2)
        self._energy += energy
        self._peak = max(self._peak, peak)
        self._count += len(samples)
        self._last_ns = end_ns
        if self._count >= self._window:
            self._close_window(self._window_ns, end_ns)

    def _note(self, start_ns: int, end_ns: int, mean_square: float) -> None:
        with self._history_lock:
            self._history.append((start_ns, end_ns, mean_square))
            while end_ns - self._history[0][0] > HISTORY_S * NS_PER_S:
                self._history.popleft()

    def captured(self) -> list[tuple[int, int, float]]:
        """Return start and end (recording clock) and mean square (full scale: 1.0) of each block
        of the last seconds, oldest first; the proof compares the disk with it."""
        with self._history_lock:
            return list(self._history)

    def _close_window(self, start_ns: int, end_ns: int) -> None:
        exact_db = 20 * np.log10(max((self._energy / self._count) ** 0.5 / 32768, 1e-9))
        self.rms_db, self.peak_db = max(FLOOR_DB, float(exact_db)), decibels(self._peak / 32768)
        if self.rms_db > SPEECH_DB:
            self.heard_ns = end_ns
        self._judge_muted(float(exact_db), start_ns)
        if not self._remote:
            self._judge_quiet(start_ns, end_ns)
        self._judge_clipping(end_ns)
        self._begin_window()

    def _judge_muted(self, rms_db: float, start_ns: int) -> None:
        if rms_db < MUTED_DB:
            self._sounding = 0
            if self.muted_ns is None:
                self.muted_ns = start_ns
            return
        self._sounding += 1
        lasted = self.muted_ns is not None and start_ns - self.muted_ns >= self._muted_ns
        if not lasted or self._sounding >= UNMUTED_WINDOWS:
            self.muted_ns = None

    def _judge_quiet(self, start_ns: int, end_ns: int) -> None:
        known = self._baseline_db
        limit = QUIET_DB if known is None else min(SPEECH_DB, known - BELOW_BASELINE_DB)
        if self.rms_db > limit + (QUIET_MARGIN_DB if self._quiet else 0.0):
            self._audible += 1
            self._others_ns, self._loud_ns = 0, end_ns
            if self._audible >= AUDIBLE_WINDOWS:
                self._quiet = False
            return
        self._audible = 0
        if self.others_heard(end_ns):
            self._others_ns += end_ns - start_ns
        long_ns = QUIET_NS if known is None else QUIET_BASELINE_NS
        below_ns = end_ns - (end_ns if self._loud_ns is None else self._loud_ns)
        if below_ns >= long_ns or self._others_ns >= QUIET_OTHERS_NS:
            self._quiet = True

    def _judge_clipping(self, end_ns: int) -> None:
        if self._clipped >= 3:
            self._clips.append(end_ns)
        hold_ns = UNCLIPPED_NS if self._clipping else CLIPPING_NS
        recent = [one for one in self._clips if end_ns - one < hold_ns]
        self._clipping = len(recent) >= (1 if self._clipping else 2)

    def verdict(self) -> Verdict:
        """Return what the last seconds of samples say, the gravest first."""
        now = self._last_ns
        if now is None:
            return "ok"
        if self.muted_ns is not None and now - self.muted_ns >= self._muted_ns:
            return "muted"
        if self._clipping:
            return "clipping"
        if self._hum.humming:
            return "humming"
        return "quiet" if self._quiet else "ok"
