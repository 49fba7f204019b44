"""The open hearing: its state, its journal, and the part being captured, if any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kiosk.api.recorder import Closure, Mark, Proof, RunningHearing
from kiosk.api.states import ProofState
from kiosk.clocks import format_wall, recording_ns
from kiosk.errors import StorageError
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.part_capture import PartCapture
from kiosk.hearing.session.publicity import CLOSED_EVENT, OPENED_EVENT
from kiosk.recording.journal.hearing_journal import START_FAILED, HearingJournal
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.repair.reconcile import seal_part
from kiosk.rules import Rules

log = logging.getLogger(__name__)
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
)
"""Keys of a hearing's details that State has."""


class OpenHearing:
    """One hearing from its start (or recovery) to its seal."""

    def __init__(
        self,
        state: HearingState,
        journal: HearingJournal,
        rules: Rules,
        capture: PartCapture | None = None,
        unsealed_parts: list[PartJournal] | None = None,
    ) -> None:
        self.state = state
        self.journal = journal
        self.capture = capture
        self._rules = rules
        self._unsealed_parts = unsealed_parts or []
        self._lock = threading.RLock()
        self._unclosed_parts: dict[int, dict[str, Any]] = {}
        self._unstarted_parts: set[int] = set()
        self._backlog: list[tuple[str, dict[str, Any]]] = []

    # -- journal -------------------------------------------------------------------------------
    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write an entry of the hearing's journal; if the disk is full it is written later.

        The hearing continues in any case: a recess must stop the capture although its entry cannot
        be written now.
        """
        with self._lock:
            try:
                self._flush_backlog()
                self.journal.append(kind, fields)
            except StorageError as error:
                log.error("written later: %s", error)
                entry = {"at": format_wall(), "t": recording_ns(), **fields}
                self._backlog.append((kind, entry))
                self.state.apply(0, {**entry, "kind": kind})

    def append_or_raise(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write an entry of the hearing's journal, now or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        with self._lock:
            self._flush_backlog()
            self.journal.append(kind, fields)

    def _flush_backlog(self) -> None:
        """Write the entries that could not be written before.

        Raises:
            StorageError: they still cannot be written.
        """
        with self._lock:
            while self._backlog:
                self.journal.append_backdated(*self._backlog[0])
                self._backlog.pop(0)

    def _append_current(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write an entry to the journal of the running part, else to the hearing's."""
        if self.capture is not None:
            self.capture.journal.append(kind, fields)
        else:
            self.append(kind, fields)

    def add_mark(self, event: str, person: str, note: str, role: str) -> Mark:
        """Mark ``event`` now; return the mark as in State."""
        part_seconds = self.capture.seconds if self.capture is not None else 0.0
        fields = {
            "id": len(self.state.marks) + 1,
            "type": event,
            "person": person,
            "note": note,
            "role": role,
            "seconds": round(self.state.finished_seconds + part_seconds, 3),
            "part_seconds": round(part_seconds, 3),
        }
        self._append_current("mark", fields)
        return self.state.marks[-1].describe()

    def undo_mark(self, person: str) -> Mark:
        """Withdraw the newest mark that was not made by the kiosk itself."""
        for mark in reversed(self.state.marks):
            row = self._rules.events.get(mark.type)
            by_hand = row is None or row.made_by == "secretary"
            if not mark.withdrawn and by_hand and mark.type not in (CLOSED_EVENT, OPENED_EVENT):
                self._append_current("mark_withdrawn", {"mark": mark.number, "person": person})
                return mark.describe()
        raise StepRefusedError("there is no mark to take back")

    def add_question(self, subject: str) -> None:
        """Raise an open question."""
        self.state.add_question(subject)

    # -- parts ---------------------------------------------------------------------------------
    def close_part(self, part: int, fields: dict[str, Any], why: str) -> None:
        """Close the journal of the captured part; :meth:`seal_parts` seals it."""
        assert self.capture is not None
        journal = self.capture.journal
        self.capture = None
        try:
            journal.end(fields)
        except StorageError as error:
            log.error("closed later: %s", error)
            journal.stop_flushing()
            self._unclosed_parts[part] = fields
            self.state.apply(part, {**fields, "at": format_wall(), "kind": "closed"})
        self._unsealed_parts.append(journal)  # now it can be sealed
        line = {"part": part, "reason": fields["reason"], "person": fields["person"], "why": why}
        self.append("part_closed", line)

    def close_unstarted_part(self, part: int, person: str) -> None:
        """Close a part of which only the ``part_opened`` entry could be written."""
        self._unstarted_parts.add(part)
        line = {"part": part, "reason": START_FAILED, "person": person, "why": ""}
        self.append("part_closed", line)

    def seal_parts(self, upto: int) -> None:
        """Seal all closed parts up to number ``upto``.

        Raises:
            StorageError: not possible now; it may be called again.
        """
        for part in sorted(number for number in self._unstarted_parts if number <= upto):
            self._flush_backlog()
            self._unsealed_parts.append(self.journal.close_unstarted_part(part))
            self._unstarted_parts.remove(part)
        for journal in [part for part in self._unsealed_parts if part.part <= upto]:
            self._flush_backlog()
            if journal.part in self._unclosed_parts:
                journal.end(self._unclosed_parts[journal.part])
                del self._unclosed_parts[journal.part]
            seal_part(self.journal, journal)
            self._unsealed_parts.remove(journal)

    def seal(self, person: str) -> None:
        """Seal every part and the hearing.

        Raises:
            StorageError: not possible now; it may be called again.
        """
        self.seal_parts(upto=10**9)
        self._flush_backlog()
        self.journal.end({"person": person})

    # -- state ---------------------------------------------------------------------------------
    def open_questions(self) -> list[str]:
        """Return the unanswered questions: those of the rules, then those that events raised."""
        questions = self._rules.open_questions(self.state.details, self.state.answers)
        return [*questions, *(raised for raised in self.state.questions if raised not in questions)]

    def proof(self) -> Proof:
        """Return ``proof`` of State."""
        if self.capture is None:
            return Proof()
        proof = self.capture.proof
        missing = [name for name in proof.missing if self.state.roles.is_serving(name)]
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
        )

    def describe(self) -> RunningHearing:
        """Return ``hearing`` of State."""
        state, details = self.state, self.state.details
        live = self.capture.seconds if self.capture is not None else 0.0
        return RunningHearing(
            id=state.id,
            **{name: details.get(name) for name in DETAILS},
            adhoc=bool(details.get("adhoc")),
            part=state.part,
            parts=len(state.parts),
            seconds=round(state.finished_seconds + live, 1),
            part_seconds=round(live, 1),
            started=state.started,
            marks=tuple(mark.describe() for mark in state.marks),
            expected=self._expected_events(),
            open_questions=tuple(self.open_questions()),
            tap_to_first_durable_ms=self._first_durable_ms(),
            interruptions=tuple(row.describe() for row in state.interruptions.rows.values()),
            interruption_totals=state.interruptions.describe_totals(),
            not_ready=tuple(state.not_ready),
            closed=None if state.closed is None else Closure.model_validate(state.closed),
            closed_parts=tuple(n for n, times in sorted(state.parts.items()) if times.closed),
            replacing=bool(state.pending_closures),
        )

    def _expected_events(self) -> tuple[str, ...]:
        kind = self.state.details.get("kind")
        known = kind if kind in self._rules.case_kinds else None
        format_ = str(self.state.details.get("format") or "offline")
        return self._rules.expected_events(known, self.state.completed_events, format_=format_)

    def _first_durable_ms(self) -> float | None:
        """Return the first part's tap to first durable fragments, in milliseconds."""
        first = self.state.parts.get(1)
        if first is not None and first.first_durable_ms is not None:
            return round(first.first_durable_ms, 1)
        if self.capture is None or self.state.part != 1:
            return None
        live = self.capture.first_durable_ms
        return None if live is None else round(live, 1)
