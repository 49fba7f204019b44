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

from kiosk.clocks import wall_text, wall_time
from kiosk.errors import CentralError, CentralUnreachableError, KioskError
from kiosk.storage.atomic_io import make_folder, write_json
from kiosk.storage.database import DatabaseDamagedError
from kiosk.sync.context import SyncRoom
from kiosk.sync.enrolment import renew_if_due
from kiosk.sync.polling.forecast_inputs import Foresight
from kiosk.sync.polling.heartbeat import device_state
from kiosk.sync.state.forecast import is_late
from kiosk.sync.transport.central_client import SCHEDULE_DAYS, CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.connection import Connector
from kiosk.sync.transport.worker import Worker

log = logging.getLogger(__name__)

JITTER = 0.2
REWRITE_SECONDS = 300.0  # an unchanged list is written anew this often, to spare the card
FILINGS_PER_POLL = 20
FULL_SOON = timedelta(days=5)


class Published:
    """A list pulled from the central system, in memory and durably in ``published/``."""

    def __init__(self, path: Path, empty: dict[str, Any]) -> None:
        self.path = path
        self.value = _load(path) or empty
        self._content: object = None
        self._written = 0.0

    def publish(self, value: dict[str, Any]) -> None:
        """Take a new list; it is written when it differs or the written one is old.

        Raises:
            StorageError: the disk refuses; the old file stays.
        """
        content = {key: item for key, item in value.items() if key != "pulled_at"}
        old = time.monotonic() - self._written > REWRITE_SECONDS
        if content != self._content or old:
            make_folder(self.path.parent)
            write_json(self.path, value)
            self._content, self._written = content, time.monotonic()
        self.value = value


class Poller(Worker):
    """One thread that talks with the central system every ``central.poll_seconds``."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__("poller", Connector(room.layout, room.settings.central.url))
        self.room = room
        self.schedule = Published(
            room.layout.schedule, {"pulled_at": None, "days": SCHEDULE_DAYS, "hearings": []}
        )
        self.staff = Published(room.layout.staff, {"pulled_at": None, "salt": "", "staff": []})
        self.recorder: dict[str, Any] | None = None
        self.link_came_up = threading.Event()
        self._foresight = Foresight(room)

    def step(self) -> float:
        """Poll; return the seconds until the next poll, spread by chance."""
        self.poll()
        period = self.room.settings.central.poll_seconds
        return period * (1 + JITTER * (2 * random.random() - 1))

    def poll(self) -> None:
        """Talk with the central system once; trouble becomes the link's state."""
        database = self.room.database
        try:
            self._exchange(self.connector.client())
        except DatabaseDamagedError as error:
            log.error("%s", error)
            self.room.rebuild(database)
        except CentralError as error:
            if not self.stopping.is_set():
                log.info("poll: %s: %s", error.code, error)
                self.room.link.failed(error.code)
        except KioskError as error:
            log.warning("poll: %s: %s", error.code, error)
            self.room.alarms.raise_("storage_failed", "poll")
        except Exception:  # the poller must outlive every surprise
            log.exception("poll")
        else:
            self.room.alarms.clear("storage_failed", "poll")
        self.room.changed()

    def _exchange(self, client: CentralClient) -> None:
        client.contract()
        if not self.room.link.is_up:
            self.link_came_up.set()
        self.room.link.worked()
        self._pull_schedule(client)
        self._pull_staff(client)
        self._pull_filings(client)
        self._look_ahead()
        client.put_state(device_state(self.room, self.recorder))
        renew_if_due(self.room.layout, client)

    def _look_ahead(self) -> None:
        """Make the forecast, and say so when the line or the disk will not do."""
        ahead = self._foresight.look(self.schedule.value.get("hearings", ()))
        self.room.forecast = ahead
        zone = ZoneInfo(self.room.settings.kiosk.timezone)
        late = ahead.endless or is_late(ahead.empty_at, zone)
        self.room.alarms.put("queue_growing", late)
        soon = ahead.full_at is not None and ahead.full_at - wall_time() < FULL_SOON
        self.room.alarms.put("disk_fills", soon)

    def _pull_schedule(self, client: CentralClient) -> None:
        hearings = _list_of(client.schedule(), "hearings", "id")
        self.schedule.publish(
            {"pulled_at": wall_text(), "days": SCHEDULE_DAYS, "hearings": hearings}
        )

    def _pull_staff(self, client: CentralClient) -> None:
        answer = client.staff()
        staff = _list_of(answer, "staff", "badge_sha256")
        salt = str(answer.get("salt", ""))
        self.staff.publish({"pulled_at": wall_text(), "salt": salt, "staff": staff})

    def _pull_filings(self, client: CentralClient) -> None:
        for filing_id in self.room.registrations.open_filings(FILINGS_PER_POLL):
            try:
                self.room.registrations.take(filing_id, client.get("filing", filing_id))
            except RefusedError as error:
                log.warning("state of filing %s: %s", filing_id, error)


def _list_of(answer: dict[str, Any], key: str, needed: str) -> list[dict[str, Any]]:
    """Return the list ``key`` of an answer, checked.

    Raises:
        CentralUnreachableError: it is no such list; what was pulled before stays in force.
    """
    items = answer.get(key)
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and needed in item for item in items
    ):
        raise CentralUnreachableError(f"answer without {key}", code="central_fault")
    return items


def _load(path: Path) -> dict[str, Any] | None:
    """Return the last published list, or None where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
