"""Hearings on one or two storages at once, neither of which can delay the other.

Bytes are durable when the kiosk's own storage (the primary) has them or, while that is slow or
fails, when the mirror has them. :mod:`.mirror_catch_up` copies what one storage missed from the
other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from kiosk.api.recorder import Mirror
from kiosk.api.states import MirrorState
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import wipe_ranges
from kiosk.storage.mirror_catch_up import MirrorCatchUp, RangeLoader, no_ranges
from kiosk.storage.replaced_files import extend_replaced, find_surviving, list_path
from kiosk.storage.store import StorageProblem, WriteTicket
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_worker import VolumeOperation, VolumeWorker, hearing_id_of

PRIMARY_WAIT_S = 0.6
"""Maximum wait for the primary storage when the mirror has the bytes."""
WRITE_TIMEOUT_S = 3.0
"""Maximum wait for a small file or a journal entry; after that the write is refused."""
DISCARD_TIMEOUT_S = 0.5
"""Maximum wait for the removal of a failed start, which is tried again later."""
PRIMARY, MIRROR = "storage", "mirror"


class _MirroredTicket:
    def __init__(self, store: MirroredStore, operation: VolumeOperation) -> None:
        self._store = store
        self._operation = operation

    def is_durable(self, wait_s: float = 0.0) -> bool:
        return self._store.wait_durable(self._operation, wait_s)

    def cancel(self) -> bool:
        return self._store.cancel(self._operation)


class MirroredStore:
    """Keeps hearings on ``primary`` and, if there is one, on ``mirror``; a :class:`Store`.

    Args:
        primary: the kiosk's own storage; callers' paths are below its root.
        mirror: the second storage.
        load_ranges: returns the hashes that a hearing's journals hold of its files. Only bytes
            that agree with them are copied.
        is_delivered: whether a hearing is delivered, so that it needs no second copy any more.
    """

    def __init__(
        self,
        primary: StorageVolume,
        mirror: StorageVolume | None = None,
        load_ranges: RangeLoader = no_ranges,
        is_delivered: Callable[[str], bool] = lambda _hearing: False,
    ) -> None:
        self._root = primary.root
        self._changed = threading.Condition(threading.RLock())
        self._primary = VolumeWorker(PRIMARY, primary, self._changed)
        self._mirror = VolumeWorker(MIRROR, mirror, self._changed) if mirror is not None else None
        self._workers = [worker for worker in (self._primary, self._mirror) if worker is not None]
        self._catch_ups: list[MirrorCatchUp] = []
        if self._mirror is not None:
            self._primary.other, self._mirror.other = self._mirror, self._primary
            for dest, source in ((self._mirror, self._primary), (self._primary, self._mirror)):
                self._catch_ups.append(
                    MirrorCatchUp(dest, source, self._changed, load_ranges, is_delivered)
                )
        for worker in self._workers:
            worker.start()

    def distrust_mirror(self, hearing: str = "") -> None:
        """Read from and write to the mirror only after it is compared: it may hold other bytes.

        Args:
            hearing: whose copy; ``""``: all.
        """
        with self._changed:
            if self._mirror is None:
                return
            if hearing:
                self._mirror.mark_behind(hearing)
            else:
                self._mirror.is_uncompared = True

    def lead_with_mirror(self, hearing: str) -> None:
        """Read ``hearing`` on the mirror, which has all of it, until the primary is caught up."""
        with self._changed:
            if self._mirror is not None:
                self._mirror.active_hearings.add(hearing)  # it is not compared with the primary
                self._primary.mark_behind(hearing)

    def hold_mirror(self, hearing: str) -> None:
        """Copy nothing of ``hearing`` until :meth:`release_mirror`: it is to be merged."""
        with self._changed:
            if self._mirror is not None:
                self._mirror.held.add(hearing)

    def release_mirror(self, hearing: str) -> None:
        """Let ``hearing`` be copied."""
        with self._changed:
            if self._mirror is not None:
                self._mirror.held.discard(hearing)

    def start_mirror_catch_up(self) -> None:
        """Start copying to the mirror what only the primary has."""
        self._catch_ups[0].start()

    def start_catch_up(self, on_arrival: Callable[[str], None] = lambda _hearing: None) -> None:
        """Start copying what either storage is missing (after a crash: once it is recovered).

        Args:
            on_arrival: called, in another thread, with a hearing that the primary storage was given
                and that nothing was written to since the start.
        """
        for catch_up in self._catch_ups:
            catch_up.start(on_arrival)

    def close(self, seconds: float = 2.0) -> None:
        """Finish what is queued, for at most ``seconds``, and stop the threads."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while any(worker.all_pending() and not worker.is_failing for worker in self._workers):
                if time.monotonic() > deadline:
                    break
                self._changed.wait(timeout=0.1)
            threads: list[VolumeWorker | MirrorCatchUp] = [*self._workers, *self._catch_ups]
            for thread in threads:
                thread.stop()
            self._changed.notify_all()
        for thread in threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    # -- operations ----------------------------------------------------------------------------
    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _submit(
        self, relative: str, run: Callable[[StorageVolume], None], size: int, end: int | None = None
    ) -> VolumeOperation:
        operation = VolumeOperation(relative, run, size, log_end=end)
        with self._changed:
            mirror = self._mirror
            is_alone = (
                mirror is None
                or not mirror.is_readable
                or operation.hearing in mirror.hearings_behind
            )
            if is_alone and operation.hearing in self._primary.hearings_behind:
                self._primary.accept_hole(operation.hearing)
            for worker in self._workers:
                worker.submit(operation)
            self._changed.notify_all()
        return operation

    def append(self, path: Path, offset: int, data: bytes) -> WriteTicket:
        """See :meth:`kiosk.storage.store.Store.append`."""
        relative = self._relative(path)
        data = bytes(data)

        def run(volume: StorageVolume) -> None:
            volume.append(relative, offset, data)

        return _MirroredTicket(self, self._submit(relative, run, len(data), offset + len(data)))

    def write_file(self, path: Path, data: bytes) -> None:
        """See :meth:`kiosk.storage.store.Store.write_file`."""
        relative = self._relative(path)
        self._submit_and_wait(relative, partial(_write_file, relative, data), len(data))

    def submit_file(self, path: Path, data: bytes) -> WriteTicket:
        """See :meth:`kiosk.storage.store.Store.submit_file`."""
        relative = self._relative(path)
        write = partial(_write_file, relative, data)
        return _MirroredTicket(self, self._submit(relative, write, len(data)))

    def make_folder(self, path: Path) -> Path:
        """See :meth:`kiosk.storage.store.Store.make_folder`."""
        relative = self._relative(path)
        self._submit_and_wait(relative, lambda volume: volume.make_folder(relative), 0)
        return path

    def discard_start(self, path: Path) -> None:
        """See :meth:`kiosk.storage.store.Store.discard_start`."""
        relative = self._relative(path)
        self._submit_and_wait(
            relative, lambda volume: volume.discard_start(relative), 0, DISCARD_TIMEOUT_S
        )

    def replace_files(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """See :meth:`kiosk.storage.store.Store.replace_files`.

        Each storage lists the files before they are removed. A storage that is absent now
        deletes them before anything else when it is back. Files are overwritten first, in
        blocks, so that live recording continues in between.
        """
        absent = [path.name for path in new if not self.locate(path).exists()]
        if absent:
            raise StorageError(f"not replaced: {', '.join(absent)} is not there")
        names = tuple(self._relative(path) for path in old)
        for hearing in sorted({hearing_id_of(name) for name in names}):
            own_names = tuple(name for name in names if hearing_id_of(name) == hearing)
            closed = set(own_names) if new else set()
            relative, text = extend_replaced(
                self._leader(list_path(hearing)).volume, hearing, set(own_names), closed
            )
            self._submit_and_wait(relative, partial(_write_file, relative, text), len(text))
            sizes = {name: self._leader(name).volume.size(name) for name in own_names}
            if self._primary.is_readable:  # the mirror is searched by its catch-up: it may hang
                own = self._primary.volume
                sizes |= {
                    path: own.size(path) for path in find_surviving(own, set(own_names), closed)
                }
            for path, size in sizes.items():
                protect = partial(StorageVolume.encrypt_set_aside, relative=path)
                self._submit_and_wait(own_names[0], protect, 0)
                for offset, length in wipe_ranges(size):
                    wipe = partial(StorageVolume.wipe, relative=path, offset=offset, length=length)
                    self._wait_for_slower(self._submit_and_wait(own_names[0], wipe, 0))
            self._submit_and_wait(own_names[0], partial(_remove_files, tuple(sizes)), 0)
        for catch_up in self._catch_ups:
            catch_up.search_again()

    def _wait_for_slower(self, operation: VolumeOperation) -> None:
        """Wait for the slower storage, if it is healthy, so that its queue does not grow."""
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        with self._changed:
            while time.monotonic() < deadline and any(
                worker.has_queued(operation)
                and not (
                    worker.is_incomplete(operation.hearing) or worker.is_failing or worker.is_slow
                )
                for worker in self._workers
            ):
                self._changed.wait(timeout=0.05)

    def _submit_and_wait(
        self,
        relative: str,
        run: Callable[[StorageVolume], None],
        size: int,
        timeout_s: float | None = None,
    ) -> VolumeOperation:
        """Submit an operation and wait until it is durable.

        Raises:
            StorageError: no storage accepts it; it is cancelled.
        """
        operation = self._submit(relative, run, size)
        try:
            if self.wait_durable(operation, timeout_s or WRITE_TIMEOUT_S):
                return operation
            problem: Exception = StorageError(f"{relative}: no storage takes it in time")
        except (OSError, StorageError) as error:
            problem = error
        if self.cancel(operation):
            raise StorageError(f"{relative}: cannot be written: {problem}") from problem
        return operation

    # -- tickets -------------------------------------------------------------------------------
    def wait_durable(self, operation: VolumeOperation, seconds: float) -> bool:
        """Wait for ``operation``; see :meth:`kiosk.storage.store.WriteTicket.is_durable`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._is_durable(operation):
                if error := self._failure_of(operation):
                    raise error
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(timeout=min(left, 0.05))
            return True

    def cancel(self, operation: VolumeOperation) -> bool:
        """Cancel ``operation``; return False if it is durable already."""
        with self._changed:
            if self._is_durable(operation):
                return False
            operation.is_cancelled = True
            for worker in self._workers:
                worker.cancel(operation)
            return True

    def _is_durable(self, operation: VolumeOperation) -> bool:
        if PRIMARY in operation.done_on:
            return True
        if MIRROR not in operation.done_on:
            return False
        waited = time.monotonic() - operation.submitted_at
        return (
            waited > PRIMARY_WAIT_S
            or self._primary.is_failing
            or not self._primary.has_queued(operation)
        )

    def _failure_of(self, operation: VolumeOperation) -> Exception | None:
        """Return why no storage accepts ``operation`` now, or None while one may."""
        for worker in self._workers:
            has_failed = worker.name in operation.errors or not worker.is_readable
            if worker.has_queued(operation) and not has_failed:
                return None
        error = operation.errors.get(PRIMARY)
        return error or StorageError("no storage is there", code="storage_gone")

    # -- status -----------------------------------------------------------------------------
    def _leader(self, path: str) -> VolumeWorker:
        """Return the storage that has the newest bytes of a file, or of all files of a folder.

        Both write in the same order: where less waits, the copy is longer. Of two that are as
        long the one is taken that answers.
        """
        primary, mirror, hearing = self._primary, self._mirror, hearing_id_of(path)
        with self._changed:
            if mirror is None or not mirror.is_readable or mirror.lacks(hearing):
                return primary
            if not primary.is_readable or primary.is_incomplete(hearing):
                return mirror
            if primary.waits_for_filling(hearing):
                return mirror
            waiting = [len(worker.pending_for(path)) for worker in (primary, mirror)]
            if waiting[0] != waiting[1]:
                return primary if waiting[0] < waiting[1] else mirror
            is_ill, is_mirror_ill = (w.is_failing or w.is_slow for w in (primary, mirror))
            return mirror if is_ill and not is_mirror_ill else primary

    def locate(self, path: Path) -> Path:
        """See :meth:`kiosk.storage.store.Store.locate`."""
        relative = self._relative(path)
        return self._leader(relative).volume.root / relative

    def flush(self, path: Path) -> None:
        """See :meth:`kiosk.storage.store.Store.flush`."""
        relative, hearing = self._relative(path), hearing_id_of(self._relative(path))
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        with self._changed:
            newest = {worker: worker.pending_for(relative)[-1:] for worker in self._workers}
            while True:
                leader = self._leader(relative)
                # what is submitted meanwhile may wait
                is_written = not any(map(leader.has_queued, newest[leader]))
                # bytes that only an absent storage has may come back with it
                is_hollow = leader.is_incomplete(hearing) or leader.waits_for_filling(hearing)
                if is_written and not is_hollow:
                    return
                if time.monotonic() > deadline:
                    raise StorageError(f"{path}: not all of it is on a disk yet")
                self._changed.wait(timeout=0.05)

    def problems(self) -> Sequence[StorageProblem]:
        """See :meth:`kiosk.storage.store.Store.problems`."""
        found = []
        with self._changed:
            for worker in self._workers:
                state = worker.state
                if state == "absent" and worker is self._primary:
                    state = "gone"
                if state not in ("ok", "behind"):
                    found.append(StorageProblem(worker.name, state))
        return found

    @property
    def unwritten_bytes(self) -> int:
        """Bytes in memory that are on no storage; above a limit, new media are lost."""
        with self._changed:
            seen = {id(o): o for worker in self._workers for o in worker.all_pending()}
            return sum(operation.size for operation in seen.values() if not operation.done_on)

    @property
    def is_refusing(self) -> bool:
        """See :attr:`kiosk.storage.store.Store.is_refusing`."""
        with self._changed:
            return all(worker.is_failing for worker in self._workers)

    @property
    def is_prompt(self) -> bool:
        """See :attr:`kiosk.storage.store.Store.is_prompt`."""
        with self._changed:
            return any(worker.state in ("ok", "behind") for worker in self._workers)

    @property
    def primary_state(self) -> str:
        """State of the kiosk's own storage: ``ok``, ``behind``, ``slow``, ``gone``, … ."""
        with self._changed:
            state = self._primary.state
            return "gone" if state in ("absent", "foreign") else state

    def primary_space(self) -> tuple[int, int]:
        """Return the free bytes and all bytes of the kiosk's own storage."""
        return self._primary.free_bytes or 0, self._primary.total_bytes

    @property
    def queued_bytes(self) -> int:
        """Bytes in memory that wait for either disk."""
        with self._changed:
            return max(worker.queued_bytes for worker in self._workers)

    @property
    def is_mirror_readable(self) -> bool:
        """Whether the second storage is there and answers."""
        with self._changed:
            return self._mirror is not None and self._mirror.is_readable

    def mirror_status(self) -> Mirror:
        """Return ``mirror`` of State."""
        mirror = self._mirror
        if mirror is None:
            return Mirror(state=MirrorState.OFF)
        with self._changed:
            state, waiting, oldest = mirror.state, mirror.queued_bytes, mirror.oldest_wait_s
            catch_up = self._catch_ups[0]
            behind = waiting + catch_up.remaining_bytes
            since = catch_up.behind_since
        seconds = max(oldest, time.monotonic() - since if since is not None else 0.0)
        return Mirror(
            state=MirrorState("failed" if state in ("read_only", "gone") else state),
            behind_bytes=behind,
            free_bytes=mirror.free_bytes,
            behind_seconds=round(seconds, 1),
            set_aside=len(set().union(*(one.set_aside for one in self._catch_ups))),
        )

    def is_synced(self, hearing: str) -> bool:
        """Return whether every present storage has all of ``hearing``."""
        with self._changed:
            return not any(
                worker.is_incomplete(hearing) or worker.pending(hearing) for worker in self._workers
            )


def _write_file(relative: str, data: bytes, volume: StorageVolume) -> None:
    volume.write_file(relative, data)


def _remove_files(names: tuple[str, ...], volume: StorageVolume) -> None:
    volume.remove_files(names)
