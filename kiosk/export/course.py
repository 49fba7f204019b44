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
    listed = {mark.number for mark in marks if mark.type in types} - _returns(state)
    own = [mark for mark in marks if mark.number in listed]
    rows = [((mark.number, 0.0), _mark_row(state, rules, marks, mark, notes)) for mark in own]
    starts = part_starts(state)
    for note in notes:
        if note.mark not in listed:
            place = place_of(note, starts)
            rows.append(((_mark_before(note, place, marks, starts), place), _note_row(note)))
    return tuple(row for _, row in sorted(rows, key=lambda row: row[0]))


def _mark_before(note: Note, place: float, marks: list[Mark], starts: Mapping[int, float]) -> int:
    """Return the number of the last mark before a note, 0: there is none.

    Where nothing was recorded in between, as in a recess, only the wall clock can tell.
    """
    places = ((place_of(mark, starts), mark) for mark in marks)
    before = (m.number for p, m in places if p < place or (p == place and m.at <= note.at))
    return max(before, default=0)


def _returns(state: HearingState) -> set[int]:
    """Return the numbers of the marks with which the court came back from its deliberation.

    They continue the session after no recess; the retirement is listed by itself.
    """
    found, pause = set(), ""
    for mark in sorted(state.marks, key=lambda mark: mark.number):
        if mark.type in PAUSES:
            pause = mark.type
        elif mark.type == RESUMED:
            if pause == RETIREMENT:
                found.add(mark.number)
            pause = ""  # what stops next without a mark is a failure
    return found


def _note_row(note: Note) -> CourseRow:
    begin = Moment(note.at, note.part, note.part_seconds)
    return CourseRow(begin, None, None, False, (note.text,))


def _mark_row(
    state: HearingState, rules: Rules, marks: list[Mark], mark: Mark, notes: list[Note]
) -> CourseRow:
    texts = (mark.note, *(note.text for note in notes if note.mark == mark.number))
    row = rules.events.get(mark.type)
    ends = row.lasts_until if row else ()
    return CourseRow(
        Moment(mark.at, mark.part, mark.part_seconds),
        mark,
        _end(state, marks, mark, ends) if ends else None,
        f"{OF_WHOM_PREFIX}{mark.number}" in state.questions,
        tuple(text for text in texts if text),
    )


def _end(state: HearingState, marks: list[Mark], mark: Mark, ends: Collection[str]) -> Moment:
    """Return when ``mark`` ended: a mark without a part, as a recess, ends with the part before."""
    following = [other for other in marks if other.number > mark.number and other.type in ends]
    if not following:
        return _end_of_part(state, state.stopped_at, state.part)
    ending = following[0]
    if ending.part:
        return Moment(ending.at, ending.part, ending.part_seconds)
    before = [other.part for other in marks if other.number < ending.number]
    return _end_of_part(state, ending.at, max(before))


def _end_of_part(state: HearingState, at: str, part: int) -> Moment:
    times = state.parts.get(part)
    return Moment(at, part if times else 0, times.seconds if times else 0.0)
