"""Listens to all microphones: since when somebody speaks where."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.channel import Channel
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, Floats, VoiceDetector, VoiceModel
from kiosk.hardware.audio.block import Samples

CHUNK_NS = CHUNK * NS_PER_S // RATE
SPEECH = 0.5
"""A chunk that is speech with a higher probability is speech."""
WITHIN, NEEDED = 10, 6
"""So many of so many chunks (0.3 s) must be speech: a knock or a chair is none."""


@dataclass(frozen=True)
class Heard:
    """What was heard of a microphone.

    Attributes:
        name: of the microphone.
        until_ns: recording clock up to which it was listened to.
        speech_ns: end of the newest speech, or None.
    """

    name: str
    until_ns: int
    speech_ns: int | None


class Listener:
    """Listens to microphones.

    Args:
        rates: sample rate in Hz by name, in the order of their numbers.
    """

    def __init__(self, model: VoiceModel, rates: dict[str, int]) -> None:
        self._names = tuple(rates)
        self._channels = [Channel(rate) for rate in rates.values()]
        self._detector = VoiceDetector(model, len(rates))
        self._recent = [deque[bool](maxlen=WITHIN) for _ in rates]
        self._speech_ns: list[int | None] = [None for _ in rates]

    def push(self, number: int, start_ns: int, samples: Samples) -> None:
        """Take a block of microphone ``number``; an unknown number is ignored."""
        if number < len(self._channels) and self._channels[number].push(start_ns, samples):
            self._detector.reset(number)
            self._recent[number].clear()

    def listen(self) -> list[Heard]:
        """Listen to what came since the last call; return what was heard, by microphone."""
        heard_of = []
        waiting = [channel.chunks for channel in self._channels]
        for chunks in sorted(set(waiting) - {0}):
            numbers = [number for number, count in enumerate(waiting) if count == chunks]
            samples = np.stack([self._channels[number].take(chunks) for number in numbers])
            probabilities = self._detector.push(samples, np.asarray(numbers))
            for number, row in zip(numbers, probabilities, strict=True):
                heard_of.append(self._hear(number, row))
        return heard_of

    def _hear(self, number: int, probabilities: Floats) -> Heard:
        recent, end_ns = self._recent[number], self._channels[number].end_ns
        for index, probability in enumerate(probabilities):
            recent.append(bool(probability > SPEECH))
            if recent[-1] and sum(recent) >= NEEDED:
                after = len(probabilities) - 1 - index
                self._speech_ns[number] = end_ns - after * CHUNK_NS
        return Heard(self._names[number], end_ns, self._speech_ns[number])
