"""The court closes or opens the hearing, from now on or since an earlier moment (S14, R56)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from kiosk.api.recorder_calls import CloseSince, CloseSinceAnswer, PublicityAnswer, Statement
from kiosk.api.rows import YEARS
from kiosk.clocks import NS_PER_S, boot_id, format_wall, recording_ns, wall_time
from kiosk.evidence.chain import is_event, read_chain
from kiosk.hearing.room.errors import BadRequestError
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.hearing.session.publicity import publicity_event
from kiosk.hearing.session.receipt_encryption import encrypt_receipts
from kiosk.hearing.session.statements import record_statement
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.repair.reencrypt import apply_closure, pending_closures
from kiosk.storage.court_keys import load_court_keys
from kiosk.storage.hearing_folder import JOURNAL_FILE

EARLY_S = 60
"""A moment may seem so many seconds ahead where the wall clock was corrected meanwhile."""


# -- from now on -------------------------------------------------------------------------------
def close_or_open(
    context: HearingContext,
    parts: PartController,
    closed: bool,
    person: str,
    tap_ns: int,
    ground: str | None = None,
    note: str = "",
) -> PublicityAnswer:
    """Close or open the hearing from ``tap_ns`` on; repeating it changes nothing.

    If a part is being captured, the next part starts exactly there. Grounds may come later.

    Raises:
        BadRequestError: no such ground; StepRefusedError: no hearing is open.
    """
    hearing = context.current.require()
    valid_ground = context.publicity.validate_ground(ground)
    state = hearing.state
    if closed != (state.closed is not None) or (closed and hearing.is_written_plain):
        since = wall_time() - timedelta(microseconds=(recording_ns() - tap_ns) / 1000)
        fields = {"person": person, "tap_ns": tap_ns, "since": format_wall(since), "note": note}
        if closed:
            fields["ground"] = valid_ground
        declare = partial(_declare, context, hearing, closed, fields)
        with parts.hold.held(tap_ns):
            if hearing.capture is not None:
                parts.switch(hearing, closed, person, tap_ns, declare)
            else:
                declare()
        hearing.add_mark(publicity_event(closed), person, note, "")
    elif closed and valid_ground:
        request = Statement(subject="closure_ground", value=valid_ground, note=note)
        record_statement(context, request, person)
    context.events.on_change()
    return PublicityAnswer(
        hearing_id=state.id,
        part=state.part,
        phase=state.phase,
        closed=hearing.closure(),
    )


def _declare(
    context: HearingContext, hearing: OpenHearing, closed: bool, fields: Mapping[str, Any]
) -> None:
    """Append what the court declared; a secret is marked first."""
    if closed:
        folder, details = hearing.journal.folder, hearing.state.details
        context.publicity.mark_if_secret(folder, details, fields.get("ground"))
    hearing.append("court_closed" if closed else "court_opened", fields)


# -- since an earlier moment -------------------------------------------------------------------
def close_retroactively(
    context: HearingContext,
    parts: PartController,
    request: CloseSince,
    person: str,
    tap_ns: int,
) -> CloseSinceAnswer:
    """Close the hearing from an earlier moment on: what was captured since, and what follows.

    Raises:
        BadRequestError: no such moment or ground; StepRefusedError: no hearing is open.
        CourtKeyError: the court's keys are not pinned: the capture stops, nothing is replaced.
    """
    hearing = context.current.require()
    since, since_ns = _parse_since(hearing.state, request)
    valid_ground, note = context.publicity.validate_ground(request.ground), request.note
    close_or_open(context, parts, True, person, tap_ns, valid_ground, note)
    context.publicity.load_keys()
    upto = hearing.state.part - (hearing.capture is not None)
    fields: dict[str, Any] = {"since": format_wall(since), "upto": upto, "person": person}
    fields |= {"ground": valid_ground, "note": note}
    fields |= {"since_ns": since_ns, "boot_id": boot_id()} if since_ns is not None else {}
    number = int(hearing.journal.submit("closing_since", fields)["n"])
    context.seal_queue.submit(
        hearing.state.id, partial(complete_closures, context, hearing.journal, number)
    )
    context.events.on_change()
    return CloseSinceAnswer(hearing_id=hearing.state.id, since=format_wall(since), parts=upto)


def _parse_since(state: HearingState, request: CloseSince) -> tuple[datetime, int | None]:
    """Return the moment that the request names, and the same on the recording clock of this boot.

    The second is None for a mark of an earlier boot. A wall clock that was set in between must not
    leave open what the court has closed: the recording clock decides wherever it can.
    """
    if request.mark is not None:
        mark = next((mark for mark in state.marks if mark.number == request.mark), None)
        if mark is None:
            raise BadRequestError("since: there is no such mark")
        times = state.parts.get(mark.part)
        is_of_boot = times is not None and times.boot == boot_id()
        mark_ns = times.tap_ns + round(mark.part_seconds * NS_PER_S) if times else 0
        return _parse_time(mark.at), mark_ns if is_of_boot else None
    moment = _parse_time(request.since)
    passed_ns = round((wall_time() - moment).total_seconds() * NS_PER_S)
    if passed_ns < -EARLY_S * NS_PER_S:
        # the clock was set back: what the court has closed would stay open
        raise BadRequestError("since: a moment that has not come yet")
    return moment, recording_ns() - passed_ns


def _parse_time(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise BadRequestError("since: no time") from error
    if moment.tzinfo is None:
        raise BadRequestError("since: no time zone")
    if moment.year not in YEARS:
        raise BadRequestError("since: no believable year")
    return moment


# -- re-encryption -----------------------------------------------------------------------------
def complete_closures(
    context: HearingContext, journal: HearingJournal, last: int | None = None
) -> None:
    """Re-encrypt the plain media of all pending closures, also those that a crash interrupted.

    Args:
        last: number of the last declaration whose parts are sealed by now; None: all are. A later
            one waits for its own turn, behind the sealing of its parts.

    Raises:
        CourtKeyError: the court's keys are not pinned; StorageError: the declaration, or a file,
            cannot be read or written now.
    """
    journal.flush()
    path = context.store.locate(journal.folder / JOURNAL_FILE)
    entries = read_chain(path, keep=is_event).entries
    for closure in pending_closures(entries):
        if last is not None and closure.number > last:
            break
        keys = load_court_keys(context.paths)
        encrypt_receipts(journal, keys, closure, entries)
        apply_closure(journal, keys, closure, context.events.on_replaced)
    context.events.on_change()
