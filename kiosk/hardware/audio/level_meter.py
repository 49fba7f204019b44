"""Measures a microphone's level and state: muted, stuck, quiet, clipping, humming, ok.

Levels are those of the sound: the mean of the samples, which a sound card may shift, is taken away.
Every state has a hysteresis. It is no fault if nobody speaks into a microphone: it is *quiet* only
if its level is far below the noise floor at commissioning, or stays at the bottom while others hear
speech, or (with no known noise floor) stays at the bottom for ten seconds.

A noise gate gives a constant in every pause of speech, as a mute switch or a loose contact does:
only the settings say that a microphone has one.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import AudioBlock, SampleSums, SoundlessPeriod, sum_samples
from kiosk.hardware.audio.hum import HumDetector
from kiosk.hardware.audio.repetition import (
    LONGEST_REPETITION_S,
    RecentSamples,
    has_two_values,
    is_repeated,
)

FLOOR_DB = -100.0
"""Level shown for digital silence."""
SPEECH_DB = -45.0
"""A tenth of a second louder than this (RMS, dB of full scale) counts as speech."""
MUTED_DB = -87.0
"""Noise floor of a muted device: only its last bit changes; no room is so quiet."""
SOUNDLESS_NS = NS_PER_S // 2
"""A device that gives nothing or the same samples for this long is muted or stuck."""
GATED_NS = 10 * NS_PER_S
"""One with a noise gate that gives no sound for this long is muted."""
TWO_VALUES_DB = -60.0
TWO_VALUES_WINDOWS = 3
"""Two values are a stuck bit above this level for so many windows in a row, else few noise bits."""
STUCK_HOLD_NS = 2 * NS_PER_S
"""A device that was stuck so lately is stuck, although it gives a constant now."""
SOUNDING_WINDOWS = 2
"""Number of windows with sound that end this."""
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
CLIPPED_LEVEL, CLIPPED_SAMPLES = 32_760, 3
"""So many samples of this size make a clipped window."""
CLIPPING_NS = NS_PER_S
"""Two clipped windows within this time mean "clipping"."""
UNCLIPPED_NS = 2 * NS_PER_S
WINDOW_S = 0.1
HISTORY_S = 20.0


def to_decibels(amplitude: float) -> float:
    """Return ``amplitude`` (1.0: full scale) in dB, not below :data:`FLOOR_DB`."""
    return max(FLOOR_DB, 20.0 * math.log10(max(amplitude, 1e-9)))


def _no_speech_elsewhere(_now_ns: int) -> bool:
    return False


class LevelMeter:
    """Measures a microphone ten times a second.

    Args:
        rate: sample rate in Hz.
        baseline_db: noise floor at commissioning, dB of full scale, or None.
        is_speech_elsewhere: returns whether another microphone hears speech at that moment.
        remote_silence_ns: how long the line-out of a conference set may give nothing new; None for
            a microphone in the room. A line-out is never "quiet": it may have no participants.

    Attributes:
        rms_db, peak_db: of the last tenth of a second, dB of full scale.
        last_speech_ns: recording clock of the last sound above :data:`SPEECH_DB`, or None.
        soundless_since_ns: recording clock since when its samples hold no new sound, or None.
        is_switched_off: whether its seat has switched it off: then it is muted at once, whatever a
            noise gate or a line-out may be silent for.
    """

    def __init__(
        self,
        rate: int,
        baseline_db: float | None = None,
        is_speech_elsewhere: Callable[[int], bool] = _no_speech_elsewhere,
        remote_silence_ns: int | None = None,
        has_gate: bool = False,
    ) -> None:
        self._window_size = round(rate * WINDOW_S)
        self._rate = rate
        self.is_speech_elsewhere = is_speech_elsewhere
        self._baseline_db = baseline_db
        self._remote_silence_ns = remote_silence_ns
        self._has_gate = has_gate
        self._hum = HumDetector(rate)
        self.last_speech_ns: int | None = None
        self.is_switched_off = False
        self._history: deque[tuple[int, int, float]] = deque()
        self._history_lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all levels, as after a loss of the device."""
        self.rms_db = self.peak_db = FLOOR_DB
        self.soundless_since_ns: int | None = None
        self._repeated_ns: int | None = None
        self._last_soundless: SoundlessPeriod | None = None
        self._sounding_from_ns = 0
        self._two_value_windows = 0
        self._is_quiet = self._is_clipping = False
        self._last_loud_ns: int | None = None
        self._speech_elsewhere_ns = 0
        self._audible_windows = 0
        self._clip_times: deque[int] = deque(maxlen=2)
        self._last_ns: int | None = None
        self._sounding_windows = 0
        self._hum.reset()
        self._recent = RecentSamples(round(self._rate * LONGEST_REPETITION_S))
        self._window: tuple[int, SampleSums] | None = None

    def push(self, block: AudioBlock) -> None:
        """Measure one block."""
        if not len(block.samples):
            return
        end_ns = block.start_ns + len(block.samples) * NS_PER_S // self._rate
        sums = sum_samples(block.samples)
        if self._last_loud_ns is None:
            self._last_loud_ns = block.start_ns
        self._hum.push(block.samples, end_ns)
        self._record_energy(block.start_ns, end_ns, sums.power / 32768**2)
        self._recent.append(block.samples)
        start_ns, before = self._window or (block.start_ns, None)
        window = sums if before is None else before.joined(sums)
        self._window = start_ns, window
        if window.count >= self._window_size:
            self._window = None
            self._measure_window(window, start_ns, end_ns)

    def _record_energy(self, start_ns: int, end_ns: int, power: float) -> None:
        with self._history_lock:
            self._history.append((start_ns, end_ns, power))
            while end_ns - self._history[0][0] > HISTORY_S * NS_PER_S:
                self._history.popleft()

    def energy_history(self) -> list[tuple[int, int, float]]:
        """Return the energy of the blocks of the last :data:`HISTORY_S`, oldest first.

        Each item holds start and end (recording clock) and power without the mean (full scale:
        1.0). The read-back check compares it with the disk.
        """
        with self._history_lock:
            return list(self._history)

    def _measure_window(self, window: SampleSums, start_ns: int, end_ns: int) -> None:
        exact_db = 20 * math.log10(max(window.power**0.5 / 32768, 1e-9))
        self.rms_db = max(FLOOR_DB, exact_db)
        self.peak_db = to_decibels(window.peak / 32768)
        has_new = self._update_soundless(exact_db, window, start_ns)
        self._last_ns = end_ns
        if self.rms_db > SPEECH_DB and has_new:
            self.last_speech_ns = end_ns
        if self._remote_silence_ns is None:
            self._update_quiet(start_ns, end_ns)
        self._update_clipping(window, end_ns)

    def _update_soundless(self, rms_db: float, window: SampleSums, start_ns: int) -> bool:
        """Follow one window; return whether it holds sound of its own."""
        samples, with_before = self._recent.last(window.count)
        has_two = has_two_values(samples, window.low, window.high)
        is_toggled = has_two and rms_db >= TWO_VALUES_DB
        self._two_value_windows = self._two_value_windows + 1 if is_toggled else 0
        is_flat = rms_db < MUTED_DB or (has_two and not is_toggled)
        repeats = not is_flat and is_repeated(with_before, window.count)
        if is_flat or is_toggled or repeats:
            if repeats or self._two_value_windows >= TWO_VALUES_WINDOWS:
                self._repeated_ns = start_ns
            self._sounding_windows = 0
            if self.soundless_since_ns is None:
                self.soundless_since_ns = start_ns
            return False
        if not self._sounding_windows:
            self._sounding_from_ns = start_ns
        self._sounding_windows += 1
        if self._sounding_windows >= SOUNDING_WINDOWS:
            if (period := self._soundless_at(start_ns)) is not None:
                self._last_soundless = replace(period, end_ns=self._sounding_from_ns)
            self.soundless_since_ns = None
        return True

    def _soundless_at(self, now_ns: int) -> SoundlessPeriod | None:
        """Return the period without sound, if it has lasted long enough at ``now_ns``."""
        since_ns, repeated_ns = self.soundless_since_ns, self._repeated_ns
        if self._sounding_windows:
            now_ns = min(now_ns, self._sounding_from_ns)
        is_stuck = repeated_ns is not None and now_ns - repeated_ns < STUCK_HOLD_NS
        state = MicrophoneState.STUCK if is_stuck else MicrophoneState.MUTED
        if since_ns is None or now_ns - since_ns < self._limit_ns(state):
            return None
        return SoundlessPeriod(state, since_ns)

    def _limit_ns(self, state: MicrophoneState) -> int:
        """Return how long nothing new may come before the microphone is in ``state``."""
        if self.is_switched_off:
            return SOUNDLESS_NS
        if self._remote_silence_ns is not None:
            return self._remote_silence_ns
        return GATED_NS if self._has_gate and state == MicrophoneState.MUTED else SOUNDLESS_NS

    @property
    def soundless(self) -> SoundlessPeriod | None:
        """The period without sound that lasts now, else the last one since the device is there."""
        now = self._last_ns
        return (None if now is None else self._soundless_at(now)) or self._last_soundless

    def _update_quiet(self, start_ns: int, end_ns: int) -> None:
        if self.soundless_since_ns is not None:  # its level is not the room's
            self._last_loud_ns = end_ns
            return
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

    def _update_clipping(self, window: SampleSums, end_ns: int) -> None:
        if max(window.high, -window.low) >= CLIPPED_LEVEL:
            samples = np.abs(self._recent.last(window.count)[0].astype(np.int32))
            if np.count_nonzero(samples >= CLIPPED_LEVEL) >= CLIPPED_SAMPLES:
                self._clip_times.append(end_ns)
        hold_ns = UNCLIPPED_NS if self._is_clipping else CLIPPING_NS
        recent = [time_ns for time_ns in self._clip_times if end_ns - time_ns < hold_ns]
        self._is_clipping = len(recent) >= (1 if self._is_clipping else 2)

    def state(self) -> MicrophoneState:
        """Return the most severe state that the last seconds of samples show."""
        now = self._last_ns
        if now is None:
            return MicrophoneState.OK
        if (period := self._soundless_at(now)) is not None:
            return period.state
        if self._is_clipping:
            return MicrophoneState.CLIPPING
        if self._hum.is_humming:
            return MicrophoneState.HUMMING
        return MicrophoneState.QUIET if self._is_quiet else MicrophoneState.OK
