"""The court closes or opens the hearing, from now on or since an earlier moment (S14, R56)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import format_wall, recording_ns, wall_time
from kiosk.evidence.chain import Entry, read_chain
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.hearing.session.publicity import Publicity, publicity_event
from kiosk.hearing.session.seal_queue import SubmitJob
from kiosk.hearing.session.statements import Statements
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.repair.reencrypt import ReplacedFile, apply_closure, pending_closures
from kiosk.storage.court_keys import CourtKeys, load_court_keys
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.storage.paths import Paths

OnReplaced = Callable[[Path, list[ReplacedFile]], None]
"""Called with the plain files of a hearing that were replaced, and by what."""


class PublicityChange:
    """Carries out the court's decisions to close or open the hearing.

    Args:
        submit: hands a job to the seal queue.
        on_replaced: called from the seal queue's thread, perhaps twice.
    """

    def __init__(
        self,
        paths: Paths,
        current_hearing: CurrentHearing,
        publicity: Publicity,
        parts: PartController,
        statements: Statements,
        submit: SubmitJob,
        on_replaced: OnReplaced,
    ) -> None:
        self._paths = paths
        self._current_hearing = current_hearing
        self._publicity = publicity
        self._parts = parts
        self._statements = statements
        self._submit = submit
        self._on_replaced = on_replaced

    # -- from now on ---------------------------------------------------------------------------
    def close_or_open(
        self, closed: bool, person: str, tap_ns: int, ground: Any = None, note: str = ""
    ) -> dict[str, Any]:
        """Close or open the hearing from ``tap_ns`` on; repeating it changes nothing.

        Where something is captured, the next part starts exactly there. Grounds may come later.

        Raises:
            BadRequestError: no such ground; StepRefusedError: no hearing is open.
            StorageError: the next part cannot be started; nothing is captured then.
        """
        hearing = self._current_hearing.require()
        valid_ground = self._publicity.validate_ground(ground)
        state = hearing.state
        if closed != (state.closed is not None):
            wall = format_wall(
                wall_time() - timedelta(microseconds=(recording_ns() - tap_ns) / 1000)
            )
            fields = {"person": person, "tap_ns": tap_ns, "since": wall, "note": note}
            if closed:
                hearing.append("court_closed", {**fields, "ground": valid_ground})
                self._publicity.mark_if_secret(hearing.journal.folder, state.details, valid_ground)
            else:
                hearing.append("court_opened", fields)
            if hearing.capture is not None:
                self._parts.switch(hearing, "closed" if closed else "opened", person, tap_ns)
            hearing.add_mark(publicity_event(closed), person, note, "")
        elif closed and valid_ground:
            self._statements.record("closure_ground", valid_ground, note, person)
        self._current_hearing.on_change()
        return {
            "hearing_id": state.id,
            "part": state.part,
            "phase": state.phase,
            "closed": state.closed,
        }

    # -- since an earlier moment ---------------------------------------------------------------
    def close_retroactively(
        self, person: str, body: Mapping[str, Any], tap_ns: int, ground: Any, note: str
    ) -> dict[str, Any]:
        """Close the hearing from an earlier moment on: what was captured since, and what follows.

        Args:
            body: ``{"since": RFC 3339}`` or ``{"mark": id}``.

        Raises:
            BadRequestError: no such moment or ground; StepRefusedError: no hearing is open.
            CourtKeyError: the court's keys are not pinned: the capture stops, nothing is replaced.
        """
        hearing = self._current_hearing.require()
        since = self._parse_since(hearing.state, body)
        valid_ground = self._publicity.validate_ground(ground)
        self.close_or_open(True, person, tap_ns, valid_ground, note)
        keys = load_court_keys(self._paths)
        upto = hearing.state.part - (hearing.capture is not None)
        fields = {"since": format_wall(since), "upto": upto, "person": person}
        hearing.append_or_raise("closing_since", {**fields, "ground": valid_ground, "note": note})
        self._submit(hearing.state.id, partial(self._reencrypt, hearing, keys))
        self._current_hearing.on_change()
        return {"hearing_id": hearing.state.id, "since": fields["since"], "parts": upto}

    def _parse_since(self, state: HearingState, body: Mapping[str, Any]) -> datetime:
        """Return the moment that ``body`` of ``close-since`` names."""
        number, text = body.get("mark"), body.get("since")
        if number is not None:
            text = next((mark.at for mark in state.marks if mark.number == number), None)
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise BadRequestError("since is no time, or there is no such mark") from error
        if moment.tzinfo is None:
            raise BadRequestError("since has no time zone")
        return moment

    # -- what was declared ---------------------------------------------------------------------
    def resume_pending(self, hearing: OpenHearing) -> None:
        """Carry out the closures of the open hearing that a crash interrupted.

        Raises:
            CourtKeyError: the court's keys are not pinned; StorageError: not now.
        """
        self._reencrypt(hearing, load_court_keys(self._paths))

    def _reencrypt(self, hearing: OpenHearing, keys: CourtKeys) -> None:
        """Re-encrypt the plain media of all pending closures."""
        path = hearing.journal.store.locate(hearing.journal.folder / JOURNAL_FILE)
        for declaration in pending_closures(read_chain(path).entries):
            apply_closure(hearing.journal, keys, declaration, self._on_replaced)
        self._current_hearing.on_change()

    def complete(self, journal: HearingJournal, entries: list[Entry]) -> None:
        """Carry out the pending closures of a hearing that is not reopened.

        Args:
            entries: of its own journal.

        Raises:
            CourtKeyError: the court's keys are not pinned; StorageError: not now.
        """
        for declaration in pending_closures(entries):
            apply_closure(journal, load_court_keys(self._paths), declaration, self._on_replaced)
