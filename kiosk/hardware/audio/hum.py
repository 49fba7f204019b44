"""Detects mains hum: 50, 100 and 150 Hz that dominate a microphone's signal.

Blocks of 0.3 s (whole periods of all three) are averaged down to about 1 kHz, and one dot product
measures each frequency, as in Goertzel's algorithm. The pitch of speech is in this range too, but
it never stays constant, and most of its energy is higher. So hum must dominate two blocks in a row
at the same level.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import Samples, sound_power

FREQUENCIES = (50.0, 100.0, 150.0)
LOW_RATE = 1000
BLOCK_S = 0.3
SHARE_ON, SHARE_OFF = 0.6, 0.45
"""Share of the energy in the three frequencies at which hum begins and ends."""
STEADY_DB = 2.0
MIN_LEVEL_DB = -60.0
"""Softer hum does not disturb."""
HOLD_NS = 5 * NS_PER_S
"""Hum lasts this long after its last block: speech may cover it."""


class HumDetector:
    """Detects hum in one microphone.

    Attributes:
        is_humming: whether it hums now.
    """

    def __init__(self, rate: int) -> None:
        self._step = max(1, rate // LOW_RATE)
        self._size = round(rate * BLOCK_S) // self._step * self._step
        times = (np.arange(self._size // self._step) * self._step + self._step / 2) / rate
        waves = np.exp(-2j * np.pi * np.outer(FREQUENCIES, times)) / len(times)
        self._waves = waves.astype(np.complex64)
        self._mean = np.full(self._step, 1 / self._step, np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget all samples, as after a loss of the device."""
        self.is_humming = False
        self._pending: list[Samples] = []
        self._count = 0
        self._levels: deque[float | None] = deque(maxlen=2)
        self._last_hum_ns = 0

    def push(self, samples: Samples, end_ns: int) -> None:
        """Add samples that end at ``end_ns`` (recording clock)."""
        self._pending.append(samples)
        self._count += len(samples)
        if self._count < self._size:
            return
        joined = np.concatenate(self._pending)
        while len(joined) >= self._size:
            self._analyse_block(joined[: self._size], end_ns)
            joined = joined[self._size :]
        self._pending, self._count = [joined], len(joined)

    def _analyse_block(self, block: Samples, end_ns: int) -> None:
        energy = sound_power(block)
        low = block.astype(np.float32).reshape(-1, self._step) @ self._mean
        low -= np.add.reduce(low) / len(low)
        amplitudes = np.abs(self._waves @ low)
        hum = float(2 * np.dot(amplitudes, amplitudes))  # a sine of amplitude a is measured as a/2
        level = 10 * math.log10(max(hum, 1e-9) / 32768**2)
        share = hum / energy if energy > 0 else 0.0
        limit = SHARE_OFF if self.is_humming else SHARE_ON
        self._levels.append(level if share > limit and level > MIN_LEVEL_DB else None)
        first, last = self._levels[0], self._levels[-1]
        if last is not None and self.is_humming:
            self._last_hum_ns = end_ns
        elif (
            len(self._levels) == 2
            and first is not None
            and last is not None
            and abs(first - last) < STEADY_DB
        ):
            self.is_humming, self._last_hum_ns = True, end_ns
        if self.is_humming and end_ns - self._last_hum_ns > HOLD_NS:
            self.is_humming = False
