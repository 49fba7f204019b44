"""Store of the hearings' bytes: the protocol, and the implementation for a single disk.

A hearing consists of append-only logs (media, journals, playlists) and a few small files. Callers
use their paths in the data folder; :meth:`Store.locate` says where the bytes are.
:class:`DirectStore` writes to that path, in the caller's thread and without a marked volume; it
seals the reports of self-tests and serves tools.
:class:`kiosk.storage.mirrored_store.MirroredStore` keeps one or two copies, from threads of its
own, so that a hanging disk delays nothing; the recorder uses it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, sync_folder, wipe_file, write_bytes
from kiosk.storage.hearing_folder import (
    COURIER_ONLY_MARKER,
    HEARING_FILE,
    JOURNAL_FILE,
    PART_FILE,
)

log = logging.getLogger(__name__)
_START_FILES = (HEARING_FILE, JOURNAL_FILE, PART_FILE, COURIER_ONLY_MARKER)

APPEND_TIMEOUT_S = 3.0
"""What no disk accepts within this time counts as not written (:func:`write_durably`)."""


@dataclass(frozen=True)
class StorageProblem:
    """A problem of a storage.

    Attributes:
        source: ``storage`` (the kiosk's own) or ``mirror`` (the second copy).
        kind: ``slow``, ``full``, ``read_only``, ``gone``, ``absent``, ``foreign`` or ``failed``.
    """

    source: str
    kind: str


class WriteTicket(Protocol):
    """Bytes on their way to the disk."""

    def is_durable(self, wait_s: float = 0.0) -> bool:
        """Return whether the bytes are durable, after waiting up to ``wait_s``.

        Raises:
            OSError, StorageError: no storage accepts them now; the store keeps trying.
        """

    def cancel(self) -> bool:
        """Cancel the write; return False if it is durable already."""


class Store(Protocol):
    """Stores the bytes of hearings. Any thread may call it."""

    def append(self, path: Path, offset: int, data: bytes) -> WriteTicket:
        """Write ``data`` at ``offset``, which makes it the end of the log at ``path``."""

    def write_file(self, path: Path, data: bytes) -> None:
        """Write a small file atomically and durably.

        Raises:
            StorageError: no storage accepts it.
        """

    def submit_file(self, path: Path, data: bytes) -> WriteTicket:
        """Write a small file as :meth:`write_file` does, in its turn; return at once."""

    def make_folder(self, path: Path) -> Path:
        """Create the folder ``path`` durably; return it.

        Raises:
            StorageError: no storage accepts it.
        """

    def discard_start(self, path: Path) -> None:
        """Remove the folder of a hearing whose start has failed; an absent one is no error.

        One that holds more than a start writes stays.

        Raises:
            StorageError: it is not possible now.
        """

    def replace_files(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """Remove the files ``old``, which ``new`` (appended before) replace.

        They are overwritten and removed on every storage; on an absent one, once it is back. If
        there are ``new`` ones, ``old`` are closed: what is set aside of them goes, too.

        Raises:
            StorageError: a new file is not durable everywhere it can be, or nothing could be
                removed; it may be called again.
        """

    def locate(self, path: Path) -> Path:
        """Return where to read the newest durable bytes of ``path`` (file or folder)."""

    def flush(self, path: Path) -> None:
        """Wait until all of a file or folder of a hearing can be read at :meth:`locate`.

        Raises:
            StorageError: its newest bytes are not on a disk yet.
        """

    def problems(self) -> Sequence[StorageProblem]:
        """Return the present problems."""

    @property
    def unwritten_bytes(self) -> int:
        """Bytes in memory that are on no storage yet."""

    @property
    def is_refusing(self) -> bool:
        """Whether every storage has refused the last write, or is not there."""

    @property
    def is_prompt(self) -> bool:
        """Whether a storage takes writes now, without delay."""


class _DirectWriteTicket:
    """Writes when it is asked whether the bytes are durable, until that has succeeded once."""

    def __init__(self, write: Callable[[], None], undo: Callable[[], None]) -> None:
        self._write: Callable[[], None] | None = write
        self._undo = undo
        self._lock = threading.Lock()

    def is_durable(self, wait_s: float = 0.0) -> bool:
        del wait_s
        with self._lock:
            if self._write is not None:
                self._write()
                self._write = None
        return True

    def cancel(self) -> bool:
        with self._lock:
            if self._write is None:
                return False
            with contextlib.suppress(OSError):
                self._undo()
            return True


_WRITTEN = _DirectWriteTicket(lambda: None, lambda: None)


class DirectStore:
    """Writes where the path says, in the caller's thread; see :class:`Store`."""

    unwritten_bytes = 0
    is_refusing = False
    is_prompt = True

    def append(self, path: Path, offset: int, data: bytes) -> WriteTicket:
        """See :meth:`Store.append`; the ticket writes it when asked."""
        write = partial(append_durably, path, offset, bytes(data))
        return _DirectWriteTicket(write, partial(os.truncate, path, offset))

    def write_file(self, path: Path, data: bytes) -> None:
        """See :meth:`Store.write_file`."""
        write_bytes(path, data)

    def submit_file(self, path: Path, data: bytes) -> WriteTicket:
        """See :meth:`Store.submit_file`; it is written now, or refused."""
        make_folder(path.parent)
        write_bytes(path, data)
        return _WRITTEN

    def make_folder(self, path: Path) -> Path:
        """See :meth:`Store.make_folder`."""
        return make_folder(path)

    def discard_start(self, path: Path) -> None:
        """See :meth:`Store.discard_start`."""
        discard_start(path)

    def replace_files(self, old: Sequence[Path], new: Sequence[Path]) -> None:
        """See :meth:`Store.replace_files`."""
        absent = [path.name for path in new if not path.exists()]
        if absent:
            raise StorageError(f"not replaced: {', '.join(absent)} is not there")
        for path in old:
            wipe_file(path)
        remove_durably(old)

    def locate(self, path: Path) -> Path:
        """See :meth:`Store.locate`."""
        return path

    def flush(self, path: Path) -> None:
        """Do nothing: the bytes are always at ``path``."""

    def problems(self) -> Sequence[StorageProblem]:
        """Return nothing: the tickets raise the errors."""
        return ()


DIRECT = DirectStore()


def write_durably(store: Store, path: Path, offset: int, data: bytes) -> None:
    """Append ``data`` through ``store`` and wait for it: all of it is durable, or nothing is there.

    Raises:
        StorageError: no disk accepts it within :data:`APPEND_TIMEOUT_S`.
    """
    ticket = store.append(path, offset, data)
    problem: Exception | None = None
    try:
        durable = ticket.is_durable(APPEND_TIMEOUT_S)
    except (OSError, StorageError) as error:
        durable, problem = False, error
    if not durable and ticket.cancel():
        why = getattr(problem, "strerror", None) or problem or "no disk takes it in time"
        raise StorageError(f"{path}: cannot be written: {why}") from problem


def append_durably(path: Path, offset: int, data: bytes) -> None:
    """Write ``data`` at ``offset``, make that the end of the file, and sync.

    Missing folders and the file are made, durably. A failure leaves the file as it was, or
    empty; a write to an empty file syncs the folder, too.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        is_first = offset == 0 or os.fstat(descriptor).st_size == 0
        _write_at(descriptor, offset, data)
        if is_first:
            sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, offset)
        raise
    finally:
        os.close(descriptor)


def _write_at(descriptor: int, offset: int, data: bytes) -> None:
    end = offset + len(data)
    view = memoryview(data)
    at = offset
    while at < end:
        at += os.pwrite(descriptor, view[at - offset :], at)
    if os.fstat(descriptor).st_size != end:
        os.ftruncate(descriptor, end)
    os.fdatasync(descriptor)


def _is_of_start(name: str) -> bool:
    return name in _START_FILES or (name.startswith(".") and name.endswith(".tmp"))


def discard_start(folder: Path) -> None:
    """Remove ``folder`` with the small files that the start of a hearing writes, durably.

    Media are never removed: a folder that holds anything else stays as it is, for the recovery.

    Raises:
        StorageError: it cannot be removed.
    """
    paths = sorted(folder.rglob("*"), reverse=True)  # what is in a folder comes before it
    folders = [path for path in paths if path.is_dir() and not path.is_symlink()]
    files = [path for path in paths if path not in folders]
    if unknown := [path.name for path in files if not _is_of_start(path.name)]:
        log.error("%s: not removed: it holds %s", folder, ", ".join(unknown[:3]))
        return
    try:
        for path in files:
            path.unlink()
        for path in [*folders, folder]:
            if path.exists():
                path.rmdir()
        if folder.parent.exists():
            sync_folder(folder.parent)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be removed: {error.strerror}") from error


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
