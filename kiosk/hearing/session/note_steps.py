"""Keeps and withdraws notes of the open hearing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiosk.api.notes import AddNote, Note, NoteAnswer
from kiosk.clocks import format_wall, wall_time
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.hearing_state import Mark
from kiosk.hearing.session.open_hearing import OpenHearing


def add_note(hearing: OpenHearing, request: AddNote, by: str) -> NoteAnswer:
    """Keep a note at the moment that it is about, or at a mark.

    Raises:
        BadRequestError: nothing but blanks; no such mark or note, or it was withdrawn.
    """
    if not request.text:
        raise BadRequestError("text: nothing that can be read")
    if request.replaces is not None:
        _find(hearing, request.replaces)
    number = max(hearing.state.notes.rows, default=0) + 1
    fields = {"id": number, "person": by, **request.model_dump(exclude={"ago_seconds"})}
    if request.mark is not None:
        mark = _find_mark(hearing, request.mark)
        moment = {"seconds": mark.seconds, "part_seconds": mark.part_seconds, "moment": mark.at}
        is_of_part = mark.part == hearing.running_part
    else:
        moment = _moment(hearing, request.ago_seconds)
        is_of_part = request.ago_seconds <= hearing.part_seconds
    # the running part may be open, and the one that it is about was closed: their journals are kept
    # apart, and only those of open parts are copied for the parties (S19)
    append = hearing.append_here if is_of_part else hearing.append
    append("note", fields | moment)
    return NoteAnswer(note=hearing.state.notes.rows[number])


def _moment(hearing: OpenHearing, ago_seconds: float) -> dict[str, Any]:
    """Return so long ago as a moment of the recording."""
    part_seconds = hearing.part_seconds - ago_seconds
    seconds = hearing.state.finished_seconds + part_seconds
    return {
        "seconds": round(max(0.0, seconds), 3),
        "part_seconds": round(max(0.0, part_seconds), 3),
        "moment": format_wall(wall_time() - timedelta(seconds=ago_seconds)),
    }


def _find_mark(hearing: OpenHearing, number: int) -> Mark:
    for mark in hearing.state.marks:
        if mark.number == number and not mark.withdrawn:
            return mark
    raise BadRequestError("no such mark, or it was withdrawn", code="unknown_mark")


def withdraw_note(hearing: OpenHearing, number: int, by: str) -> NoteAnswer:
    """Withdraw a note.

    Raises:
        BadRequestError: no such note, or it was withdrawn.
    """
    note = _find(hearing, number)
    hearing.append_here("note_withdrawn", {"note": note.id, "person": by})
    return NoteAnswer(note=hearing.state.notes.rows[note.id])


def _find(hearing: OpenHearing, number: int) -> Note:
    note = hearing.state.notes.present(number)
    if note is None:
        raise BadRequestError("no such note, or it was withdrawn", code="unknown_note")
    return note
