"""Both copies of the open hearings at the start of the recorder, before they are recovered."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from cryptography import x509

from kiosk.errors import StorageError
from kiosk.evidence.chain import Entry, read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.recording.repair.copy_merge import (
    is_beginning,
    list_sealed_only_on,
    list_unsealed,
    merge_copies,
    merge_hearing,
)
from kiosk.storage.copy_comparison import is_as_long
from kiosk.storage.hearing_folder import JOURNAL_FILE, part_folder_name
from kiosk.storage.mirrored_store import MirroredStore
from kiosk.storage.space import FULL_BYTES
from kiosk.storage.volume import StorageVolume, failure_state
from kiosk.storage.watched_volume import WatchedVolume

log = logging.getLogger(__name__)
HUNG_S = 5.0
"""A read of the mirror that takes longer is given up."""


@dataclass
class _Outcome:
    """Hearings by what becomes of their two copies."""

    led: set[str] = field(default_factory=set)
    distrusted: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


class StartMerge:
    """Gives the primary storage what only the mirror has, or has undamaged, of open hearings.

    A primary that is full or read-only takes nothing. Then a hearing is read, and goes on, on the
    mirror, if that has all of it; else it waits.

    Attributes:
        led: ids of the hearings that are read on the mirror.
        waiting: ids of those that must not be recovered before :meth:`complete`: nothing of them
            is cut, sealed or caught up.
    """

    def __init__(self, store: MirroredStore, primary: StorageVolume, mirror: StorageVolume) -> None:
        self._store = store
        self._primary, self._mirror = primary, mirror
        self._reader = WatchedVolume(mirror)
        self.led: set[str] = set()
        self.waiting: set[str] = set()

    @property
    def is_mirror_hanging(self) -> bool:
        """Whether a read of the mirror was given up, and still hangs."""
        return self._reader.is_hanging

    def run(self, certificate: x509.Certificate) -> None:
        """Merge what can be read; a mirror that cannot be is compared later.

        Args:
            certificate: the device's, by which their journals are signed.
        """
        is_refusing = self._is_only_mirror_written
        try:
            found = self._reader.run(lambda: self._merge_all(certificate, is_refusing), HUNG_S)
        except OSError as error:
            log.error("the second copy cannot be read; the start goes on: %s", error)
            self.go_on_without()
            return
        for hearing in found.led:
            log.error("hearing %s goes on on the second copy", hearing)
            self._store.lead_with_mirror(hearing)
        for hearing in found.distrusted:
            self._store.distrust_mirror(hearing)
        for hearing in found.waiting:
            self._store.hold_mirror(hearing)
        self.led, self.waiting = found.led, found.waiting
        if is_refusing:
            self._store.start_mirror_catch_up()  # the recovery can write nowhere else

    def go_on_without(self) -> None:
        """Compare the mirror later; let what the primary storage has only a part of wait for it."""
        self._store.distrust_mirror()
        for hearing in filter(self._is_cut_off, self._primary.list_names("hearings")):
            log.error("hearing %s waits for the second copy, which has more of it", hearing)
            self._store.hold_mirror(hearing)
            self.waiting.add(hearing)

    def _is_cut_off(self, hearing: str) -> bool:
        """Return whether a catch-up from the mirror was cut off in an ended hearing.

        The seal of each part came before the entry of the end, so the mirror has those not here.
        """
        folder = self._primary.root / "hearings" / hearing
        try:
            if is_sealed(folder) or not (folder / JOURNAL_FILE).exists():
                return False
            kept = read_chain(folder / JOURNAL_FILE, keep=_is_seal_or_end).entries
            sealed = {int(e["part"]) for e in kept if e["kind"] == "part_sealed"}
            parts = (folder / part_folder_name(part) for part in sealed)
            return any(e["kind"] == "ended" for e in kept) and not all(map(is_sealed, parts))
        except Exception:  # whatever a damaged hearing raises, the recovery says so
            return False

    def _merge_all(self, certificate: x509.Certificate, is_refusing: bool) -> _Outcome:
        """Merge all; change nothing but the primary's files: the mirror may hang."""
        primary, mirror = self._primary, self._reader
        found = _Outcome()
        failed: dict[str, Exception] = {}
        for hearing in merge_copies(primary, mirror, certificate, failed.__setitem__):
            log.warning("hearing %s was completed from the second copy", hearing)
        for hearing in list_unsealed(primary, mirror):
            is_refused = hearing in failed and failure_state(failed[hearing]) in _REFUSALS
            if (is_refusing or is_refused) and is_beginning(primary, mirror, hearing):
                found.led.add(hearing)
            elif hearing in failed or not is_as_long(mirror, primary, hearing):
                found.distrusted.add(hearing)
                if is_refused:
                    found.waiting.add(hearing)
        found.distrusted |= set(list_sealed_only_on(primary, mirror))
        return found

    @property
    def _is_only_mirror_written(self) -> bool:
        """Whether the primary storage takes nothing, and the mirror does."""
        free, _ = self._store.primary_space()
        mirror = self._store.mirror_status()
        is_refusing = self._store.primary_state == "read_only" or free < FULL_BYTES
        return is_refusing and mirror.state.is_healthy and (mirror.free_bytes or 0) >= FULL_BYTES

    def complete(self, hearing: str, certificate: x509.Certificate) -> None:
        """Merge the copies of a hearing whose recovery was put off, before it is recovered.

        Raises:
            StorageError: it waits for the mirror, and that still cannot be read; it may be tried
                again.
        """
        must_merge = hearing in self.waiting
        if not self._store.is_mirror_readable:
            if must_merge:
                problem = "the second storage has more of it, and is not there"
                raise StorageError(f"{hearing}: {problem}")
            return
        self._store.hold_mirror(hearing)
        reader = WatchedVolume(self._mirror)
        try:
            reader.run(lambda: merge_hearing(self._primary, reader, hearing, certificate), HUNG_S)
            log.warning("hearing %s was compared with the second copy", hearing)
        except OSError as error:
            if must_merge:
                raise StorageError(f"{hearing}: its copies cannot be merged: {error}") from error
            log.error("hearing %s: the second copy cannot be read: %s", hearing, error)
        self.waiting.discard(hearing)
        self._store.release_mirror(hearing)


_REFUSALS = ("full", "read_only")
"""States of a storage that takes nothing; the mirror is only read here."""


def _is_seal_or_end(entry: Entry) -> bool:
    return entry["kind"] in ("part_sealed", "ended")
