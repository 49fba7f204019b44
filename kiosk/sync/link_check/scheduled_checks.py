"""The link check that runs by itself shortly before each hearing of the list (R30, R70).

Each result lies in ``published/link-checks/<hearing id>.json``, the newest one of all in
``last.json`` beside them: the recorder writes it into the hearing's journal at the start, and
never waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.clocks import wall_time
from kiosk.errors import KioskError, StorageError
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.sync.link_check.link_check import LinkCheck, LinkCheckRunningError
from kiosk.sync.outbox.manifest import UUID
from kiosk.sync.transport.pacing import BUSY_PHASES

log = logging.getLogger(__name__)

KEPT = timedelta(days=2)
LAST = "last.json"
AGAIN = timedelta(minutes=2)  # after a check that reached nobody, once more this often


@dataclass(frozen=True)
class Due:
    """A hearing before which the link is to be checked, and from when."""

    hearing_id: str
    at: datetime
    scheduled_at: datetime


def next_due(
    hearings: Iterable[dict[str, Any]], before: timedelta, now: datetime, done: set[str]
) -> Due | None:
    """Return the next hearing whose check is to come; None: none, or it is switched off.

    Args:
        hearings: of the list.
        before: how long before a hearing; zero switches the checks off.
        now: aware wall time.
        done: hearings that have been checked.
    """
    found = []
    for hearing in hearings if before else ():
        hearing_id = str(hearing.get("id"))
        try:
            scheduled = datetime.fromisoformat(str(hearing.get("scheduled_at")))
        except ValueError:
            continue
        if scheduled.tzinfo is None or scheduled <= now or hearing_id in done:
            continue
        if UUID.match(hearing_id):
            found.append(Due(hearing_id, scheduled - before, scheduled))
    return min(found, key=lambda due: due.at, default=None)


class HearingChecks:
    """Runs the checks and keeps their results.

    Args:
        check: runs one.
        folder: ``published/link-checks``.
        before: how long before a hearing.
    """

    def __init__(self, check: LinkCheck, folder: Path, before: timedelta) -> None:
        self._check = check
        self._folder = folder
        self._before = before
        self._done = {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
        self._not_before = datetime.min.replace(tzinfo=wall_time().tzinfo)

    def next(self, hearings: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        """Return ``State.link_check.next``."""
        due = next_due(hearings, self._before, wall_time(), self._done)
        return None if due is None else {"hearing": due.hearing_id, "at": due.at.isoformat()}

    def run_if_due(
        self,
        hearings: Iterable[dict[str, Any]],
        recorder: dict[str, Any] | None,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        """Check the link if a hearing is near and none is running; never raises for a link."""
        now = wall_time()
        due = next_due(hearings, self._before, now, self._done)
        if due is None or now < max(due.at, self._not_before):
            return
        if recorder is not None and recorder.get("phase") in BUSY_PHASES:
            return
        try:
            result = self._check.run(tell)
        except LinkCheckRunningError:
            return
        except KioskError as error:  # cancelled by a person, who does not want it
            log.info("link check before a hearing: %s", error.code)
            self._done.add(due.hearing_id)
            return
        if result["problem"] is not None and wall_time() < due.scheduled_at - AGAIN:
            self._not_before = wall_time() + AGAIN
            return
        self._done.add(due.hearing_id)
        self.keep(result, due.hearing_id)

    def keep(self, result: dict[str, Any], hearing_id: str | None = None) -> None:
        """Publish a result, for a hearing if it was made for one; forget old ones."""
        try:
            make_folder(self._folder)
            for name in (LAST, *([f"{hearing_id}.json"] if hearing_id else [])):
                write_json(self._folder / name, {**result, "hearing": hearing_id})
            self._forget_old()
        except (StorageError, OSError) as error:
            log.warning("link check not published: %s", error)

    def _forget_old(self) -> None:
        limit = (wall_time() - KEPT).timestamp()
        for path in self._folder.glob("*.json"):
            if path.name != LAST and path.stat().st_mtime < limit:
                path.unlink()
