"""Answers to open questions, and anything else that is said for the minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.current_hearing import OPEN, Present
from kiosk.hearing.session.hearing_state import BUTTON, HearingRecord
from kiosk.hearing.session.publicity import CLOSED_MARK, OPENED_MARK, Publicity
from kiosk.rules import Rules


class Answers:
    """Takes statements about the open hearing."""

    def __init__(self, rules: Rules, present: Present, publicity: Publicity) -> None:
        self._rules = rules
        self._present = present
        self._publicity = publicity

    def take(self, subject: str, value: Any, note: str, person: str) -> dict[str, Any]:
        """Take an answer to an open question, or anything else for the minutes.

        Raises:
            BadRequestError: no subject, no such ground, or nothing that bears this name.
            StepRefusedError: no hearing is open.
        """
        if not subject:
            raise BadRequestError("a statement needs a subject")
        session = self._present.open_session(*OPEN, "sealing")
        if subject == "closure_ground":
            ground = self._publicity.checked_ground(value)
            self._publicity.note(session.book.folder, session.record.hearing, ground)
        if subject == "mark":
            self._check_naming(session.record, value)
        fields = {"subject": subject, "value": value, "note": note, "person": person}
        session.write("statement", fields)
        if subject == "recovered":
            self._present.recovered = None
        self._present.changed()
        return {"open_questions": session.open_questions()}

    def _check_naming(self, record: HearingRecord, value: Any) -> None:
        """Refuse a name for anything but a moment that was marked with the button."""
        told = value if isinstance(value, Mapping) else {}
        names = self._rules.events
        if told.get("type") not in names or told["type"] in (CLOSED_MARK, OPENED_MARK):
            raise BadRequestError(f"no event type “{told.get('type')}”", code="unknown_event")
        buttons = [mark.number for mark in record.marks if mark.type == BUTTON]
        if told.get("mark") not in buttons:
            raise BadRequestError("no mark of the button that has no name yet")
