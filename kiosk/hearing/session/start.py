"""Starts a hearing with one tap. What was not ready is journalled afterwards, never waited for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kiosk.clocks import boot_id
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.room.context import HearingContext
from kiosk.hearing.room.link_check import recent_link_check
from kiosk.hearing.room.microphone_roles import MicrophoneRoles
from kiosk.hearing.room.readiness import check_readiness
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.journal_options import JournalOptionsFactory
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.hearing.session.publicity import Publicity, is_closed
from kiosk.recording.journal.hearing_journal import HearingJournal


def initial_state(details: Mapping[str, Any], settings: Settings) -> HearingState:
    """Return the state of a hearing at its start.

    Args:
        details: the hearing as in the schedule.
    """
    state = HearingState(dict(details), roles=MicrophoneRoles.from_settings(settings.microphones))
    if is_closed(details):
        state.closed = {"since": "", "ground": details.get("closure_ground")}
    return state


class HearingStart:
    """Starts hearings in one room."""

    def __init__(
        self,
        context: HearingContext,
        publicity: Publicity,
        parts: PartController,
        journal_options: JournalOptionsFactory,
    ) -> None:
        self._context = context
        self._publicity = publicity
        self._parts = parts
        self._journal_options = journal_options

    def start(self, details: Mapping[str, Any], person: str, tap_ns: int) -> OpenHearing:
        """Start recording the hearing ``details`` with everything captured from ``tap_ns`` context.

        Raises:
            CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
            StorageError: not even a folder can be made.
        """
        details = self._with_new_id(details)
        folder = self._context.paths.hearings / details["id"]
        state = initial_state(details, self._context.settings)
        codec = self._publicity.codec_for(state)
        make_folder = self._context.store.make_folder
        self._publicity.mark_if_secret(make_folder(folder), details, details.get("closure_ground"))
        capture = self._parts.start(make_folder(folder / "part-01"), tap_ns, codec)
        try:
            journal = HearingJournal.create(
                folder,
                details,
                self._opened_fields(person, tap_ns),
                self._journal_options.create(state),
            )
            hearing = OpenHearing(state, journal, self._context.rules, capture)
            if state.closed is not None:
                ground = state.closed["ground"]
                hearing.append(
                    "court_closed", {"person": person, "tap_ns": tap_ns, "ground": ground}
                )
            self._parts.attach_journal(
                hearing, {"reason": "start", "person": person, "tap_ns": tap_ns}
            )
        except StorageError:
            capture.stop()
            self._parts.set_lamp(False)
            raise
        return hearing

    def _with_new_id(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``details`` with an id whose folder does not exist yet.

        A hearing that was ended and is started again gets an id of its own: what was sealed
        is never touched.
        """
        details = dict(details)
        try:
            details["id"] = str(uuid.UUID(str(details["id"])))
        except (KeyError, ValueError):
            details["id"] = str(uuid.uuid4())
        folder = self._context.paths.hearings / details["id"]
        if self._context.store.locate(folder).exists():
            details |= {"continues": details["id"], "id": str(uuid.uuid4())}
        return details

    def _opened_fields(self, person: str, tap_ns: int) -> dict[str, Any]:
        clock = clock_state()
        return {"person": person, "tap_ns": tap_ns, "boot_id": boot_id(), "clock": clock}

    def record_readiness(self, hearing: OpenHearing) -> None:
        """Journal what was not ready at the start; it raises a question and never delays."""
        context = self._context
        storage = context.storage.state(hearing.as_json(), None)
        clock = clock_state()
        keys = self._publicity.court_key_status(hearing.state)
        items, failed = check_readiness(context.sources.state(), storage, clock, keys)
        hearing.append("readiness", {"items": items, "failed": failed, "clock": clock})
        link_check = recent_link_check(context.paths.link_checks, hearing.state.id)
        if link_check is not None:
            hearing.append("link_check", {"result": link_check})
