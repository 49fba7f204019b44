"""Measures a microphone's level and state from its samples: muted, quiet, clipping, humming, ok.

Every state has a hysteresis. It is no fault if nobody speaks into a microphone: it is *quiet* only
if its level is far below the noise floor at commissioning, or stays at the bottom while others hear
speech, or (with no known noise floor) stays at the bottom for ten seconds.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.audio.hum import HumDetector

FLOOR_DB = -100.0
"""Level shown for digital silence."""
SPEECH_DB = -45.0
"""A tenth of a second louder than this (RMS, dB of full scale) counts as speech."""
MUTED_DB = -87.0
"""Noise floor of a muted device: only its last bit changes; no room is so quiet."""
MUTED_NS = NS_PER_S // 2
UNMUTED_WINDOWS = 2
QUIET_DB = -66.0
"""A level below this for ten seconds: the gain is zero or the microphone is covered."""
BELOW_BASELINE_DB = 12.0
QUIET_NS = 10 * NS_PER_S
QUIET_BASELINE_NS = 5 * NS_PER_S
QUIET_DURING_SPEECH_NS = 8 * NS_PER_S // 10
"""Speech in other microphones for this long and none here means "quiet"."""
AUDIBLE_WINDOWS = 2
"""Number of windows above the limit that end "quiet"."""
QUIET_MARGIN_DB = 3.0
CLIPPED_LEVEL = 32_760
CLIPPING_NS = NS_PER_S
"""Two clipped windows within this time mean "clipping"."""
UNCLIPPED_NS = 2 * NS_PER_S
WINDOW_S = 0.1
HISTORY_S = 20.0


def to_decibels(amplitude: float) -> float:
    """Return ``amplitude`` (1.0: full scale) in dB, not below :data:`FLOOR_DB`."""
    return max(FLOOR_DB, 20.0 * float(np.log10(max(amplitude, 1e-9))))


def _no_speech_elsewhere(_now_ns: int) -> bool:
    return False


class LevelMeter:
    """Measures a microphone ten times a second.

    Args:
        rate: sample rate in Hz.
        baseline_db: noise floor at commissioning, dB of full scale, or None.
        is_speech_elsewhere: returns whether another microphone hears speech at that moment.
        remote_silence_ns: how long the line-out of a conference set may be digitally silent; None
            for a microphone in the room. A line-out is never "quiet": it may have no participants.

    Attributes:
        rms_db, peak_db: of the last tenth of a second, dB of full scale.
        last_speech_ns: recording clock of the last level above :data:`SPEECH_DB`, or None.
        muted_since_ns: recording clock since when its level is a muted device's, or None.
    """

    def __init__(
        self,
        rate: int,
        baseline_db: float | None = None,
        is_speech_elsewhere: Callable[[int], bool] = _no_speech_elsewhere,
        remote_silence_ns: int | None = None,
    ) -> None:
        self._window_size = round(rate * WINDOW_S)
        self._rate = rate
        self.is_speech_elsewhere = is_speech_elsewhere
        self._baseline_db = baseline_db
        self._is_remote = remote_silence_ns is not None
        self._muted_after_ns = MUTED_NS if remote_silence_ns is None else remote_silence_ns
        self._hum = HumDetector(rate)
        self.last_speech_ns: int | None = None
        self._history: deque[tuple[int, int, float]] = deque()
        self._history_lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all levels, as after a loss of the device."""
        self.rms_db = self.peak_db = FLOOR_DB
        self.muted_since_ns: int | None = None
        self._is_quiet = self._is_clipping = False
        self._last_loud_ns: int | None = None
        self._speech_elsewhere_ns = 0
        self._audible_windows = 0
        self._clip_times: deque[int] = deque(maxlen=2)
        self._last_ns: int | None = None
        self._unmuted_windows = 0
        self._hum.reset()
        self._start_window()

    def _start_window(self) -> None:
        self._sample_count = self._peak = self._clipped_samples = 0
        self._energy = 0.0
        self._window_start_ns: int | None = None

    def push(self, block: AudioBlock) -> None:
        """Measure one block."""
        samples = block.samples
        end_ns = block.start_ns + len(samples) * NS_PER_S // self._rate
        peak = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
        as_float = samples.astype(np.float32)
        energy = float(np.dot(as_float, as_float))
        if self._window_start_ns is None:
            self._window_start_ns = block.start_ns
        if self._last_loud_ns is None:
            self._last_loud_ns = block.start_ns
        if peak >= CLIPPED_LEVEL:
            self._clipped_samples += int(np.count_nonzero(np.abs(as_float) >= CLIPPED_LEVEL))
        self._hum.push(as_float, end_ns)
        self._record_energy(block.start_ns, end_ns, energy / max(1, len(samples)) / 32768**2)
        self._energy += energy
        self._peak = max(self._peak, peak)
        self._sample_count += len(samples)
        self._last_ns = end_ns
        if self._sample_count >= self._window_size:
            self._close_window(self._window_start_ns, end_ns)

    def _record_energy(self, start_ns: int, end_ns: int, mean_square: float) -> None:
        with self._history_lock:
            self._history.append((start_ns, end_ns, mean_square))
            while end_ns - self._history[0][0] > HISTORY_S * NS_PER_S:
                self._history.popleft()

    def energy_history(self) -> list[tuple[int, int, float]]:
        """Return the energy of the blocks of the last :data:`HISTORY_S`, oldest first.

        Each item holds start and end (recording clock) and mean square (full scale: 1.0). The
        read-back check compares it with the disk.
        """
        with self._history_lock:
            return list(self._history)

    def _close_window(self, start_ns: int, end_ns: int) -> None:
        exact_db = 20 * np.log10(max((self._energy / self._sample_count) ** 0.5 / 32768, 1e-9))
        self.rms_db, self.peak_db = max(FLOOR_DB, float(exact_db)), to_decibels(self._peak / 32768)
        if self.rms_db > SPEECH_DB:
            self.last_speech_ns = end_ns
        self._update_muted(float(exact_db), start_ns)
        if not self._is_remote:
            self._update_quiet(start_ns, end_ns)
        self._update_clipping(end_ns)
        self._start_window()

    def _update_muted(self, rms_db: float, start_ns: int) -> None:
        if rms_db < MUTED_DB:
            self._unmuted_windows = 0
            if self.muted_since_ns is None:
                self.muted_since_ns = start_ns
            return
        self._unmuted_windows += 1
        lasted = (
            self.muted_since_ns is not None
            and start_ns - self.muted_since_ns >= self._muted_after_ns
        )
        if not lasted or self._unmuted_windows >= UNMUTED_WINDOWS:
            self.muted_since_ns = None

    def _update_quiet(self, start_ns: int, end_ns: int) -> None:
        baseline_db = self._baseline_db
        limit = QUIET_DB if baseline_db is None else min(SPEECH_DB, baseline_db - BELOW_BASELINE_DB)
        if self.rms_db > limit + (QUIET_MARGIN_DB if self._is_quiet else 0.0):
            self._audible_windows += 1
            self._speech_elsewhere_ns, self._last_loud_ns = 0, end_ns
            if self._audible_windows >= AUDIBLE_WINDOWS:
                self._is_quiet = False
            return
        self._audible_windows = 0
        if self.is_speech_elsewhere(end_ns):
            self._speech_elsewhere_ns += end_ns - start_ns
        long_ns = QUIET_NS if baseline_db is None else QUIET_BASELINE_NS
        below_ns = end_ns - (end_ns if self._last_loud_ns is None else self._last_loud_ns)
        if below_ns >= long_ns or self._speech_elsewhere_ns >= QUIET_DURING_SPEECH_NS:
            self._is_quiet = True

    def _update_clipping(self, end_ns: int) -> None:
        if self._clipped_samples >= 3:
            self._clip_times.append(end_ns)
        hold_ns = UNCLIPPED_NS if self._is_clipping else CLIPPING_NS
        recent = [time_ns for time_ns in self._clip_times if end_ns - time_ns < hold_ns]
        self._is_clipping = len(recent) >= (1 if self._is_clipping else 2)

    def state(self) -> MicrophoneState:
        """Return the most severe state that the last seconds of samples show."""
        now = self._last_ns
        if now is None:
            return MicrophoneState.OK
        if self.muted_since_ns is not None and now - self.muted_since_ns >= self._muted_after_ns:
            return MicrophoneState.MUTED
        if self._is_clipping:
            return MicrophoneState.CLIPPING
        if self._hum.is_humming:
            return MicrophoneState.HUMMING
        return MicrophoneState.QUIET if self._is_quiet else MicrophoneState.OK
