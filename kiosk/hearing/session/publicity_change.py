"""The court closes or opens the hearing, from now on or since an earlier moment (S14, R56)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import recording_ns, wall_text, wall_time
from kiosk.evidence.chain import Entry, read_chain
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.current_hearing import Present
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.hearing.session.open_hearing import Session
from kiosk.hearing.session.part_controller import Parts
from kiosk.hearing.session.publicity import Publicity, mark_of
from kiosk.hearing.session.seal_queue import Submit
from kiosk.hearing.session.statements import Answers
from kiosk.recording.journal.hearing_journal import HearingBook
from kiosk.recording.repair.reencrypt import Replaced, carry_out, pending
from kiosk.storage.court_keys import CourtKeys, load_court_keys
from kiosk.storage.hearing_folder import JOURNAL
from kiosk.storage.paths import Layout

OnReplaced = Callable[[Path, list[Replaced]], None]
"""Told which plain files of a hearing are gone and what stands for them."""


class Declaring:
    """Takes the court's decisions about publicity, and carries them out.

    Args:
        submit: hands a job to the sealer.
        on_replaced: told from the sealer's thread, perhaps twice.
    """

    def __init__(
        self,
        layout: Layout,
        present: Present,
        publicity: Publicity,
        parts: Parts,
        answers: Answers,
        submit: Submit,
        on_replaced: OnReplaced,
    ) -> None:
        self._layout = layout
        self._present = present
        self._publicity = publicity
        self._parts = parts
        self._answers = answers
        self._submit = submit
        self._on_replaced = on_replaced

    # -- from now on ---------------------------------------------------------------------------
    def change(
        self, closed: bool, person: str, tap_ns: int, ground: Any = None, note: str = ""
    ) -> dict[str, Any]:
        """Close or open the hearing from ``tap_ns`` on; doing it twice changes nothing.

        Where something is captured, another part begins exactly there. Grounds may come later.

        Raises:
            BadRequestError: no such ground; StepRefusedError: no hearing is open.
            StorageError: the next part cannot be begun; nothing is captured then.
        """
        session = self._present.open_session()
        known = self._publicity.checked_ground(ground)
        record = session.record
        if closed != (record.closed is not None):
            wall = wall_text(wall_time() - timedelta(microseconds=(recording_ns() - tap_ns) / 1000))
            fields = {"person": person, "tap_ns": tap_ns, "since": wall, "note": note}
            if closed:
                session.write("court_closed", {**fields, "ground": known})
                self._publicity.note(session.book.folder, record.hearing, known)
            else:
                session.write("court_opened", fields)
            if session.capture is not None:
                self._parts.hand_over(session, "closed" if closed else "opened", person, tap_ns)
            session.mark(mark_of(closed), person, note, "")
        elif closed and known:
            self._answers.take("closure_ground", known, note, person)
        self._present.changed()
        return {
            "hearing_id": record.id,
            "part": record.part,
            "phase": record.phase,
            "closed": record.closed,
        }

    # -- since an earlier moment ---------------------------------------------------------------
    def since(
        self, person: str, body: Mapping[str, Any], tap_ns: int, ground: Any, note: str
    ) -> dict[str, Any]:
        """Declare closed all that was captured from an earlier moment on, and what follows.

        Args:
            body: ``{"since": RFC 3339}`` or ``{"mark": id}``.

        Raises:
            BadRequestError: no such moment or ground; StepRefusedError: no hearing is open.
            CourtKeyError: the court's keys are not pinned: the capture stops, nothing is replaced.
        """
        session = self._present.open_session()
        since = self._moment(session.record, body)
        known = self._publicity.checked_ground(ground)
        self.change(True, person, tap_ns, known, note)
        keys = load_court_keys(self._layout)
        upto = session.record.part - (session.capture is not None)
        told = {"since": wall_text(since), "upto": upto, "person": person}
        session.write_now("closing_since", {**told, "ground": known, "note": note})
        self._submit(session.record.id, partial(self._replace, session, keys))
        self._present.changed()
        return {"hearing_id": session.record.id, "since": told["since"], "parts": upto}

    def _moment(self, record: HearingRecord, body: Mapping[str, Any]) -> datetime:
        """Return the moment that ``body`` of ``close-since`` names."""
        number, text = body.get("mark"), body.get("since")
        if number is not None:
            text = next((mark.at for mark in record.marks if mark.number == number), None)
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise BadRequestError("since is no time, or there is no such mark") from error
        if moment.tzinfo is None:
            raise BadRequestError("since has no time zone")
        return moment

    # -- what was declared ---------------------------------------------------------------------
    def finish_open(self, session: Session) -> None:
        """Carry out what was declared about the open hearing before a crash.

        Raises:
            CourtKeyError: the court's keys are not pinned; StorageError: not now.
        """
        self._replace(session, load_court_keys(self._layout))

    def _replace(self, session: Session, keys: CourtKeys) -> None:
        """Replace the plain media of all declarations that wait for it."""
        path = session.book.store.locate(session.book.folder / JOURNAL)
        for declaration in pending(read_chain(path).entries):
            carry_out(session.book, keys, declaration, self._on_replaced)
        self._present.changed()

    def finish(self, book: HearingBook, entries: list[Entry]) -> None:
        """Carry out what was declared about a hearing that is not taken up.

        Args:
            entries: of its own journal.

        Raises:
            CourtKeyError: the court's keys are not pinned; StorageError: not now.
        """
        for declaration in pending(entries):
            carry_out(book, load_court_keys(self._layout), declaration, self._on_replaced)
