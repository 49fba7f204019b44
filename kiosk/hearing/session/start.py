"""Starts a hearing with one tap. What was not ready is journalled afterwards, never waited for."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import boot_id
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.room.court_list import UNCLEAR, is_closed
from kiosk.hearing.room.link_check import recent_link_check
from kiosk.hearing.room.microphone_roles import MicrophoneRoles
from kiosk.hearing.room.readiness import check_readiness
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.hearing_state import KEPT_REASON, HearingState
from kiosk.hearing.session.open_hearing import OpenHearing
from kiosk.hearing.session.part_controller import PartController
from kiosk.recording.capture.kept_sound import KeptSound
from kiosk.recording.journal.hearing_journal import HearingJournal
from kiosk.recording.part import Part
from kiosk.storage.hearing_folder import part_folder_name
from kiosk.storage.patient_reader import PATIENCE_S

log = logging.getLogger(__name__)


def initial_state(details: Mapping[str, Any], settings: Settings) -> HearingState:
    """Return the state of a hearing at its start.

    Args:
        details: the hearing as in the schedule.
    """
    state = HearingState(dict(details), roles=MicrophoneRoles.from_settings(settings.microphones))
    if is_closed(details):
        state.closed = {"since": "", "ground": details.get("closure_ground")}
    elif details.get("publicity") == UNCLEAR:
        state.add_question("publicity")
    return state


def start_hearing(
    context: HearingContext,
    parts: PartController,
    details: Mapping[str, Any],
    person: str,
    tap_ns: int,
    before: KeptSound | None = None,
) -> OpenHearing:
    """Start recording a hearing with everything captured from ``tap_ns`` on; it is open then.

    Args:
        details: what the request says of the hearing; of one in the court's list, the list decides.
        before: what was kept before the tap; it becomes the first part.

    Raises:
        CourtKeyError: it is closed and the court's keys are not pinned: nothing is recorded.
        StorageError: the disk refuses it; one that is slow writes it later.
    """
    details = _with_new_id(context, context.publicity.court_list.details_of(details))
    folder = context.paths.hearings / details["id"]
    state = initial_state(details, context.settings)
    codec = context.publicity.codec_for(state)
    first = part_folder_name(1 if before is None else 2)
    capture = parts.start(folder / first, tap_ns, codec)
    context.current.starting = capture
    kept: Part | None = None
    tap = {"person": person, "tap_ns": tap_ns}
    context.seal_queue.withdraw(_discard_name(folder))
    try:
        context.publicity.mark_if_secret(folder, details, details.get("closure_ground"))
        opened = {**tap, "boot_id": boot_id(), "clock": clock_state()}
        options = parts.journal_options(state)
        journal = HearingJournal.create(folder, details, opened, options)
        hearing = OpenHearing(state, journal, context.rules, capture)
        if state.closed is not None:
            hearing.append("court_closed", {**tap, "ground": state.closed["ground"]})
        if before is not None:
            kept = parts.keep_before(hearing, before, person, tap_ns)
        parts.attach_journal(hearing, {"reason": "start", **tap}, may_refuse=False)
    except Exception:
        context.current.starting = None
        parts.discard(capture)
        if before is not None:
            parts.drop_kept(folder, before, kept)
        _discard_start(context, folder)
        if kept is None or not context.store.locate(folder).exists():
            context.storage.begun.discard(folder.name)  # else the next try gets another id
        raise
    context.storage.begun.add(folder.name)
    context.current.set(hearing)
    if kept is not None:
        hearing.add_mark(KEPT_REASON, person, "", "")
    return hearing


def _discard_start(context: HearingContext, folder: Path) -> None:
    """Remove what a failed start has left, now or as soon as the disk allows it.

    It holds no media. If the recorder stops before it is removed, recovery closes it as failed.
    """
    discard = partial(context.store.discard_start, folder)
    try:
        discard()
    except StorageError as error:
        log.error("hearing %s did not start; its folder is removed later: %s", folder.name, error)
        context.seal_queue.submit(_discard_name(folder), discard)


def _discard_name(folder: Path) -> str:
    """Return the name of the job that removes a failed start; a new start withdraws it."""
    return f"{folder.name}/start"


def _with_new_id(context: HearingContext, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``details`` with an id that no hearing has yet.

    A hearing that was ended and is started again gets an id of its own: what was sealed is never
    touched.
    """
    details = dict(details)
    listed_id = details.get("id")
    try:
        details["id"] = str(uuid.UUID(str(listed_id)))
    except ValueError:
        details["id"] = str(uuid.uuid4())
    if listed_id and listed_id != details["id"]:
        details["listed_id"] = str(listed_id)
    if context.storage.has_begun(details["id"]):
        details |= {"continues": details["id"], "id": str(uuid.uuid4())}
    return details


def record_readiness(context: HearingContext, hearing: OpenHearing) -> None:
    """Journal what was not ready at the start; it raises a question and never delays."""
    clock = clock_state()
    items, failed = check_readiness(
        context.sources.describe_camera(),
        context.sources.describe_microphones(),
        context.storage.state(hearing.describe(), None),
        clock,
        context.publicity.court_keys(hearing.state),
    )
    hearing.append("readiness", {"items": items, "failed": failed, "clock": clock})
    checking = threading.Thread(
        target=_record_link_check, args=(context, hearing), name="link-check", daemon=True
    )
    checking.start()
    checking.join(PATIENCE_S)


def _record_link_check(context: HearingContext, hearing: OpenHearing) -> None:
    """Journal the newest link check, as soon as the disk gives it."""
    found = recent_link_check(context.paths.link_checks, hearing.state.id)
    if found is not None:
        try:
            hearing.append("link_check", {"result": found})
        except StorageError:  # the hearing has ended meanwhile
            log.warning("the link check of hearing %s came too late", hearing.state.id)
