"""The walk round the room: one seat after the other is spoken at, and judged by what was heard."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from kiosk.api.room import SpokenSentence
from kiosk.commissioning.heard import Listening

Verdict = Literal["waiting", "right", "other", "quiet", "noisy", "changed"]
LEAST_DB = -45.0
"""Level of speech at the seat below which the record is hard to understand."""
MOST_NOISE_DB = -35.0
"""Level at rest above which the room is louder than quiet speech."""
MOST_CHANGE_DB = 10.0
"""Change of the level at rest since commissioning that means another gain, or another device."""

SENTENCE_UPDATES, REST_UPDATES = 7, 6
"""Tenths of a second: a seat is judged by so long a speech, and by nothing said before a rest."""


@dataclass(frozen=True)
class Seat:
    """A seat, and what was heard when somebody spoke at it.

    Attributes:
        name: of its microphone.
        heard: microphone that rose most; empty: none yet.
        level_db, noise_db: of its own microphone, speaking and at rest.
        baseline_db: level at rest at commissioning; None: none is known.
        spoken_ns: recording clock: since when the seat alone was listened to, and of the result.
    """

    name: str
    role: str
    baseline_db: float | None = None
    heard: str = ""
    level_db: float | None = None
    noise_db: float | None = None
    spoken_ns: tuple[int, int] = (0, 0)

    @property
    def verdict(self) -> Verdict:
        """What is right or wrong, the worst first."""
        if not self.heard:
            return "waiting"
        if self.heard != self.name:
            return "other"
        if self.level_db is None or self.level_db < LEAST_DB:
            return "quiet"
        if self.noise_db is not None and self.noise_db > MOST_NOISE_DB:
            return "noisy"
        if self.noise_db is not None and self.baseline_db is not None:
            is_changed = abs(self.noise_db - self.baseline_db) > MOST_CHANGE_DB
            return "changed" if is_changed else "right"
        return "right"


class Walk:
    """The walk; :meth:`push` the levels, and the seat that is asked for gets its result.

    Args:
        seats: name and role of each microphone, in the order of the walk.
        baselines: level at rest at commissioning, by name.
    """

    def __init__(
        self, seats: Sequence[tuple[str, str]], baselines: Mapping[str, float] | None = None
    ) -> None:
        known = baselines or {}
        self.seats = [Seat(name, role, known.get(name)) for name, role in seats]
        self._listening = Listening()
        self.asked = 0
        self._rest_left = 0
        self._said: list[str] = []
        self._loudest_db = -math.inf
        self._noise_db: float | None = None
        self._since_ns: int | None = None

    @property
    def seat(self) -> Seat | None:
        """The seat that is asked for now; None: all were."""
        return self.seats[self.asked] if self.asked < len(self.seats) else None

    @property
    def is_right(self) -> bool:
        """Whether every seat was spoken at and heard by its own microphone, well."""
        return bool(self.seats) and all(seat.verdict == "right" for seat in self.seats)

    def push(
        self, levels: Mapping[str, float], *, is_prompting: bool = False, at_ns: int = 0
    ) -> Seat | None:
        """Take the levels of a tenth of a second; return the seat that has just got its result.

        Args:
            is_prompting: the microphones hear the kiosk's own voice: only the rest is learnt.
            at_ns: recording clock.
        """
        if is_prompting or self._since_ns is None:
            self._since_ns = at_ns
        heard = self._listening.push(levels)
        seat = self.seat
        if seat is None or is_prompting or self._is_resting(heard):
            return None
        if not self._said:
            self._noise_db = self._listening.floor(seat.name)
        if not self._said and not heard:
            return None
        self._said.append(heard)
        self._loudest_db = max(self._loudest_db, levels.get(seat.name, -math.inf))
        if len(self._said) < SENTENCE_UPDATES:
            return None
        ((most, _count),) = Counter(filter(None, self._said)).most_common(1)
        done = replace(
            seat,
            heard=most,
            level_db=self._loudest_db,
            noise_db=self._noise_db,
            spoken_ns=(self._since_ns, at_ns),
        )
        self.seats[self.asked] = done
        self._ask(self.asked + 1)
        return done

    def _is_resting(self, heard: str) -> bool:
        """Return whether the words for the seat before may still sound.

        Who is heard by the microphone that is asked for has come to its seat, speaking or not.
        """
        if self.seat is not None and heard == self.seat.name:
            self._rest_left = 0
        if self._rest_left:
            self._rest_left = self._rest_left - 1 if self._listening.is_quiet else REST_UPDATES
        return self._rest_left > 0

    def _ask(self, index: int) -> None:
        self.asked, self._rest_left, self._since_ns = index, REST_UPDATES, None
        self._said, self._loudest_db = [], -math.inf

    def ask_again(self, index: int) -> None:
        """Ask for one seat again."""
        self.seats[index] = replace(self.seats[index], heard="", level_db=None, noise_db=None)
        self._ask(index)


def with_walk(
    checks: Mapping[str, Mapping[str, Any]],
    seats: Sequence[Seat],
    spoken: Sequence[SpokenSentence] = (),
) -> dict[str, Mapping[str, Any]]:
    """Return results of checks with what the walk has heard in that of the microphones.

    The check measures them at rest; who spoke into each, and how loud, is known from the walk.

    Args:
        spoken: what the voice detector heard meanwhile: it knows how loud the voice alone was.
    """
    row = checks.get("microphones", {})
    measured = dict(row.get("measured", {}))
    for seat in seats:
        if seat.name in measured and seat.heard == seat.name and seat.level_db is not None:
            said: dict[str, Any] = {"level_db": round(seat.level_db, 1), "heard": True}
            if (speech_db := _speech_level(seat, spoken)) is not None:
                said["speech_db"] = speech_db
            measured[seat.name] = {**measured[seat.name], **said}
    return {**checks, **({"microphones": {**row, "measured": measured}} if row else {})}


def _speech_level(seat: Seat, spoken: Sequence[SpokenSentence]) -> float | None:
    """Return the level of the sentence at ``seat``; None: too quiet, too short, or not alone.

    One that began while the kiosk still spoke may be the kiosk's own.
    """
    since_ns, result_ns = seat.spoken_ns
    levels = [
        row.level_db
        for row in spoken
        if row.source == seat.name and since_ns <= row.start_ns <= result_ns
    ]
    return levels[-1] if levels and seat.verdict != "quiet" else None
