"""Pulls the schedule, the staff and the filings' states; pushes the heartbeat."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.clocks import format_wall, wall_time
from kiosk.errors import CentralError, CentralUnreachableError, KioskError
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.database import DatabaseDamagedError
from kiosk.sync.context import SyncContext
from kiosk.sync.enrolment import renew_if_due
from kiosk.sync.polling.forecaster import Forecaster
from kiosk.sync.polling.heartbeat import build_heartbeat
from kiosk.sync.state.forecast import is_late
from kiosk.sync.transport.central_client import SCHEDULE_DAYS, CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.connection import Connection
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)

JITTER = 0.2
REWRITE_SECONDS = 300.0  # an unchanged list is rewritten this often, to spare the card
FILINGS_PER_POLL = 20
FULL_SOON = timedelta(days=5)


class PublishedJson:
    """A list pulled from the central system, in memory and durably in ``published/``."""

    def __init__(self, path: Path, empty: dict[str, Any]) -> None:
        self.path = path
        self.value = _load(path) or empty
        self._content: object = None
        self._written_at = 0.0

    def publish(self, value: dict[str, Any]) -> None:
        """Replace the value; write the file when the value differs or the file is old.

        Raises:
            StorageError: the disk refuses; the old file stays.
        """
        content = {key: item for key, item in value.items() if key != "pulled_at"}
        is_old = time.monotonic() - self._written_at > REWRITE_SECONDS
        if content != self._content or is_old:
            make_folder(self.path.parent)
            write_json(self.path, value)
            self._content, self._written_at = content, time.monotonic()
        self.value = value


class Poller(Worker):
    """One thread that talks with the central system every ``central.poll_seconds``."""

    def __init__(self, context: SyncContext) -> None:
        super().__init__("poller", Connection(context.paths, context.settings.central.url))
        self.context = context
        self.schedule = PublishedJson(
            context.paths.schedule, {"pulled_at": None, "days": SCHEDULE_DAYS, "hearings": []}
        )
        self.staff = PublishedJson(
            context.paths.staff, {"pulled_at": None, "salt": "", "staff": []}
        )
        self.recorder_state: dict[str, Any] | None = None
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
                self.context.link.mark_down(error.code)
        except KioskError as error:
            log.warning("poll: %s: %s", error.code, error)
            self.context.alarms.raise_alarm("storage_failed", "poll")
        except Exception:  # the thread must survive any error
            log.exception("poll")
        else:
            self.context.alarms.clear("storage_failed", "poll")
        self.context.notify_change()

    def _exchange(self, client: CentralClient) -> None:
        client.check_contract()
        if not self.context.link.is_up:
            self.link_came_up.set()
        self.context.link.mark_up()
        self._pull_schedule(client)
        self._pull_staff(client)
        self._pull_filings(client)
        self._update_forecast()
        client.send_heartbeat(build_heartbeat(self.context, self.recorder_state))
        renew_if_due(self.context.paths, client)

    def _update_forecast(self) -> None:
        """Update the forecast, and the alarms for a slow link or a full disk."""
        forecast = self._forecaster.forecast(self.schedule.value.get("hearings", ()))
        self.context.forecast = forecast
        zone = ZoneInfo(self.context.settings.kiosk.timezone)
        is_growing = forecast.is_endless or is_late(forecast.empty_at, zone)
        self.context.alarms.set("queue_growing", is_growing)
        fills_soon = forecast.full_at is not None and forecast.full_at - wall_time() < FULL_SOON
        self.context.alarms.set("disk_fills", fills_soon)

    def _pull_schedule(self, client: CentralClient) -> None:
        hearings = _require_list(client.fetch_schedule(), "hearings", "id")
        self.schedule.publish(
            {"pulled_at": format_wall(), "days": SCHEDULE_DAYS, "hearings": hearings}
        )

    def _pull_staff(self, client: CentralClient) -> None:
        answer = client.fetch_staff()
        staff = _require_list(answer, "staff", "badge_sha256")
        salt = str(answer.get("salt", ""))
        self.staff.publish({"pulled_at": format_wall(), "salt": salt, "staff": staff})

    def _pull_filings(self, client: CentralClient) -> None:
        for filing_id in self.context.registrations.open_filings(FILINGS_PER_POLL):
            try:
                self.context.registrations.save_answer(
                    filing_id, client.item_status("filing", filing_id)
                )
            except RefusedError as error:
                log.warning("state of filing %s: %s", filing_id, error)


def _require_list(answer: dict[str, Any], key: str, needed: str) -> list[dict[str, Any]]:
    """Return the list ``key`` of an answer, checked.

    Raises:
        CentralUnreachableError: it is no such list; the list pulled before stays valid.
    """
    items = answer.get(key)
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and needed in item for item in items
    ):
        raise CentralUnreachableError(f"answer without {key}", code="central_fault")
    return items


def _load(path: Path) -> dict[str, Any] | None:
    """Return the last published list, or None where none can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
