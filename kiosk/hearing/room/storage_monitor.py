"""The storages of this kiosk's hearings, how they are, and how much recording fits in them."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.recording.repair.copy_merge import choose_longer, recorded_ranges
from kiosk.storage.atomic_io import write_json
from kiosk.storage.mirrored_store import Vault
from kiosk.storage.paths import Layout
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.storage.volume import Disk
from kiosk.storage.volume_marker import write_marker

log = logging.getLogger(__name__)
LEAST_SECONDS = 60.0
"""A shorter recording says little about the next."""
KEPT_SECONDS = 20 * 3600.0
"""The rate is that of about the last so many seconds."""
MIRROR_WELL = ("ok", "behind")
LATE_S = 600.0
"""A second copy that is behind for longer is an alarm."""


class Storages:
    """Opens the vault and tells State about it.

    Args:
        layout: its ``data`` exists.
    """

    def __init__(self, settings: Settings, layout: Layout) -> None:
        self._settings = settings
        self._layout = layout
        kiosk = settings.kiosk.id
        with contextlib.suppress(StorageError):
            write_marker(layout.data, kiosk, "data")
        mirror = settings.paths.mirror
        self._mirror = Disk(mirror, kiosk, "mirror") if mirror is not None else None
        self.vault = Vault(
            Disk(layout.data, kiosk, "data"), self._mirror, recorded_ranges, self._is_delivered
        )
        self._bytes, self._seconds = self._measured()

    def _is_delivered(self, hearing: str) -> bool:
        return (self._layout.receipts / f"{hearing}.json").exists()

    @property
    def own_is_there(self) -> bool:
        """Whether the kiosk's own storage can be read."""
        return self.vault.own_state != "gone"

    # -- after a crash -------------------------------------------------------------------------
    def before_recovery(self) -> None:
        """Take from the mirror what only it has of hearings that are not sealed."""
        if self._mirror is None or self._mirror.identity()[0] not in ("ok", "read_only"):
            return
        for hearing in choose_longer(self._layout.data, self._mirror.root):
            log.warning("hearing %s was brought up from the second copy", hearing)

    def after_recovery(self) -> None:
        """Begin to bring up what either storage lacks."""
        self.vault.start_copying()

    # -- how much fits ---------------------------------------------------------------------------
    def _measured(self) -> tuple[float, float]:
        try:
            value = json.loads(self._layout.recording_rate.read_bytes())
            return float(value["bytes"]), float(value["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0, 0.0

    def note_part(self, size: int, seconds: float) -> None:
        """Learn from a part that is closed: ``size`` bytes in ``seconds``."""
        if seconds < LEAST_SECONDS or size <= 0 or not self.own_is_there:
            return
        fade = min(1.0, KEPT_SECONDS / (self._seconds + seconds))
        self._bytes = self._bytes * fade + size
        self._seconds = self._seconds * fade + seconds
        with contextlib.suppress(StorageError):
            write_json(
                self._layout.recording_rate,
                {"bytes": round(self._bytes), "seconds": round(self._seconds, 1)},
            )

    @property
    def bytes_per_hour(self) -> float:
        """What an hour takes: as measured in this room, else from the settings."""
        if self._seconds >= LEAST_SECONDS:
            return max(1.0, self._bytes / self._seconds * 3600)
        return bytes_per_hour(self._settings)

    def _hours(self, free_bytes: int) -> float:
        return max(0, free_bytes - FULL_BYTES) / self.bytes_per_hour

    def planned_hours(self, hearing: Mapping[str, Any] | None) -> float:
        """Return how long ``hearing`` (of State) will still take, by the list or the settings."""
        minutes: float = self._settings.recording.planned_minutes
        recorded = 0.0
        if hearing is not None:
            minutes = float(hearing.get("duration_minutes") or minutes)
            recorded = float(hearing.get("seconds") or 0.0)
        return max(0.0, minutes / 60 - recorded / 3600)

    # -- State -----------------------------------------------------------------------------------
    def state(
        self, hearing: Mapping[str, Any] | None, error: StorageError | None
    ) -> dict[str, dict[str, Any]]:
        """Return ``storage`` and ``mirror`` of State; no disk is asked.

        Args:
            error: why the journal cannot be written, if it cannot.
        """
        mirror = self.vault.mirror_state()
        free, total = self.vault.own_space()
        hours = self._hours(free)
        if mirror["state"] in MIRROR_WELL and isinstance(mirror["free_bytes"], int):
            hours = min(hours, self._hours(mirror["free_bytes"] - int(mirror["behind_bytes"])))
        needed = self.planned_hours(hearing)
        storage = {
            "free_bytes": free,
            "total_bytes": total,
            "hours_left": round(hours, 1),
            "state": self._own_state(free, self._hours(free), error),
            "planned": {"hours_needed": round(needed, 2), "fits": hours >= needed},
            "waiting_bytes": self.vault.memory_bytes,
        }
        return {"storage": storage, "mirror": mirror}

    def _own_state(self, free: int, hours: float, error: StorageError | None) -> str:
        state = self.vault.own_state
        if state not in ("ok", "behind"):
            return state
        if free < FULL_BYTES:
            return "full"
        if error is not None:
            return "failed"
        return "low" if hours < self._settings.recording.low_space_hours else "ok"

    def close(self, seconds: float = 2.0) -> None:
        """End the threads of the vault."""
        self.vault.close(seconds)


def alarms_of_storages(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the alarms about both storages and their space, from State."""
    own, mirror = state["storage"], state["mirror"]
    found: list[tuple[str, str]] = []
    if code := OWN.get(own["state"]):
        carried = own["state"] in CARRIED and mirror["state"] in MIRROR_WELL
        found.append(("recording_on_mirror" if carried else code, "storage"))
    if code := MIRROR.get(mirror["state"]):
        found.append((code, "mirror"))
    elif mirror["behind_seconds"] > LATE_S:
        found.append(("mirror_behind", "mirror"))
    if state["hearing"] is not None and not own["planned"]["fits"] and own["state"] != "full":
        found.append(("space_short", "storage"))
    return found


OWN = {
    "low": "disk_low",
    "full": "disk_full",
    "failed": "storage_failed",
    "slow": "disk_slow",
    "read_only": "disk_read_only",
    "gone": "disk_gone",
}
CARRIED = ("full", "failed", "read_only", "gone")
MIRROR = {
    "absent": "mirror_absent",
    "foreign": "mirror_foreign",
    "full": "mirror_full",
    "failed": "mirror_failed",
    "slow": "mirror_slow",
}
