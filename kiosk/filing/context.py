"""Settings, rules, clients and paths that the whole filing package shares."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.config import Settings
from kiosk.exchange.rules_pack import read_published_pack
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.filing.registration import SyncClient
from kiosk.rules import Rules
from kiosk.rules.mrp_pack import with_pack
from kiosk.storage.paths import Paths


class FilingContext:
    """Context of one kiosk's filings; it is handed down, never global.

    Args:
        settings: all settings.
        rules: the court's rules.
        sync: client of the sync service (:class:`kiosk.ipc.LocalClient`).
        worker: page imaging; the creator of the context ends its child process.

    Attributes:
        is_protecting: whether the key of the newest unfinished filing could be wrapped, so that a
            secretary can recover it.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        sync: SyncClient,
        worker: ImagingWorker | None = None,
    ) -> None:
        self.settings = settings
        self.rules = rules
        self.sync = sync
        self.worker = worker or ImagingWorker()
        self.is_protecting = True
        self.paths = Paths.from_settings(settings.paths)

    def fee_rules(self) -> Rules:
        """Return the rules with the monthly indices of the rules pack in force (S27)."""
        return with_pack(self.rules, read_published_pack(self.paths.rules_pack))

    def to_local(self, moment: datetime) -> datetime:
        """Return ``moment`` in the court's time zone."""
        return moment.astimezone(ZoneInfo(self.settings.kiosk.timezone))
