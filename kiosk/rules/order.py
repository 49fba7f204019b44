"""What is due next in a hearing, and what was left out: a pure function of rules and marks.

Nothing is forbidden: whatever the court does, there is a way on (R46-R53, S10-S14, S25).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from kiosk.rules.order_model import AnnouncedPart, OrderStep
from kiosk.rules.rules import Rules

Place = Literal["hall", "online", "absent", ""]
CLOSING = "closed_declared"
CHILD_LEAVES = "minor_leaves"
UNNAMED_ROLE = "witness"
"""Marks that name nobody are read as the turn of a witness, once it has begun with one."""


@dataclass(frozen=True)
class Attendant:
    """Somebody at the hearing.

    Attributes:
        place: ``hall``, ``online``, ``absent``; empty: not said.
        minor: under sixteen.
        institution: takes part by the means of an institution (АПК 133-3(3)).
    """

    id: str
    role: str
    place: Place = ""
    minor: bool = False
    institution: bool = False


@dataclass(frozen=True)
class Step:
    """An event, and the id of the person it is of; empty: of nobody, or not said."""

    event: str
    person: str = ""


@dataclass(frozen=True)
class Course:
    """The hearing until now.

    Attributes:
        kind: of the case; None: not known.
        format_: ``offline``, ``online``, ``mixed``; empty: not known.
        instance: ``first``, ``appeal``, ``cassation``; empty: not known.
        ground: of closing, while it is closed.
        done: the marks that were not withdrawn, in order.
        missing: what was left out, and nobody has marked or settled since.
    """

    kind: str | None
    format_: str = ""
    session: str = ""
    instance: str = ""
    closed: bool = False
    ground: str = ""
    attendants: tuple[Attendant, ...] = ()
    done: tuple[Step, ...] = ()
    missing: tuple[Step, ...] = ()

    def attendant(self, identifier: str) -> Attendant | None:
        """Return the person with that id."""
        return next((row for row in self.attendants if row.id == identifier), None)

    @property
    def marked(self) -> set[str]:
        """Events that were marked, of whomever."""
        return {step.event for step in self.done}


def keeps_minutes(rules: Rules, course: Course) -> bool:
    """Return whether minutes are kept: not of mediation, not in cassation (АПК 179(7), 281(4))."""
    return not any(
        course.kind in row.kinds
        and (row.session or course.session) == course.session
        and (row.instance or course.instance) == course.instance
        for row in rules.order.without_minutes
    )


def offered_events(rules: Rules, course: Course) -> tuple[str, ...]:
    """Return the events that a person may mark, in the order of the table."""
    if not keeps_minutes(rules, course):
        return ()
    kind = course.kind if course.kind in rules.case_kinds else None
    return tuple(row.id for row in rules.events_for(kind))


def due_steps(rules: Rules, course: Course, max_count: int = 4) -> tuple[Step, ...]:
    """Return what is due next, likeliest first; a suggestion, never a lock."""
    return _Order(rules, course).due(max_count)


def left_out_steps(rules: Rules, course: Course, step: Step) -> tuple[Step, ...]:
    """Return what should have come before ``step``, which is marked now, and did not."""
    return _Order(rules, course).left_out(step)


def announced_part(rules: Rules, course: Course) -> AnnouncedPart | None:
    """Return how much of the act is announced in open session; None: all of it (R57, S14)."""
    ground = rules.closure_grounds.get(course.ground)
    stays_closed = course.closed and ground is not None and ground.announcement == "closed"
    return next(
        (
            row.part
            for row in rules.order.announcement
            if (not row.kinds or course.kind in row.kinds)
            and (course.closed or not row.closed)
            and (stays_closed or not row.closed_ground)
        ),
        None,
    )


class _Order:
    """The steps of one hearing."""

    def __init__(self, rules: Rules, course: Course) -> None:
        self._rules, self._course = rules, course
        self._done, self._marked = frozenset(course.done), course.marked
        self._offered = set(offered_events(rules, course))
        self._steps = [row for row in rules.order.step if self._is_of_kind(row)]
        turns = [n for n, row in enumerate(self._steps) if row.when == "turn"]
        self._turns = (turns[0], turns[-1]) if turns else (0, -1)
        only_turns = {row.event for row in self._steps if row.when == "turn"}
        self._turn_events = only_turns - {row.event for row in self._steps if row.when == "course"}
        self._own = defaultdict[str, set[str]](set)
        for step in course.done:
            self._own[step.person].add(step.event)
        self._present = {p.role for p in course.attendants if p.place != "absent"}
        self._heard = self._last_turn()
        self._reached = self._find_reached()

    # -- which steps apply -----------------------------------------------------------------------
    def _is_of_kind(self, row: OrderStep) -> bool:
        kind, event = self._course.kind, self._rules.events.get(row.event)
        if event is None or kind not in self._rules.case_kinds:
            return event is not None
        return kind in (row.kinds or event.kinds)

    def _takes_part(self, roles: tuple[str, ...]) -> bool:
        return not self._present.isdisjoint(roles)

    def _roles(self, row: OrderStep) -> tuple[str, ...]:
        return self._rules.order.roles_of(row.of)

    def _is_for(self, row: OrderStep, person: Attendant, *, surely: bool) -> bool:
        """Return whether ``row`` is due for ``person``.

        Args:
            surely: not if it hangs on a place that nobody has said.
        """
        place = self._place(person)
        return (
            person.role in self._roles(row)
            and person.place != "absent"
            and (row.minor is None or row.minor == person.minor)
            and (row.institution is None or row.institution == person.institution)
            and (row.place is None or row.place == place or (not place and not surely))
        )

    def _place(self, person: Attendant) -> str:
        """Return where ``person`` takes part: as said, else by the format; empty: not known."""
        return person.place or {"offline": "hall", "online": "online"}.get(self._course.format_, "")

    def _applies_to_all(self, row: OrderStep) -> bool:
        """Return whether ``row`` applies to the hearing as it is now."""
        roles = self._rules.order.roles_of(row.with_roles)
        return (
            set(row.once) <= self._marked
            and (row.when not in ("closed", "reopen") or self._course.closed)
            and not (row.met_by and all(self._takes_part((role,)) for role in row.met_by))
            and not (roles and self._course.attendants and not self._takes_part(roles))
            and not (row.when == "reopen" and announced_part(self._rules, self._course) == "none")
        )

    # -- what was done -----------------------------------------------------------------------------
    def _is_done(self, row: OrderStep, person: str) -> bool:
        """Return whether ``row`` was done for ``person``; who was not named is meant as well."""
        if not row.of:
            return row.event in self._marked
        if row.event not in self._marked:
            return False
        unnamed = self._course.done[self._heard :] if row.when == "turn" else self._done
        return Step(row.event) in unnamed or Step(row.event, person) in self._done

    def _last_turn(self) -> int:
        """Return how many marks there were when the last person had been heard."""
        done = self._course.done
        heard = (n + 1 for n in range(len(done) - 1, -1, -1) if done[n].event == "questioning")
        return next(heard, 0)

    def _find_reached(self) -> int:
        """Return the number of the furthest step that was done; -1: none."""
        reached = -1
        for step in self._course.done:
            numbers = [n for n, row in enumerate(self._steps) if self._is_at(row, step, reached)]
            reached = min((n for n in numbers if n >= reached), default=reached)
        return reached

    def _is_at(self, row: OrderStep, step: Step, reached: int) -> bool:
        """Return whether ``step`` is the step ``row`` of the course."""
        if row.event != step.event or row.when in ("closed", "reopen"):
            return False
        if row.when == "turn":
            return step.event in self._turn_events or reached >= self._turns[0]
        person = self._course.attendant(step.person)
        return not row.of or person is None or person.role in self._roles(row)

    # -- due ---------------------------------------------------------------------------------------
    def due(self, max_count: int) -> tuple[Step, ...]:
        """Return the next steps, each once, that a person may mark."""
        found: list[Step] = []
        for step in chain(self._follow_up(), self._closed(), self._turn_begun(), self._rest()):
            if step.event not in self._offered or step in found:
                continue
            found += [Step(event) for event in self._before(step) if Step(event) not in found]
            found.append(step)
            if len(found) >= max_count:  # a case may have a thousand victims
                break
        found[1:1] = [step for step in self._missing_of_heard() if step not in found][:1]
        return tuple(found[:max_count])

    def _missing_of_heard(self) -> Iterator[Step]:
        """Yield what was left out of those who were heard, once nobody's turn goes on.

        It stands second: what comes next is likelier, and the court may still make it good. What
        closing asks for goes before it; a child who was heard has left (УПК 371(4), АПК 206(3)).
        """
        if any(True for _ in chain(self._turn_begun(), self._closed())):
            return
        for step in self._course.missing:
            person = self._course.attendant(step.person)
            is_there = person is not None and person.place != "absent"
            own = self._own[step.person] if is_there else set()
            if "questioning" in own and CHILD_LEAVES not in own and step.event in self._offered:
                yield step

    def _before(self, step: Step) -> Iterator[str]:
        """Yield what comes right before ``step`` in a closed hearing (S14)."""
        for row in self._steps:
            if row.when == "reopen" and step.event in row.needed_for and self._applies_to_all(row):
                yield row.event

    def _follow_up(self) -> Iterator[Step]:
        """Yield what follows the newest step (a recess or a lost link is no step)."""
        steps = [step for step in self._course.done if self._is_step(step.event)]
        if not steps:
            return
        kind, format_ = self._course.kind, self._course.format_ or "mixed"  # both ways are offered
        for row in self._rules.order.follow:
            if (
                row.after == steps[-1].event
                and not (row.unnamed and (steps[-1].person or self._is_named_later(row.after)))
                and (not row.kinds or kind not in self._rules.case_kinds or kind in row.kinds)
                and (not row.formats or format_ in row.formats)
                and set(row.once_done) <= self._marked
            ):
                yield from (Step(event) for event in row.expect)

    def _is_named_later(self, event: str) -> bool:
        """Return whether ``event`` is due person by person, and the persons are known."""
        rows = [row for row in self._steps if row.event == event and row.when == "course"]
        return bool(self._course.attendants) and any(row.of for row in rows)

    def _is_step(self, event: str) -> bool:
        row = self._rules.events.get(event)
        return row is not None and (row.course or row.made_by == "secretary")

    def _closed(self) -> Iterator[Step]:
        """Yield what closing asks for: at once, or at its place if it was closed from the start."""
        rows = [(n, row) for n, row in enumerate(self._steps) if row.when == "closed"]
        for _, row in rows:
            is_now = CLOSING in self._marked or self._reached >= rows[0][0] - 1
            if is_now and self._applies_to_all(row):
                yield from self._open_steps(row)

    def _open_steps(self, row: OrderStep) -> Iterator[Step]:
        """Yield ``row`` for each person for whom it is not done yet."""
        if not row.of or not self._course.attendants:
            is_usual = not row.of or self._rules.events[row.event].course
            if is_usual and row.event not in self._marked:
                yield Step(row.event)
            return
        for person in self._course.attendants:
            if self._is_for(row, person, surely=False) and not self._is_done(row, person.id):
                yield Step(row.event, person.id)

    def _turn_begun(self) -> Iterator[Step]:
        """Yield the next step of the person whose turn began last and goes on."""
        for step in reversed(self._course.done):
            person = self._course.attendant(step.person)
            if person is not None and self._has_begun(person, step.event):
                yield from self._turn(person)
                return

    def _has_begun(self, person: Attendant, event: str) -> bool:
        rows = [row for row in self._steps if row.when == "turn" and row.event == event]
        return any(self._is_for(row, person, surely=False) for row in rows)

    def _turn(self, person: Attendant) -> Iterator[Step]:
        """Yield what is due of ``person``'s turn, after the furthest step that was done."""
        rows = [
            row
            for row in self._steps
            if row.when == "turn"
            and self._is_for(row, person, surely=False)
            and self._applies_to_all(row)
        ]
        done = [n for n, row in enumerate(rows) if row.event in self._own[person.id]]
        begun = done[-1] + 1 if done else 0
        for row in rows[begun:]:
            if begun or not self._is_done(row, person.id):
                yield Step(row.event, person.id)

    def _rest(self) -> Iterator[Step]:
        """Yield the open steps of the course from the furthest one on."""
        first, last = self._turns
        for number, row in enumerate(self._steps):
            if number == first and self._reached <= last:
                yield from self._turns_of_all()
            is_open = number > self._reached or (number == self._reached and bool(row.of))
            if row.when == "course" and is_open and self._applies_to_all(row):
                yield from self._open_steps(row)

    def _turns_of_all(self) -> Iterator[Step]:
        """Yield the turns of the persons who were not heard yet, in the order of their roles."""
        heard = next((row for row in self._steps if row.event == "questioning"), None)
        if heard is None:
            return
        if not self._course.attendants:
            yield Step(heard.event)
            return
        for role in self._roles(heard):
            for person in self._course.attendants:
                if person.role == role and Step(heard.event, person.id) not in self._done:
                    yield from self._turn(person)

    # -- left out ------------------------------------------------------------------------------
    def left_out(self, step: Step) -> tuple[Step, ...]:
        """Return what is missing before ``step``; nothing where the kind is not known."""
        if self._course.kind not in self._rules.case_kinds or not self._offered:
            return ()
        person = self._course.attendant(step.person)
        missing: list[Step] = []
        for row in self._steps:
            if step.event in row.needed_for and self._applies_to_all(row):
                missing += self._missing(row, step, person)
        return tuple(dict.fromkeys(missing))

    def _missing(self, row: OrderStep, step: Step, person: Attendant | None) -> Iterator[Step]:
        if not row.of:
            knows_roles = not row.with_roles or bool(self._course.attendants)
            if knows_roles and not self._is_done(row, ""):
                yield Step(row.event)
        elif not self._concerns_persons(step.event):
            for each in self._course.attendants:
                if self._is_for(row, each, surely=True) and not self._is_done(row, each.id):
                    yield Step(row.event, each.id)
        elif person is not None:
            if self._is_for(row, person, surely=True) and not self._is_done(row, person.id):
                yield Step(row.event, person.id)
        elif self._is_missing_unnamed(row):
            yield Step(row.event)

    def _concerns_persons(self, event: str) -> bool:
        """Return whether ``event`` is of persons; one that is of nobody needs what all need."""
        return any(row.of for row in self._steps if row.event == event)

    def _is_missing_unnamed(self, row: OrderStep) -> bool:
        """Return whether ``row`` is missing before a mark that names nobody.

        What everybody needs is missing if it was never marked. What only some need is missing
        where the turn of an unnamed witness has begun.
        """
        if row.everybody:
            return row.event not in self._marked
        if row.when != "turn" or row.institution or row.minor:
            return False
        begun = [s for s in self._course.done[self._last_turn() :] if s.event in self._turn_events]
        place = {"offline": "hall", "online": "online"}.get(self._course.format_)
        return (
            any(not s.person for s in begun)
            and UNNAMED_ROLE in self._roles(row)
            and (row.place is None or row.place == place)
            and not self._is_done(row, "")
        )
