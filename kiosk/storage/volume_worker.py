"""Writes to one of the storages that hold the hearings, with a thread and a queue of its own.

Operations run in order and are repeated while the disk refuses them. A hearing is *behind* when
this storage missed some of it (it was absent, or the queue outgrew its memory). Operations of
such a hearing are dropped until :mod:`kiosk.storage.mirror_catch_up` has copied it from the other
storage.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.storage.volume import (
    ONLY_HERE,
    SET_ASIDE,
    STORAGE_ERRORS,
    GapError,
    StorageVolume,
    failure_state,
)

log = logging.getLogger(__name__)
MAX_QUEUE_BYTES = 32 << 20
"""Memory for operations that wait for one disk; above it, those that the other has are dropped."""
PROBE_INTERVAL_S = 0.5
FIRST_PROBE_S = 1.0
RETRY_S = 0.5
SLOW_AFTER_S = 0.75
"""An operation that takes or waits longer makes the storage slow."""
SLOW_HOLD_S = 3.0
UNAVAILABLE_STATES = frozenset({"absent", "foreign"})


@dataclass(eq=False)
class VolumeOperation:
    """An operation that every storage runs.

    Attributes:
        path: file or folder that it concerns.
        hearing: id of the hearing it belongs to.
        run: runs it; raises OSError or StorageError when the disk refuses.
        size: bytes it holds in memory.
        submitted_at: when it was submitted (monotonic seconds).
        done_on: names of the storages that have run it.
        errors: last error by storage name.
        log_end: length of the log at ``path`` afterwards; None: it is no log.
    """

    path: str
    run: Callable[[StorageVolume], None]
    size: int
    submitted_at: float = field(default_factory=lambda: time.monotonic())
    done_on: set[str] = field(default_factory=set)
    errors: dict[str, Exception] = field(default_factory=dict)
    is_cancelled: bool = False
    log_end: int | None = None
    hearing: str = field(init=False)

    def __post_init__(self) -> None:
        """Set the hearing."""
        self.hearing = hearing_id_of(self.path)

    def concerns(self, path: str) -> bool:
        """Return whether it changes ``path``, or something below or above that."""
        return f"{path}/".startswith(f"{self.path}/") or self.path.startswith(f"{path}/")


def hearing_id_of(path: str) -> str:
    """Return the hearing's id in ``hearings/<id>/…``, also set aside, or ``replaced/<id>.json``."""
    path = path.removeprefix(f"{ONLY_HERE}/").removeprefix(f"{SET_ASIDE}/")
    name = path.split("/")[1] if "/" in path else path
    return name.removesuffix(".json")


