"""Shared state of the sync threads: created once and handed down, never global."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable

from kiosk.api.sync import LinkCheckResult, RulesPackState
from kiosk.config import Settings
from kiosk.storage.database import Database, open_or_recreate, set_aside_database
from kiosk.storage.paths import Paths
from kiosk.sync.outbox.closures import ClosureQueue
from kiosk.sync.outbox.journal_heads import JournalHeadQueue
from kiosk.sync.outbox.journal_tailer import EntryHandler, JournalTailer
from kiosk.sync.outbox.lanes import Lanes
from kiosk.sync.outbox.outbox import Outbox
from kiosk.sync.outbox.pre_seal_files import PreSealFiles
from kiosk.sync.outbox.receipts import ReceiptStore
from kiosk.sync.outbox.registrations import RegistrationStore
from kiosk.sync.outbox.reindex import reindex
from kiosk.sync.outbox.report_summaries import ReportSummaries
from kiosk.sync.state.forecast import Forecast
from kiosk.sync.state.status import AlarmSet, DeliveryProgress, LinkStatus, ListReports
from kiosk.sync.state.upload_policy import UploadPolicy
from kiosk.sync.transport.patch_limit import PatchLimit

log = logging.getLogger(__name__)

MIB = 1024 * 1024


class SyncContext:
    """The shared state of sync: database and the stores built on it, lanes, status.

    Args:
        settings: of this kiosk.
        notify_change: called from any thread when the answer of ``GET /v1/state`` has changed.
    """

    def __init__(self, settings: Settings, notify_change: Callable[[], None]) -> None:
        self.settings = settings
        self.paths = Paths.from_settings(settings.paths)
        self.notify_change = notify_change
        self.lanes = Lanes()
        self.alarms = AlarmSet(notify_change)
        self.link = LinkStatus(self.alarms, notify_change)
        self.lists = ListReports(self.alarms)
        self.progress = DeliveryProgress()
        self.receipts = ReceiptStore(self.paths.receipts)
        self.reports = ReportSummaries(self.paths.reports)
        self.upload_policy = UploadPolicy()
        self.patch_limit = PatchLimit(
            settings.central.patch_mib * MIB, self.paths.database.parent / "patch-limit.json"
        )
        self.forecast: Forecast | None = None
        self.rules_pack: RulesPackState | None = None
        self.is_rebuilt = False
        self._rebuild_lock = threading.Lock()
        database, damaged = open_or_recreate(self.paths.database)
        self._open_stores(database)
        if database.is_new:
            self._fill_index(is_damaged=damaged)

    def _open_stores(self, database: Database) -> None:
        self.database = database
        self.outbox = Outbox(database)
        self.journal_heads = JournalHeadQueue(database)
        self.closures = ClosureQueue(database)
        self.pre_seal_files = PreSealFiles(database)
        handlers: dict[str, EntryHandler] = {
            "head": self.journal_heads.add,
            "closed_since": lambda hearing, _, entry: self.closures.add(hearing, entry),
        }
        if self.settings.sync.minutes_early:
            handlers["file"] = self.pre_seal_files.add
        self.journal_tailer = JournalTailer(
            self.paths.hearings, handlers, lambda: set(self.outbox.delivered_ids("hearing"))
        )
        self.registrations = RegistrationStore(
            database,
            self.paths.database.parent / "registrations",
            self.settings.kiosk.id,
            self.settings.kiosk.timezone,
        )
        self.registrations.reconcile()

    def _fill_index(self, *, is_damaged: bool) -> None:
        counts = reindex(self.paths, self.outbox, self.registrations, self.receipts)
        if is_damaged:
            self.is_rebuilt = True
            self.alarms.raise_alarm("database_rebuilt")
            log.warning("index rebuilt from the folders: %s", counts)

    def rebuild(self, damaged: Database) -> None:
        """Set a damaged database aside and fill a new one.

        Several threads may find the damage; the first of them rebuilds.
        """
        with self._rebuild_lock:
            if damaged is not self.database:
                return
            damaged.close()
            set_aside_database(self.paths.database)
            self._open_stores(open_or_recreate(self.paths.database)[0])
            self._fill_index(is_damaged=True)
        self.notify_change()

    def save_link_check(self, result: LinkCheckResult) -> None:
        """Save the result of a link check."""
        self.database.execute(
            "INSERT OR REPLACE INTO link_checks (at, result) VALUES (?, ?)",
            (result.at, json.dumps(result.to_json())),
        )

    def last_link_check(self) -> LinkCheckResult | None:
        """Return the newest link check's result, or None; the wall clock may have been set."""
        row = self.database.row("SELECT result FROM link_checks ORDER BY rowid DESC LIMIT 1")
        return None if row is None else LinkCheckResult.model_validate_json(row["result"])

    def uplink_mbit(self) -> float | None:
        """Return the uplink in Mbit/s: from the last link check, else measured on deliveries."""
        check = self.last_link_check()
        return (check and check.up_mbit) or self.progress.goodput_mbit()

    def close(self) -> None:
        """Close the database."""
        self.database.close()
