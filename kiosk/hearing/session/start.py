"""The start of a hearing: one tap and it runs; what was not ready is written down behind."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kiosk.clocks import boot_id
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.room.context import Premises
from kiosk.hearing.room.link_result import link_result
from kiosk.hearing.room.microphone_roles import Roles
from kiosk.hearing.room.readiness import readiness
from kiosk.hearing.session.hearing_state import HearingRecord
from kiosk.hearing.session.journal_options import BookKeeping
from kiosk.hearing.session.open_hearing import Session
from kiosk.hearing.session.part_controller import Parts
from kiosk.hearing.session.publicity import Publicity, is_closed
from kiosk.recording.journal.hearing_journal import HearingBook


def new_record(about: Mapping[str, Any], settings: Settings) -> HearingRecord:
    """Return the record of a hearing at its start.

    Args:
        about: the hearing as in the schedule.
    """
    record = HearingRecord(dict(about), roles=Roles.of(settings.microphones))
    if is_closed(about):
        record.closed = {"since": "", "ground": about.get("closure_ground")}
    return record


class Opening:
    """Opens hearings in one room."""

    def __init__(
        self, premises: Premises, publicity: Publicity, parts: Parts, books: BookKeeping
    ) -> None:
        self._premises = premises
        self._publicity = publicity
        self._parts = parts
        self._books = books

    def open(self, hearing: Mapping[str, Any], person: str, tap_ns: int) -> Session:
        """Start recording ``hearing`` with everything captured from ``tap_ns`` on.

        Raises:
            CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
            StorageError: not even a folder can be made.
        """
        about = self._named(hearing)
        folder = self._premises.layout.hearings / about["id"]
        record = new_record(about, self._premises.settings)
        envelope = self._publicity.envelope(record)
        make_folder = self._premises.store.make_folder
        self._publicity.note(make_folder(folder), about, about.get("closure_ground"))
        capture = self._parts.begin(make_folder(folder / "part-01"), tap_ns, envelope)
        try:
            book = HearingBook.create(
                folder, about, self._opened(person, tap_ns), self._books.maker(record)
            )
            session = Session(record, book, self._premises.rules, capture)
            if record.closed is not None:
                ground = record.closed["ground"]
                session.write(
                    "court_closed", {"person": person, "tap_ns": tap_ns, "ground": ground}
                )
            self._parts.keep_books(session, {"reason": "start", "person": person, "tap_ns": tap_ns})
        except StorageError:
            capture.stop()
            self._parts.lamp(False)
            raise
        return session

    def _named(self, hearing: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``hearing`` with an id whose folder does not exist yet.

        A hearing that was ended and is started once more gets an id of its own: what was sealed
        is never touched.
        """
        about = dict(hearing)
        try:
            about["id"] = str(uuid.UUID(str(about["id"])))
        except (KeyError, ValueError):
            about["id"] = str(uuid.uuid4())
        folder = self._premises.layout.hearings / about["id"]
        if self._premises.store.locate(folder).exists():
            about |= {"continues": about["id"], "id": str(uuid.uuid4())}
        return about

    def _opened(self, person: str, tap_ns: int) -> dict[str, Any]:
        clock = clock_state()
        return {"person": person, "tap_ns": tap_ns, "boot_id": boot_id(), "clock": clock}

    def note_readiness(self, session: Session) -> None:
        """Write down what was not ready at the start; it is asked about, never waited for."""
        on = self._premises
        storages = on.storages.state(session.as_json(), None)
        clock = clock_state()
        keys = self._publicity.keys(session.record)
        items, failed = readiness(on.sources.state(), storages, clock, keys)
        session.write("readiness", {"items": items, "failed": failed, "clock": clock})
        checked = link_result(on.layout.link_checks, session.record.id)
        if checked is not None:
            session.write("link_check", {"result": checked})
