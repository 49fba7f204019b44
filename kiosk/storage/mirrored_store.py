"""Hearings on one or two storages at once, neither of which can delay the other.

Bytes are durable when the kiosk's own storage has them or, while that is late or refuses, when
the mirror has them. What one storage missed is copied from the other (:mod:`.copier`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import pieces_of
from kiosk.storage.mirror_catch_up import Copier, Records, no_records
from kiosk.storage.mirror_worker import Replica, Step
from kiosk.storage.replaced_files import places_of, with_buried
from kiosk.storage.store import Ticket, Trouble
from kiosk.storage.volume import Disk

PATIENCE_S = 0.6
"""The kiosk's own storage is not waited for longer when the mirror has the bytes."""
LIMIT_S = 3.0
"""A small file or a line of a journal that no storage takes within it is refused."""
LARGEST_BACKLOG = 96 << 20
"""Bytes that may wait in memory for any storage; more are lost (and reported)."""
STORAGE, MIRROR = "storage", "mirror"


class _VaultTicket:
    def __init__(self, vault: Vault, step: Step) -> None:
        self._vault = vault
        self._step = step

    def done(self, wait_s: float = 0.0) -> bool:
        return self._vault.wait(self._step, wait_s)

    def withdraw(self) -> bool:
        return self._vault.withdraw(self._step)


