"""The open hearing: its record, its books, and the part that is being captured, if any."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from kiosk.clocks import recording_ns, wall_text
from kiosk.errors import StorageError
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.hearing.session.part_capture import Capture
from kiosk.hearing.session.publicity import CLOSED_MARK, OPENED_MARK
from kiosk.recording.journal.hearing_journal import HearingBook
from kiosk.recording.journal.part_journal import PartBook
from kiosk.rules import Rules

log = logging.getLogger(__name__)


class Session:
    """One hearing from its start (or recovery) to its seal."""

    def __init__(
        self,
        record: HearingRecord,
        book: HearingBook,
        rules: Rules,
        capture: Capture | None = None,
        unsealed: list[PartBook] | None = None,
    ) -> None:
        self.record = record
        self.book = book
        self.capture = capture
        self._rules = rules
        self._unsealed = unsealed or []
        self._lock = threading.RLock()
        self._unclosed: dict[int, dict[str, Any]] = {}
        self._owed: list[tuple[str, dict[str, Any]]] = []

    # -- lines ---------------------------------------------------------------------------------
    def write(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write a line of the hearing's journal; on a full disk it is written later.

        The hearing goes on in any case: a recess must stop the capture although its line cannot
        be written now.
        """
        with self._lock:
            try:
                self._pay()
                self.book.write(kind, fields)
            except StorageError as error:
                log.error("written later: %s", error)
                owed = {"at": wall_text(), "t": recording_ns(), **fields}
                self._owed.append((kind, owed))
                self.record.apply(0, {**owed, "kind": kind})

    def write_now(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write a line of the hearing's journal, now or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        with self._lock:
            self._pay()
            self.book.write(kind, fields)

    def _pay(self) -> None:
        """Write the lines that could not be written before.

        Raises:
            StorageError: they still cannot be.
        """
        with self._lock:
            while self._owed:
                self.book.write_again(*self._owed[0])
                self._owed.pop(0)

    def _write_here(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write a line where it belongs: into the running part, else into the hearing's."""
        if self.capture is not None:
            self.capture.book.write(kind, fields)
        else:
            self.write(kind, fields)

    def mark(self, event: str, person: str, note: str, role: str) -> dict[str, Any]:
        """Mark ``event`` now; return the mark as in State."""
        part_seconds = self.capture.seconds if self.capture is not None else 0.0
        fields = {
            "id": len(self.record.marks) + 1,
            "type": event,
            "person": person,
            "note": note,
            "role": role,
            "seconds": round(self.record.closed_seconds + part_seconds, 3),
            "part_seconds": round(part_seconds, 3),
        }
        self._write_here("mark", fields)
        return self.record.marks[-1].as_json()

    def undo(self, person: str) -> dict[str, Any]:
        """Withdraw the newest mark that was not made by the kiosk itself."""
        for mark in reversed(self.record.marks):
            row = self._rules.events.get(mark.type)
            by_hand = row is None or row.made_by == "secretary"
            if not mark.withdrawn and by_hand and mark.type not in (CLOSED_MARK, OPENED_MARK):
                self._write_here("mark_withdrawn", {"mark": mark.number, "person": person})
                return {"mark": mark.as_json()}
        raise StepRefusedError("there is no mark to take back")

    def ask(self, subject: str) -> None:
        """Raise an open question."""
        self.record.ask(subject)

    # -- parts ---------------------------------------------------------------------------------
    def close_part(self, part: int, fields: dict[str, Any], why: str) -> None:
        """Close the books of the captured part; :meth:`seal_parts` seals it."""
        assert self.capture is not None
        book = self.capture.book
        self.capture = None
        try:
            book.close(fields)
        except StorageError as error:
            log.error("closed later: %s", error)
            book.stop_batches()
            self._unclosed[part] = fields
            self.record.apply(part, {**fields, "at": wall_text(), "kind": "closed"})
        self._unsealed.append(book)  # now it may be sealed
        line = {"part": part, "reason": fields["reason"], "person": fields["person"], "why": why}
        self.write("part_closed", line)

    def seal_parts(self, upto: int) -> None:
        """Seal all closed parts up to number ``upto``.

        Raises:
            StorageError: not now; it may be called again.
        """
        for book in [book for book in self._unsealed if book.part <= upto]:
            self._pay()
            if book.part in self._unclosed:
                book.close(self._unclosed[book.part])
                del self._unclosed[book.part]
            self.book.seal_part(book)
            self._unsealed.remove(book)

    def finish(self, person: str) -> None:
        """Seal every part and the hearing.

        Raises:
            StorageError: not now; it may be called again.
        """
        self.seal_parts(upto=10**9)
        self._pay()
        self.book.end({"person": person})

    # -- state ---------------------------------------------------------------------------------
    def open_questions(self) -> list[str]:
        """Return what is still to be answered: the rules' questions, then what happened."""
        asked = self._rules.open_questions(self.record.hearing, self.record.answers)
        return [*asked, *(one for one in self.record.asked if one not in asked)]

    def proof(self) -> dict[str, Any] | None:
        """Return ``proof`` of State, None where nothing is captured."""
        if self.capture is None:
            return None
        proof = self.capture.proof
        return {
            "state": proof.state,
            "age_seconds": proof.age_seconds(),
            "detail": proof.detail,
            "source": proof.source,
        }

    def as_json(self) -> dict[str, Any]:
        """Return ``hearing`` of State."""
        record, hearing = self.record, self.record.hearing
        live = self.capture.seconds if self.capture is not None else 0.0
        fields = ("case_number", "title", "kind", "format", "publicity", "judge", "participants")
        return {
            "id": record.id,
            **{name: hearing.get(name) for name in fields},
            "adhoc": bool(hearing.get("adhoc")),
            "duration_minutes": hearing.get("duration_minutes"),
            "part": record.part,
            "parts": len(record.parts),
            "seconds": round(record.closed_seconds + live, 1),
            "part_seconds": round(live, 1),
            "started": record.started,
            "marks": [mark.as_json() for mark in record.marks],
            "expected": list(self._expected()),
            "open_questions": self.open_questions(),
            "tap_to_first_durable_ms": self._first_durable_ms(),
            "interruptions": [one.as_json() for one in record.interruptions.values()],
            "not_ready": list(record.not_ready),
            "closed": dict(record.closed) if record.closed is not None else None,
            "closed_parts": [n for n, one in sorted(record.parts.items()) if one.closed],
            "replacing": bool(record.replacing),
        }

    def _expected(self) -> tuple[str, ...]:
        kind = self.record.hearing.get("kind")
        known = kind if kind in self._rules.case_kinds else None
        format_ = str(self.record.hearing.get("format") or "offline")
        return self._rules.expected_events(known, self.record.done_marks, format_=format_)

    def _first_durable_ms(self) -> float | None:
        """Return the first part's tap to first durable fragments, in milliseconds."""
        first = self.record.parts.get(1)
        if first is not None and first.first_durable_ms is not None:
            return round(first.first_durable_ms, 1)
        if self.capture is None or self.record.part != 1:
            return None
        live = self.capture.first_durable_ms
        return None if live is None else round(live, 1)
