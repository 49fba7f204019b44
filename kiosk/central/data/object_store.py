"""Storage of delivered files: a folder by default.

Files that are still arriving are elsewhere (:mod:`kiosk.central.arrival`). A complete file moves
into the store under its upload's id; from then on it is read from the store only.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from kiosk.storage.atomic_io import make_folder, sync_folder

BLOCK_BYTES = 1 << 20


class ObjectStore(Protocol):
    """Durable storage of whole files by key (the upload's id)."""

    name: str

    def put_file(self, spooled: Path, key: str) -> None:
        """Move the synced local file ``spooled`` into the store, durably. Repeatable."""

    def has(self, key: str) -> bool:
        """Return whether the store holds ``key`` completely."""

    def read_sha256(self, key: str) -> str:
        """Read the file back and return its SHA-256 in hex."""

    def read(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes from ``start``."""

    def remove_file(self, key: str) -> None:
        """Remove ``key``, which may be absent."""

    def publish_delivery(self, kind: str, owner: str, files: Mapping[str, str]) -> None:
        """Make these files of a delivery readable, ``{path: key}``, and no others. Repeatable."""

    def withhold_file(self, key: str) -> None:
        """Move ``key`` into quarantine: kept, but :meth:`read` finds it no more. Repeatable."""

    def restore_file(self, key: str) -> None:
        """Move ``key`` back out of quarantine. Repeatable."""

    def read_withheld_sha256(self, key: str) -> str:
        """Read ``key`` in quarantine, or where it was before, and return its SHA-256 in hex.

        Raises:
            OSError, StorageError: it cannot be read.
        """

    def erase_withheld(self, key: str) -> None:
        """Remove ``key`` from quarantine, where it may be absent."""

    def free_bytes(self) -> int | None:
        """Return the free space, or None if unknown."""


class FolderStore:
    """Files under ``objects/``; complete deliveries as hard links under ``hearings/`` etc."""

    def __init__(self, root: Path) -> None:
        self.name = "folder"
        self._root = make_folder(root)
        self._objects = make_folder(root / "objects")
        self._quarantine = make_folder(root / "quarantine", mode=0o700)

    def put_file(self, spooled: Path, key: str) -> None:
        """See :class:`ObjectStore`: rename within a file system, else copy."""
        self.put_files({key: spooled})

    def put_files(self, spooled: Mapping[str, Path]) -> None:
        """Move local files into the store, durably, by key: small ones share most of the syncs."""
        for file in spooled.values():
            _begin_writing(file)
        targets = {key: self._object_path(key) for key in spooled}
        folders = {make_folder(target.parent) for target in targets.values()}
        for file in spooled.values():
            _sync_file(file)
        for key, file in spooled.items():
            with contextlib.suppress(FileNotFoundError):  # moved before a crash
                _move_durably(file, targets[key])
        for folder in folders:
            sync_folder(folder)

    def has(self, key: str) -> bool:
        """See :class:`ObjectStore`."""
        return self._object_path(key).exists()

    def read_sha256(self, key: str) -> str:
        """See :class:`ObjectStore`; the page cache is dropped first, so that the disk is read."""
        return _read_sha256(self._object_path(key))

    def read(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """See :class:`ObjectStore`."""
        with self._object_path(key).open("rb") as file:
            file.seek(start)
            while length > 0:
                block = file.read(min(BLOCK_BYTES, length))
                if not block:
                    return
                length -= len(block)
                yield block

    def remove_file(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        with contextlib.suppress(FileNotFoundError):
            self._object_path(key).unlink()

    def publish_delivery(self, kind: str, owner: str, files: Mapping[str, str]) -> None:
        """See :class:`ObjectStore`: ``<kind>s/<owner>/<path>``.

        Only links go, never the last name of any bytes.
        """
        folder = self._root / f"{kind}s" / owner
        touched = {make_folder(folder)} if files else set()
        for path, key in files.items():
            target = folder / path
            touched.add(make_folder(target.parent))
            if not _is_same_file(target, self._object_path(key)):
                target.unlink(missing_ok=True)
                target.hardlink_to(self._object_path(key))
        listed = {folder / path for path in files}
        for target in list(folder.rglob("*")):
            status = target.lstat()
            if target not in listed and stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                target.unlink()
                touched.add(target.parent)
        for parent in touched:
            sync_folder(parent)

    def withhold_file(self, key: str) -> None:
        """See :class:`ObjectStore`: a folder that only the server's account enters."""
        self._rename(self._object_path(key), self._quarantine / key)

    def restore_file(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        self._rename(self._quarantine / key, self._object_path(key))

    def read_withheld_sha256(self, key: str) -> str:
        """See :class:`ObjectStore`."""
        withheld = self._quarantine / key
        return _read_sha256(withheld if withheld.exists() else self._object_path(key))

    def erase_withheld(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        (self._quarantine / key).unlink(missing_ok=True)
        sync_folder(self._quarantine)

    @staticmethod
    def _rename(source: Path, target: Path) -> None:
        make_folder(target.parent)
        with contextlib.suppress(FileNotFoundError):  # moved before a crash
            source.rename(target)
        sync_folder(target.parent)
        sync_folder(source.parent)

    def free_bytes(self) -> int | None:
        """See :class:`ObjectStore`."""
        return shutil.disk_usage(self._root).free

    def _object_path(self, key: str) -> Path:
        return self._objects / key[:2] / key


def _read_sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begin_writing(path: Path) -> None:
    """Let the kernel begin to write a file: the syncs of many need not wait one by one."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_file(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())


def _move_durably(source: Path, target: Path) -> None:
    """Move a synced file durably; the target is whole or absent."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        temporary = target.with_suffix(".part")
        shutil.copyfile(source, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        source.unlink()


def _is_same_file(path: Path, other: Path) -> bool:
    return path.exists() and path.samefile(other)
