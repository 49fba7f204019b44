"""Listens to all microphones: who speaks, from when to when, and how well it can be made out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.hardware.audibility.channel import Channel
from kiosk.hardware.audibility.seat import Seat, Turn, loudest_other
from kiosk.hardware.audibility.voice_model import VoiceDetector, VoiceModel
from kiosk.hardware.audio.block import Samples


@dataclass(frozen=True)
class Heard:
    """What was heard of a microphone.

    Attributes:
        name: of the microphone.
        until_ns: recording clock up to which it was listened to.
        speech_ns: end of the newest speech, or None.
        unclear: what makes its words hard to make out now; None: nothing.
    """

    name: str
    until_ns: int
    speech_ns: int | None
    unclear: str | None = None


class Listener:
    """Listens to microphones.

    Args:
        rates: sample rate in Hz by name, in the order of their numbers.
    """

    def __init__(self, model: VoiceModel, rates: dict[str, int]) -> None:
        self._channels = [Channel(rate) for rate in rates.values()]
        self._seats = [Seat(name) for name in rates]
        self._detector = VoiceDetector(model, len(rates))
        self._turns: list[Turn] = []

    def push(self, number: int, start_ns: int, samples: Samples) -> None:
        """Take a block of microphone ``number``; an unknown number is ignored."""
        if number < len(self._channels) and self._channels[number].push(start_ns, samples):
            self._detector.reset(number)
            self._seats[number].forget()

    def listen(self) -> list[Heard]:
        """Listen to what came since the last call; return what was heard, by microphone."""
        waiting = [channel.chunks for channel in self._channels]
        listened = []
        for chunks in sorted(set(waiting) - {0}):
            numbers = [number for number, count in enumerate(waiting) if count == chunks]
            ends = [self._channels[number].end_ns for number in numbers]
            samples = np.stack([self._channels[number].take(chunks) for number in numbers])
            probabilities = self._detector.push(samples, np.asarray(numbers))
            for row, number in enumerate(numbers):
                self._seats[number].push(samples[row], probabilities[row], ends[row])
            listened += [self._seats[number] for number in numbers]
        for seat in listened:
            if seat.has_voice:
                seat.attend(loudest_other(self._seats, seat))
            if (turn := seat.ended_turn()) is not None:
                self._turns.append(turn)
        return [Heard(seat.name, seat.end_ns, seat.speech_ns, seat.unclear) for seat in listened]

    def take_turns(self) -> list[Turn]:
        """Return the turns that have ended since the last call, and forget them."""
        turns, self._turns = self._turns, []
        return turns
