"""Short sounds in the secretary's headset that ask for a look at the screen; never in the room.

A call is one long tone; words that are hard to make out are two short ones, the second lower.
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum

import numpy as np

from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.hardware.audio.block import Samples
from kiosk.hardware.headset import HeadsetAbsentError
from kiosk.hardware.headset_player import play_in_headset
from kiosk.hardware.tone import tone_samples
from kiosk.hearing.monitoring.unclear_words import UNCLEAR_ALARMS

log = logging.getLogger(__name__)
UNCLEAR_HERTZ = (740.0, 554.0)
_NOTE_S, _VOLUME = 0.25, 60


class HeadsetSignal(StrEnum):
    """What a sound in the headset means."""

    CALL = "call"
    UNCLEAR = "unclear"

    def samples(self) -> Samples:
        """Return its sound at 48 kHz."""
        if self is HeadsetSignal.CALL:
            return tone_samples(1.0)
        return np.concatenate([tone_samples(_NOTE_S, _VOLUME, hertz) for hertz in UNCLEAR_HERTZ])


class HeadsetSignals:
    """Plays the signals, one after the other; one that waits already is not asked for twice.

    Args:
        device: ``[headset] device``; empty: there is none, and nothing is played.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._waiting: list[HeadsetSignal] = []
        self._asked = asyncio.Event()
        self._unclear: frozenset[str] = frozenset()

    def ask(self, signal: HeadsetSignal) -> None:
        """Play ``signal`` soon."""
        if self._device and signal not in self._waiting:
            self._waiting.append(signal)
            self._asked.set()

    def follow(self, state: RecorderState) -> None:
        """Ask for a signal where the sentence of unclear words has just begun (S18).

        Not while the headset plays a passage again: there it would be taken for a part of it.
        """
        unclear = _unclear_microphones(state)
        is_new = bool(unclear - self._unclear)
        self._unclear = unclear
        if is_new and state.listening is None:
            self.ask(HeadsetSignal.UNCLEAR)

    async def run(self) -> None:
        """Play what is asked for, until cancelled; the screen shows it in any case."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                signal = self._waiting[0]
                try:
                    await play_in_headset(self._device, signal.samples())
                except HeadsetAbsentError as error:
                    log.warning("no signal (%s) in the headset: %s", signal, error)
                except Exception:  # the next signal is another try
                    log.exception("no signal (%s) in the headset", signal)
                self._waiting.remove(signal)


def _unclear_microphones(state: RecorderState) -> frozenset[str]:
    """Return at which microphones words are hard to make out; none while nothing is recorded."""
    if state.phase is not Phase.RECORDING:
        return frozenset()
    return frozenset(row.source or "" for row in state.alarms if row.code in UNCLEAR_ALARMS)
