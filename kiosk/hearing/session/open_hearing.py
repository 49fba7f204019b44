"""The open hearing: its state, its journal, and the part being captured, if any."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kiosk.api.persons import MarkedPerson
from kiosk.api.recorder import Closure, DueStep, Mark, Proof, RunningHearing
from kiosk.api.states import ProofState
from kiosk.clocks import boot_id, format_wall
from kiosk.errors import StorageError
from kiosk.hardware.audibility.seat import Turn
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session import hearing_state
from kiosk.hearing.session.course import course_of, left_out_before
from kiosk.hearing.session.formats import offered_formats
from kiosk.hearing.session.hearing_state import KEPT_REASON, HearingState
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT, publicity_event
from kiosk.hearing.session.speech_ledger import DETECTOR_ENTRY, SPEECH_ENTRY, turn_fields
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.part import Part
from kiosk.recording.repair.reconcile import seal_part
from kiosk.rules import Rules
from kiosk.rules.order import Course, Step, announced_part, due_steps, keeps_minutes
from kiosk.storage.store import APPEND_TIMEOUT_S

DETAILS = (
    "case_number",
    "title",
    "kind",
    "format",
    "publicity",
    "judge",
    "participants",
    "scheduled_at",
    "duration_minutes",
    "language",
    "session",
)
"""Keys of a hearing's details that State has."""


RECENT_TURNS = 500
"""Turns of speech that are remembered besides the journal: of the longest explanation."""


