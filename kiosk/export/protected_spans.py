"""Finds where a protected person is heard: these stretches are in no copy (S9, УПК 213(4), 370(7)).

What counts is whom the court protects at the end: a decision of before and of after the questioning
have the same effect, and one that was taken back has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.api.notes import Note
from kiosk.hearing.session.hearing_state import HearingState, Mark, PartTimes
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.rules.rules import Rules

MARGIN_S = 10.0
"""Left out before and after, too: a tap comes a little before or after the words."""
LONGER_THAN_ANY_S = 86400.0
QUESTIONING = "questioning"
"""Event of the rules data; what ends it ends whatever else concerns the person."""


@dataclass(frozen=True, slots=True)
class ProtectedSpan:
    """A stretch of a part in which a protected person is heard, or may be.

    Attributes:
        begin, end: seconds of the part.
        is_to_end: it lasts until the part ends.
    """

    part: int
    begin: float
    end: float
    is_to_end: bool

    @property
    def cut_end(self) -> float:
        """Until when media are left out: all that a part has beyond its length, too."""
        return math.inf if self.is_to_end else self.end


def protected_spans(state: HearingState, rules: Rules) -> list[ProtectedSpan]:
    """Return the stretches of all parts, in order, none touching another.

    Each event that concerns the person begins one, until the next event that ends a questioning by
    the rules and does not concern them, over recesses, too. So does an event of which nobody has
    said whom it concerns: it may be theirs.
    """
    withheld = state.persons.withheld
    if not withheld:
        return []
    row = rules.events.get(QUESTIONING)
    ends = row.lasts_until if row else ()
    marks, starts = state.marks_in_force, part_starts(state)

    def may_be_theirs(mark: Mark) -> bool:
        is_unnamed = f"{OF_WHOM_PREFIX}{mark.number}" in state.questions
        return is_unnamed or (mark.of is not None and mark.of.id in withheld)

    spans: list[tuple[float, float]] = []
    begin: float | None = None
    for mark in marks:
        place = place_of(mark, starts)
        if may_be_theirs(mark):
            begin = max(0.0, place - MARGIN_S) if begin is None else begin
        elif begin is not None and mark.type in ends:
            spans.append((begin, place + MARGIN_S))
            begin = None
    if begin is not None:
        spans.append((begin, math.inf))
    return [row for part in sorted(state.parts) for row in _within(part, state, starts, spans)]


def part_starts(state: HearingState) -> Mapping[int, float]:
    """Return the recorded seconds of the whole hearing before each part."""
    starts, total = dict[int, float](), 0.0
    for part, times in sorted(state.parts.items()):
        starts[part] = total
        total += _length(times)
    return starts


def place_of(row: Mark | Note, starts: Mapping[int, float]) -> float:
    """Return the recorded seconds of the whole hearing before a mark or a note: no wall clock.

    Args:
        starts: of :func:`part_starts`.
    """
    return starts[row.part] + row.part_seconds if row.part in starts else row.seconds


def _length(times: PartTimes) -> float:
    """Return the seconds of a part; longer than any where no journal has its end."""
    return LONGER_THAN_ANY_S if times.stop_ns is None else times.seconds


def _within(
    part: int, state: HearingState, starts: Mapping[int, float], spans: list[tuple[float, float]]
) -> list[ProtectedSpan]:
    """Return what of ``spans`` (seconds of the hearing) lies in a part; joined where they meet."""
    length, found = _length(state.parts[part]), list[ProtectedSpan]()
    for first, last in spans:
        begin, end = max(0.0, first - starts[part]), min(length, last - starts[part])
        if end <= begin:
            continue
        if found and found[-1].end >= begin:
            begin = found.pop().begin
        found.append(ProtectedSpan(part, round(begin, 3), round(end, 3), end >= length))
    return found
