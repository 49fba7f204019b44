"""Where the bytes of hearings become durable: what a place for them can do, and the plain one.

A hearing is made of append-only logs (media, journals, playlists) and a few small whole files.
Their paths are those of the data folder, wherever the bytes lie: :meth:`Store.locate` says where.
:class:`DirectStore` writes to that very path; :class:`kiosk.storage.mirrored_store.Vault` keeps two copies.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, overwrite, sync_folder, write_bytes


@dataclass(frozen=True)
class Trouble:
    """A storage that is not well.

    Attributes:
        source: ``storage`` (the kiosk's own) or ``mirror`` (the second copy).
        kind: ``slow``, ``full``, ``read_only``, ``gone``, ``absent``, ``foreign`` or ``failed``.
    """

    source: str
    kind: str


class Ticket(Protocol):
    """Bytes on their way to the disk."""

    def done(self, wait_s: float = 0.0) -> bool:
        """Say whether they are durable, after waiting up to ``wait_s``.

        Raises:
            OSError, StorageError: no storage takes them now; it goes on trying.
        """

    def withdraw(self) -> bool:
        """Take them back; False: too late, they are durable."""


class Store(Protocol):
    """A place for hearings. Any thread may call."""

    def append(self, path: Path, offset: int, data: bytes) -> Ticket:
        """Have ``data`` at ``offset``, which is then the end of the log at ``path``."""

    def write_whole(self, path: Path, data: bytes) -> None:
        """Write a small file atomically and durably.

        Raises:
            StorageError: no storage takes it.
        """

    def make_folder(self, path: Path) -> Path:
        """Make the folder ``path`` durably; return it.

        Raises:
            StorageError: no storage takes it.
        """

    def replace(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """Remove the files ``old``, for which ``new`` (appended before) stand from now on.

        They are overwritten and go on every storage, on an absent one as soon as it is there again.

        Raises:
            StorageError: a new file is not durable everywhere it can be, or nothing could be
                removed; it may be called again.
        """

    def locate(self, path: Path) -> Path:
        """Return where the newest durable bytes of ``path`` (file or folder) are to be read."""

    def settle(self, path: Path) -> None:
        """Make sure that all of a hearing's folder can be read at :meth:`locate`.

        Raises:
            StorageError: not now: its newest bytes are still on their way.
        """

    def troubles(self) -> Sequence[Trouble]:
        """Return what is not well now."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes in memory that no storage has taken."""


class _DirectTicket:
    """Tries anew at each look until it has succeeded once."""

    def __init__(self, path: Path, offset: int, data: bytes) -> None:
        self._what: tuple[Path, int, bytes] | None = (path, offset, data)

    def done(self, wait_s: float = 0.0) -> bool:
        del wait_s
        if self._what is not None:
            append_durably(*self._what)
            self._what = None
        return True

    def withdraw(self) -> bool:
        if self._what is None:
            return False
        path, offset, _ = self._what
        with contextlib.suppress(OSError):
            os.truncate(path, offset)
        return True


class DirectStore:
    """Writes where the path says, in the caller's thread; see :class:`Store`."""

    waiting_bytes = 0

    def append(self, path: Path, offset: int, data: bytes) -> Ticket:
        """See :meth:`Store.append`; it is written at the first look at the ticket."""
        return _DirectTicket(path, offset, data)

    def write_whole(self, path: Path, data: bytes) -> None:
        """See :meth:`Store.write_whole`."""
        write_bytes(path, data)

    def make_folder(self, path: Path) -> Path:
        """See :meth:`Store.make_folder`."""
        return make_folder(path)

    def replace(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """See :meth:`Store.replace`."""
        absent = [path.name for path in new if not path.exists()]
        if absent:
            raise StorageError(f"not replaced: {', '.join(absent)} is not there")
        for path in old:
            overwrite(path)
        remove_durably(old)

    def locate(self, path: Path) -> Path:
        """See :meth:`Store.locate`."""
        return path

    def settle(self, path: Path) -> None:
        """See :meth:`Store.settle`: it always can."""

    def troubles(self) -> Sequence[Trouble]:
        """Nothing: errors come from the tickets."""
        return ()


DIRECT = DirectStore()


def append_durably(path: Path, offset: int, data: bytes) -> None:
    """Write ``data`` at ``offset``, make that the end of the file, and sync.

    Missing folders and the file are made, durably. A failure leaves nothing behind it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        fresh = False
    except FileNotFoundError:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        fresh = True
    try:
        _write_at(descriptor, offset, data)
        if fresh:
            sync_folder(path.parent)
    finally:
        os.close(descriptor)


def _write_at(descriptor: int, offset: int, data: bytes) -> None:
    end = offset + len(data)
    try:
        view = memoryview(data)
        at = offset
        while at < end:
            at += os.pwrite(descriptor, view[at - offset :], at)
        if os.fstat(descriptor).st_size != end:
            os.ftruncate(descriptor, end)
        os.fdatasync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, offset)
        raise


def remove_durably(paths: Sequence[Path]) -> None:
    """Remove files (absent ones, too) and sync their folders.

    Raises:
        StorageError: one cannot be removed.
    """
    folders: Mapping[Path, None] = dict.fromkeys(path.parent for path in paths)
    try:
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in folders:
            if folder.is_dir():
                sync_folder(folder)
    except OSError as error:
        raise StorageError(f"{error.filename}: cannot be removed: {error.strerror}") from error
