"""The persons of the open hearing, from the court's list and the journal (R28, S12; АПК 190(1)).

They begin with the participants of the list; ``person`` adds one or changes one, and has all their
fields; ``person_removed`` removes one. Their ids follow from the list and the journal alone, so
that they are the same after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.api.persons import (
    HearingPerson,
    MarkedPerson,
    as_one_line,
)
from kiosk.hearing.room.errors import BadRequestError

OF_WHOM_PREFIX = "of_whom:"
"""Of the subject of a question: the mark of that number concerns a person, and has no name."""
SHORT_NAME = 3
"""A name of so few letters is found as a whole word only; a longer one with any ending."""


@dataclass
class Persons:
    """The persons of a hearing.

    Attributes:
        rows: by id, in the order in which they were named, with their real names.
        withheld: the pseudonyms in force by id (S9); those of removed people stay in force.
        seated: by seat, the ids of all who ever sat there in this hearing.
    """

    rows: dict[str, HearingPerson] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    seated: dict[str, set[str]] = field(default_factory=dict)
    _given: dict[str, str] = field(default_factory=dict)
    _names: set[tuple[str, str]] = field(default_factory=set)
    _highest: int = 0

    def add_listed(self, participants: object) -> None:
        """Add the readable participants of a list who are not there yet."""
        rows = participants if isinstance(participants, list | tuple) else ()
        known = [(person.role, person.name) for person in self.rows.values()]
        for row in rows:
            if not isinstance(row, Mapping) or not row.get("name"):
                continue
            role, name = (as_one_line(str(row.get(key) or "")) for key in ("role", "name"))
            if (role, name) in known:
                known.remove((role, name))
            else:
                person = HearingPerson(id=self.next_id(), role=role, name=name)
                self.apply(person.to_json())

    def next_id(self) -> str:
        """Return the id of somebody new."""
        return f"p{self._highest + 1}"

    def apply(self, entry: Mapping[str, Any]) -> HearingPerson:
        """Apply a ``person`` entry; return the person as they are now."""
        person = HearingPerson.model_validate(dict(entry))
        self.rows[person.id] = person
        if person.seat:
            self.seated.setdefault(person.seat, set()).add(person.id)
        self._highest = max(self._highest, int(person.id.removeprefix("p")))
        if person.name:
            self._names.add((person.name, person.id))
        self.withheld.pop(person.id, None)
        if person.pseudonym:
            self.withheld[person.id] = self._given[person.id] = person.pseudonym
        return person

    @property
    def shown(self) -> tuple[HearingPerson, ...]:
        """The people as they are shown everywhere, in order."""
        return tuple(person.shown for person in self.rows.values())

    def pseudonym_of(self, identifier: str, role: str) -> str:
        """Return the pseudonym of somebody: role and number; each is given to one person only.

        Args:
            role: its label in the language of the case.
        """
        if identifier in self._given:
            return self._given[identifier]
        taken = set(self._given.values())
        free = (f"{role} {n}" for n in range(1, len(taken) + 2))
        return next(name for name in free if name not in taken)

    def without_names(self, text: str) -> str:
        """Return what was typed with pseudonyms in the place of names that are withheld.

        A name is found as it stands or stood in the list, also of somebody who was removed.
        """
        rows = [(name, self.withheld[who]) for name, who in self._names if who in self.withheld]
        if not rows or not text:
            return text
        rows.sort(key=lambda row: (-len(row[0]), row))  # of one name in another the longer one
        found = "|".join(f"({_pattern(name)})" for name, _ in rows)
        return re.sub(
            rf"(?<!\w)(?:{found})",
            lambda match: rows[(match.lastindex or 1) - 1][1],
            text,
            flags=re.IGNORECASE,
        )

    def apply_removed(self, entry: Mapping[str, Any]) -> None:
        """Apply a ``person_removed`` entry; the id is given to nobody else."""
        self.rows.pop(str(entry["id"]), None)

    def find(self, identifier: str) -> HearingPerson:
        """Return a person.

        Raises:
            BadRequestError: there is none with that id (``unknown_person``).
        """
        person = self.rows.get(identifier)
        if person is None:
            raise BadRequestError("no such person at this hearing", code="unknown_person")
        return person

    def with_present_name(self, marked: Mapping[str, Any] | None) -> MarkedPerson | None:
        """Return of whom a mark is; a name that was corrected or withheld since is the new one."""
        if marked is None:
            return None
        person = self.rows.get(str(marked["id"]))
        name = str(marked.get("name") or "") if person is None else person.name
        name = self.withheld.get(str(marked["id"]), name)
        role = str(marked.get("role") or "")
        return MarkedPerson(id=str(marked["id"]), role=role, name=name)


def _pattern(name: str) -> str:
    """Return what finds ``name`` in what was typed, however wide its blanks are."""
    words = r"\s+".join(map(re.escape, name.split()))
    return words if len(name) > SHORT_NAME else rf"{words}(?!\w)"
