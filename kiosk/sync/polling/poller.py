"""Pulls the schedule, the staff and the filings' states; pushes the heartbeat."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from kiosk.api.base import Model
from kiosk.api.published import read_hearings
from kiosk.api.recorder import RecorderState
from kiosk.api.rows import ReadRows, RowProblem
from kiosk.clocks import format_wall, parse_wall, wall_time
from kiosk.errors import CentralError, CentralUnreachableError, KioskError
from kiosk.storage.age_stamp import age_stamp
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json
from kiosk.storage.database import DatabaseDamagedError
from kiosk.sync.context import SyncContext
from kiosk.sync.enrolment import EnrolmentError, renew_if_due
from kiosk.sync.polling.filing_states import FilingStates
from kiosk.sync.polling.forecaster import Forecaster
from kiosk.sync.polling.heartbeat import build_heartbeat
from kiosk.sync.polling.rules_pack import PublishedRulesPack
from kiosk.sync.polling.staff_list import PublishedStaff
from kiosk.sync.state.forecast import is_late
from kiosk.sync.transport.central_client import SCHEDULE_DAYS, CentralClient, is_of_one_request
from kiosk.sync.transport.central_session import AnswerTooLargeError, is_unanswered
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)

JITTER = 0.2
REWRITE_SECONDS = 300.0  # an unchanged list is rewritten this often, to spare the card
MAX_DEPTH = 50  # of a row that is published; JSON is written recursively
FULL_SOON = timedelta(days=5)
M = TypeVar("M", bound=Model)


class PublishedList(Generic[M]):
    """A list pulled from the central system, in memory and durably in ``published/``.

    The file holds the rows as the central system sent them; :attr:`read` is what can be read.

    Args:
        mode: of the file; the touch screen may read what "others" may (docs/units.md).
    """

    def __init__(
        self,
        path: Path,
        empty: dict[str, Any],
        read_rows: Callable[[object], ReadRows[M]],
        mode: int = 0o640,
    ) -> None:
        self.path = path
        self._mode = mode
        self._read_rows = read_rows
        self.value = read_json_or_none(path) or empty
        self.read = read_rows(self.value)
        self._content: object = None
        self._written_at = 0.0

    def publish(self, value: dict[str, Any]) -> None:
        """Replace the value; write the file when the value differs or the file is old.

        Raises:
            StorageError: the disk refuses; the old file stays.
        """
        content = {key: item for key, item in value.items() if key not in ("pulled_at", "pulled")}
        is_changed = content != self._content
        read = self._read_rows(value) if is_changed else self.read
        if is_changed or time.monotonic() - self._written_at > REWRITE_SECONDS:
            make_folder(self.path.parent)
            write_json(self.path, value, self._mode)
            self._content, self._written_at = content, time.monotonic()
        self.value, self.read = value, read


class Poller(Worker):
    """One thread that talks with the central system every ``central.poll_seconds``."""

    def __init__(self, context: SyncContext) -> None:
        super().__init__("poller", Connection(context.paths, context.settings.central.url))
        self.context = context
        zone = ZoneInfo(context.settings.kiosk.timezone)
        self.schedule = PublishedList(
            context.paths.schedule,
            {"pulled_at": None, "days": SCHEDULE_DAYS, "hearings": []},
            lambda value: read_hearings(value, zone),
            mode=0o644,
        )
        self._schedule_tag: str | None = None
        self._staff = PublishedStaff(context)
        self._rules_pack = PublishedRulesPack(context)
        self._filings = FilingStates(context)
        self.recorder_state: RecorderState | None = None
        context.lists.update("hearings", self.schedule.read)
        self.link_came_up = threading.Event()
        self._forecaster = Forecaster(context)

    def step(self) -> float:
        """Poll; return the seconds until the next poll, with jitter."""
        self.poll()
        period = self.context.settings.central.poll_seconds
        return period * (1 + JITTER * (2 * random.random() - 1))

    def poll(self) -> None:
        """Exchange with the central system once; an error becomes the state of the link."""
        database = self.context.database
        try:
            self._exchange(self.connection.client())
        except DatabaseDamagedError as error:
            log.error("%s", error)
            self.context.rebuild(database)
        except CentralError as error:
            if not self.stopping.is_set():
                log.info("poll: %s: %s", error.code, error)
                self.context.link.mark_down(error.code, is_unanswered=is_unanswered(error))
        except KioskError as error:
            log.warning("poll: %s: %s", error.code, error)
            self.context.alarms.raise_alarm("storage_failed", "poll")
        except Exception:  # the thread must survive any error
            log.exception("poll")
        else:
            self.context.alarms.clear("storage_failed", "poll")
        self.context.notify_change()

    def _exchange(self, client: CentralClient) -> None:
        contract = client.check_contract()
        if not self.context.link.is_up:
            self.link_came_up.set()
        self.context.link.mark_up()
        now = parse_wall(str(contract.get("wall"))) or wall_time()
        failed = [
            error
            for part in (
                lambda: renew_if_due(self.context.paths, client, now),
                lambda: self._pull_schedule(client),
                lambda: self._staff.pull(client, now),
                lambda: self._rules_pack.pull(client, now),
                lambda: self._filings.pull(client),
                self._update_forecast,
                lambda: client.send_heartbeat(build_heartbeat(self.context, self.recorder_state)),
            )
            if (error := _refusal_of(part)) is not None
        ]
        if failed:
            raise failed[0]

    def _update_forecast(self) -> None:
        """Update the forecast, and the alarms for a slow link or a full disk."""
        forecast = self._forecaster.forecast(self.schedule.read.rows)
        self.context.forecast = forecast
        zone = ZoneInfo(self.context.settings.kiosk.timezone)
        is_growing = forecast.is_endless or is_late(forecast.empty_at, zone)
        self.context.alarms.set("queue_growing", is_growing)
        fills_soon = forecast.full_at is not None and forecast.full_at - wall_time() < FULL_SOON
        self.context.alarms.set("disk_fills", fills_soon)

    def _pull_schedule(self, client: CentralClient) -> None:
        try:
            answer = client.fetch_schedule(self._schedule_tag)
        except AnswerTooLargeError as error:
            log.error("the list of hearings is refused, the last one stays: %s", error)
            self.context.lists.update("hearings", _with_too_many(self.schedule.read))
            return
        if answer is None:
            self.schedule.publish({**self.schedule.value, **_now()})
        else:
            hearings = _require_list(answer[0], "hearings")
            self.schedule.publish({**_now(), "days": SCHEDULE_DAYS, "hearings": hearings})
            self._schedule_tag = answer[1]  # of what is published: a full disk has not got it
        self.context.lists.update("hearings", self.schedule.read)


def _refusal_of(part: Callable[[], object]) -> CentralError | None:
    """Do one part of an exchange; return why it was refused: the other parts are done all the same.

    Raises:
        CentralError: the link fails.
    """
    try:
        part()
    except CentralError as error:
        if not (isinstance(error, EnrolmentError) or is_of_one_request(error)):
            raise
        log.warning("poll: %s: %s", error.code, error)
        return error
    return None


def _now() -> dict[str, Any]:
    """Return when a list was pulled: the time to show, and the stamp that tells its age."""
    return {"pulled_at": format_wall(), "pulled": age_stamp()}


def _with_too_many(read: ReadRows[M]) -> ReadRows[M]:
    """Return the list that stays, with the problem that the new one is too long."""
    problem = RowProblem(row=read.total + 1, field="", expected="shorter list")
    return ReadRows(read.rows, (*read.problems, problem), read.total + 1)


def _require_list(answer: dict[str, Any], key: str) -> list[Any]:
    """Return the list ``key`` of an answer; a row that no file can hold is null.

    Raises:
        CentralUnreachableError: it is no list; the list pulled before stays valid.
    """
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise CentralUnreachableError(f"answer without {key}", code="central_fault")
    return [row if _is_shallow(row) else None for row in rows]


def _is_shallow(row: object) -> bool:
    """Return whether a row is nested so little that it can be written as JSON."""
    level = [row]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return True
    return False
