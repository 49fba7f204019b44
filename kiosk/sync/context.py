"""Everything that the threads of sync share, in one place, handed down and never global."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from kiosk.config import Settings
from kiosk.storage.database import Database, open_or_replace, set_aside
from kiosk.storage.paths import Layout
from kiosk.sync.delivery.pre_seal import EarlyFiles
from kiosk.sync.outbox.closures import Closures
from kiosk.sync.outbox.journal_heads import Heads
from kiosk.sync.outbox.journal_tailer import JournalWatch, Take
from kiosk.sync.outbox.lanes import Lanes
from kiosk.sync.outbox.outbox import Outbox
from kiosk.sync.outbox.receipts import Receipts
from kiosk.sync.outbox.registrations import Registrations
from kiosk.sync.outbox.reindex import reindex
from kiosk.sync.state.forecast import Forecast
from kiosk.sync.state.status import AlarmSet, LinkStatus, Progress
from kiosk.sync.state.upload_policy import Permit

log = logging.getLogger(__name__)


class SyncRoom:
    """The shared state of sync: database and what is built on it, lanes, status.

    Args:
        settings: of this kiosk.
        changed: called from any thread when what ``GET /v1/state`` says has changed.
    """

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        self.settings = settings
        self.layout = Layout.of(settings.paths)
        self.changed = changed
        self.lanes = Lanes()
        self.alarms = AlarmSet(changed)
        self.link = LinkStatus(self.alarms, changed)
        self.progress = Progress()
        self.receipts = Receipts(self.layout.receipts)
        self.permit = Permit()
        self.forecast: Forecast | None = None
        self.rebuilt = False
        self._rebuilding = threading.Lock()
        database, damaged = open_or_replace(self.layout.database)
        self._build_on(database)
        if database.fresh:
            self._fill(damaged=damaged)

    def _build_on(self, database: Database) -> None:
        self.database = database
        self.outbox = Outbox(database)
        self.heads = Heads(database)
        self.closures = Closures(database)
        self.early = EarlyFiles(database)
        takers: dict[str, Take] = {
            "head": self.heads.add,
            "closed_since": lambda hearing, _, entry: self.closures.add(hearing, entry),
        }
        if self.settings.sync.minutes_early:
            takers["file"] = self.early.add
        self.journals = JournalWatch(
            self.layout.hearings, takers, lambda: self.outbox.delivered_ids("hearing")
        )
        self.registrations = Registrations(
            database,
            self.layout.database.parent / "registrations",
            self.settings.kiosk.id,
            self.settings.kiosk.timezone,
        )
        self.registrations.reconcile()

    def _fill(self, *, damaged: bool) -> None:
        counts = reindex(self.layout, self.outbox, self.registrations, self.receipts)
        if damaged:
            self.rebuilt = True
            self.alarms.raise_("database_rebuilt")
            log.warning("index rebuilt from the folders: %s", counts)

    def rebuild(self, damaged: Database) -> None:
        """Set a database that has turned out damaged aside and fill a new one.

        Several threads may find the damage; the first one rebuilds.
        """
        with self._rebuilding:
            if damaged is not self.database:
                return
            damaged.close()
            set_aside(self.layout.database)
            self._build_on(open_or_replace(self.layout.database)[0])
            self._fill(damaged=True)
        self.changed()

    def keep_link_check(self, at: str, result: dict[str, Any]) -> None:
        """Keep the result of a link check."""
        self.database.execute(
            "INSERT OR REPLACE INTO link_checks (at, result) VALUES (?, ?)",
            (at, json.dumps(result)),
        )

    def last_link_check(self) -> dict[str, Any] | None:
        """Return the newest link check's result, or None."""
        row = self.database.row("SELECT result FROM link_checks ORDER BY at DESC LIMIT 1")
        return None if row is None else dict(json.loads(row["result"]))

    def uplink_mbit(self) -> float | None:
        """Return the measured uplink in Mbit/s: the last check's, else what deliveries made."""
        up = (self.last_link_check() or {}).get("up_mbit")
        measured = float(up) if isinstance(up, int | float) and up > 0 else None
        return measured or self.progress.goodput_mbit()

    def close(self) -> None:
        """Close the database."""
        self.database.close()
