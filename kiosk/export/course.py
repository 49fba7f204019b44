"""The course of a hearing for the minutes: what happened, of whom, for how long (УПК 347-1(2)9)).

Whoever is questioned is questioned until the next event that ends it by the rules data, or until
the end of the hearing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kiosk.api.notes import Note
from kiosk.export.protected_spans import part_starts, place_of
from kiosk.hearing.session.hearing_state import HearingState, Mark
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.rules.rules import Rules

RESUMED, RETIREMENT = "resumed", "retirement"
PAUSES = ("recess", RETIREMENT)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment with its place in the recording.

    Attributes:
        at: wall time, RFC 3339; empty: not known yet.
        part: 0: nothing was captured then.
        part_seconds: since the start of the part.
    """

    at: str
    part: int
    part_seconds: float


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A mark or a note of the minutes.

    Attributes:
        mark: None: it is a note that belongs to a moment.
        until: when it ended; None: it is a moment.
        is_unnamed: it concerns a person, and nobody has said whom.
        notes: typed to the mark, or the note itself.
    """

    begin: Moment
    mark: Mark | None
    until: Moment | None
    is_unnamed: bool
    notes: tuple[str, ...]


def course_rows(state: HearingState, rules: Rules, types: Collection[str]) -> tuple[CourseRow, ...]:
    """Return the marks of ``types`` and all notes, in their order; none that was withdrawn.

    Marks are in the order of their numbers, and a note stands where it lies in the recording: the
    wall clock may have been set meanwhile.
    """
    marks = [mark for mark in state.marks_without_names if not mark.withdrawn]
    notes = [note for note in state.notes_without_names if not note.withdrawn]
