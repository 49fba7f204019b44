"""Brings one storage up from the other: tails of logs, missing files, files that must go.

It needs no memory of what was missed: every log on a storage is the beginning of the same log on
the other, so that sizes, and bytes where a size is not to be trusted, tell what lacks. It runs in
a thread of its own: a disk that hangs while it is read delays nobody. Each piece is written by
the storage's own writer when nothing newer waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from kiosk.storage.atomic_io import pieces_of
from kiosk.storage.mirror_worker import Replica, Step
from kiosk.storage.replaced_files import FOLDER, as_bytes, buried, list_name, remains
from kiosk.storage.volume import Disk, GapError, Refusal

log = logging.getLogger(__name__)
PIECE = 1 << 20
LOOK_S = 0.3
SEARCH_S = 60.0
"""Hearings that nobody has touched since the start are looked for this often."""
AGAIN_S = 2.0
STEP_LIMIT_S = 60.0
WHOLE = ("SHA256SUMS", ".p7s", ".json", ".damaged")
PLAYLIST = ".m3u8"
"""A log, and written anew when its hearing is declared closed."""
SEALS = ("SHA256SUMS", "SHA256SUMS.p7s")
Ranges = Sequence[tuple[int, int, str]]
Records = Callable[[Path], Mapping[str, Ranges]]
"""Gives, for a hearing's folder, ``(offset, length, sha256)`` of ranges of its files."""


def no_records(_folder: Path) -> Mapping[str, Ranges]:
    """Know nothing about any file."""
    return {}


class CopyError(Exception):
    """What was read is not what the journals say: it is not copied."""


def _order(name: str) -> tuple[bool, bool, str]:
    """Copy a folder's seal after all that it covers, the hearing's own last."""
    seal = name.endswith(SEALS)
    return seal and name.count("/") == 2, seal, name