class VolumeWorker:
    """The writer of one storage.

    Args:
        name: ``storage`` (the primary) or ``mirror``.
        volume: the storage.
        changed: shared by all workers of a store; guards their queues and is notified of changes.
    """

    def __init__(self, name: str, volume: StorageVolume, changed: threading.Condition) -> None:
        self.name = name
        self.volume = volume
        self.uuid = ""
        self.free_bytes: int | None = None
        self.total_bytes = 0
        self.log_lengths: dict[str, int] = {}
        self.active_hearings: set[str] = set()
        self.hearings_with_holes: set[str] = set()
        self.unwritten_holes: set[str] = set()
        """Of those with holes, the ones of which nothing was written behind the hole yet."""
        self.written_since_hole: set[str] = set()
        """Paths of those with holes to which something was written since; newest here."""
        self.unfilled_from: dict[str, str] = {}
        """By hearing with a hole: UUID of the other volume that could not fill it."""
        self.hearings_behind: set[str] = set()
        self.complete_without_other: dict[str, str] = {}
        """By hearing that is behind: UUID of the volume that lacks only what waits for the other
        storage."""
        self.catch_up_queues: dict[str, list[VolumeOperation]] = {}
        self.is_uncompared = False
        """It may hold other bytes than the other storage: each hearing is compared before it is
        written on."""
        self.held: set[str] = set()
        """Hearings that are not copied: what only this copy has is still to be merged."""
        self.changed = changed
        self.other: VolumeWorker | None = None
        """The worker of the other storage."""
        self._queue: deque[VolumeOperation] = deque()
        self._copy_queue: deque[VolumeOperation] = deque()
        self._queued_bytes = 0
        self._failure = ""
        self._gap_in = ""
        self._identity_state = "ok" if volume.role == "data" else "absent"  # until it answers
        self._was_probed = False
        self._started_at: float | None = None
        self._slow_until = 0.0
        self._healthy_since = 0.0
        self._retry_at = 0.0
        self._probe_at = 0.0
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name=f"{name}-writer", daemon=True)

    # -- called by the store (its lock is held) ----------------------------------------------------
    def submit(self, operation: VolumeOperation) -> None:
        """Queue an operation, or leave it to the catch-up."""
        is_first = operation.hearing not in self.active_hearings
        self._forget_rewritten(operation)
        self.active_hearings.add(operation.hearing)
        is_mirror = self.volume.role == "mirror"
        if is_mirror and (
            self._identity_state in UNAVAILABLE_STATES or (is_first and self.is_uncompared)
        ):
            self.mark_behind(operation.hearing)
        if operation.hearing in self.hearings_behind:
            return
        if operation.hearing in self.catch_up_queues:
            self.catch_up_queues[operation.hearing].append(operation)
        else:
            self._queue.append(operation)
        self._retry_at = 0.0
        self._queued_bytes += operation.size
        if self._queued_bytes > MAX_QUEUE_BYTES:
            self._free_memory()

    def _forget_rewritten(self, operation: VolumeOperation) -> None:
        """Forget how much of a log is here that is written anew from an earlier byte on."""
        end = operation.log_end
        if end is not None and end - operation.size < self.log_lengths.get(operation.path, 0):
            del self.log_lengths[operation.path]

    def has_queued(self, operation: VolumeOperation) -> bool:
        """Return whether the operation waits here."""
        return operation in self._queue or operation in self.catch_up_queues.get(
            operation.hearing, ()
        )

    def cancel(self, operation: VolumeOperation) -> None:
        """Remove a cancelled operation from the queues."""
        for queue in (self._queue, self.catch_up_queues.get(operation.hearing, [])):
            if operation in queue:
                queue.remove(operation)
                self._queued_bytes -= operation.size

    def pending(self, hearing: str) -> list[VolumeOperation]:
        """Return the waiting operations of a hearing, in order."""
        return [
            *(operation for operation in self._queue if operation.hearing == hearing),
            *self.catch_up_queues.get(hearing, ()),
        ]

    def pending_for(self, path: str) -> list[VolumeOperation]:
        """Return the waiting operations that concern a file or folder, in order."""
        return [op for op in self.pending(hearing_id_of(path)) if op.concerns(path)]

    def log_ends_to_come(self, path: str) -> list[tuple[int, int]]:
        """Return ``(offset, end)`` of what waits to be appended to a log."""
        waiting = (op for op in self.pending(hearing_id_of(path)) if op.path == path)
        return [(op.log_end - op.size, op.log_end) for op in waiting if op.log_end is not None]

    def is_incomplete(self, hearing: str) -> bool:
        """Return whether older bytes of ``hearing`` are missing here."""
        return hearing in self.hearings_behind or hearing in self.catch_up_queues

    def lacks(self, hearing: str) -> bool:
        """Return whether bytes of ``hearing`` are missing here, or may be: it is not compared."""
        is_unknown = self.is_uncompared and hearing not in self.active_hearings
        return is_unknown or self.is_incomplete(hearing)

    def all_pending(self) -> list[VolumeOperation]:
        """Return all waiting operations."""
        return [*self._queue, *self._deferred()]

    def accept_hole(self, hearing: str) -> None:
        """Accept operations of ``hearing`` although older bytes are missing here."""
        log.error("%s: %s continues with a hole", self.name, hearing)
        self.hearings_behind.discard(hearing)
        if hearing not in self.hearings_with_holes:
            self.written_since_hole -= {
                path for path in self.written_since_hole if hearing_id_of(path) == hearing
            }
        self.hearings_with_holes.add(hearing)
        self.unwritten_holes.add(hearing)
        self.unfilled_from.pop(hearing, None)

    def waits_for_filling(self, hearing: str) -> bool:
        """Return whether there is a hole here that the other storage may be able to fill."""
        other_uuid = self.other.uuid if self.other is not None else ""
        is_tried = self.unfilled_from.get(hearing) == other_uuid
        return hearing in self.hearings_with_holes and not is_tried

    def is_older(self, path: str) -> bool:
        """Return whether all of a file here is older than the hole in its hearing.

        Then the other storage has the newest of it, if it had all of the hearing at that time.
        """
        written = (f"{path}/".startswith(f"{other}/") for other in self.written_since_hole)
        return not any(written) and not self.pending_for(path)

    def submit_copy(self, operation: VolumeOperation) -> None:
        """Queue an operation of the catch-up. It runs when nothing else waits, and only once."""
        self._copy_queue.append(operation)

    def start_catch_up(self, hearing: str, missing: list[VolumeOperation]) -> None:
        """Defer new operations of ``hearing``, after ``missing``: those the other has not run."""
        self.hearings_behind.discard(hearing)
        self.catch_up_queues[hearing] = list(missing)
        self._queued_bytes += sum(operation.size for operation in missing)

    def finish_catch_up(self, hearing: str) -> None:
        """Queue the deferred operations of ``hearing``: everything older is here now."""
        self._queue.extend(self.catch_up_queues.pop(hearing, ()))
        self._healthy_since = time.monotonic()

    def mark_behind(self, hearing: str) -> None:
        """Leave ``hearing`` to the catch-up, and with it what waits here and another storage has.

        What no other one has or is about to have waits for the kiosk's own storage, which then has
        a hole if it was behind.
        """
        other, dropped = self.other, self.pending(hearing)
        if not self.is_incomplete(hearing):
            self.complete_without_other.pop(hearing, None)
            if other and hearing in other.hearings_behind | other.unwritten_holes:
                self.complete_without_other[hearing] = self.uuid
        self.catch_up_queues.pop(hearing, None)
        self._queue = deque(op for op in self._queue if op.hearing != hearing)
        self._queued_bytes -= sum(op.size for op in dropped)
        self.hearings_behind.add(hearing)
        orphans = [op for op in dropped if not (op.done_on or (other and other.has_queued(op)))]
        if orphans and self.volume.role == "data":
            self.keep(hearing, dropped)
        elif orphans and other is not None:
            other.keep(hearing, orphans)

    def keep(self, hearing: str, operations: list[VolumeOperation]) -> None:
        """Queue what no other storage has, behind a hole if older bytes are missing here."""
        if hearing in self.hearings_behind:
            self.accept_hole(hearing)
        self._queue.extend(operations)
        self._queued_bytes += sum(operation.size for operation in operations)

    def return_to_other(self, hearing: str) -> bool:
        """Let the other storage go on alone with ``hearing`` before the hole here is written.

        Returns:
            Whether it could: this one writes nothing now, and the other lacks only what waits here.
        """
        other = self.other
        if (
            other is None
            or hearing not in self.unwritten_holes
            or not self._failure
            or self._started_at is not None
            or not other.uuid
            or other.complete_without_other.get(hearing) != other.uuid
        ):
            return False
        other.hearings_behind.discard(hearing)
        other.keep(hearing, self.pending(hearing))
        self.hearings_with_holes.discard(hearing)
        self.mark_behind(hearing)
        self.unwritten_holes.discard(hearing)
        return True

    def _free_memory(self) -> None:
        """Leave to the catch-up the hearings that the other storage has."""
        for hearing in {operation.hearing for operation in (*self._queue, *self._deferred())}:
            if self._is_held_elsewhere(hearing):
                log.error("%s: %s is left for later", self.name, hearing)
                self.mark_behind(hearing)

    def _is_held_elsewhere(self, hearing: str) -> bool:
        """Return whether another storage has everything that waits here, or will have it."""
        if self.volume.role == "mirror":
            return True
        return all(operation.done_on - {self.name} for operation in self.pending(hearing))

    def _is_coming_elsewhere(self, hearing: str) -> bool:
        """Return whether another storage is about to have everything that waits here."""
        other = self.other
        return (
            other is not None
            and not (other.is_failing or other.is_slow or other.is_incomplete(hearing))
            and all(op.done_on or other.has_queued(op) for op in self.pending(hearing))
        )

    def _deferred(self) -> list[VolumeOperation]:
        return [operation for queue in self.catch_up_queues.values() for operation in queue]

    # -- status (the store's lock is held) -----------------------------------------------------
    @property
    def is_failing(self) -> bool:
        """Whether the last operation failed, or the storage is not available."""
        return bool(self._failure) or self._identity_state != "ok"

    @property
    def is_writable(self) -> bool:
        """Whether it is present and mounted writable."""
        return self._identity_state == "ok"

    @property
    def is_readable(self) -> bool:
        """Whether it is present."""
        return self._identity_state in ("ok", "read_only")

    @property
    def is_slow(self) -> bool:
        """Whether an operation takes or waits too long."""
        now = time.monotonic()
        started_at = self._started_at
        waiting_since = (
            max(self._queue[0].submitted_at, self._healthy_since) if self._queue else now
        )
        waited_s = 0.0 if self.is_failing else now - waiting_since
        if (started_at is not None and now - started_at > SLOW_AFTER_S) or waited_s > SLOW_AFTER_S:
            self._slow_until = now + SLOW_HOLD_S
        return now < self._slow_until

    @property
    def state(self) -> str:
        """``ok``, ``behind``, ``slow``, ``full``, ``read_only``, ``absent``, … ."""
        if self._identity_state != "ok":
            return self._identity_state
        if self._failure:
            return self._failure
        if self.is_slow:
            return "slow"
        return "behind" if self.hearings_behind or self.catch_up_queues else "ok"

    @property
    def queued_bytes(self) -> int:
        """Bytes in memory that wait for this disk."""
        return self._queued_bytes

    @property
    def oldest_wait_s(self) -> float:
        """Seconds for which the oldest operation has waited."""
        oldest = [*list(self._queue)[:1], *self._deferred()[:1]]
        return max((time.monotonic() - operation.submitted_at for operation in oldest), default=0.0)

    # -- thread ----------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the thread; wait a little for its first look at the storage, which may hang."""
        self._thread.start()
        with self.changed:
            self.changed.wait_for(lambda: self._was_probed, FIRST_PROBE_S)

    def stop(self) -> None:
        """Stop after the running operation (the store's lock is held)."""
        self._is_stopped = True

    def join(self, seconds: float) -> None:
        """Wait at most ``seconds`` for the thread; a hung disk may keep it longer."""
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        self._probe()
        while True:
            with self.changed:
                if self._is_stopped:
                    return
                operation = self._next_operation()
                if operation is None:
                    self.changed.wait(timeout=PROBE_INTERVAL_S / 2)
                else:
                    self._started_at = time.monotonic()
            if operation is not None:
                self._run_operation(operation)
            if time.monotonic() >= self._probe_at:
                self._probe()

    def _next_operation(self) -> VolumeOperation | None:
        if self._identity_state in UNAVAILABLE_STATES or (
            self._failure and time.monotonic() < self._retry_at
        ):
            return None
        if self._gap_in and self._waits_for_other(self._gap_in):
            return None
        if self._queue:
            return self._queue[0]
        return self._copy_queue[0] if self._copy_queue else None

    def _waits_for_other(self, hearing: str) -> bool:
        """Leave a hearing with a gap to the catch-up, once the other storage has what waits here.

        Returns:
            Whether it is to be waited for. Where the other one cannot have it, the gap is a hole.
        """
        if self._is_held_elsewhere(hearing):
            self.mark_behind(hearing)
        elif self._is_coming_elsewhere(hearing):
            return True
        else:
            self.accept_hole(hearing)
        self._gap_in = ""
        return False

    def _run_operation(self, operation: VolumeOperation) -> None:
        error: Exception | None = None
        try:
            self.volume.allows_holes = operation.hearing in self.hearings_with_holes
            if not operation.is_cancelled:
                operation.run(self.volume)
        except (*STORAGE_ERRORS, GapError) as raised:
            error = raised
        except Exception as raised:  # a bug must not end the writing
            log.exception("%s: an operation failed", self.name)
            error = raised
        with self.changed:
            started_at, self._started_at = self._started_at, None
            if started_at is not None and time.monotonic() - started_at > SLOW_AFTER_S:
                self._slow_until = time.monotonic() + SLOW_HOLD_S
            self._handle_result(operation, error)
            self.changed.notify_all()

    def _handle_result(self, operation: VolumeOperation, error: Exception | None) -> None:
        """Remove an operation that succeeded from the queue, or keep it for the next attempt."""
        if error is None:
            operation.done_on.add(self.name)
            if operation in self._queue:
                self.unwritten_holes.discard(operation.hearing)
                if operation.hearing in self.hearings_with_holes and not operation.is_cancelled:
                    self.written_since_hole.add(operation.path)
            if operation.log_end is not None and not operation.is_cancelled:
                self.log_lengths[operation.path] = operation.log_end
            if self._failure:
                log.warning("%s: accepts writes again", self.name)
                self._failure, self._healthy_since = "", time.monotonic()
            self._dequeue(operation)
            return
        if isinstance(error, GapError) and operation not in self._copy_queue:
            log.warning("%s: %s", self.name, error)
            self._gap_in = operation.hearing  # the disk has refused nothing
            return
        operation.errors[self.name] = error
        if operation in self._copy_queue:
            self._copy_queue.remove(operation)
            return
        if not self._failure:
            log.error("%s: refuses: %s", self.name, error)
        self._failure = failure_state(error)
        self._retry_at = time.monotonic() + RETRY_S

    def _dequeue(self, operation: VolumeOperation) -> None:
        if operation in self._copy_queue:
            self._copy_queue.remove(operation)
        elif operation in self._queue:
            self._queue.remove(operation)
            self._queued_bytes -= operation.size

    def _probe(self) -> None:
        """Check whether the storage is present, and whether it is still the same one."""
        identity, uuid = self.volume.identity()
        free, total = self._read_space() if identity in ("ok", "read_only") else (None, 0)
        self._probe_at = time.monotonic() + PROBE_INTERVAL_S
        with self.changed:
            self.free_bytes, self.total_bytes = free, total
            if identity == "ok":
                if self._identity_state != "ok" or uuid != self.uuid:
                    log.warning("%s: is available", self.name)
                    self._failure, self._retry_at = "", 0.0
                    self._healthy_since = time.monotonic()
                if uuid != self.uuid:
                    self.log_lengths.clear()
                if self.uuid not in ("", uuid):  # another one, or the disk that was not mounted yet
                    for hearing in filter(self._is_held_elsewhere, self.active_hearings):
                        self.mark_behind(hearing)
                self.uuid = uuid
            elif identity != self._identity_state:
                log.error("%s: %s", self.name, identity)
            self._identity_state, self._was_probed = identity, True
            if identity in UNAVAILABLE_STATES:
                self._release_queue()
            if self._queued_bytes > MAX_QUEUE_BYTES:
                self._free_memory()
            self.changed.notify_all()

    def _read_space(self) -> tuple[int | None, int]:
        try:
            return self.volume.space()
        except OSError:
            return None, 0

    def _release_queue(self) -> None:
        """Fail what is queued: the storage is not there, and the catch-up copies it later."""
        for operation in self._copy_queue:
            operation.errors[self.name] = OSError("the storage is not there")
        self._copy_queue.clear()
        for hearing in {operation.hearing for operation in (*self._queue, *self._deferred())}:
            if self.volume.role == "mirror":
                self.mark_behind(hearing)
