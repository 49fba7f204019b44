"""The staff list in force: the newest one that the court signed for this kiosk, until its end.

Sync publishes what it has pulled; the recorder trusts none of it and checks the signature against
the root that was pinned at enrolment. A copy of the last good list is the recorder's own: a bad
file in its place, a dead sync or a restart takes nobody's access before the list's end.

The end is judged by the wall clock while the kernel says that it is synchronised, else by how long
the list has been here: a clock that is ahead by weeks locks nobody out, and one that is behind
lets nobody in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiosk.api.published import StaffMember, read_staff
from kiosk.api.recorder import AlarmKey
from kiosk.clocks import format_wall
from kiosk.errors import StorageError
from kiosk.exchange.staff_list import StaffList, StaffListError, check_staff_list
from kiosk.storage.ages import Ages
from kiosk.storage.atomic_io import FileVersion, file_version, make_folder, read_json, write_json

log = logging.getLogger(__name__)
WARN_BEFORE_END = timedelta(days=7)
_FUTURE = timedelta(days=1)  # a list from later was signed by a wrong clock: any other replaces it
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _InForce:
    list: StaffList
    rows: tuple[StaffMember, ...]


class StaffDirectory:
    """Reads the published list again when the file changes. One thread at a time may use it.

    Args:
        published: what sync has pulled (``published/staff.json``).
        kept: the recorder's own copy of the last good list.
        kiosk: id of this kiosk.
        ca: the court's root certificate; absent before enrolment: then no list is in force.
        ages: how long the list is in force, and the wall time while it is certain.
        is_hearing_open: returns whether a hearing is open. Until it is over, the people of a list
            that has ended may sign in: somebody must be able to end the hearing.
    """

    def __init__(
        self,
        published: Path,
        kept: Path,
        kiosk: str,
        ca: Path,
        ages: Ages,
        is_hearing_open: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_hearing_open = is_hearing_open
        self._published, self._kept = published, kept
        self._kiosk, self._ca, self._ages = kiosk, ca, ages
        self._versions: tuple[FileVersion | None, FileVersion | None] = (None, None)
        self._in_force: _InForce | None = None
        self._refusal = ""
        self._is_due = True

    def rows(self) -> tuple[StaffMember, ...]:
        """Return the rows of those who may sign in now; a person may have several."""
        self._refresh()
        found = self._in_force
        if found is None:
            return ()
        has_ended = self._time_left(found.list) <= timedelta(0)
        return () if has_ended and not self._is_hearing_open() else found.rows

    def alarms(self) -> list[AlarmKey]:
        """Return codes and sources of the alarms: why the newest list is refused, and its end."""
        self._refresh()
        if file_version(self._ca) is None:
            return []  # not enrolled, which has an alarm of its own
        found = []
        if self._refusal == "staff_list_ended":
            found.append((self._refusal, "staff_list"))
        elif self._refusal:
            found.append(("staff_list_refused", self._refusal.removeprefix("staff_list_")))
        if self._in_force is not None:
            left = self._time_left(self._in_force.list)
            if left <= timedelta(0):
                found.append(("staff_list_ended", "staff_list"))
            elif left < WARN_BEFORE_END:
                found.append(("staff_list_ends_soon", "staff_list"))
        elif not found:
            found.append(("staff_list_missing", "staff_list"))
        return list(dict.fromkeys(found))

    def _refresh(self) -> None:
        """Read again what has changed; a list that is refused leaves the one in force."""
        versions = (file_version(self._published), file_version(self._ca))
        if versions == self._versions and not self._is_due:
            return
        if versions[1] != self._versions[1]:
            self._in_force = self._read_kept()
        self._versions = versions
        refusal = ""
        if None not in versions:
            try:
                self._take(self._check(self._published, self._ages.certain_time() or _ANY_TIME))
            except StaffListError as error:
                refusal = error.code
                if refusal != self._refusal:
                    log.error("the staff list is refused: %s: %s", refusal, error)
        self._refusal = refusal
        # Perhaps by a wrong clock: look again.
        self._is_due = refusal in ("staff_list_ended", "staff_list_older")

    def _time_left(self, found: StaffList) -> timedelta:
        """Return the time to a list's end; zero or less: it has ended."""
        key = f"{format_wall(found.issued)} {format_wall(found.valid_until)}"
        (age,) = self._ages.of("staff_list", [key]).values()
        now = self._ages.certain_time()
        if now is not None:
            return found.valid_until - now
        return found.valid_until - found.issued - timedelta(seconds=age)

    def _take(self, new: StaffList) -> None:
        """Put a list in force.

        Raises:
            StaffListError: the one in force is newer: somebody brings back an old list, in which
                a person who has left may still be.
        """
        old = self._in_force.list if self._in_force is not None else None
        if old is not None and new.issued < old.issued and not self._is_of_future(old):
            raise StaffListError("older than the list in force", code="staff_list_older")
        self._in_force = _in_force(new)
        if old is None or old.value != new.value:
            self._keep(new)

    def _is_of_future(self, found: StaffList) -> bool:
        now = self._ages.certain_time()
        return now is not None and found.issued >= now + _FUTURE

    def _check(self, path: Path, now: datetime) -> StaffList:
        try:
            value = read_json(path)
        except (OSError, ValueError) as error:
            raise StaffListError(f"it cannot be read: {type(error).__name__}") from error
        return check_staff_list(value, self._kiosk, self._ca, now)

    def _read_kept(self) -> _InForce | None:
        """Return the list that was kept, also after its end: the clock may be wrong."""
        if file_version(self._kept) is None or file_version(self._ca) is None:
            return None
        try:
            return _in_force(self._check(self._kept, _ANY_TIME))
        except StaffListError as error:
            log.warning("the staff list that was kept is not used: %s", error)
            return None

    def _keep(self, found: StaffList) -> None:
        try:
            make_folder(self._kept.parent, 0o700)
            write_json(self._kept, found.value, 0o600)
        except StorageError as error:
            log.error("the staff list cannot be kept: %s", error)


def _in_force(found: StaffList) -> _InForce:
    rows = read_staff(found.value).rows  # odd rows are reported by sync
    return _InForce(found, tuple(row for row in rows if row.roles))
