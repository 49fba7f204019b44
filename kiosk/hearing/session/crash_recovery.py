"""Recovery after a crash or a power cut: closes what was left open, resumes the newest hearing."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from kiosk.clocks import boot_id, recording_ns
from kiosk.errors import StorageError
from kiosk.hardware.wall_clock import is_clock_trusted
from kiosk.hearing.room.context import HearingContext
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.journal_options import JournalOptionsFactory
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.hearing.session.publicity_change import PublicityChange
from kiosk.hearing.session.seal_queue import SubmitJob
from kiosk.hearing.session.start import initial_state
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.recording.repair.recovery import InterruptedHearing, recover_hearings
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.court_keys import CourtKeyError

log = logging.getLogger(__name__)


class CrashRecovery:
    """Recovers the hearings that a crash interrupted.

    Args:
        submit: hands a job to the seal queue.
    """

    def __init__(
        self,
        context: HearingContext,
        current_hearing: CurrentHearing,
        parts: PartController,
        journal_options: JournalOptionsFactory,
        publicity_change: PublicityChange,
        submit: SubmitJob,
    ) -> None:
        self._context = context
        self._current_hearing = current_hearing
        self._parts = parts
        self._journal_options = journal_options
        self._publicity_change = publicity_change
        self._submit = submit

    def recover(self) -> None:
        """Close what a crash left open; resume the hearing that was capturing just before."""
        storage = self._context.storage
        storage.prepare_recovery()
        folder = make_folder(self._context.paths.hearings)
        interrupted_hearings = recover_hearings(folder, self._journal_options.create(None))
        unfinished = [
            interrupted for interrupted in interrupted_hearings if not interrupted.was_ended
        ]
        for interrupted in interrupted_hearings:
            if unfinished and interrupted is unfinished[-1]:
                self._reopen(interrupted)
            else:
                interrupted.was_ended = True
                self._submit(
                    interrupted.journal.hearing_id, partial(self._seal_interrupted, interrupted)
                )
        storage.start_catch_up()

    def _seal_interrupted(self, interrupted: InterruptedHearing) -> None:
        """Seal a hearing that is not reopened, after completing its pending closures."""
        interrupted.seal_parts()
        entries = [entry for part, entry in interrupted.entries if part == 0]
        self._publicity_change.complete(interrupted.journal, entries)
        interrupted.seal()

    def _reopen(self, interrupted: InterruptedHearing) -> None:
        """Make ``interrupted`` the current hearing; resume it if it was capturing just before."""
        state = initial_state(load_hearing(interrupted.journal.folder), self._context.settings)
        for part, entry in interrupted.entries:
            state.apply(part, entry)
        state.phase = "retired" if state.phase == "retired" else "recess"
        interrupted.journal.set_listener(partial(self._current_hearing.apply_entry, state))
        rules = self._context.rules
        hearing = OpenHearing(
            state, interrupted.journal, rules, None, unsealed_parts=interrupted.unsealed_parts
        )
        self._current_hearing.set(hearing)
        last_part = state.part  # a part that is resumed now is not for this job
        if interrupted.was_capturing:
            self._resume_capture(hearing, interrupted)
        self._submit(state.id, partial(hearing.seal_parts, upto=last_part))
        if state.pending_closures:
            self._submit(state.id, partial(self._publicity_change.resume_pending, hearing))

    def _resume_capture(self, hearing: OpenHearing, interrupted: InterruptedHearing) -> None:
        """Resume, or stay stopped and journal that; the gap is journalled either way."""
        tap_ns, trusted, part = recording_ns(), is_clock_trusted(), hearing.state.part
        heartbeat = interrupted.last_capture
        gap = heartbeat.gap_seconds(tap_ns, clock_trusted=trusted) if heartbeat else None
        same_boot = heartbeat is not None and heartbeat.boot_id == boot_id()
        what = "crash" if same_boot else "power"
        fields = {"reason": "recovered", "person": "", "tap_ns": tap_ns, "gap_seconds": gap}
        resumable = interrupted.can_resume(clock_trusted=trusted)
        resumed = resumable and self._try_resume(hearing, fields)
        if not resumed:
            hearing.append("stopped", {"part": part, "reason": "too_late"})
            hearing.add_question("recovered")
        lost = {"part": part, "number": 0, "source": "recorder", "what": what, "seconds": gap}
        hearing.append("interruption", lost)
        self._current_hearing.recovered = {"hearing_id": hearing.state.id, "gap_seconds": gap}
        log.warning("hearing %s was interrupted; resumed: %s", hearing.state.id, resumed)

    def _try_resume(self, hearing: OpenHearing, fields: dict[str, Any]) -> bool:
        """Start the next part; return whether that was possible."""
        try:
            self._parts.start_next(hearing, fields)
        except (StorageError, CourtKeyError):
            log.exception("hearing %s cannot be resumed", hearing.state.id)
            return False
        return True
