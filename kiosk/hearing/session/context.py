"""What the steps of a hearing work with: settings, devices, storages, the open hearing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.api.recorder import AlarmKey
from kiosk.config import Settings
from kiosk.hardware.panel import Panel
from kiosk.hardware.sources.sources import Sources
from kiosk.hearing.room.storage_monitor import StorageMonitor
from kiosk.hearing.session.current_hearing import CurrentHearing
from kiosk.hearing.session.publicity import Publicity
from kiosk.hearing.session.seal_queue import SealQueue
from kiosk.recording.repair.reencrypt import ReplacedFile
from kiosk.rules import Rules
from kiosk.storage.paths import Paths
from kiosk.storage.store import Store


@dataclass(frozen=True)
class CourtroomEvents:
    """Functions that the courtroom calls, from any thread.

    Attributes:
        on_change: State has changed.
        on_replaced: the plain files of a hearing (its folder) were replaced, and by what; it may
            be called twice for the same files.
        further_alarms: asks for the alarms that the courtroom knows nothing of.
    """

    on_change: Callable[[], None] = lambda: None
    further_alarms: Callable[[], list[AlarmKey]] = list
    on_replaced: Callable[[Path, list[ReplacedFile]], None] = lambda _folder, _replaced: None


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
    publicity: Publicity
    current: CurrentHearing
    seal_queue: SealQueue
    events: CourtroomEvents

    @property
    def store(self) -> Store:
        """Where hearings are written."""
        return self.storage.store
