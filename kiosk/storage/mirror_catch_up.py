"""Copies to one storage what it missed and the other has: tails of logs, files, removals.

It keeps no list of what was missed. Every log on a storage is the beginning of the same log on
the other, so sizes (and bytes, where a size cannot be trusted) show what is missing. Where that is
not so (a hearing went on after a crash without the storage that had its newest bytes), what the
destination alone has is kept in ``set-aside/only-here`` before anything is written. It runs in a
thread of its own, so that a disk that hangs while it is read delays nothing else. The worker of
the destination writes each chunk when nothing newer waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from kiosk.storage.atomic_io import wipe_ranges
from kiosk.storage.copy_comparison import (
    PLAYLIST_SUFFIX,
    WHOLE_FILE_SUFFIXES,
    HashedRanges,
    common_length,
    fill_holes,
    find_only_on,
    has_recorded_bytes,
    is_equal,
    mend,
    split_ranges,
)
from kiosk.storage.hearing_folder import JOURNAL_FILE, SIGNATURE, seal_last
from kiosk.storage.replaced_files import (
    REPLACED_FOLDER,
    encode_replaced,
    find_surviving,
    list_path,
    read_closed,
    read_replaced,
)
from kiosk.storage.volume import (
    ONLY_HERE,
    SET_ASIDE,
    STORAGE_ERRORS,
    GapError,
    StorageVolume,
)
from kiosk.storage.volume_worker import VolumeOperation, VolumeWorker, hearing_id_of

log = logging.getLogger(__name__)
POLL_S = 0.3
SCAN_INTERVAL_S = 60.0
"""Time between two searches for incomplete hearings that had no operation since the start."""
RETRY_S = 2.0
OPERATION_TIMEOUT_S = 60.0
_REWRITTEN = (*WHOLE_FILE_SUFFIXES, PLAYLIST_SUFFIX)
RangeLoader = Callable[[Path], Mapping[str, HashedRanges]]
"""Returns, for a hearing's folder, ``(offset, length, sha256)`` of ranges of its files."""


def no_ranges(_folder: Path) -> Mapping[str, HashedRanges]:
    """Return no ranges."""
    return {}


class CopyError(Exception):
    """The bytes that were read differ from the journals; they are not copied."""


