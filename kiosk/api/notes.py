"""Notes of the secretary in a hearing: typed, tied to a mark or to a moment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from kiosk.api.base import Model, Moment
from kiosk.api.operations import COURT_ROLES, Operation
from kiosk.api.persons import as_one_line

MAX_NOTE_LENGTH = 2000
NoteText = Annotated[
    str, Field(min_length=1, max_length=MAX_NOTE_LENGTH), AfterValidator(as_one_line)
]


class Note(Model):
    """A note of the open hearing."""

    id: int
    """From 1, within the hearing."""
    text: str = ""
    at: Moment = ""
    """The moment that it is about, wall time."""
    mark: int | None = None
    """The mark that it is tied to; null: to the moment."""
    seconds: float = 0.0
    """Recording before that moment, in the whole hearing."""
    part: int = 0
    part_seconds: float = 0.0
    withdrawn: bool = False


class AddNote(Model):
    """A note to keep."""

    text: NoteText
    """One line; line breaks become blanks."""
    mark: int | None = None
    """Number of the mark that it belongs to."""
    ago_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """So long ago is the moment that it is about: when the typing began."""
    replaces: int | None = None
    """A note that it corrects, and that is withdrawn by it."""


class NoteAnswer(Model):
    """The note that was kept or withdrawn."""

    note: Note


ADD_NOTE = Operation(
    "addNote",
    "POST",
    "/v1/hearing/notes",
    "Keep a note; one that it replaces is withdrawn, and nothing is erased",
    answer=NoteAnswer,
    request=AddNote,
    roles=COURT_ROLES,
    errors={
        400: ("unknown_mark", "unknown_note"),
        409: ("hearing_step_refused", "storage_failed"),
    },
)
WITHDRAW_NOTE = Operation(
    "withdrawNote",
    "DELETE",
    "/v1/hearing/notes/{id}",
    "Withdraw a note; nothing is erased",
    answer=NoteAnswer,
    roles=COURT_ROLES,
    errors={400: ("unknown_note",), 409: ("hearing_step_refused", "storage_failed")},
)
NOTE_OPERATIONS = (ADD_NOTE, WITHDRAW_NOTE)