class Copier:
    """Copies from ``source`` to ``dest``; see the arguments of :class:`.vault.Vault`."""

    def __init__(
        self,
        dest: Replica,
        source: Replica,
        changed: threading.Condition,
        records: Records,
        kept_elsewhere: Callable[[str], bool],
    ) -> None:
        self._dest, self._source = dest, source
        self._changed = changed
        self._records = records
        self._kept_elsewhere = kept_elsewhere
        self._stopped = False
        self._searched: tuple[str, float] = ("", 0.0)
        self._wait_until = 0.0
        self.left_bytes = 0
        self.behind_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"{dest.name}-copier", daemon=True)

    # -- life ----------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon (the vault's lock is held)."""
        self._stopped = True

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.is_alive():
            self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._stopped:
            try:
                if self._possible():
                    self._search()
                    hearing = self._oldest()
                    if hearing is not None and not self._bring(hearing):
                        self._wait_until = time.monotonic() + AGAIN_S
            except Refusal as error:
                log.warning("%s: nothing is copied now: %s", self._dest.name, error)
                self._wait_until = time.monotonic() + AGAIN_S
            except Exception:  # a fault of ours must not end the copying for good
                log.exception("%s: the copier failed", self._dest.name)
                self._wait_until = time.monotonic() + AGAIN_S
            with self._changed:
                self._note_behind()
                if not self._stopped and self._oldest() is None:
                    self._changed.wait(timeout=LOOK_S)
            self._pause(self._wait_until - time.monotonic())

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < end:
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def _note_behind(self) -> None:
        behind = bool(self._dest.behind or self._dest.catching_up)
        if not behind:
            self.behind_since, self.left_bytes = None, 0
        elif self.behind_since is None:
            self.behind_since = time.monotonic()

    def _possible(self) -> bool:
        with self._changed:
            return self._dest.there and self._source.readable

    def _oldest(self) -> str | None:
        """Return the hearing to be brought up next, None where nothing can be."""
        with self._changed:
            waiting = [
                hearing
                for hearing in self._dest.behind
                if hearing not in self._source.behind and hearing not in self._source.catching_up
            ]
            if not waiting or not (self._dest.there and self._source.readable):
                return None
            live = [hearing for hearing in waiting if hearing in self._dest.touched]
        return min(live or waiting, key=self._age)

    def _age(self, hearing: str) -> float:
        try:
            return (self._source.disk.root / "hearings" / hearing).stat().st_ctime
        except OSError:
            return 0.0

    # -- what lacks ------------------------------------------------------------------------------
    def _search(self) -> None:
        """Look for hearings that are not whole on ``dest``: at first, on a change, now and then."""
        uuid, at = self._searched
        if uuid == self._dest.uuid and time.monotonic() - at < SEARCH_S:
            return
        self._searched = (self._dest.uuid, time.monotonic())
        source, dest = self._source.disk, self._dest.disk
        found = [name.removesuffix(".json") for name in source.names(FOLDER) if self._undead(name)]
        for hearing in source.names("hearings"):
            if dest.role == "data":
                lacks = not (dest.root / "hearings" / hearing).exists()
            else:
                lacks = not self._whole(hearing)
            if lacks and not self._kept_elsewhere(hearing):
                found.append(hearing)
        with self._changed:
            for hearing in found:
                if hearing not in self._dest.catching_up:
                    self._dest.behind.add(hearing)

    def _undead(self, name: str) -> bool:
        """Say whether files that were replaced still lie on ``dest``."""
        gone = buried(self._source.disk, name.removesuffix(".json"))
        return bool(remains(self._dest.disk, gone))

    def _whole(self, hearing: str) -> bool:
        """Say whether ``dest`` has the seal of ``hearing``: it is copied last."""
        name = f"hearings/{hearing}/{SEALS[1]}"
        source, dest = self._source.disk, self._dest.disk
        size = source.size(name)
        return size > 0 and dest.size(name) == size and self._same(name, size)

    def _same(self, name: str, size: int) -> bool:
        return self._source.disk.read(name, 0, size) == self._dest.disk.read(name, 0, size)

    # -- one hearing ---------------------------------------------------------------------------
    def _bring(self, hearing: str) -> bool:
        """Bring up ``hearing``; say whether it is whole now."""
        with self._changed:
            self._dest.begin_catching_up(hearing, self._source.pending(hearing))
        try:
            self._bury(hearing)
            if self._kept_elsewhere(hearing):  # it may be leaving this storage just now
                with self._changed:
                    self._dest.end_catching_up(hearing)
                return True
            if hearing in self._source.holed:
                self._fill(hearing)
            self._copy_all(hearing)
        except (*Refusal, CopyError, GapError) as error:
            log.warning("%s: %s is not brought up now: %s", self._dest.name, hearing, error)
            with self._changed:
                self._dest.fall_behind(hearing)
            return False
        with self._changed:
            self._dest.end_catching_up(hearing)
            self._changed.notify_all()
        log.info("%s: %s is brought up", self._dest.name, hearing)
        return True

    def _bury(self, hearing: str) -> None:
        """Overwrite and remove what was replaced, before anything else."""
        gone = buried(self._source.disk, hearing)
        known = buried(self._dest.disk, hearing)
        if gone - known:
            name, text = list_name(hearing), as_bytes(gone | known)
            self._write(hearing, lambda disk: disk.whole(name, text))
        for name in remains(self._dest.disk, gone):
            self._erase(hearing, name)

    def _erase(self, hearing: str, name: str) -> None:
        """Overwrite and remove a file, in pieces: live recording goes on in between."""
        for offset, length in pieces_of(self._dest.disk.size(name)):
            self._write(hearing, partial(Disk.wipe, relative=name, offset=offset, length=length))
        self._write(hearing, lambda disk: disk.remove((name,)))

    def _copy_all(self, hearing: str) -> None:
        folder = f"hearings/{hearing}"
        source, dest = self._source.disk, self._dest.disk
        gone = buried(source, hearing) | buried(dest, hearing)
        names = [name for name in source.files(folder) if _proper(name) and name not in gone]
        records = self._records(source.root / folder)
        self.left_bytes = sum(max(0, source.size(one) - dest.size(one)) for one in names)
        damaged = ""
        for name in sorted(names, key=_order):
            try:
                self._copy_file(hearing, name, records.get(name.partition(f"{hearing}/")[2], ()))
            except CopyError as error:  # the others are copied all the same
                log.error("%s: %s", self._source.name, error)
                damaged = str(error)
        self._clear(hearing, set(names))
        if damaged:
            raise CopyError(damaged)

    def _clear(self, hearing: str, names: set[str]) -> None:
        """Deal with files that only ``dest`` has: what a seal does not cover is set aside."""
        folder = f"hearings/{hearing}"
        sealed = f"{folder}/{SEALS[1]}" in names
        gone = buried(self._dest.disk, hearing)
        for name in self._dest.disk.files(folder):
            if name in names:
                continue
            if not _proper(name) or name in gone:
                self._erase(hearing, name)
            elif sealed:
                self._write(hearing, lambda disk, one=name: disk.set_aside(one))  # type: ignore[misc]

    # -- one file --------------------------------------------------------------------------------
    def _copy_file(self, hearing: str, name: str, ranges: Ranges) -> None:
        source, dest = self._source, self._dest
        with self._changed:
            size, have = source.lengths.get(name), dest.lengths.get(name)
        if name.endswith((*WHOLE, PLAYLIST)):
            data = source.disk.read(name, 0, source.disk.size(name))
            for offset, length, sha256 in ranges:
                if hashlib.sha256(data[offset : offset + length]).hexdigest() != sha256:
                    raise CopyError(f"{name}: other bytes at {offset} than were recorded")
            if not dest.disk.exists(name) or dest.disk.read(name, 0, len(data) + 1) != data:
                self._write(hearing, lambda disk: disk.whole(name, data))
            return
        size = source.disk.size(name) if size is None else size
        have = self._common(name, size) if have is None else min(have, size)
        for offset, length, sha256 in _pieces(have, size, ranges):
            self._copy_piece(hearing, name, offset, length, sha256)
        if dest.disk.size(name) != size or size == 0:
            self._append(hearing, name, size, b"")

    def _common(self, name: str, size: int) -> int:
        """Return how many bytes of a log are the same on both."""
        at, end = 0, min(size, self._dest.disk.size(name))
        while at < end:
            length = min(PIECE, end - at)
            here, there = (
                self._dest.disk.read(name, at, length),
                self._source.disk.read(name, at, length),
            )
            if here != there:
                return at + next(
                    (i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b),
                    min(len(here), len(there)),
                )
            at += length
        return end

    def _copy_piece(self, hearing: str, name: str, at: int, length: int, sha256: str) -> None:
        begin = time.monotonic()
        data = self._source.disk.read(name, at, length)
        if len(data) != length:
            raise CopyError(f"{name}: shorter than expected")
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise CopyError(f"{name}: other bytes at {at} than were recorded")
        self._append(hearing, name, at, data)
        self.left_bytes = max(0, self.left_bytes - length)
        self._pause(min(0.2, time.monotonic() - begin))  # half of the time is the others'

    def _append(self, hearing: str, name: str, at: int, data: bytes) -> None:
        self._write(hearing, lambda disk: disk.append(name, at, data), name, at + len(data))

    def _write(
        self, hearing: str, run: Callable[[Disk], None], name: str = "", end: int = 0
    ) -> None:
        """Have ``dest``'s writer do it, and wait.

        Raises:
            OSError, StorageError: it refuses, or hangs.
        """
        step = Step(hearing, run, 0, name=name, end=end)
        deadline = time.monotonic() + STEP_LIMIT_S
        with self._changed:
            self._dest.copy(step)
            self._changed.notify_all()
            while self._dest.name not in step.done:
                if error := step.refused.get(self._dest.name):
                    raise error
                if self._stopped or time.monotonic() > deadline:
                    step.withdrawn = True
                    raise OSError("the storage does not answer")
                self._changed.wait(timeout=0.1)

    # -- holes -------------------------------------------------------------------------------------
    def _fill(self, hearing: str) -> None:
        """Give ``source`` what it missed and only ``dest`` has: it went on without it."""
        for name in self._source.disk.files(f"hearings/{hearing}"):
            if name.endswith(WHOLE) or not self._dest.disk.exists(name):
                continue
            end = min(self._source.disk.size(name), self._dest.disk.size(name))
            at = self._common(name, end)
            while at < end:
                data = self._dest.disk.read(name, at, min(PIECE, end - at))
                self._source.disk.patch(name, at, data)
                at += len(data)
        self._source.holed.discard(hearing)


def _proper(name: str) -> bool:
    """Say whether it is a file of the hearing, not a write that never became one."""
    base = name.rpartition("/")[2]
    return not (base.startswith(".") and base.endswith(".tmp"))


def _pieces(have: int, size: int, ranges: Ranges) -> list[tuple[int, int, str]]:
    """Cut ``[have, size)`` into recorded ranges with their hashes, and the rest without."""
    found: list[tuple[int, int, str]] = []
    at = have
    for offset, length, sha256 in sorted(ranges):
        if offset + length <= at or offset + length > size:
            continue
        begin = min(offset, at) if offset <= at else offset
        found += _plain(at, offset)
        # a range that is there in part is written whole: its hash tells whether it may be
        found.append((begin, offset + length - begin, sha256))
        at = offset + length
    return [*found, *_plain(at, size)]


def _plain(begin: int, end: int) -> list[tuple[int, int, str]]:
    return [(at, min(PIECE, end - at), "") for at in range(begin, end, PIECE)]
