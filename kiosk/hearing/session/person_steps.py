"""Adds, changes and removes persons of the open hearing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.api.persons import (
    MAX_PERSONS,
    PROTECTING_KIND,
    HearingPerson,
    PersonAnswer,
    SavePerson,
)
from kiosk.clocks import format_wall
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.open_hearing import OpenHearing


def save_person(context: HearingContext, request: SavePerson, by: str) -> PersonAnswer:
    """Add or change a person of the open hearing; journalled unless nothing changes.

    Raises:
        BadRequestError: no such person, role or seat; somebody new without role and name.
        StepRefusedError: no hearing is open.
    """
    hearing = context.current.require()
    persons, changes = hearing.state.persons, request.changes()
    _check_values(context, changes)
    before = persons.find(request.id) if request.id else HearingPerson(id=persons.next_id())
    if "left" in changes:
        changes["left"] = (before.left or format_wall()) if changes["left"] else ""
    if "called" in changes:
        changes["called"] = (before.called or format_wall()) if changes["called"] else ""
    elif changes.get("attendance") or changes.get("left"):
        changes["called"] = ""
    decision = _withhold(context, hearing, before, changes)
    after = HearingPerson.model_validate(before.to_json() | changes)
    if not (after.name or after.role):
        raise BadRequestError("a person needs a name or a role")
    if not request.id and len(persons.rows) >= MAX_PERSONS:
        raise BadRequestError(f"{MAX_PERSONS} persons are there already")
    if after != before:
        hearing.append("person", after.to_json() | decision | {"person": by})
    return PersonAnswer(person=after.shown)


def _withhold(
    context: HearingContext, hearing: OpenHearing, before: HearingPerson, changes: dict[str, Any]
) -> dict[str, Any]:
    """Put pseudonym and act into ``changes``; return whose decision it is, for the journal (S9).

    Raises:
        BadRequestError: a name is to be withheld of somebody without a role of the rules, or where
            the code of the case knows no such decision (``protection_not_of_kind``).
    """
    if not changes.get("protected", bool(before.pseudonym)):
        changes["act"] = ""
    protected = changes.pop("protected", None)
    if protected is None or protected == bool(before.pseudonym):
        return {}
    changes["pseudonym"] = ""
    if protected:
        if hearing.state.details.get("kind") != PROTECTING_KIND:
            raise BadRequestError("only in criminal cases", code="protection_not_of_kind")
        role = context.rules.roles.get(str(changes.get("role") or before.role))
        if role is None:
            raise BadRequestError("a pseudonym needs a role of the rules", code="unknown_role")
        labels = role.label.as_map()
        language = str(hearing.state.details.get("language") or "")
        label = str(labels.get(language) or labels.get("kk") or role.id)
        name = f"{label[:1].upper()}{label[1:]}"
        changes["pseudonym"] = hearing.state.persons.pseudonym_of(before.id, name)
    return {"decided_by": "court"}


def end_call(hearing: OpenHearing, identifier: str, by: str) -> None:
    """End the call in the hall of somebody of whom a mark was made: they are in the room."""
    person = hearing.state.persons.find(identifier)
    if person.called:
        hearing.append("person", person.to_json() | {"called": "", "person": by})


def _check_values(context: HearingContext, changes: Mapping[str, Any]) -> None:
    """Refuse a role that the rules do not have, and a seat that the room does not have."""
    role, seat = changes.get("role"), changes.get("seat")
    if role and role not in context.rules.roles:
        raise BadRequestError("no such role in the rules", code="unknown_role")
    if seat and seat not in {microphone.name for microphone in context.settings.microphones}:
        raise BadRequestError("no such microphone in this room", code="unknown_seat")


def remove_person(context: HearingContext, identifier: str, by: str) -> PersonAnswer:
    """Remove a person from the open hearing; marks keep role and name.

    Raises:
        BadRequestError: there is none with that id; StepRefusedError: no hearing is open.
    """
    hearing = context.current.require()
    person = hearing.state.persons.find(identifier)
    hearing.append("person_removed", {"id": person.id, "person": by})
    return PersonAnswer(person=person.shown)
