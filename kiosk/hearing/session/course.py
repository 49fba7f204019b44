"""The course of the open hearing as the rules see it: what is due next, what was left out (S25)."""

from __future__ import annotations

from kiosk.api.persons import HearingPerson
from kiosk.hearing.session.hearing_state import LEFT_OUT_PREFIX, HearingState, Mark
from kiosk.rules import Rules
from kiosk.rules.order import Attendant, Course, Step, left_out_steps


def course_of(state: HearingState, rules: Rules, before: int | None = None) -> Course:
    """Return the hearing until now.

    Args:
        before: number of a mark: the hearing until that mark.
    """
    details = state.details
    kind = details.get("kind")
    return Course(
        kind=kind if isinstance(kind, str) else None,
        format_=str(details.get("format") or ""),
        session=str(details.get("session") or ""),
        instance=rules.instance_of(str(details.get("case_number") or "")),
        closed=state.closed is not None,
        ground=str((state.closed or {}).get("ground") or ""),
        attendants=tuple(_attendant(person) for person in state.persons.rows.values()),
        done=tuple(
            _step(mark) for mark in state.marks_in_force if before is None or mark.number < before
        ),
        missing=tuple(
            Step(*name.removeprefix(LEFT_OUT_PREFIX).split(":"))
            for name in state.left_out_questions()
        ),
    )


def left_out_before(
    state: HearingState, rules: Rules, event: str, person: str, mark: int | None = None
) -> list[str]:
    """Return what the rules want before ``event`` and nobody has marked, as in the journal.

    Args:
        person: id of whom it is; empty: not said.
        mark: number of the mark, where it is made already.
    """
    missing = left_out_steps(rules, course_of(state, rules, mark), Step(event, person))
    return [f"{step.event}:{step.person}" if step.person else step.event for step in missing]


def _attendant(person: HearingPerson) -> Attendant:
    return Attendant(
        id=person.id,
        role=person.role,
        place="absent" if person.left else person.attendance,
        minor=person.minor,
        institution=person.institution,
    )


def _step(mark: Mark) -> Step:
    return Step(mark.type, mark.of.id if mark.of is not None else "")
