"""Records statements about the open hearing: answers to questions and notes for the minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.api.persons import as_one_line
from kiosk.api.recorder_calls import MAX_ANSWER_LENGTH, OpenQuestions, Statement
from kiosk.api.states import Phase
from kiosk.clocks import format_wall, parse_wall
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.current_hearing import OPEN_PHASES
from kiosk.hearing.session.decisions import (
    check_format,
    check_permission,
    decided_before,
    decision_event,
)
from kiosk.hearing.session.formats import IN_THE_ROOM
from kiosk.hearing.session.hearing_state import BUTTON_MARK, RECESS_UNTIL, HearingState, Mark
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT
from kiosk.hearing.session.removals import removals_followed
from kiosk.rules import Rules


def record_statement(context: HearingContext, request: Statement, person: str) -> OpenQuestions:
    """Record an answer to an open question, or anything else for the minutes.

    Raises:
        BadRequestError: no such ground, format or permission, no mark that can be named, no such
            person, a publicity that is not so, or an end of a recess that is no time.
        StepRefusedError: no hearing is open.
    """
    subject = request.subject
    hearing = context.current.require(*OPEN_PHASES, Phase.SEALING)
    said = _checked(context, hearing, subject, _typed(context.rules, request))
    event = decision_event(hearing.state, subject, said["value"])
    decision = decided_before(hearing.state, subject, said["value"])
    about = {"subject": subject, "note": request.note, "person": person}
    with removals_followed(hearing, person):
        hearing.append("statement", about | said)
    if event:
        hearing.add_mark(event, person, request.note, "", decision=decision)
    if (subject, said["value"]) == ("format_confirmed", IN_THE_ROOM):
        return record_statement(context, Statement(subject="format", value=IN_THE_ROOM), person)
    if subject == "recovered":
        context.current.recovered = None
    if hearing.state.phase is Phase.SEALING:  # its ground may have been named only now
        context.publicity.remember(hearing.state)
        context.seal_queue.submit(hearing.state.id, context.publicity.save_remembered)
    context.events.on_change()
    return OpenQuestions(open_questions=tuple(hearing.open_questions()))


def _checked(
    context: HearingContext, hearing: OpenHearing, subject: str, value: object
) -> dict[str, Any]:
    """Return ``value`` as it is journalled, with what belongs to it; see above for errors."""
    state = hearing.state
    match subject:
        case "closure_ground":
            ground = context.publicity.validate_ground(value)
            context.publicity.mark_if_secret(hearing.journal.folder, state.details, ground)
        case "publicity":
            _check_publicity(state, value)
        case "format":
            return {"value": value, **check_format(context, state, value)}
        case "session" if value and value not in _sessions(context.rules):
            raise BadRequestError("session: none that the rules know")
        case "language" if value not in tuple(context.rules.languages):
            raise BadRequestError("language: none that the rules know")
        case "permission":
            return {"value": value, **check_permission(context.rules, state, value)}
        case "mark":
            event, number = _check_mark_name(context.rules, state, value)
            of_whom = {"of_whom": True} if hearing.concerns_somebody(event) else {}
            left_out = hearing.left_out(event, "", number)
            return {"value": value, "mark": number, "left_out": left_out, **of_whom}
        case _ if subject == RECESS_UNTIL:
            context.current.require(Phase.RECESS, Phase.RETIRED)
            return {"value": _end_of_recess(value)}
        case _ if subject.startswith(OF_WHOM_PREFIX):
            mark = _find_mark(state, subject.removeprefix(OF_WHOM_PREFIX))
            of = _marked_person(state, value)
            left_out = hearing.left_out(mark.type, of["id"] if of else "", mark.number)
            return {"value": of, "mark": mark.number, "left_out": left_out}
    return {"value": value}


def _sessions(rules: Rules) -> tuple[str, ...]:
    return tuple(row.id for row in rules.forms_of("session"))


def _typed(rules: Rules, request: Statement) -> object:
    """Return the value; a sentence (R77) as one line, refused if it is none, or too long."""
    row = rules.questions.get(request.subject)
    if row is None or not row.letters:
        return request.value
    text = as_one_line(request.value) if isinstance(request.value, str) else ""
    if not text or len(text) > MAX_ANSWER_LENGTH:
        raise BadRequestError(f"{row.id}: no sentence of at most {MAX_ANSWER_LENGTH} characters")
    return text


def _end_of_recess(value: object) -> str | None:
    """Return the end of a recess as RFC 3339 in UTC; None: nobody has said."""
    moment = parse_wall(value) if isinstance(value, str) else None
    if value is not None and moment is None:
        raise BadRequestError(f"{RECESS_UNTIL}: neither a time (RFC 3339) nor null")
    return None if moment is None else format_wall(moment)


def _check_publicity(state: HearingState, value: object) -> None:
    """Refuse a publicity that is not so: only closing encrypts, only opening ends that."""
    if value != ("open" if state.closed is None else "closed"):
        raise BadRequestError("publicity: the hearing must be closed or opened, not declared so")


def _check_mark_name(rules: Rules, state: HearingState, value: object) -> tuple[str, int]:
    """Return what a mark made with the button was, and its number; refuse any other mark."""
    naming = value if isinstance(value, Mapping) else {}
    event = naming.get("type")
    is_known = isinstance(event, str) and event in rules.events
    if not is_known or event in (CLOSED_EVENT, OPENED_EVENT):
        raise BadRequestError(f"no event type “{event}”", code="unknown_event")
    buttons = [mark.number for mark in state.marks if mark.type == BUTTON_MARK]
    if naming.get("mark") not in buttons:
        raise BadRequestError("no mark of the button that has no name yet")
    return str(event), int(naming["mark"])


def _find_mark(state: HearingState, number: str) -> Mark:
    """Return the mark of that number.

    Raises:
        BadRequestError: there is none, or it was withdrawn.
    """
    for mark in state.marks_in_force:
        if str(mark.number) == number:
            return mark
    raise BadRequestError("no such mark, or it was withdrawn")


def _marked_person(state: HearingState, value: object) -> dict[str, Any] | None:
    """Return of whom a mark is, for the journal; None: of nobody in particular.

    Args:
        value: id of the person; "" or null: nobody in particular.

    Raises:
        BadRequestError: no such person.
    """
    if value in ("", None):
        return None
    return state.persons.find(str(value)).marked().to_json()
