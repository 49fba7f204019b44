"""Runs the link check automatically shortly before each scheduled hearing (R30, R70).

Hearings of all courtrooms begin at full hours. Each hearing's check has a moment of its own, up to
ten minutes earlier, so that the fleet does not measure the central system's line at once; at that
moment the central system says how many seconds later it may begin. If it says nothing, it begins.

Each result is written to ``published/link-checks/<hearing id>.json``, the newest also to
``last.json`` beside them: the recorder copies it into the hearing's journal at the start, and
never waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.api.hearing import Hearing
from kiosk.api.sync import LinkCheckResult, NextLinkCheck
from kiosk.clocks import boot_seconds, wall_time
from kiosk.errors import KioskError, StorageError
from kiosk.storage.age_stamp import age_stamp
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.sync.link_check.link_check import (
    CancelledError,
    LinkCheck,
    LinkCheckRunningError,
    ProgressCallback,
    Slot,
)
from kiosk.sync.outbox.manifest import UUID

log = logging.getLogger(__name__)

MAX_SPREAD = timedelta(minutes=10)
KEEP_RESULTS_S = 2 * 86_400.0
LAST_RESULT = "last.json"
RETRY_INTERVAL = timedelta(minutes=2)  # after a check without an answer
FRESH_S = 30.0
"""So long after its moment a slot still counts: others have theirs then, and its token ends."""


@dataclass(frozen=True)
class DueCheck:
    """A hearing before which the link is checked, and from when."""

    hearing_id: str
    at: datetime
    scheduled_at: datetime


def next_check(
    hearings: Iterable[Hearing], lead_time: timedelta, now: datetime, checked_ids: set[str]
) -> DueCheck | None:
    """Return the next check; None: no hearing, or checks are switched off.

    Args:
        hearings: of the schedule.
        lead_time: least time before a hearing; zero switches the checks off.
        now: aware wall time.
        checked_ids: hearings that have been checked.
    """
    found = []
    for hearing in hearings if lead_time else ():
        scheduled = hearing.starts_at
        if scheduled is None or scheduled <= now or hearing.id in checked_ids:
            continue
        if UUID.match(hearing.id):
            at = scheduled - lead_time - min(lead_time, MAX_SPREAD) * _share(hearing.id)
            found.append(DueCheck(hearing.id, at, scheduled))
    return min(found, key=lambda due: due.at, default=None)


def _share(hearing_id: str) -> float:
    """Return a number in [0, 1) of this hearing alone, the same after a restart."""
    return int.from_bytes(hashlib.sha256(hearing_id.encode()).digest()[:4]) / (1 << 32)


class ScheduledLinkChecks:
    """Runs the checks and publishes their results.

    Args:
        link_check: runs a check.
        folder: ``published/link-checks``.
        lead_time: least time before a hearing.
        ages: ages of the results, of this object alone.
    """

    def __init__(
        self, link_check: LinkCheck, folder: Path, lead_time: timedelta, ages: Ages
    ) -> None:
        self._link_check = link_check
        self._folder = folder
        self._lead_time = lead_time
        self._ages, self._publishing = ages, threading.Lock()
        self._checked_ids = (
            {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
        )
        self._retry_s = 0.0
        self._slot: tuple[str, float, Slot | None] | None = None

    def next(self, hearings: Iterable[Hearing]) -> NextLinkCheck | None:
        """Return ``State.link_check.next``."""
        due = next_check(hearings, self._lead_time, wall_time(), self._checked_ids)
        if due is None:
            return None
        return NextLinkCheck(hearing=due.hearing_id, at=due.at.isoformat())

    def run_if_due(
        self,
        hearings: Iterable[Hearing],
        report_progress: ProgressCallback,
        *,
        is_hearing_open: bool,
    ) -> None:
        """Check the link if a hearing is near and none is open; link errors do not raise."""
        now = wall_time()
        due = next_check(hearings, self._lead_time, now, self._checked_ids)
        if due is None or now < due.at or boot_seconds() < self._retry_s:
            return
        if is_hearing_open or not (begins := self._begin(due, now)):
            return
        # whatever ends it, it does not fill the line again at once
        self._retry_s = boot_seconds() + RETRY_INTERVAL.total_seconds()
        try:
            result = self._link_check.run(report_progress, begins[0])
        except LinkCheckRunningError:
            self._retry_s = 0.0
            return
        except CancelledError as error:  # by a person, who does not want it
            log.info("link check before a hearing: %s", error.code)
            self._checked_ids.add(due.hearing_id)
            return
        if result.problem is not None and wall_time() < due.scheduled_at - RETRY_INTERVAL:
            return
        self._retry_s = 0.0
        self._checked_ids.add(due.hearing_id)
        self.publish(result, due.hearing_id)

    def _begin(self, due: DueCheck, now: datetime) -> tuple[Slot | None] | None:
        """Return the slot that has come (None in it: nobody gave one), or None before that.

        It is never waited for until it would be too late for another try. A slot that passed while
        a hearing was open, or the machine slept, is asked for again.
        """
        if (
            self._slot is None
            or self._slot[0] != due.hearing_id
            or boot_seconds() > self._slot[1] + FRESH_S
        ):
            latest_s = max(0.0, (due.scheduled_at - RETRY_INTERVAL - now).total_seconds())
            slot = None
            try:
                slot = self._link_check.reserve()
            except KioskError as error:
                log.info("link check before a hearing, no slot: %s", error.code)
            wait_s = min(latest_s, slot.start_in_s) if slot else 0.0
            self._slot = (due.hearing_id, boot_seconds() + wait_s, slot)
        _, begins_at, slot = self._slot
        if boot_seconds() < begins_at:
            return None
        self._slot = None
        return (slot,)

    def publish(self, result: LinkCheckResult, hearing_id: str | None = None) -> None:
        """Publish a result, also for its hearing if it has one; delete old results."""
        try:
            make_folder(self._folder)
            value = {**result.to_json(), "hearing": hearing_id, "measured": age_stamp()}
            with self._publishing:
                for name in (LAST_RESULT, *([f"{hearing_id}.json"] if hearing_id else [])):
                    write_json(self._folder / name, value)
                self._delete_old()
        except (StorageError, OSError) as error:
            log.warning("link check not published: %s", error)

    def _delete_old(self) -> None:
        names = [path.name for path in self._folder.glob("*.json") if path.name != LAST_RESULT]
        for name, age in self._ages.of("link_check", names).items():
            if age > KEEP_RESULTS_S:
                (self._folder / name).unlink(missing_ok=True)
