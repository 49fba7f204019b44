"""Which hearing is open in this room now, if any, and what happened to it that State must tell.

One thread takes the steps; any thread may ask.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry
from kiosk.hearing.room.errors import StepRefusedError
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.hearing.session.open_hearing import Session

log = logging.getLogger(__name__)
OPEN = ("recording", "recess", "retired")
"""Phases in which a hearing goes on."""
_QUIET = ("media", "file", "head")
"""Lines that change nothing in State by themselves."""


class Present:
    """The open hearing of one room.

    Args:
        changed: called after each change, from any thread.

    Attributes:
        lock: held while a record changes and while it is read for State.
        session: the open hearing, None where there is none.
        recovered: ``recovered`` of State.
        storage_error: why the journal cannot be written, if it cannot.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.lock = threading.RLock()
        self.session: Session | None = None
        self.recovered: dict[str, Any] | None = None
        self.storage_error: StorageError | None = None

    def enter(self, session: Session) -> None:
        """Make ``session`` the open hearing."""
        with self.lock:
            self.session = session
            self.recovered = None

    def leave(self, session: Session) -> None:
        """End ``session``, unless another hearing was begun meanwhile."""
        with self.lock:
            if self.session is session:
                self.session = None
                self.recovered = None

    def open_session(self, *phases: str) -> Session:
        """Return the hearing that is open.

        Args:
            phases: those in which the step is possible; none given: while the hearing goes on.

        Raises:
            StepRefusedError: there is none, or it is in another phase.
        """
        session = self.session
        if session is None or session.record.phase not in (phases or OPEN):
            phase = session.record.phase if session else "idle"
            raise StepRefusedError(f"not possible in phase “{phase}”")
        return session

    def listen(self, record: HearingRecord, part: int, entry: Entry) -> None:
        """Take a durable line of a journal into ``record``."""
        with self.lock:
            record.apply(part, entry)
        if entry["kind"] not in _QUIET:
            self.changed()

    def note_storage(self, error: StorageError | None) -> None:
        """Learn whether the journal can be written (None: it can)."""
        if error is not None:
            log.error("the journal cannot be written: %s", error)
        self.storage_error = error
