"""Pulls the signed staff list; publishes it only if the court made it for this kiosk.

The list is checked before it replaces ``published/staff.json``: whatever the central system, or
somebody in its place, sends, the last good list stays. Time is the central system's own (of
``GET /v1/contract``, over the verified connection): a kiosk whose clock is wrong by a year still
takes a good list and still refuses one that has ended. The recorder checks the list again, by
itself, and says when its end comes near.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiosk.api.published import StaffMember, read_staff
from kiosk.api.rows import ReadRows
from kiosk.exchange.staff_list import StaffList, StaffListError, check_staff_list
from kiosk.storage.atomic_io import (
    FileVersion,
    file_version,
    make_folder,
    read_json_or_none,
    write_json,
)
from kiosk.sync.context import SyncContext
from kiosk.sync.polling.refusal_alarm import RefusalAlarm
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import AnswerTooLargeError

ALARM = "staff_list_refused"
STAFF_LIST_MODE = 0o640
"""Readable by the group of the folder alone: the recorder's, not the screen's."""
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


class PublishedStaff:
    """``published/staff.json``, and the alarm that says why a newer list was refused."""

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._path = context.paths.staff
        self._tag: str | None = None
        self._version: FileVersion | None = None
        self._refusal = RefusalAlarm(context, ALARM, "list of staff")
        context.lists.update("staff", read_staff(read_json_or_none(self._path) or {}))

    def pull(self, client: CentralClient, now: datetime) -> None:
        """Pull the list; publish it, or keep the last good one and raise an alarm.

        Args:
            client: of the central system.
            now: the central system's time.

        Raises:
            CentralUnreachableError: no answer.
            StorageError: the disk refuses; the old file stays.
        """
        try:
            is_as_published = self._version is not None and self._version == file_version(
                self._path
            )
            answer = client.fetch_staff(self._tag if is_as_published else None)
            if answer is not None:
                value, tag = answer
                self._publish(self._check(value, now), tag)
        except StaffListError as error:
            self._refusal.show(error.code.removeprefix("staff_list_"), str(error))
        except AnswerTooLargeError as error:
            self._refusal.show("too_large", str(error))
        else:
            self._refusal.show("", "")

    def _check(self, value: dict[str, Any], now: datetime) -> StaffList:
        """Return the list if it is good and not older than the published one.

        Raises:
            StaffListError: it is not.
        """
        found = check_staff_list(value, self._context.settings.kiosk.id, self._ca, now)
        published = self._read_published()
        if published is not None and found.issued < published.issued <= now:
            raise StaffListError("older than the published list", code="staff_list_older")
        return found

    def _read_published(self) -> StaffList | None:
        """Return the published list if it is a good one, ended or not."""
        value = read_json_or_none(self._path)
        if value is None:
            return None
        try:
            return check_staff_list(value, self._context.settings.kiosk.id, self._ca, _ANY_TIME)
        except StaffListError:
            return None

    def _publish(self, found: StaffList, tag: str | None) -> None:
        make_folder(self._path.parent)
        try:
            write_json(self._path, found.value, STAFF_LIST_MODE)
        except RecursionError:
            raise StaffListError("a row is nested too deeply") from None
        self._tag, self._version = tag, file_version(self._path)
        rows: ReadRows[StaffMember] = read_staff(found.value)
        self._context.lists.update("staff", rows)

    @property
    def _ca(self) -> Path:
        return self._context.paths.court_ca