class OpenHearing:
    """One hearing from its start (or recovery) to its seal."""

    def __init__(
        self,
        state: HearingState,
        journal: HearingJournal,
        rules: Rules,
        capture: Part | None = None,
        unsealed_parts: list[PartJournal] | None = None,
    ) -> None:
        self.state = state
        self.journal = journal
        self.capture = capture
        self._rules = rules
        self._unsealed_parts = unsealed_parts or []
        self._ending_parts: dict[int, Part] = {}
        self._kept: tuple[Part, str, int] | None = None
        self.recent_turns: deque[Turn] = deque(maxlen=RECENT_TURNS)
        self._detector: tuple[int, bool] | None = None
        self._last_due: tuple[Course, tuple[Step, ...]] | None = None

    # -- journal -------------------------------------------------------------------------------
    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Append an entry to the hearing's journal; a disk that is not well takes it later."""
        self.journal.submit(kind, fields)

    @property
    def part_seconds(self) -> float:
        """Seconds of the running part, 0.0 without one."""
        return self.capture.seconds if self.capture is not None else 0.0

    @property
    def running_part(self) -> int:
        """Number of the part that is captured now; 0: none."""
        return self.capture.journal.part if self.capture is not None else 0

    def add_turns(self, turns: Iterable[Turn]) -> None:
        """Journal who spoke while this hearing was captured, and in which part."""
        for turn in turns:
            self.recent_turns.append(turn)
            for number, times in self.state.parts.items():
                is_known = times.boot == boot_id()
                fields = turn_fields(turn, number, times.tap_ns, times.stop_ns)
                if is_known and fields is not None:
                    self.append(SPEECH_ENTRY, fields)

    def note_detector(self, is_working: bool) -> None:
        """Journal once for each part, and whenever it changes, whether a voice detector listens."""
        noted = self.running_part, is_working
        if self.capture is not None and noted != self._detector:
            self._detector = noted
            seconds = round(self.part_seconds, 2)
            fields = {"part": noted[0], "part_seconds": seconds, "is_working": is_working}
            self.append(DETECTOR_ENTRY, fields)

    def append_here(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Append an entry of this moment to the journal of the running part, else to the hearing's.

        Args:
            fields: ``seconds`` and ``part_seconds``, where they are given, are of another moment.
        """
        part_seconds = self.part_seconds
        moment = {
            "seconds": round(self.state.finished_seconds + part_seconds, 3),
            "part_seconds": round(part_seconds, 3),
        }
        if self.capture is not None:
            self.capture.journal.submit(kind, moment | dict(fields))
        else:
            self.append(kind, moment | dict(fields))

    def settle(self, seconds: float) -> None:
        """Wait until everything is durable, but no longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        with suppress(StorageError):
            for ending in list(self._ending_parts.values()):
                ending.complete(max(0.0, deadline - time.monotonic()))
            if self.capture is not None:
                self.capture.journal.flush(max(0.0, deadline - time.monotonic()))
            self.journal.flush(max(0.0, deadline - time.monotonic()))

    @property
    def owed_seconds(self) -> float:
        """How long the oldest step that is on no disk yet has waited; 0.0 without one."""
        parts = (self.capture, *list(self._ending_parts.values()))
        owed = [part.owed_seconds for part in parts if part is not None]
        return max([*owed, self.journal.owed_seconds])

    def add_mark(
        self,
        event: str,
        person: str,
        note: str,
        role: str,
        of: MarkedPerson | None = None,
        decision: Mapping[str, Any] | None = None,
    ) -> Mark:
        """Mark ``event`` now; return the mark as in State.

        Args:
            of: whom it concerns; an event that concerns somebody raises the question without it.
            decision: of the court, that the event is: ``subject``, and what was so ``before``.
        """
        fields: dict[str, Any] = {
            "id": max((mark.number for mark in self.state.marks), default=0) + 1,
            "type": event,
            "person": person,
            "note": note,
            "role": role,
        }
        if of is not None:
            fields["of"] = of.to_json()
        elif self.concerns_somebody(event):
            fields["of_whom"] = True
        if decision is not None:
            fields["decision"] = decision
        if left_out := self.left_out(event, of.id if of is not None else ""):
            fields["left_out"] = left_out
        self.append_here("mark", fields)
        return self.state.marks[-1].describe()

    def declared_already(self, closing: bool) -> hearing_state.Mark | None:
        """Return the mark by which the hearing is closed, or open again, already.

        None: closed from the start, it may still be declared closed.

        Raises:
            StepRefusedError: it cannot be opened again, because it was never closed.
        """
        declared = [m for m in self.state.marks_in_force if m.type in (CLOSED_EVENT, OPENED_EVENT)]
        if declared and declared[-1].type == publicity_event(closing):
            return declared[-1]
        if not closing:
            raise StepRefusedError("the hearing is not closed")
        return None

    def concerns_somebody(self, event: str) -> bool:
        """Return whether ``event`` is of a person by the rules."""
        row = self._rules.events.get(event)
        return row is not None and bool(row.of)

    def left_out(self, event: str, person: str, mark: int | None = None) -> list[str]:
        """Return what was left out before ``event``; see :func:`.course.left_out_before`."""
        return left_out_before(self.state, self._rules, event, person, mark)

    def withdrawn_mark(self, number: int | None) -> Mark | None:
        """Return the mark of that number if it was withdrawn."""
        found = (row for row in self.state.marks if row.number == number and row.withdrawn)
        return next((row.describe() for row in found), None)

    def undo_mark(self, person: str, wanted: int | None = None) -> Mark:
        """Withdraw the newest mark that was not made by the kiosk itself.

        Raises:
            StepRefusedError: there is none, or it is not ``wanted``.
        """
        for mark in reversed(self.state.marks):
            row = self._rules.events.get(mark.type)
            by_hand = row is None or row.made_by == "secretary"
            if not mark.withdrawn and by_hand and mark.type not in (CLOSED_EVENT, OPENED_EVENT):
                if wanted not in (None, mark.number):
                    break
                self.append_here("mark_withdrawn", {"mark": mark.number, "person": person})
                return mark.describe()
        raise StepRefusedError("there is no mark to take back")

    def add_question(self, subject: str) -> None:
        """Raise an open question."""
        self.state.add_question(subject)

    # -- parts ---------------------------------------------------------------------------------
    def close_part(self, part: Part, why: str) -> None:
        """Close a part whose capture has ended; :meth:`seal_parts` writes the rest and seals it."""
        number, closed = part.journal.part, part.closed
        self.state.apply(number, {**closed, "at": format_wall(), "kind": "closed"})
        self._ending_parts[number] = part
        self._unsealed_parts.append(part.journal)
        line = {"part": number, "reason": closed["reason"], "person": closed["person"], "why": why}
        self.append("part_closed", line)

    def end_kept_part(self, part: Part, person: str, tap_ns: int) -> None:
        """Say that a part that was captured before the tap ends there; it is written later."""
        number = part.journal.part
        ends = {"kind": "closed", "stop_ns": tap_ns, "at": format_wall()}
        self.state.apply(number, ends)
        line = {"part": number, "reason": KEPT_REASON, "person": person, "why": ""}
        self.append("part_closed", line)
        self._kept = part, person, tap_ns

    def _finish_kept_part(self) -> None:
        """Wait until what was kept is encoded, for seconds: in the thread that seals."""
        if self._kept is None:
            return
        part, person, tap_ns = self._kept
        part.stop(KEPT_REASON, person, tap_ns)
        self.state.apply(part.journal.part, {**part.closed, "at": format_wall(), "kind": "closed"})
        self._ending_parts[part.journal.part] = part
        self._unsealed_parts.append(part.journal)
        self._kept = None

    def seal_parts(self, upto: int) -> None:
        """Seal all closed parts up to number ``upto``.

        Raises:
            StorageError: not possible now; it may be called again.
        """
        self._finish_kept_part()
        for journal in [part for part in self._unsealed_parts if part.part <= upto]:
            ending = self._ending_parts.get(journal.part)
            if ending is not None:
                ending.complete(APPEND_TIMEOUT_S)
                self._ending_parts.pop(journal.part, None)
            self.journal.flush()
            seal_part(self.journal, journal)
            self._unsealed_parts.remove(journal)

    def seal(self, person: str) -> None:
        """Seal every part and the hearing.

        Raises:
            StorageError: not possible now; it may be called again.
        """
        self.seal_parts(upto=10**9)
        self.journal.end({"person": person})

    def abort(self) -> None:
        """Release threads and files and write nothing more, as a killed process does."""
        kept = self._kept[0] if self._kept is not None else None
        for part in (self.capture, kept, *self._ending_parts.values()):
            if part is not None:
                part.abort()
        self.journal.close()

    # -- state ---------------------------------------------------------------------------------
    @property
    def is_written_plain(self) -> bool:
        """Whether what is captured now can be read without the court's key."""
        return self.capture is not None and not self.capture.codec.is_encrypted

    def closure(self) -> Closure | None:
        """Return ``closed`` of State: never while what is captured is written plain."""
        if self.state.closed is None or self.is_written_plain:
            return None
        return Closure.model_validate(self.state.closed)

    def open_questions(self) -> list[str]:
        """Return the unanswered questions: of the rules, of events, of what was left out."""
        found = {
            "no_minutes": not keeps_minutes(self._rules, self._due()[0]),
            "nobody_there": self.state.nobody_came,
        }
        questions = self._rules.open_questions(self.state.details | found, self.state.answers)
        raised = [subject for subject in self.state.questions if subject not in questions]
        state = self.state
        return [*questions, *raised, *state.left_out_questions(), *state.receipt_questions()]

    def proof(self) -> Proof:
        """Return ``proof`` of State."""
        if self.capture is None:
            return Proof()
        proof = self.capture.proof
        missing = tuple(name for name in proof.missing if self.state.roles.is_serving(name))
        if proof.state is ProofState.BAD:
            missing = ()  # that it could not be read back is worse
        if missing:
            proof = replace(
                proof,
                state=ProofState.BAD,
                detail=f"nothing of {', '.join(missing)}",
                source=missing[0],
            )
        return Proof(
            state=proof.state,
            age_seconds=proof.age_seconds(),
            detail=proof.detail,
            source=proof.source,
            missing=missing,
        )

    def describe(self) -> RunningHearing:
        """Return ``hearing`` of State."""
        state, details = self.state, self.state.details
        live = self.capture.seconds if self.capture is not None else 0.0
        course, due = self._due()
        shown: dict[str, Any] = {name: details.get(name) for name in DETAILS} | self._people()
        return RunningHearing(
            id=state.id,
            **shown,
            adhoc=bool(details.get("adhoc")),
            part=state.part,
            parts=len(state.parts),
            seconds=round(state.finished_seconds + live, 1),
            part_seconds=round(live, 1),
            started=state.started,
            recess_until=state.recess_until,
            marks=tuple(mark.describe() for mark in state.marks_without_names),
            notes=tuple(state.notes_without_names),
            receipts=tuple(row for _, row in sorted(state.receipts.rows.items())),
            due=tuple(DueStep(event=step.event, of=step.person) for step in due),
            keeps_minutes=keeps_minutes(self._rules, course),
            announced_part=announced_part(self._rules, course) or "",
            open_questions=tuple(self.open_questions()),
            allowed=self.state.allowed,
            formats=offered_formats(self.state, self._rules),
            tap_to_first_durable_ms=self._first_durable_ms(),
            interruptions=tuple(row.describe() for row in state.interruptions.rows.values()),
            interruption_totals=state.interruptions.describe_totals(),
            line=state.line.describe(),
            speech=state.speech.describe(),
            not_ready=tuple(state.not_ready),
            closed=self.closure(),
            closed_parts=tuple(n for n, times in sorted(state.parts.items()) if times.closed),
            replacing=bool(state.pending_closures),
        )

    def _people(self) -> dict[str, Any]:
        """Return the people; while a name is withheld list and title do not show it (S9)."""
        persons = self.state.persons
        listed = [{"role": row.role, "name": row.name} for row in persons.shown]
        withheld = {"participants": listed, "title": self.state.title}
        return {"persons": persons.shown, **(withheld if persons.withheld else {})}

    def _due(self) -> tuple[Course, tuple[Step, ...]]:
        """Return the course and what is due next; worked out again when the course has changed."""
        course = course_of(self.state, self._rules)
        if self._last_due is None or self._last_due[0] != course:
            self._last_due = course, due_steps(self._rules, course)
        return self._last_due

    def _first_durable_ms(self) -> float | None:
        """Return the tap of the start to the first durable fragments, in milliseconds."""
        number = min((n for n, row in self.state.parts.items() if not row.is_kept), default=1)
        first = self.state.parts.get(number)
        if first is not None and first.first_durable_ms is not None:
            return round(first.first_durable_ms, 1)
        if self.capture is None or self.state.part != number:
            return None
        live = self.capture.first_durable_ms
        return None if live is None else round(live, 1)
