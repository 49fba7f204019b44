"""Recovery after a crash or a power cut: closes what was left open, resumes the newest hearing."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.api.recorder import Recovery
from kiosk.api.states import Phase
from kiosk.clocks import boot_id, recording_ns
from kiosk.evidence.seal import is_sealed
from kiosk.hardware.wall_clock import is_clock_trusted
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController, code_of
from kiosk.hearing.session.publicity_change import complete_closures
from kiosk.hearing.session.start import initial_state
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.recovery import (
    InterruptedHearing,
    recover_hearing,
    recover_hearings,
)
from kiosk.storage.atomic_io import make_folder

log = logging.getLogger(__name__)


def recover(context: HearingContext, parts: PartController) -> None:
    """Close what a crash left open; resume the hearing that was capturing just before."""
    options = parts.journal_options(None)
    led_by_mirror, unmerged = context.storage.prepare_recovery(options.signer.certificate)
    folder = make_folder(context.paths.hearings)

    def recover_later(hearing: Path) -> None:
        job = partial(_recover_and_seal, context, hearing, options)
        context.seal_queue.submit(hearing.name, job)

    known = {child.parent.name for child in folder.glob("*/*")} | led_by_mirror | unmerged

    def recover_arrived(hearing: str) -> None:
        """Recover what only the second copy had, when it could not be read or merged."""
        if hearing not in known and not is_sealed(folder / hearing):
            known.add(hearing)
            log.error("hearing %s was only on the second copy", hearing)
            recover_later(folder / hearing)

    for hearing in unmerged:
        recover_later(folder / hearing)
    interrupted_hearings = recover_hearings(folder, options, recover_later, led_by_mirror, unmerged)
    unfinished = [h for h in interrupted_hearings if not h.was_ended and h.was_started]
    for interrupted in interrupted_hearings:
        if not interrupted.was_started:
            log.error("hearing %s was never started", interrupted.journal.hearing_id)
        if unfinished and interrupted is unfinished[-1]:
            _reopen(context, parts, interrupted)
        else:
            interrupted.was_ended = True
            # at once: its job may wait behind others, and the lists are shown meanwhile
            context.publicity.remember(_state_of(context, interrupted))
            job = partial(_seal_interrupted, context, interrupted)
            context.seal_queue.submit(interrupted.journal.hearing_id, job)
    context.storage.start_catch_up(recover_arrived)


def _recover_and_seal(context: HearingContext, hearing: Path, options: JournalOptions) -> None:
    """Recover a hearing that could not be opened at the start; it is not reopened.

    Raises:
        RecordingError, StorageError: it still cannot be, which is an alarm.
    """
    context.storage.complete_copy(hearing.name, options.signer.certificate)
    interrupted = recover_hearing(hearing, options)
    interrupted.was_ended = True
    _seal_interrupted(context, interrupted)


def _seal_interrupted(context: HearingContext, interrupted: InterruptedHearing) -> None:
    """Seal a hearing that is not reopened, after completing its pending closures."""
    context.publicity.remember(_state_of(context, interrupted))
    context.publicity.save_remembered()
    interrupted.seal_parts()
    complete_closures(context, interrupted.journal)
    interrupted.seal()


def _state_of(context: HearingContext, interrupted: InterruptedHearing) -> HearingState:
    """Return the state that the journals of ``interrupted`` tell."""
    folder = context.store.locate(interrupted.journal.folder)
    state = initial_state(load_hearing(folder), context.settings)
    for part, entry in interrupted.entries:
        state.apply(part, entry)
    return state


def _reopen(
    context: HearingContext, parts: PartController, interrupted: InterruptedHearing
) -> None:
    """Make ``interrupted`` the current hearing; resume it if it was capturing just before."""
    state = _state_of(context, interrupted)
    state.phase = Phase.RETIRED if state.phase == Phase.RETIRED else Phase.RECESS
    context.publicity.recall_mark(interrupted.journal.folder)
    interrupted.journal.set_listener(partial(context.current.apply_entry, state))
    unsealed = interrupted.unsealed_parts
    hearing = OpenHearing(state, interrupted.journal, context.rules, unsealed_parts=unsealed)
    context.current.set(hearing)
    last_part = state.part  # a part that is resumed now is not for this job
    if interrupted.was_capturing:
        _resume_capture(context, parts, hearing, interrupted)
    context.seal_queue.submit(state.id, partial(hearing.seal_parts, upto=last_part))
    if state.pending_closures:
        job = partial(complete_closures, context, interrupted.journal)
        context.seal_queue.submit(state.id, job)


def _resume_capture(
    context: HearingContext,
    parts: PartController,
    hearing: OpenHearing,
    interrupted: InterruptedHearing,
) -> None:
    """Resume, or stay stopped and journal that; the gap is journalled either way."""
    tap_ns, trusted, part = recording_ns(), is_clock_trusted(), interrupted.newest_part
    heartbeat = interrupted.last_capture
    gap = heartbeat.gap_seconds(tap_ns, clock_trusted=trusted) if heartbeat else None
    same_boot = heartbeat is not None and heartbeat.boot_id == boot_id()
    fields = {"reason": "recovered", "person": "", "tap_ns": tap_ns, "gap_seconds": gap}
    problem = "too_late"
    if interrupted.can_resume(clock_trusted=trusted):
        problem = _try_resume(parts, hearing, fields)
    if problem:
        hearing.append("stopped", {"part": part, "reason": problem})
        hearing.add_question("recovered")
    cause = "crash" if same_boot else "power"
    lost = {"part": part, "number": 0, "source": "recorder", "what": cause, "seconds": gap}
    hearing.append("interruption", lost)
    context.current.recovered = Recovery(hearing_id=hearing.state.id, gap_seconds=gap)
    outcome = f"not resumed ({problem})" if problem else "resumed"
    log.warning("hearing %s was interrupted; %s", hearing.state.id, outcome)


def _try_resume(parts: PartController, hearing: OpenHearing, fields: dict[str, Any]) -> str:
    """Start the next part; return why that is not possible, "" if it is."""
    try:
        # Nobody waits for an answer: a disk that refuses gets it when it is back.
        parts.start_next(hearing, fields, may_refuse=False)
    except Exception as error:  # whatever it is, the hearing stays open and a tap resumes it
        log.exception("hearing %s cannot be resumed", hearing.state.id)
        return code_of(error)
    return ""
