"""Some seconds of sound of the microphones outside a hearing, for a measurement of the room.

It is in memory alone, as long as the measurement takes, and taken beside the recording's listeners:
nothing counts as recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.audio.block import AudioBlock, Samples
from kiosk.hardware.sources.microphone_source import MicrophoneSource


class MeasuredSound:
    """The sound of ``microphones`` from now on, at most ``seconds`` of it (a context manager)."""

    def __init__(self, microphones: Sequence[MicrophoneSource], seconds: float) -> None:
        self._microphones = tuple(microphones)
        self._lock = threading.Lock()
        self._seconds = seconds
        self._end_ns = 0
        self._blocks: dict[str, list[AudioBlock]] = {one.name: [] for one in microphones}
        self._takes = {one.name: partial(self._take, one) for one in microphones}

    def __enter__(self) -> Self:
        self._end_ns = recording_ns() + round(self._seconds * NS_PER_S)
        for microphone in self._microphones:
            microphone.measure_to = self._takes[microphone.name]
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for microphone in self._microphones:
            if microphone.measure_to is self._takes[microphone.name]:
                microphone.measure_to = None
        with self._lock:
            self._end_ns = 0  # a device's thread may be on its way
            self._blocks = {name: [] for name in self._blocks}

    def _take(self, microphone: MicrophoneSource, block: AudioBlock) -> None:
        """Keep a block: in the device's thread."""
        with self._lock:
            if block.start_ns < self._end_ns:
                self._blocks[microphone.name].append(block)

    def is_complete(self, until_ns: int) -> bool:
        """Return whether all microphones that deliver have given everything up to ``until_ns``."""
        with self._lock:
            return all(
                _end_ns(self._blocks[one.name], one.rate) >= until_ns
                for one in self._microphones
                if one.state.is_delivering
            )

    def samples(self, microphone: MicrophoneSource, since_ns: int) -> tuple[Samples, Samples]:
        """Return what came before ``since_ns`` (recording clock), and what came from then on.

        Both are empty where samples were lost, or its seat has silenced it.
        """
        none = np.zeros(0, np.int16)
        with self._lock:
            blocks = list(self._blocks[microphone.name])
        is_whole = len({block.epoch for block in blocks}) == 1
        if not is_whole or microphone.is_switched_off or blocks[0].start_ns > since_ns:
            return none, none
        joined = np.concatenate([block.samples for block in blocks])
        # The card counts: times of blocks are smoothed, and a jump of one sample is a click.
        place = round((since_ns - blocks[0].start_ns) * microphone.rate / NS_PER_S)
        return joined[:place], joined[place:]


def _end_ns(blocks: Sequence[AudioBlock], rate: int) -> int:
    if not blocks:
        return 0
    return blocks[-1].start_ns + len(blocks[-1].samples) * NS_PER_S // rate
