"""Monitors the storages of hearings: their state, and how much recording fits in them."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from cryptography import x509

from kiosk.api.recorder import Mirror, PlannedSpace, RecorderState, RunningHearing, Storage
from kiosk.api.states import MirrorState, StorageState
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.recording.repair.copy_merge import recorded_ranges
from kiosk.recording.repair.start_merge import StartMerge
from kiosk.storage.atomic_io import read_json, write_json
from kiosk.storage.court_keys import encrypt_to_court
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.paths import Paths
from kiosk.storage.patient_reader import PatientReader
from kiosk.storage.space import FULL_BYTES, bytes_per_hour
from kiosk.storage.volatile import is_volatile
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import write_marker

log = logging.getLogger(__name__)
MIN_PART_SECONDS = 60.0
"""Shorter parts do not change the measured rate."""
RATE_WINDOW_SECONDS = 20 * 3600.0
"""Length of recording that the measured rate is averaged over."""
MAX_MIRROR_LAG_S = 600.0
"""A mirror that lags longer raises an alarm."""
DURABILITY_CHECK_S = 60.0


class StorageMonitor:
    """Opens the mirrored store and reports its state.

    Args:
        paths: its ``data`` exists.

    Attributes:
        begun: ids of the hearings that were begun, as far as it is known.
    """

    def __init__(self, settings: Settings, paths: Paths) -> None:
        self._settings = settings
        self._paths = paths
        kiosk = settings.kiosk.id
        with contextlib.suppress(StorageError):
            write_marker(paths.data, kiosk, "data")
        mirror = settings.paths.mirror
        self._mirror = StorageVolume(mirror, kiosk, "mirror") if mirror is not None else None
        self._primary = StorageVolume(paths.data, kiosk, "data")
        for volume in (self._primary, self._mirror):
            if volume is not None:
                volume.encrypt_to_court = partial(encrypt_to_court, paths)
        self.store = MirroredStore(
            self._primary,
            self._mirror,
            recorded_ranges,
            self._is_delivered,
        )
        self._merge = (
            StartMerge(self.store, self._primary, self._mirror)
            if self._mirror is not None
            else None
        )
        self._bytes, self._seconds = self._load_rate()
        self._volatile: Literal["no", "accepted", "yes"] = "no"
        self._next_check = 0.0
        self._is_volatile = PatientReader(partial(is_volatile, paths.data))
        self.check_durability()
        self.begun: set[str] = set()
        self._begun = PatientReader(self._list_begun)
        self._roots = [paths.data]
        self._begun.value()
        self._roots += [mirror] if mirror is not None else []  # only now: it may hang

    def check_durability(self) -> bool:
        """Look, at most once a minute, whether the data outlives a power-off.

        Returns:
            Whether that has changed.
        """
        if time.monotonic() < self._next_check:
            return False
        self._next_check = time.monotonic() + DURABILITY_CHECK_S
        before = self._volatile
        try:
            volatile = self._is_volatile.value()
        except OSError as error:
            log.error("whether the data folder lasts is not known: %s", error.strerror)
            return False
        accepted = self._settings.paths.volatile_data_ok
        self._volatile = "no" if not volatile else "accepted" if accepted else "yes"
        if self._volatile == before:
            return False
        level = logging.ERROR if self._volatile == "yes" else logging.WARNING
        log.log(level, "%s is gone at power-off: %s", self._paths.data, self._volatile)
        return True

    def _is_delivered(self, hearing: str) -> bool:
        return (self._paths.receipts / f"{hearing}.json").exists()

    @property
    def is_primary_available(self) -> bool:
        """Whether the primary storage can be read."""
        return self.store.primary_state != "gone"

    def has_begun(self, hearing: str) -> bool:
        """Return whether a hearing has this id; disks that hang are not waited for."""
        self._begun.value()
        return hearing in self.begun

    def _list_begun(self) -> None:
        """Learn which hearings the disks have; nobody but this recorder begins others."""
        for root in self._roots:
            if root == self._paths.data or self.store.is_mirror_readable:
                with contextlib.suppress(OSError):  # what is known stays known
                    folders = (root / self._paths.hearings.name).iterdir()
                    self.begun.update(folder.name for folder in folders)

    # -- after a crash -------------------------------------------------------------------------
    def prepare_recovery(self, certificate: x509.Certificate) -> tuple[set[str], set[str]]:
        """Give the primary storage what only the mirror has, or has undamaged, of open hearings.

        Args:
            certificate: the device's, by which their journals are signed.

        Returns:
            the ids of the hearings that are read on the mirror, and of those that must not be
            recovered before :meth:`complete_copy`.
        """
        if self._merge is None:
            return set(), set()
        if self.store.is_mirror_readable and self.is_primary_available:
            self._merge.run(certificate)
        elif self.is_primary_available:
            self._merge.go_on_without()
        else:
            self.store.distrust_mirror()
        return self._merge.led, set(self._merge.waiting)

    def complete_copy(self, hearing: str, certificate: x509.Certificate) -> None:
        """Merge the copies of a hearing now if the primary storage refused that at the start.

        Raises:
            StorageError: it is still not possible.
        """
        if self._merge is not None:
            self._merge.complete(hearing, certificate)

    def start_catch_up(self, on_arrival: Callable[[str], None]) -> None:
        """Start copying to each storage what it lacks; see :meth:`MirroredStore.start_catch_up`."""
        self.store.start_catch_up(on_arrival)

    # -- how much fits ---------------------------------------------------------------------------
    def _load_rate(self) -> tuple[float, float]:
        try:
            value = read_json(self._paths.recording_rate)
            return float(value["bytes"]), float(value["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0, 0.0

    def record_part_size(self, size: int, seconds: float) -> None:
        """Update the measured rate with a closed part: ``size`` bytes in ``seconds``."""
        if seconds < MIN_PART_SECONDS or size <= 0 or not self.is_primary_available:
            return
        fade = min(1.0, RATE_WINDOW_SECONDS / (self._seconds + seconds))
        self._bytes = self._bytes * fade + size
        self._seconds = self._seconds * fade + seconds
        with contextlib.suppress(StorageError):
            write_json(
                self._paths.recording_rate,
                {"bytes": round(self._bytes), "seconds": round(self._seconds, 1)},
            )

    @property
    def bytes_per_hour(self) -> float:
        """Bytes of an hour of recording: measured in this room, else from the settings."""
        if self._seconds >= MIN_PART_SECONDS:
            return max(1.0, self._bytes / self._seconds * 3600)
        return bytes_per_hour(self._settings)

    def _hours_in(self, free_bytes: int) -> float:
        return max(0, free_bytes - FULL_BYTES) / self.bytes_per_hour

    def planned_hours(self, hearing: RunningHearing | None) -> float:
        """Return how long ``hearing`` will still take, by the list or the settings."""
        minutes: float = self._settings.recording.planned_minutes
        if hearing is None:
            return max(0.0, minutes / 60)
        return max(0.0, (hearing.duration_minutes or minutes) / 60 - hearing.seconds / 3600)

    # -- State -----------------------------------------------------------------------------------
    def state(
        self, hearing: RunningHearing | None, error: StorageError | None
    ) -> tuple[Storage, Mirror]:
        """Return ``storage`` and ``mirror`` of State; no disk is asked.

        Args:
            error: why the journal cannot be written, if it cannot.
        """
        mirror = self.store.mirror_status()
        if self._merge is not None and self._merge.is_mirror_hanging:
            mirror = mirror.model_copy(update={"state": MirrorState.SLOW})
        free, total = self.store.primary_space()
        hours = self._hours_in(free)
        if mirror.state.is_healthy and mirror.free_bytes is not None:
            hours = min(hours, self._hours_in(mirror.free_bytes - mirror.behind_bytes))
        needed = self.planned_hours(hearing)
        storage = Storage(
            free_bytes=free,
            total_bytes=total,
            hours_left=round(hours, 1),
            state=self._primary_state(free, self._hours_in(free), error),
            planned=PlannedSpace(hours_needed=round(needed, 2), fits=hours >= needed),
            waiting_bytes=self.store.queued_bytes,
            volatile=self._volatile,
        )
        return storage, mirror

    def _primary_state(self, free: int, hours: float, error: StorageError | None) -> StorageState:
        state = self.store.primary_state
        if state not in ("ok", "behind"):
            return StorageState(state)
        if free < FULL_BYTES:
            return StorageState.FULL
        if error is not None:
            return StorageState.FAILED
        is_low = hours < self._settings.recording.low_space_hours
        return StorageState.LOW if is_low else StorageState.OK

    def close(self, seconds: float = 2.0) -> None:
        """Stop the threads of the store."""
        self.store.close(seconds)


def storage_alarms(state: RecorderState) -> list[tuple[str, str]]:
    """Return the alarms about both storages and their space, from State."""
    primary, mirror = state.storage, state.mirror
    found: list[tuple[str, str]] = []
    if code := PRIMARY_ALARMS.get(primary.state):
        covered = primary.state in MIRROR_COVERS and mirror.state.is_healthy
        found.append(("recording_on_mirror" if covered else code, "storage"))
    if code := MIRROR_ALARMS.get(mirror.state):
        found.append((code, "mirror"))
    elif mirror.behind_seconds > MAX_MIRROR_LAG_S:
        found.append(("mirror_behind", "mirror"))
    if mirror.set_aside:
        found.append(("copy_set_aside", "mirror"))
    if state.hearing is not None and not primary.planned.fits and primary.state != "full":
        found.append(("space_short", "storage"))
    return found


PRIMARY_ALARMS: Mapping[str, str] = {
    StorageState.LOW: "disk_low",
    StorageState.FULL: "disk_full",
    StorageState.FAILED: "storage_failed",
    StorageState.SLOW: "disk_slow",
    StorageState.READ_ONLY: "disk_read_only",
    StorageState.GONE: "disk_gone",
}
MIRROR_COVERS = frozenset(
    {StorageState.FULL, StorageState.FAILED, StorageState.READ_ONLY, StorageState.GONE}
)
MIRROR_ALARMS: Mapping[str, str] = {
    MirrorState.ABSENT: "mirror_absent",
    MirrorState.FOREIGN: "mirror_foreign",
    MirrorState.FULL: "mirror_full",
    MirrorState.FAILED: "mirror_failed",
    MirrorState.SLOW: "mirror_slow",
}
