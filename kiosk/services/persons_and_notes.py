"""Calls about the persons of the open hearing, and about the secretary's notes."""

from __future__ import annotations

import re

from kiosk.api.base import Model
from kiosk.api.notes import ADD_NOTE, WITHDRAW_NOTE, AddNote
from kiosk.api.persons import REMOVE_PERSON, SAVE_PERSON, SavePerson
from kiosk.hearing.courtroom import Courtroom
from kiosk.services.local_api import Call, Route
from kiosk.services.step_runner import StepRunner

_NUMBER = re.compile("[0-9]{1,9}")
NO_NUMBER = 0
"""No note has it."""


class PersonAndNoteService:
    """The handlers.

    Args:
        steps: runs the steps of a hearing.
    """

    def __init__(self, courtroom: Courtroom, steps: StepRunner) -> None:
        self._courtroom, self._steps = courtroom, steps

    def routes(self) -> list[Route]:
        """Return the handler of each call."""
        return [
            (SAVE_PERSON, self._save_person),
            (REMOVE_PERSON, self._remove_person),
            (ADD_NOTE, self._add_note),
            (WITHDRAW_NOTE, self._withdraw_note),
        ]

    async def _save_person(self, call: Call) -> Model:
        request, by = await call.read(SavePerson), call.person.id
        return await self._steps.run(lambda: self._courtroom.save_person(request, by))

    async def _remove_person(self, call: Call) -> Model:
        identifier, by = call.http.match_info["id"], call.person.id
        return await self._steps.run(lambda: self._courtroom.remove_person(identifier, by))

    async def _add_note(self, call: Call) -> Model:
        request, by = await call.read(AddNote), call.person.id
        return await self._steps.run(lambda: self._courtroom.add_note(request, by))

    async def _withdraw_note(self, call: Call) -> Model:
        identifier, by = call.http.match_info["id"], call.person.id
        number = int(identifier) if _NUMBER.fullmatch(identifier) else NO_NUMBER
        return await self._steps.run(lambda: self._courtroom.withdraw_note(number, by))
