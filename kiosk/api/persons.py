"""The persons at a hearing: who sits where, in which role, and of whom a mark is."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from kiosk.api.base import Model, Moment
from kiosk.api.operations import COURT_ROLES, Operation

Attendance = Literal["", "hall", "online", "absent"]
"""In the room, by technical means, or not come (АПК 190(1)); empty: not checked yet."""
PROTECTING_KIND = "criminal"
"""Kind of case whose code lets the court withhold a name (S9; УПК 213(4), 370(7))."""
MAX_PERSONS = 1000
"""Persons of one hearing; as many as the court's list may name."""
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Controls, line breaks, changes of the writing direction, halves of characters."""


_NO_WIDTH = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u2060-\u2064\ufeff]")
"""They part no words; what joins letters or signs is kept."""


def as_one_line(text: str) -> str:
    """Return ``text`` as one line without characters that nobody sees."""
    return " ".join(_NOT_SHOWN.sub(" ", _NO_WIDTH.sub("", text)).split())


OneLine = Annotated[str, Field(max_length=300), AfterValidator(as_one_line)]


class MarkedPerson(Model):
    """Of whom a mark is: role and name as they were then; a corrected name is the new one."""

    id: str
    role: str = ""
    name: str = ""


class HearingPerson(Model):
    """Somebody at the hearing."""

    id: str
    """``p1``, ``p2``, … within the hearing."""
    role: str = ""
    """Role of the rules; from the court's list it may be another word."""
    name: str = ""
    seat: str = ""
    """Microphone; empty: that of the role."""
    attendance: Attendance = ""
    own_device: bool | None = None
    """Takes part by a device of their own (R28); null: not known."""
    minor: bool = False
    """Under sixteen (S12)."""
    institution: bool = False
    """Takes part by the means of an institution, which takes the receipt (АПК 133-3(3))."""
    left: Moment = ""
    """Since when they are not there any more."""
    called: Moment = ""
    """Since when the display in the hall calls them in; it ends when they come, leave or speak."""
    admitted: bool = False
    """Admitted to the closed part by the court's permission, though they only watch (R54)."""
    pseudonym: str = ""
    """In the name's place while the court withholds it (S9, УПК 213(4)); empty: it does not."""
    act: str = ""
    """Number and date of the court's act by which the name is withheld; empty: not typed."""

    @property
    def shown(self) -> HearingPerson:
        """Them as they are shown everywhere: a name that is withheld is the pseudonym."""
        return self.model_copy(update={"name": self.pseudonym}) if self.pseudonym else self

    def marked(self) -> MarkedPerson:
        """Return them as the person of a mark."""
        return MarkedPerson(id=self.id, role=self.role, name=self.shown.name)


class SavePerson(Model):
    """Somebody to add, or to change: what is not given stays as it is."""

    id: str = ""
    """Empty: somebody new."""
    role: str = ""
    name: OneLine = ""
    seat: str = ""
    attendance: Attendance = ""
    own_device: bool | None = None
    minor: bool = False
    institution: bool = False
    left: bool = False
    """Whether they have left."""
    called: bool = False
    """Whether the display in the hall calls them in."""
    admitted: bool = False
    protected: bool = False
    """Whether the court withholds their name; the recorder makes the pseudonym (S9)."""
    act: OneLine = ""

    def changes(self) -> dict[str, Any]:
        """Return the fields that are given, without the id."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"id"})


class PersonAnswer(Model):
    """The person that was added, changed or removed."""

    person: HearingPerson


SAVE_PERSON = Operation(
    "savePerson",
    "POST",
    "/v1/hearing/persons",
    "Add a person to the open hearing, or change one",
    answer=PersonAnswer,
    request=SavePerson,
    roles=COURT_ROLES,
    errors={
        400: ("protection_not_of_kind", "unknown_person", "unknown_role", "unknown_seat"),
        409: ("hearing_step_refused", "storage_failed"),
    },
)
REMOVE_PERSON = Operation(
    "removePerson",
    "DELETE",
    "/v1/hearing/persons/{id}",
    "Remove a person who was added by mistake; marks keep their name",
    answer=PersonAnswer,
    roles=COURT_ROLES,
    errors={400: ("unknown_person",), 409: ("hearing_step_refused", "storage_failed")},
)
PERSON_OPERATIONS = (SAVE_PERSON, REMOVE_PERSON)
