"""Listens to all microphones: who speaks, from when to when, and how well it can be made out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.hardware.audibility.channel import Channel
from kiosk.hardware.audibility.seat import Seat, Turn, loudest_other
from kiosk.hardware.audibility.silence_gate import SilenceGate
from kiosk.hardware.audibility.voice_model import Floats, VoiceDetector, VoiceModel
from kiosk.hardware.audio.block import Samples


@dataclass(frozen=True)
class Heard:
    """What was heard of a microphone.

    Attributes:
        name: of the microphone.
        since_ns, until_ns: recording clock of what was listened to without a hole.
        speech_ns: end of the newest speech, or None.
        unclear: what makes its words hard to make out now; None: nothing.
        unclear_db: level of these words without the noise, dB of full scale.
    """

    name: str
    since_ns: int
    until_ns: int
    speech_ns: int | None
    unclear: str | None = None
    unclear_db: float | None = None


class Listener:
    """Listens to microphones.

    Args:
        rates: sample rate in Hz by name, in the order of their numbers.
    """

    def __init__(self, model: VoiceModel, rates: dict[str, int]) -> None:
        self._channels = [Channel(rate) for rate in rates.values()]
        self._seats = [Seat(name) for name in rates]
        self._gates = [SilenceGate() for _ in rates]
        self._detector = VoiceDetector(model, len(rates))
        self._turns: list[Turn] = []

    def push(self, number: int, start_ns: int, samples: Samples) -> None:
        """Take a block of microphone ``number``; an unknown number is ignored."""
        if number < len(self._channels) and self._channels[number].push(start_ns, samples):
            self._detector.reset(number)
            self._seats[number].forget()
            self._gates[number].forget()

    def listen(self) -> list[Heard]:
        """Listen to what came since the last call; return what was heard, by microphone."""
        taken = {number: row.take() for number, row in enumerate(self._channels)}
        came = {number: samples for number, samples in taken.items() if len(samples)}
        self._detect({number: self._let_through(number, row) for number, row in came.items()})
        listened = [self._seats[number] for number in came]
        for seat in listened:
            if seat.has_voice:
                seat.attend(loudest_other(self._seats, seat))
            if (turn := seat.ended_turn()) is not None:
                self._turns.append(turn)
        return [self._heard(number) for number in came]

    def _heard(self, number: int) -> Heard:
        seat, since_ns = self._seats[number], self._channels[number].since_ns
        found = seat.speech_ns, seat.unclear, seat.unclear_db
        return Heard(seat.name, since_ns, seat.end_ns, *found)

    def _let_through(self, number: int, samples: Floats) -> Floats:
        """Give a microphone's chunks to its seat; return what the voice model must get of them."""
        channel = self._channels[number]
        levels = self._seats[number].push(samples, channel.end_ns, channel.clipped)
        return self._gates[number].let_through(samples, levels)

    def _detect(self, passed: dict[int, Floats]) -> None:
        """Run the voice model on what the gates let through, of equal length in one go."""
        for length in sorted({len(samples) for samples in passed.values()} - {0}):
            numbers = [number for number, samples in passed.items() if len(samples) == length]
            samples = np.stack([passed[number] for number in numbers])
            found = self._detector.push(samples, np.asarray(numbers))
            for number, probabilities in zip(numbers, found, strict=True):
                self._gates[number].take(probabilities)
                self._seats[number].hear(probabilities)

    @property
    def counted(self) -> tuple[int, int]:
        """Number of chunks of all microphones so far, and of those that the voice model got."""
        chunks = sum(gate.chunks for gate in self._gates)
        return chunks, sum(gate.passed for gate in self._gates)

    @property
    def running_turns(self) -> list[Turn]:
        """The turns that go on, as far as they were heard."""
        return [turn for seat in self._seats if (turn := seat.running_turn) is not None]

    def take_turns(self) -> list[Turn]:
        """Return the turns that have ended since the last call, and forget them."""
        turns, self._turns = self._turns, []
        return turns
