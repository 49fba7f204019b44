"""Answers to open questions, and anything else that is said for the minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.current_hearing import OPEN_PHASES, CurrentHearing
from kiosk.hearing.session.hearing_state import BUTTON_MARK, HearingState
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT, Publicity
from kiosk.rules import Rules


class Statements:
    """Records statements about the open hearing."""

    def __init__(self, rules: Rules, current_hearing: CurrentHearing, publicity: Publicity) -> None:
        self._rules = rules
        self._current_hearing = current_hearing
        self._publicity = publicity

    def record(self, subject: str, value: Any, note: str, person: str) -> dict[str, Any]:
        """Record an answer to an open question, or anything else for the minutes.

        Raises:
            BadRequestError: no subject, no such ground, or no mark that can be named.
            StepRefusedError: no hearing is open.
        """
        if not subject:
            raise BadRequestError("a statement needs a subject")
        hearing = self._current_hearing.require(*OPEN_PHASES, "sealing")
        if subject == "closure_ground":
            ground = self._publicity.validate_ground(value)
            self._publicity.mark_if_secret(hearing.journal.folder, hearing.state.details, ground)
        if subject == "mark":
            self._check_mark_name(hearing.state, value)
        fields = {"subject": subject, "value": value, "note": note, "person": person}
        hearing.append("statement", fields)
        if subject == "recovered":
            self._current_hearing.recovered = None
        self._current_hearing.on_change()
        return {"open_questions": hearing.open_questions()}

    def _check_mark_name(self, state: HearingState, value: Any) -> None:
        """Refuse to name anything but a mark made with the button."""
        naming = value if isinstance(value, Mapping) else {}
        events = self._rules.events
        if naming.get("type") not in events or naming["type"] in (CLOSED_EVENT, OPENED_EVENT):
            raise BadRequestError(f"no event type “{naming.get('type')}”", code="unknown_event")
        buttons = [mark.number for mark in state.marks if mark.type == BUTTON_MARK]
        if naming.get("mark") not in buttons:
            raise BadRequestError("no mark of the button that has no name yet")
