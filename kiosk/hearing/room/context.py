"""What the recorder of one room works with: settings, folders, rules, devices, storages."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.rules import Rules
from kiosk.storage.paths import Paths
from kiosk.storage.store import Store


@dataclass(frozen=True)
class HearingContext:
    """What stays the same from one hearing to the next.

    Attributes:
        sources: opened; they come up by themselves.
        panel: lamp and button; it may be absent.
    """

    settings: Settings
    paths: Paths
    rules: Rules
    sources: Sources
    panel: Panel
    storage: StorageMonitor

    @property
    def store(self) -> Store:
        """Where the hearings lie."""
        return self.storage.store
