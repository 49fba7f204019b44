"""Calls about the persons of the open hearing, the secretary's notes, and signed receipts."""

from __future__ import annotations

import re

from kiosk.api.base import Model
from kiosk.api.notes import ADD_NOTE, WITHDRAW_NOTE, AddNote
from kiosk.api.persons import REMOVE_PERSON, SAVE_PERSON, SavePerson
from kiosk.api.receipts import (
    KEEP_RECEIPT,
    MAX_SCAN_BYTES,
    RECEIPT_PRINTED,
    WITHDRAW_RECEIPT,
    KeepReceipt,
    ReceiptPrinted,
)
from kiosk.hearing.courtroom import Courtroom
from kiosk.services.local_api import Call, Route
from kiosk.services.step_runner import StepRunner

_NUMBER = re.compile("[0-9]{1,9}")
MAX_BODY_BYTES = MAX_SCAN_BYTES * 4 // 3 + 4096
"""Of the largest request: the scan of a receipt, in base64."""
NO_NUMBER = 0
"""No note has it, and no scan."""


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
            (RECEIPT_PRINTED, self._note_receipt_printed),
            (KEEP_RECEIPT, self._keep_receipt),
            (WITHDRAW_RECEIPT, self._withdraw_receipt),
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
        number, by = _number(call), call.person.id
        return await self._steps.run(lambda: self._courtroom.withdraw_note(number, by))

    async def _note_receipt_printed(self, call: Call) -> Model:
        mark, by = (await call.read(ReceiptPrinted)).mark, call.person.id
        return await self._steps.run(lambda: self._courtroom.note_receipt_printed(mark, by))

    async def _keep_receipt(self, call: Call) -> Model:
        request, by = await call.read(KeepReceipt, MAX_BODY_BYTES), call.person.id
        return await self._steps.run(lambda: self._courtroom.keep_receipt(request, by))

    async def _withdraw_receipt(self, call: Call) -> Model:
        number, by = _number(call), call.person.id
        return await self._steps.run(lambda: self._courtroom.withdraw_receipt(number, by))


def _number(call: Call) -> int:
    """Return the number in the path, else one that nothing has."""
    identifier = call.http.match_info["id"]
    return int(identifier) if _NUMBER.fullmatch(identifier) else NO_NUMBER