class Vault:
    """Keeps hearings on ``own`` and, when there is one, on ``mirror``; a :class:`Store`.

    Args:
        own: the kiosk's own storage; the paths of callers lie below its root.
        mirror: the second.
        records: gives the hashes that a hearing's journals hold of its files: nothing is copied
            that does not agree with them.
        kept_elsewhere: says that a hearing needs no second copy any more (it is delivered).
    """

    def __init__(
        self,
        own: Disk,
        mirror: Disk | None = None,
        records: Records = no_records,
        kept_elsewhere: Callable[[str], bool] = lambda _hearing: False,
    ) -> None:
        self._root = own.root
        self._changed = threading.Condition(threading.RLock())
        self._own = Replica(STORAGE, own, self._changed)
        self._mirror = Replica(MIRROR, mirror, self._changed) if mirror is not None else None
        self._replicas = [one for one in (self._own, self._mirror) if one is not None]
        self._copiers: list[Copier] = []
        if self._mirror is not None:
            for dest, source in ((self._mirror, self._own), (self._own, self._mirror)):
                self._copiers.append(Copier(dest, source, self._changed, records, kept_elsewhere))
        for replica in self._replicas:
            replica.start()

    def start_copying(self) -> None:
        """Begin to bring up what either storage lacks (after a crash: once it is recovered)."""
        for copier in self._copiers:
            copier.start()

    def close(self, seconds: float = 2.0) -> None:
        """End after what is queued, if that takes no longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while any(one.all_steps() and not one.refusing for one in self._replicas):
                if time.monotonic() > deadline:
                    break
                self._changed.wait(timeout=0.1)
            workers: list[Replica | Copier] = [*self._replicas, *self._copiers]
            for one in workers:
                one.stop()
            self._changed.notify_all()
        for one in workers:
            one.join(max(0.1, deadline - time.monotonic()))

    # -- steps ---------------------------------------------------------------------------------
    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _submit(
        self, relative: str, run: Callable[[Disk], None], size: int, end: int | None = None
    ) -> Step:
        name = "" if end is None else relative
        step = Step(hearing_of(relative), run, size, name=name, end=end or 0)
        with self._changed:
            mirror = self._mirror
            alone = mirror is None or not mirror.readable or step.hearing in mirror.behind
            if alone and step.hearing in self._own.behind:
                self._own.go_on_without(step.hearing)
            for replica in self._replicas:
                replica.put(step)
            self._changed.notify_all()
        return step

    def append(self, path: Path, offset: int, data: bytes) -> Ticket:
        """See :meth:`kiosk.storage.store.Store.append`."""
        relative = self._relative(path)
        data = bytes(data)

        def run(disk: Disk) -> None:
            disk.append(relative, offset, data)

        return _VaultTicket(self, self._submit(relative, run, len(data), offset + len(data)))

    def write_whole(self, path: Path, data: bytes) -> None:
        """See :meth:`kiosk.storage.store.Store.write_whole`."""
        relative = self._relative(path)
        self._now(relative, lambda disk: disk.whole(relative, data), len(data))

    def make_folder(self, path: Path) -> Path:
        """See :meth:`kiosk.storage.store.Store.make_folder`."""
        relative = self._relative(path)
        self._now(relative, lambda disk: disk.folder(relative), 0)
        return path

    def replace(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """See :meth:`kiosk.storage.store.Store.replace`.

        That they go is written down on each storage before they do: one that is absent now
        loses them before anything else when it is there again. On each they are overwritten
        first, in pieces, between which live recording goes on.
        """
        absent = [path.name for path in new if not self.locate(path).exists()]
        if absent:
            raise StorageError(f"not replaced: {', '.join(absent)} is not there")
        names = tuple(self._relative(path) for path in old)
        for hearing in sorted({hearing_of(name) for name in names}):
            mine = tuple(name for name in names if hearing_of(name) == hearing)
            relative, text = with_buried(self._leader(hearing).disk, hearing, mine)
            self._now(relative, partial(_whole, relative, text), len(text))
            places = tuple(place for name in mine for place in places_of(name))
            for place in places:
                for offset, length in pieces_of(self._leader(hearing).disk.size(place)):
                    wipe = partial(Disk.wipe, relative=place, offset=offset, length=length)
                    self._keep_pace(self._now(mine[0], wipe, 0))
            self._now(mine[0], partial(_remove, places), 0)

    def _keep_pace(self, step: Step) -> None:
        """Give the slower storage time, as long as it is well: its queue must not grow."""
        deadline = time.monotonic() + LIMIT_S
        with self._changed:
            while time.monotonic() < deadline and any(
                one.holds(step) and not (one.lacks(step.hearing) or one.refusing or one.late)
                for one in self._replicas
            ):
                self._changed.wait(timeout=0.05)

    def _now(self, relative: str, run: Callable[[Disk], None], size: int) -> Step:
        """Do it, or refuse.

        Raises:
            StorageError: no storage takes it.
        """
        step = self._submit(relative, run, size)
        try:
            if self.wait(step, LIMIT_S):
                return step
            problem: Exception = StorageError(f"{relative}: no storage takes it in time")
        except (OSError, StorageError) as error:
            problem = error
        if self.withdraw(step):
            raise StorageError(f"{relative}: cannot be written: {problem}") from problem
        return step

    # -- tickets -------------------------------------------------------------------------------
    def wait(self, step: Step, seconds: float) -> bool:
        """Wait until ``step`` is durable; see :meth:`kiosk.storage.store.Ticket.done`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._durable(step):
                if error := self._refused(step):
                    raise error
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(timeout=min(left, 0.05))
            return True

    def withdraw(self, step: Step) -> bool:
        """Take ``step`` back; False when it is durable."""
        with self._changed:
            if self._durable(step):
                return False
            step.withdrawn = True
            for replica in self._replicas:
                replica.drop(step)
            return True

    def _durable(self, step: Step) -> bool:
        if STORAGE in step.done:
            return True
        if MIRROR not in step.done:
            return False
        waited = time.monotonic() - step.born
        return waited > PATIENCE_S or self._own.refusing or not self._own.holds(step)

    def _refused(self, step: Step) -> Exception | None:
        """Return why nobody takes ``step`` now, None while somebody may."""
        for replica in self._replicas:
            tried = replica.name in step.refused or not replica.readable
            if replica.holds(step) and not tried:
                return None
        error = step.refused.get(STORAGE)
        return error or StorageError("no storage is there", code="storage_gone")

    # -- how it is -----------------------------------------------------------------------------
    def _leader(self, hearing: str) -> Replica:
        """Return the storage that has the newest bytes of ``hearing``."""
        own, mirror = self._own, self._mirror
        with self._changed:
            if mirror is None or mirror.refusing or mirror.lacks(hearing):
                return own
            return mirror if own.refusing or own.late or own.lacks(hearing) else own

    def locate(self, path: Path) -> Path:
        """See :meth:`kiosk.storage.store.Store.locate`."""
        relative = self._relative(path)
        return self._leader(hearing_of(relative)).disk.root / relative

    def settle(self, path: Path) -> None:
        """See :meth:`kiosk.storage.store.Store.settle`."""
        hearing = hearing_of(self._relative(path))
        deadline = time.monotonic() + LIMIT_S
        with self._changed:
            while True:
                leader = self._leader(hearing)
                if not leader.lacks(hearing) and not leader.pending(hearing):
                    return
                if time.monotonic() > deadline:
                    raise StorageError(f"{path}: not all of it is on a disk yet")
                self._changed.wait(timeout=0.05)

    def troubles(self) -> Sequence[Trouble]:
        """See :meth:`kiosk.storage.store.Store.troubles`."""
        found = []
        with self._changed:
            for replica in self._replicas:
                state = replica.state
                if state == "absent" and replica is self._own:
                    state = "gone"
                if state not in ("ok", "behind"):
                    found.append(Trouble(replica.name, state))
        return found

    @property
    def waiting_bytes(self) -> int:
        """Bytes in memory that no storage has taken; beyond a limit new media are lost."""
        with self._changed:
            seen = {id(s): s for one in self._replicas for s in one.all_steps()}
            return sum(step.size for step in seen.values() if not step.done)

    @property
    def own_state(self) -> str:
        """State of the kiosk's own storage: ``ok``, ``behind``, ``slow``, ``gone``, … ."""
        with self._changed:
            state = self._own.state
            return "gone" if state in ("absent", "foreign") else state

    def own_space(self) -> tuple[int, int]:
        """Return the bytes free and in all on the kiosk's own storage."""
        return self._own.free_bytes or 0, self._own.total_bytes

    @property
    def memory_bytes(self) -> int:
        """Bytes in memory that wait for either disk."""
        with self._changed:
            return max(replica.waiting_bytes for replica in self._replicas)

    def mirror_state(self) -> dict[str, Any]:
        """Return ``mirror`` of State (docs/interfaces.md)."""
        mirror = self._mirror
        if mirror is None:
            return {"state": "off", "behind_bytes": 0, "free_bytes": None, "behind_seconds": 0.0}
        with self._changed:
            state, waiting, oldest = mirror.state, mirror.waiting_bytes, mirror.oldest_wait_s
            copier = self._copiers[0]
            behind = waiting + copier.left_bytes
            since = copier.behind_since
        seconds = max(oldest, time.monotonic() - since if since is not None else 0.0)
        return {
            "state": "failed" if state in ("read_only", "gone") else state,
            "behind_bytes": behind,
            "free_bytes": mirror.free_bytes,
            "behind_seconds": round(seconds, 1),
        }

    def settled(self, hearing: str) -> bool:
        """Say whether every storage that is there has all of ``hearing``."""
        with self._changed:
            return not any(one.lacks(hearing) or one.pending(hearing) for one in self._replicas)


def hearing_of(relative: str) -> str:
    """Return the hearing's id in ``hearings/<id>/…`` or ``replaced/<id>.json``."""
    name = relative.split("/")[1] if "/" in relative else relative
    return name.removesuffix(".json")


def _whole(relative: str, data: bytes, disk: Disk) -> None:
    disk.whole(relative, data)


def _remove(names: tuple[str, ...], disk: Disk) -> None:
    disk.remove(names)