class MirrorCatchUp:
    """Copies from ``source`` to ``dest``.

    For the arguments see :class:`.mirrored_store.MirroredStore`.

    Attributes:
        set_aside: hearings of which something is set aside on either storage.
    """

    def __init__(
        self,
        dest: VolumeWorker,
        source: VolumeWorker,
        changed: threading.Condition,
        load_ranges: RangeLoader,
        is_delivered: Callable[[str], bool],
    ) -> None:
        self._dest, self._source = dest, source
        self._changed = changed
        self._load_ranges = load_ranges
        self._is_delivered = is_delivered
        self._is_stopped = False
        self._on_arrival: Callable[[str], None] = lambda _hearing: None
        self._last_scan: tuple[str, float] = ("", 0.0)
        self._wait_until = 0.0
        self.remaining_bytes = 0
        self.set_aside: frozenset[str] = frozenset()
        self.behind_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"{dest.name}-catch-up", daemon=True)

    # -- thread --------------------------------------------------------------------------------
    def start(self, on_arrival: Callable[[str], None] = lambda _hearing: None) -> None:
        """Start the thread, once; see :meth:`.mirrored_store.MirroredStore.start_catch_up`."""
        self._on_arrival = on_arrival
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Ask the thread to stop (the store's lock is held)."""
        self._is_stopped = True

    def search_again(self) -> None:
        """Look soon for what is incomplete, or has to be removed."""
        self._last_scan = ("", 0.0)

    def join(self, seconds: float) -> None:
        """Wait at most ``seconds`` for the thread."""
        if self._thread.is_alive():
            self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                if self._can_copy():
                    self._find_incomplete()
                    hearing = self._next_hearing()
                    if hearing is not None and not self._catch_up_hearing(hearing):
                        self._wait_until = time.monotonic() + RETRY_S
            except STORAGE_ERRORS as error:
                log.warning("%s: nothing is copied now: %s", self._dest.name, error)
                self.search_again()  # it may have been the search that was refused
                self._wait_until = time.monotonic() + RETRY_S
            except Exception:  # a bug must not end the catch-up for good
                log.exception("%s: the catch-up failed", self._dest.name)
                self._wait_until = time.monotonic() + RETRY_S
            with self._changed:  # no disk is asked here: it may hang, and every append waits
                self._update_lag()
                if not self._is_stopped and not self._candidates():
                    self._changed.wait(timeout=POLL_S)
            self._pause(self._wait_until - time.monotonic())

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._is_stopped and time.monotonic() < end:
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def _update_lag(self) -> None:
        is_behind = bool(self._dest.hearings_behind or self._dest.catch_up_queues)
        if not is_behind:
            self.behind_since, self.remaining_bytes = None, 0
        elif self.behind_since is None:
            self.behind_since = time.monotonic()

    def _can_copy(self) -> bool:
        with self._changed:
            return self._dest.is_writable and self._source.is_readable

    def _next_hearing(self) -> str | None:
        """Return the hearing to catch up next, or None."""
        with self._changed:
            candidates = self._candidates()
            live = [hearing for hearing in candidates if hearing in self._dest.active_hearings]
        return min(live or candidates, key=self._changed_at, default=None)

    def _candidates(self) -> list[str]:
        """Return the hearings that can be caught up now (the store's lock is held)."""
        if not (self._dest.is_writable and self._source.is_readable):
            return []
        return [
            hearing
            for hearing in self._dest.hearings_behind - self._dest.held - self._source.held
            if not self._source.is_incomplete(hearing)
            and not (hearing in self._source.unwritten_holes and self._source.pending(hearing))
        ]

    def _changed_at(self, hearing: str) -> float:
        try:
            return (self._source.volume.root / "hearings" / hearing).stat().st_ctime
        except OSError:
            return 0.0

    # -- search ---------------------------------------------------------------------------------
    def _find_incomplete(self) -> None:
        """Mark incomplete hearings on ``dest``: at the start, on a new volume, and regularly."""
        self._settle_holes()
        uuid, at = self._last_scan
        if uuid == self._dest.uuid and time.monotonic() - at < SCAN_INTERVAL_S:
            return
        self._last_scan = (self._dest.uuid, time.monotonic())
        source, dest = self._source.volume, self._dest.volume
        self._look_for_set_aside()
        found = [
            name.removesuffix(".json")
            for name in source.list_names(REPLACED_FOLDER)
            if self._has_replaced_files(name)
        ]
        for hearing in source.list_names("hearings"):
            if dest.role == "data":
                is_missing = not dest.list_names(f"hearings/{hearing}")
            else:
                is_missing = not (self._is_complete(hearing) or self._is_to_be_merged(hearing))
            if is_missing and not self._is_delivered(hearing):
                found.append(hearing)
        with self._changed:
            for hearing in found:
                is_behind = hearing in self._dest.catch_up_queues
                if not (is_behind or self._source_lacks(hearing)):
                    self._dest.hearings_behind.add(hearing)

    def _source_lacks(self, hearing: str) -> bool:
        """Return whether ``source`` lacks bytes that ``dest`` has (the lock is held).

        A copy would take them from ``dest`` until the operations that wait are run again.
        """
        waiting = self._source.pending(hearing)
        is_ahead = any(self._dest.name in operation.done_on for operation in waiting)
        return is_ahead or self._source.is_incomplete(hearing)

    def _settle_holes(self) -> None:
        """Have the holes of the source filled, or avoided while nothing is written behind them."""
        with self._changed:
            for hearing in list(self._source.hearings_with_holes):
                if self._source.is_incomplete(hearing):
                    continue  # never both: neither could be caught up
                if not self._source.waits_for_filling(hearing):
                    continue  # another volume may do it
                if not self._dest.is_incomplete(hearing):
                    self._dest.mark_behind(hearing)
                elif self._dest.is_writable:
                    self._source.return_to_other(hearing)

    def _has_replaced_files(self, name: str) -> bool:
        """Return whether ``dest`` still has files that were replaced."""
        hearing, source = name.removesuffix(".json"), self._source.volume
        replaced, closed = read_replaced(source, hearing), read_closed(source, hearing)
        return bool(find_surviving(self._dest.volume, replaced, closed))

    def _is_complete(self, hearing: str) -> bool:
        """Return whether ``dest`` has the seal of ``hearing``, which is copied last."""
        name = f"hearings/{hearing}/{SIGNATURE}"
        source, dest = self._source.volume, self._dest.volume
        return source.size(name) > 0 and is_equal(source, dest, name)

    def _is_to_be_merged(self, hearing: str) -> bool:
        """Return whether a recovery to come merges it: ``dest`` has more, and nobody writes it."""
        folder = f"hearings/{hearing}"
        with self._changed:
            if hearing in self._source.active_hearings:
                return False
        source, dest = self._source.volume, self._dest.volume
        return not source.exists(f"{folder}/{SIGNATURE}") and any(
            dest.size(name) > source.size(name) for name in dest.list_files(folder)
        )

    def _look_for_set_aside(self) -> None:
        self.set_aside = frozenset(
            name
            for volume in (self._dest.volume, self._source.volume)
            for place in (SET_ASIDE, ONLY_HERE)
            for name in volume.list_names(f"{place}/hearings")
        )

    # -- one hearing ---------------------------------------------------------------------------
    def _catch_up_hearing(self, hearing: str) -> bool:
        """Copy what ``dest`` is missing of ``hearing``; return whether it is complete now."""
        with self._changed:
            self._dest.start_catch_up(hearing, self._source.pending(hearing))
        try:
            self._delete_replaced(hearing)
            if self._is_delivered(hearing):  # it may be leaving this storage just now
                with self._changed:
                    self._dest.finish_catch_up(hearing)
                return True
            had_holes = self._source.waits_for_filling(hearing)
            is_filled = had_holes and self._fill_holes(hearing)
            self._copy_hearing(hearing)
            lacks_files = had_holes and self._lacks_files(hearing)
        except (*STORAGE_ERRORS, CopyError, GapError) as error:
            log.warning("%s: %s is not caught up now: %s", self._dest.name, hearing, error)
            with self._changed:
                self._dest.mark_behind(hearing)
            return False
        with self._changed:
            self._dest.finish_catch_up(hearing)
            if had_holes:
                self._settle_filled(hearing, is_filled=is_filled)
            if lacks_files:
                self._source.mark_behind(hearing)
            self._changed.notify_all()
            is_foreign = hearing not in self._dest.active_hearings
        log.info("%s: %s is caught up", self._dest.name, hearing)
        if is_foreign and self._dest.volume.role == "data":
            self._on_arrival(hearing)
        return True

    def _delete_replaced(self, hearing: str) -> None:
        """Overwrite and remove replaced files, before anything else."""
        replaced = read_replaced(self._source.volume, hearing)
        closed = read_closed(self._source.volume, hearing)
        known = read_replaced(self._dest.volume, hearing)
        known_closed = read_closed(self._dest.volume, hearing)
        if replaced - known or closed - known_closed:
            name, text = (
                list_path(hearing),
                encode_replaced(replaced | known, closed | known_closed),
            )
            self._run_on_destination(name, lambda volume: volume.write_file(name, text))
        for name in find_surviving(self._dest.volume, replaced, closed):
            protect = partial(StorageVolume.encrypt_set_aside, relative=name)
            self._run_on_destination(name, protect)
            self._erase_file(name)

    def _erase_file(self, name: str) -> None:
        """Overwrite and remove a file, in blocks, so that live recording continues in between."""
        for offset, length in wipe_ranges(self._dest.volume.size(name)):
            self._run_on_destination(
                name, partial(StorageVolume.wipe, relative=name, offset=offset, length=length)
            )
        self._run_on_destination(name, lambda volume: volume.remove_files((name,)))

    def _copy_hearing(self, hearing: str) -> None:
        folder = f"hearings/{hearing}"
        source, dest = self._source.volume, self._dest.volume
        replaced = read_replaced(source, hearing) | read_replaced(dest, hearing)
        names = [
            name
            for name in source.list_files(folder)
            if _is_hearing_file(name) and name not in replaced
        ]
        ranges_by_file = self._load_ranges(source.root / folder)
        self.remaining_bytes = sum(max(0, source.size(name) - dest.size(name)) for name in names)
        problem = ""
        has_diverged = self._keep_only_here(hearing, names, ranges_by_file)
        self._clear_extra_files(hearing, set(names), has_diverged=has_diverged)
        for name in sorted(names, key=seal_last):
            try:
                self._copy_file(name, ranges_by_file.get(name.partition(f"{hearing}/")[2], ()))
            except CopyError as error:  # the others are copied all the same
                log.error("%s: %s", self._source.name, error)
                problem = str(error)
        if problem:
            raise CopyError(problem)

    def _keep_only_here(
        self, hearing: str, names: list[str], ranges: Mapping[str, HashedRanges]
    ) -> bool:
        """Set aside what only ``dest`` has in its files; return whether there was anything.

        What is damaged on ``source`` and right on ``dest`` is mended there before.
        """
        kept = find_only_on(self._dest, self._source, names)
        mended = [
            name for name, begin, _ in kept if self._mend_source(hearing, name, begin, ranges)
        ]
        if mended:
            self._look_for_set_aside()
            kept = find_only_on(self._dest, self._source, names)
        for name, begin, end in kept:
            self._dest.volume.keep_range(name, begin, end, self._dest.volume)
        if kept:
            log.error("%s: %s: what only it has is set aside", self._dest.name, hearing)
            self._look_for_set_aside()
        return bool(kept)

    def _mend_source(
        self, hearing: str, name: str, begin: int, ranges: Mapping[str, HashedRanges]
    ) -> bool:
        """Mend a file that is damaged on ``source``; return whether there was anything to mend.

        Args:
            begin: where the two copies begin to differ.
        """
        source, dest = self._source, self._dest.volume
        recorded = ranges.get(name.partition(f"{hearing}/")[2], ())
        end = min(source.volume.size(name), dest.size(name))
        pieces = [piece for piece in split_ranges(begin, end, recorded) if piece[2]]
        if not pieces or not source.is_writable:
            return False
        if not mend(source.volume, dest, name, pieces, keeps_theirs=False):
            return False
        log.error("%s: %s: is mended from %s", source.name, name, self._dest.name)
        return True

    def _clear_extra_files(self, hearing: str, names: set[str], *, has_diverged: bool) -> None:
        """Remove or set aside files that only ``dest`` has, and no seal covers or will."""
        folder = f"hearings/{hearing}"
        is_sealed = f"{folder}/{SIGNATURE}" in names
        replaced = read_replaced(self._dest.volume, hearing)
        for name in self._dest.volume.list_files(folder):
            if name in names:
                continue
            if not _is_hearing_file(name) or name in replaced:
                self._erase_file(name)
            elif is_sealed or has_diverged or self._is_only_here(name):
                log.error("%s: %s: only it has this file: set aside", self._dest.name, name)
                self._run_on_destination(name, partial(StorageVolume.set_file_aside, relative=name))
                self._look_for_set_aside()

    def _is_only_here(self, name: str) -> bool:
        """Return whether ``source``, which has no hole, lacks a file and is not about to get it."""
        with self._changed:
            is_coming = self._source.pending_for(name)
            if is_coming or hearing_id_of(name) in self._source.hearings_with_holes:
                return False
        return not self._source.volume.exists(name)

    # -- one file --------------------------------------------------------------------------------
    def _copy_file(self, name: str, ranges: HashedRanges) -> None:
        source, dest = self._source, self._dest
        with self._changed:
            size, copied = source.log_lengths.get(name), dest.log_lengths.get(name)
        if name.endswith(_REWRITTEN):
            data = source.volume.read(name, 0, source.volume.size(name))
            for offset, length, sha256 in ranges:
                if hashlib.sha256(data[offset : offset + length]).hexdigest() != sha256:
                    raise CopyError(f"{name}: other bytes at {offset} than were recorded")
            if not dest.volume.exists(name) or dest.volume.read(name, 0, len(data) + 1) != data:
                self._run_on_destination(name, lambda volume: volume.write_file(name, data))
            return
        size = source.volume.size(name) if size is None else size
        if copied is None:
            copied = common_length(dest.volume, source.volume, name, size)
        copied = min(copied, size)
        for offset, length, sha256 in split_ranges(copied, size, ranges):
            self._copy_range(name, offset, length, sha256)
        if dest.volume.size(name) != size or size == 0:
            self._append(name, size, b"")

    def _copy_range(self, name: str, at: int, length: int, sha256: str) -> None:
        started_at = time.monotonic()
        data = self._source.volume.read(name, at, length)
        if len(data) != length:
            raise CopyError(f"{name}: shorter than expected")
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise CopyError(f"{name}: other bytes at {at} than were recorded")
        self._append(name, at, data)
        self.remaining_bytes = max(0, self.remaining_bytes - length)
        # leave half of the time to live recording
        self._pause(min(0.2, time.monotonic() - started_at))

    def _append(self, name: str, at: int, data: bytes) -> None:
        end = at + len(data)
        self._run_on_destination(name, lambda volume: volume.append(name, at, data), end)

    def _run_on_destination(
        self, path: str, run: Callable[[StorageVolume], None], log_end: int | None = None
    ) -> None:
        """Run an operation on ``dest`` through its worker, and wait for it.

        Raises:
            OSError, StorageError: the storage refuses it, or hangs.
        """
        self._run_on(self._dest, VolumeOperation(path, run, 0, log_end=log_end))

    def _run_on(self, worker: VolumeWorker, operation: VolumeOperation) -> None:
        """Run an operation as :meth:`_run_on_destination` does."""
        deadline = time.monotonic() + OPERATION_TIMEOUT_S
        with self._changed:
            worker.submit_copy(operation)
            self._changed.notify_all()
            while worker.name not in operation.done_on:
                if error := operation.errors.get(worker.name):
                    raise error
                if self._is_stopped or time.monotonic() > deadline:
                    operation.is_cancelled = True
                    raise OSError("the storage does not answer")
                self._changed.wait(timeout=0.1)

    # -- holes -------------------------------------------------------------------------------------
    def _fill_holes(self, hearing: str) -> bool:
        """Fill holes of ``source`` with bytes that only ``dest`` has; return whether it is right.

        Files that ``source`` lacks altogether are copied afterwards.
        """
        volume, folder = self._source.volume, f"hearings/{hearing}"
        gone = read_replaced(volume, hearing) | read_replaced(self._dest.volume, hearing)
        newer = {
            name
            for name in self._dest.volume.list_files(folder)
            if _is_hearing_file(name) and name not in gone and self._is_ahead(name)
        }
        names = [
            name
            for name in self._dest.volume.list_files(folder)
            if not name.endswith(WHOLE_FILE_SUFFIXES)
            and name not in gone
            and (name in newer or self._has_begun(name))
        ]
        journals = [name for name in names if name.endswith(f"/{JOURNAL_FILE}")]
        for name in journals:  # first: they tell what is right in the others
            self._fill_file(name, ())
        ranges = self._load_ranges(volume.root / folder)
        for name in names:
            if name not in journals:
                self._fill_file(name, ranges.get(name.removeprefix(f"{folder}/"), ()))
        for name in sorted((name for name in newer if name.endswith(_REWRITTEN)), key=seal_last):
            data = self._dest.volume.read(name, 0, self._dest.volume.size(name))
            write = partial(self._write_older, name, data)
            self._run_on(self._source, VolumeOperation(name, write, 0))
        return has_recorded_bytes(volume, folder, ranges)

    def _settle_filled(self, hearing: str, *, is_filled: bool) -> None:
        """Forget holes of ``source``, or note that ``dest`` fills them not (the lock is held)."""
        if is_filled:
            self._source.hearings_with_holes.discard(hearing)
            self._source.unfilled_from.pop(hearing, None)
            self._dest.complete_without_other.pop(hearing, None)
        else:
            log.error("%s: %s has other bytes than were recorded", self._source.name, hearing)
            self._source.unfilled_from[hearing] = self._dest.uuid

    def _lacks_files(self, hearing: str) -> bool:
        """Return whether ``source`` had such a hole that whole files are missing there."""
        source, dest = self._source.volume, self._dest.volume
        replaced = read_replaced(source, hearing) | read_replaced(dest, hearing)
        return any(
            not source.exists(name)
            for name in dest.list_files(f"hearings/{hearing}")
            if _is_hearing_file(name) and name not in replaced
        )

    def _has_begun(self, name: str) -> bool:
        """Return whether ``source`` has a log, or is about to write the rest of it."""
        with self._changed:
            is_coming = bool(self._source.log_ends_to_come(name))
        return is_coming or self._source.volume.exists(name)

    def _is_ahead(self, name: str) -> bool:
        """Return whether ``dest`` has the newest of a file: it had all when the hole came."""
        with self._changed:
            ahead = self._dest.complete_without_other.get(hearing_id_of(name), "")
            return ahead == self._dest.uuid != "" and self._source.is_older(name)

    def _write_older(self, name: str, data: bytes, volume: StorageVolume) -> None:
        """Write a small file of ``source`` anew, unless that wrote a newer one meanwhile."""
        if self._is_ahead(name):
            volume.write_file(name, data)

    def _fill_file(self, name: str, ranges: HashedRanges) -> None:
        """Fill the holes of one file; mend what is right on ``source`` and damaged on ``dest``."""
        source, dest = self._source.volume, self._dest.volume
        with self._changed:
            coming = [begin for begin, _ in self._source.log_ends_to_come(name)]
        size = source.size(name)
        # what is still to be written there begins behind a hole that no size shows yet
        end = min(max([size, *coming[:1]]), dest.size(name))
        if self._is_ahead(name):
            end = max(end, self._dest.log_lengths.get(name, dest.size(name)))
        at = common_length(dest, source, name, min(size, end))
        for offset, data in fill_holes(source, dest, name, split_ranges(at, end, ranges)):
            patch = partial(StorageVolume.patch, relative=name, offset=offset, data=data)
            self._run_on_destination(name, patch)
        with self._changed:
            if self._source.log_lengths.get(name, end) < end:
                self._source.log_lengths[name] = end


def _is_hearing_file(name: str) -> bool:
    """Return whether it is a hearing's file, not the temporary file of an unfinished write."""
    base = name.rpartition("/")[2]
    return not (base.startswith(".") and base.endswith(".tmp"))
