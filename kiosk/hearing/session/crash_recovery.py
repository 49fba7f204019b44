"""After a crash or a power cut: what was left open is closed, and the newest hearing goes on."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from kiosk.clocks import boot_id, recording_ns
from kiosk.errors import StorageError
from kiosk.hardware.wall_clock import is_trusted
from kiosk.hearing.room.context import Premises
from kiosk.hearing.session.current_hearing import Present
from kiosk.hearing.session.journal_options import BookKeeping
from kiosk.hearing.session.open_hearing import Session
from kiosk.hearing.session.part_controller import Parts
from kiosk.hearing.session.publicity_change import Declaring
from kiosk.hearing.session.seal_queue import Submit
from kiosk.hearing.session.start import new_record
from kiosk.recording.journal.hearing_journal import hearing_of
from kiosk.recording.repair.recovery import Survivor, survey
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.court_keys import CourtKeyError

log = logging.getLogger(__name__)


class TakingUp:
    """Finds what a crash left in one room and goes on with it.

    Args:
        submit: hands a job to the sealer.
    """

    def __init__(
        self,
        premises: Premises,
        present: Present,
        parts: Parts,
        books: BookKeeping,
        declaring: Declaring,
        submit: Submit,
    ) -> None:
        self._premises = premises
        self._present = present
        self._parts = parts
        self._books = books
        self._declaring = declaring
        self._submit = submit

    def recover(self) -> None:
        """Close what a crash left open; resume by itself what was being captured just now."""
        storages = self._premises.storages
        storages.before_recovery()
        folder = make_folder(self._premises.layout.hearings)
        survivors = survey(folder, self._books.maker(None))
        open_ones = [survivor for survivor in survivors if not survivor.ended]
        for survivor in survivors:
            if open_ones and survivor is open_ones[-1]:
                self._take_up(survivor)
            else:
                survivor.ended = True
                self._submit(survivor.book.hearing_id, partial(self._seal_survivor, survivor))
        storages.after_recovery()

    def _seal_survivor(self, survivor: Survivor) -> None:
        """Seal a hearing that is not taken up; first what was declared closed is closed."""
        survivor.seal_parts()
        own = [entry for part, entry in survivor.entries if part == 0]
        self._declaring.finish(survivor.book, own)
        survivor.seal()

    def _take_up(self, survivor: Survivor) -> None:
        """Make ``survivor`` the current hearing again; resume it if it was capturing just now."""
        record = new_record(hearing_of(survivor.book.folder), self._premises.settings)
        for part, entry in survivor.entries:
            record.apply(part, entry)
        record.phase = "retired" if record.phase == "retired" else "recess"
        survivor.book.listen(partial(self._present.listen, record))
        rules = self._premises.rules
        session = Session(record, survivor.book, rules, None, unsealed=survivor.unsealed)
        self._present.enter(session)
        closed = record.part  # a part that is resumed now is none of this job's
        if survivor.capturing:
            self._after_crash(session, survivor)
        self._submit(record.id, partial(session.seal_parts, upto=closed))
        if record.replacing:
            self._submit(record.id, partial(self._declaring.finish_open, session))

    def _after_crash(self, session: Session, survivor: Survivor) -> None:
        """Resume, or stay stopped and say so; the gap goes into the ledger either way."""
        tap_ns, trusted, part = recording_ns(), is_trusted(), session.record.part
        alive = survivor.alive
        gap = alive.gap_seconds(tap_ns, clock_trusted=trusted) if alive else None
        same_boot = alive is not None and alive.boot == boot_id()
        what = "crash" if same_boot else "power"
        fields = {"reason": "recovered", "person": "", "tap_ns": tap_ns, "gap_seconds": gap}
        soon = survivor.may_resume(clock_trusted=trusted)
        resumed = soon and self._resumed(session, fields)
        if not resumed:
            session.write("stopped", {"part": part, "reason": "too_late"})
            session.ask("recovered")
        lost = {"part": part, "number": 0, "source": "recorder", "what": what, "seconds": gap}
        session.write("interruption", lost)
        self._present.recovered = {"hearing_id": session.record.id, "gap_seconds": gap}
        log.warning("hearing %s was interrupted; resumed: %s", session.record.id, resumed)

    def _resumed(self, session: Session, fields: dict[str, Any]) -> bool:
        """Resume by itself; say whether that was possible."""
        try:
            self._parts.begin_next(session, fields)
        except (StorageError, CourtKeyError):
            log.exception("hearing %s cannot be resumed", session.record.id)
            return False
        return True
