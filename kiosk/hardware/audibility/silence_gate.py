"""Keeps from the voice model what is surely no speech: a room in which nothing changes.

A fan, hum or silence stays as it is in all bands; a voice rises above it in some band for longer
than chance does. Only levels that are computed anyway are compared with what they were while nobody
spoke. The voice model gets what came shortly before the gate opened, so no onset is lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.hardware.audibility.band_levels import BANDS, FLOOR_DB, HOP
from kiosk.hardware.audibility.clarity import Levels
from kiosk.hardware.audibility.voice_model import CHUNK, Floats

LOOK_BACK = 10
"""Chunks before the gate opened that the voice model gets too: 0.3 s."""
SMOOTH = 6
"""Frames over which a level is averaged: 0.1 s, shorter than a syllable."""
GROUPS = 5
"""Of three bands each: a formant fills one."""
OPEN = 3.7
"""So many standard deviations above the room a level opens the gate."""
LEAST_DB = 0.5
"""Smallest standard deviation that is believed, in dB."""
DOUBT = 0.1
"""Likelier speech keeps the gate open, and teaches nothing about the room."""
HOLD_FRAMES = 94
"""The gate stays open so long after what opened it: 1.5 s."""
SETTLE_FRAMES = 188
"""Before so much of the room was heard it is open: 3 s."""
LEARN_FRAMES, LEARN_SPREAD_FRAMES = 125, 375
"""Over which the room's level and its spread are averaged: 2 s and 6 s."""
FIRST_SPREAD_DB = 2.0
CHANGED_DB = 6.0
"""A room so much louder or quieter than before is another one: a fan, or a switched mute."""


class SilenceGate:
    """Follows one microphone.

    Attributes:
        chunks, passed: number of chunks that came, and of those that the voice model got.
    """

    def __init__(self) -> None:
        self.chunks = self.passed = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew after a hole: the gate is open."""
        self._waiting = np.zeros(0, np.float32)
        self._tail: Levels = np.zeros((0, GROUPS), np.float32)
        self._mean: NDArray[np.float32] | None = None
        self._variance = np.full(GROUPS, FIRST_SPREAD_DB**2, np.float32)
        self._newest = np.zeros((0, GROUPS), np.float32)
        self._known = 0
        self._hold = HOLD_FRAMES

    def let_through(self, samples: Floats, levels: Levels) -> Floats:
        """Return what the voice model must get: nothing, or ``samples`` with what came before.

        Args:
            samples: whole chunks.
            levels: of the frames that are complete with them.
        """
        self.chunks += len(samples) // CHUNK
        joined = np.concatenate((self._waiting, samples))
        self._hold -= len(samples) // HOP
        if self._rises(levels):
            self._hold = HOLD_FRAMES
        if self._hold <= 0 and self._known >= SETTLE_FRAMES:
            self._learn()
            self._waiting = joined[-LOOK_BACK * CHUNK :]
            return np.zeros(0, np.float32)
        self._waiting = np.zeros(0, np.float32)
        self.passed += len(joined) // CHUNK
        return joined

    def take(self, probabilities: Floats) -> None:
        """Take what the voice model says of what it got."""
        if len(probabilities) and float(np.max(probabilities)) > DOUBT:
            self._hold = HOLD_FRAMES
        else:
            self._learn()

    def _rises(self, levels: Levels) -> bool:
        """Return whether a level rises above the room for longer than chance does."""
        groups = levels.reshape(len(levels), GROUPS, BANDS // GROUPS).mean(axis=2)
        joined = np.concatenate((self._tail, groups))
        self._tail = joined[-(SMOOTH - 1) :]
        if len(joined) < SMOOTH:
            self._newest = joined[:0]
            return False
        sums = np.cumsum(joined, axis=0)
        sums[SMOOTH:] -= sums[:-SMOOTH].copy()
        self._newest = (sums[SMOOTH - 1 :] / SMOOTH).astype(np.float32, copy=False)
        if self._mean is None:
            return True
        limit = self._mean + OPEN * np.maximum(np.sqrt(self._variance), LEAST_DB)
        return bool(np.any(self._newest > np.maximum(limit, FLOOR_DB + 1)))

    def _learn(self) -> None:
        """Take the newest levels for those of the room; a jump is no spread, which would deafen."""
        count = len(self._newest)
        if not count:
            return
        newest = self._newest.mean(axis=0)
        if self._mean is None or np.any(np.abs(newest - self._mean) > CHANGED_DB):
            self._mean, self._known = newest, 0
            self._variance = np.full(GROUPS, FIRST_SPREAD_DB**2, np.float32)
        deviation = self._newest - self._mean
        self._mean = self._mean + min(1.0, count / LEARN_FRAMES) * deviation.mean(axis=0)
        share = np.float32(min(1.0, count / LEARN_SPREAD_FRAMES))
        self._variance = self._variance + share * ((deviation**2).mean(axis=0) - self._variance)
        self._known += count
