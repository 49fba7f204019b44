"""What one microphone hears: who speaks from when to when, and how well it can be made out."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.api.states import UnclearSpeech
from kiosk.clocks import NS_PER_S
from kiosk.hardware.audibility.band_levels import FLOOR_DB, HOP, band_levels
from kiosk.hardware.audibility.clarity import (
    FLOOR_FRAMES,
    WINDOW_FRAMES,
    Clarity,
    Levels,
    is_own,
    judge,
    no_levels,
    noise_floor,
)
from kiosk.hardware.audibility.voice_model import CHUNK, RATE, Floats

FRAME_NS = HOP * NS_PER_S // RATE
CHUNK_NS = CHUNK * NS_PER_S // RATE
SPEECH, MAYBE = 0.5, 0.12
"""More likely than the first: a chunk is speech. The second also takes speech that echo blurs: at a
reverberation of 2.5 s the voice model falls to 0.2 after the first word; noise stays below 0.1."""
WITHIN, NEEDED = 10, 6
"""So many of so many chunks (0.3 s) must be speech: a knock or a chair is none."""
OWN_FRAMES = 64
"""In which it is decided who speaks: one second."""
JUDGE_NS = NS_PER_S * 6 // 10
"""Between two judgements of a seat at which somebody speaks."""
UNCLEAR, UNCLEAR_TIMES = 0.82, 3
"""Words are unclear when the mean of so many judgements, and the newest of them, are lower: STOI
below 0.75 is found."""
LOST, LOST_TIMES = 0.7, 2
"""So much lower, fewer say it: the sooner it is told, the less is to be said again."""
CLIPPED_SHARE = 0.06
"""Of the speech, cut off at full scale: STOI 0.87 with nothing else wrong; 0.03 is still above 0.9,
0.2 is 0.7. What is overdriven stays so, so one such judgement is enough."""
UNCLEAR_HOLD_NS = 10 * NS_PER_S
"""So long after the last unclear words they are unclear: pauses of the speaker end nothing."""
PAUSE_NS = 2 * NS_PER_S
"""A longer pause ends a turn."""
TURN_NS = NS_PER_S // 2
"""A shorter one is none: a cough, a yes of another seat."""
LONGEST_NS = 60 * NS_PER_S
"""A longer one is told in pieces: what is told is not lost."""


@dataclass(frozen=True)
class Turn:
    """Somebody spoke at a microphone without a long pause.

    Attributes:
        name: of the microphone.
        start_ns, end_ns: recording clock.
        intelligibility: mean estimate, 0 to 1; None: too short to tell.
        unclear_s: seconds in which the words were hard to make out.
        cause: what disturbed most then; empty: nothing.
        level_db: of the speech without the noise, median, dB of full scale; None: too short.
        clipped_share: of the speech, cut off at full scale where that was too much; None: nowhere.
        usual_db: level of speech at this microphone usually; None: not known, or not here.
    """

    name: str
    start_ns: int
    end_ns: int
    intelligibility: float | None = None
    unclear_s: float = 0.0
    cause: str = ""
    level_db: float | None = None
    clipped_share: float | None = None
    usual_db: float | None = None


class Seat:
    """Follows one microphone.

    Attributes:
        end_ns: recording clock up to which it was listened to.
        levels: of the last seconds, one row for each 16 ms before :attr:`end_ns`.
        speech_ns: end of the newest speech, or None.
        unclear: what makes the words hard to make out now, since they are; None: nothing.
        unclear_db: level of these words without the noise, dB of full scale.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.end_ns = 0
        self.speech_ns: int | None = None
        self.unclear: UnclearSpeech | None = None
        self.unclear_db: float | None = None
        self._unclear_ns = 0
        self._judged_ns = 0
        self._heard_ns: int | None = None
        self._start_ns: int | None = None
        self._judgements: list[Clarity] = []
        self._unclear_causes: list[UnclearSpeech] = []
        self._clipped_shares: list[float] = []
        self.forget()

    def forget(self) -> None:
        """Begin anew after a hole; a turn goes on over a short one."""
        self._is_speech = np.zeros(0, np.bool_)
        self.levels: Levels = no_levels()
        self._probabilities = np.zeros(0, np.float32)
        self._before = np.zeros(0, np.float32)
        self._clipped = np.zeros(0, np.float32)
        self._new_frames = 0

    def push(self, samples: Floats, end_ns: int, clipped: float = 0.0) -> Levels:
        """Take chunks, no speech until :meth:`hear`; ``end_ns`` is their end.

        Args:
            clipped: share of what the card gave of them that was cut off at full scale.

        Returns:
            the levels of the frames that are complete with them.
        """
        joined = np.concatenate((self._before, samples))
        found = band_levels(joined)
        self._before = joined[len(found) * HOP :]
        self.levels = np.concatenate((self.levels, found))[-FLOOR_FRAMES:]
        self._new_frames = len(samples) // HOP
        none = np.zeros(self._new_frames, np.float32)
        self._probabilities = np.concatenate((self._probabilities, none))[-FLOOR_FRAMES:]
        cut = np.full(self._new_frames, clipped, np.float32)
        self._clipped = np.concatenate((self._clipped, cut))[-WINDOW_FRAMES:]
        unheard = np.zeros(len(samples) // CHUNK, np.bool_)
        self._is_speech = np.concatenate((self._is_speech, unheard))[-FLOOR_FRAMES:]
        self.end_ns = end_ns
        return found

    def hear(self, probabilities: Floats) -> None:
        """Take the probabilities of speech of the newest chunks: at least all of the last push."""
        rows = np.repeat(probabilities, CHUNK // HOP)[-len(self._probabilities) :]
        self._probabilities[-len(rows) :] = rows
        self._new_frames = len(rows)
        newest = probabilities[-len(self._is_speech) :] > SPEECH
        self._is_speech[-len(newest) :] = newest
        within = np.convolve(self._is_speech, np.ones(WITHIN))[: len(self._is_speech)]
        heard = np.flatnonzero(self._is_speech & (within >= NEEDED))
        late = len(self._is_speech) - 1 - heard[-1] if len(heard) else len(newest)
        if late < len(newest):
            self._heard_ns = self.end_ns - int(late) * CHUNK_NS

    @property
    def has_voice(self) -> bool:
        """Whether the newest chunks hold a voice: one that speaks here, or loudly elsewhere."""
        return bool(np.any(self._probabilities[-2 * WITHIN :] > MAYBE))

    def attend(self, other: Levels) -> None:
        """Take note of who spoke in the newest chunks.

        Args:
            other: the loudest of the other seats at the moments of :attr:`levels`.
        """
        newest = self.levels[-OWN_FRAMES:]
        if len(newest) and not is_own(newest, noise_floor(self.levels), other[-OWN_FRAMES:]):
            self._heard_ns = None
            self._probabilities[-self._new_frames :] = 0.0  # no speech of this seat
            return
        heard_ns, self._heard_ns = self._heard_ns, None
        if heard_ns is not None:
            self.speech_ns = heard_ns
            if self._start_ns is None:
                self._start_ns = heard_ns - NEEDED * CHUNK_NS
        if self.end_ns - self._judged_ns >= JUDGE_NS:
            self._judge(other)

    def _judge(self, other: Levels) -> None:
        self._judged_ns = self.end_ns
        count = min(len(self.levels), len(self._probabilities))
        probabilities = self._probabilities[-count:]
        found = judge(self.levels[-count:], probabilities, probabilities > MAYBE, other)
        if found is None:
            return
        self._judgements.append(found)
        clipped_share = self._clipped_share(probabilities > MAYBE)
        if clipped_share > CLIPPED_SHARE:
            self._clipped_shares.append(clipped_share)
            self._be_unclear(UnclearSpeech.CLIPPED)
        elif self._is_below(UNCLEAR, UNCLEAR_TIMES) or self._is_below(LOST, LOST_TIMES):
            self._be_unclear(found.cause)

    def _clipped_share(self, is_speech: NDArray[np.bool_]) -> float:
        """Return which share of the newest speech was cut off at full scale."""
        spoken = int(np.count_nonzero(is_speech[-WINDOW_FRAMES:]))
        return min(1.0, float(np.sum(self._clipped)) / max(spoken, 1))

    def _is_below(self, limit: float, times: int) -> bool:
        """Return whether the mean of the newest judgements, so many, and the newest are lower.

        The first of a turn know little speech and no pause yet, and vary most: what they say counts
        only while the newest, which knows more, still says so.
        """
        newest = [row.intelligibility for row in self._judgements[-times:]]
        return len(newest) == times and max(sum(newest) / times, newest[-1]) < limit

    def _be_unclear(self, cause: UnclearSpeech) -> None:
        """Note unclear words; the first ones say why, until they are clear again."""
        self._unclear_causes.append(cause)
        self._unclear_ns = self.end_ns
        if self.unclear is None:
            self.unclear, self.unclear_db = cause, self._level_db

    def ended_turn(self) -> Turn | None:
        """Return the turn that has just ended, if one has."""
        if self.unclear and self.end_ns - self._unclear_ns > UNCLEAR_HOLD_NS:
            self.unclear = None
        start_ns, spoken_ns = self._start_ns, self.speech_ns
        if start_ns is None or spoken_ns is None:
            if not self.has_voice:
                self._forget_judgements()
            return None
        is_over = self.end_ns - spoken_ns > PAUSE_NS
        if not is_over and spoken_ns - start_ns < LONGEST_NS:
            return None
        turn = self.running_turn
        self._start_ns = None if is_over else spoken_ns
        self._forget_judgements()
        return turn

    def _forget_judgements(self) -> None:
        self._judgements, self._unclear_causes, self._clipped_shares = [], [], []

    @property
    def _level_db(self) -> float | None:
        """Level of the speech of the turn so far, dB of full scale; None: too short to tell."""
        levels = [row.level_db for row in self._judgements]
        return round(statistics.median(levels), 1) if levels else None

    @property
    def running_turn(self) -> Turn | None:
        """The turn as far as it was heard; None: there is none, or it is too short."""
        start_ns, spoken_ns = self._start_ns, self.speech_ns
        if start_ns is None or spoken_ns is None or spoken_ns - start_ns < TURN_NS:
            return None
        values = [row.intelligibility for row in self._judgements]
        causes, shares = self._unclear_causes, self._clipped_shares
        return Turn(
            self.name,
            start_ns,
            spoken_ns,
            round(sum(values) / len(values), 3) if values else None,
            min(len(causes) * JUDGE_NS, spoken_ns - start_ns) / NS_PER_S,
            max(causes, key=causes.count) if causes else "",
            self._level_db,
            round(statistics.fmean(shares), 3) if shares else None,
        )


def loudest_other(seats: list[Seat], of: Seat) -> NDArray[np.float32]:
    """Return the loudest level of the other seats at the moments of the levels of ``of``.

    Frames of two sound cards are at most half a frame apart; a seat that is not listened to as far
    says nothing of the newest moments.
    """
    loudest = np.full_like(of.levels, FLOOR_DB)
    has_other = False
    for seat in seats:
        if seat is of or not len(seat.levels):
            continue
        late = round((of.end_ns - seat.end_ns) / FRAME_NS)
        rows = seat.levels[: len(seat.levels) + late] if late < 0 else seat.levels
        count = min(len(rows), len(loudest) - max(late, 0))
        if count > 0:
            end = len(loudest) - max(late, 0)
            part = loudest[end - count : end]
            np.maximum(part, rows[-count:], out=part)
            has_other = True
    return loudest if has_other else no_levels()
