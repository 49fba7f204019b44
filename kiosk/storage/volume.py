"""A storage volume: durable operations on files below its root, and its identity.

All bytes of a mirrored store go through these methods, so that a test simulates a slow or broken
disk by overriding one.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain, count
from pathlib import Path

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, sync_folder, wipe_file, write_bytes
from kiosk.storage.hearing_folder import AGE_SUFFIX
from kiosk.storage.space import DiskSpeed, measure_speed
from kiosk.storage.store import append_durably, discard_start, remove_durably
from kiosk.storage.volume_marker import VolumeRole, identify_volume

_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CHUNK_BYTES = 1 << 20
SET_ASIDE = "set-aside"
ONLY_HERE = f"{SET_ASIDE}/only-here"
"""Bytes of a file that the other copy does not have: ``<path>.<begin>-<end>``, ``…-1``, …"""


class GapError(Exception):
    """The log is shorter than the offset at which the bytes belong."""


class StorageVolume:
    """Files below ``root``; relative names use ``/``.

    Args:
        root: its root folder.
        kiosk_id: the kiosk that it must belong to.
        role: ``data`` (the primary) or ``mirror``.

    Attributes:
        allows_holes: accept bytes beyond the end of a log.
        encrypt_to_court: encrypts what is set aside of a part that is closed afterwards; raises
            StorageError when it cannot.
    """

    def __init__(self, root: Path, kiosk_id: str, role: VolumeRole) -> None:
        self.root = root
        self.role = role
        self.allows_holes = False
        self.encrypt_to_court: Callable[[bytes], bytes] | None = None
        self._kiosk_id = kiosk_id

    def identity(self, root: Path | None = None) -> tuple[str, str]:
        """Return state and UUID; see :func:`kiosk.storage.volume_marker.identify_volume`."""
        return identify_volume(root or self.root, self._kiosk_id, self.role)

    def space(self) -> tuple[int, int]:
        """Return the free bytes and all bytes.

        Raises:
            OSError: it does not answer.
        """
        stat = os.statvfs(self.root)
        return stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize

    def measure_speed(self, size: int) -> DiskSpeed:
        """Write ``size`` bytes durably, read them back, compare; nothing of them stays.

        Raises:
            OSError: the storage is not there.
            StorageError: it refuses, or other bytes are read back.
        """
        with self._mounted() as root:
            return measure_speed(root, size)

    @contextmanager
    def _pinned(self) -> Iterator[Path]:
        """Give the root of what is mounted now, for one operation.

        A path below it stays on this disk, whatever is pulled out or mounted meanwhile: nothing is
        made on a mount point whose disk has just gone. Errors name files relative to the root.
        """
        descriptor = os.open(self.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        root = Path(f"/proc/self/fd/{descriptor}")
        try:
            yield root
        except StorageError as error:
            raise StorageError(str(error).replace(f"{root}/", "")) from error.__cause__
        except OSError as error:
            error.filename = error.filename and str(error.filename).removeprefix(f"{root}/")
            raise
        finally:
            os.close(descriptor)

    @contextmanager
    def _mounted(self) -> Iterator[Path]:
        """Give the root as :meth:`_pinned` does, if it is the storage.

        Raises:
            OSError: the storage is not there.
        """
        with self._pinned() as root:
            self._require_mounted(root)
            yield root

    def _require_mounted(self, root: Path) -> None:
        """Refuse to create anything on a mount point whose disk is absent.

        Raises:
            OSError: the storage is not there.
        """
        state, _ = self.identity(root)
        if state not in ("ok", "read_only"):
            raise OSError(errno.ENODEV, "the storage is not there")

    # -- operations, durable when it returns; all raise OSError or StorageError ----------------
    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Write ``data`` at ``offset``, which makes it the end of the log.

        Raises:
            GapError: the bytes before it are missing.
        """
        with self._pinned() as root:
            path = root / relative
            size = _size(path)
            if size < offset or not path.exists():
                self._require_mounted(root)
            if size < offset and not self.allows_holes:
                raise GapError(f"{relative}: {size} bytes, not {offset}")
            append_durably(path, offset, data)

    def patch(self, relative: str, offset: int, data: bytes) -> None:
        """Write into a log, over what is there; what follows stays. An absent log is made."""
        with self._pinned() as root:
            path, flags = root / relative, os.O_WRONLY | os.O_CLOEXEC
            is_new = not path.exists()
            if is_new:
                self._require_mounted(root)
                make_folder(path.parent)
                flags |= os.O_CREAT
            descriptor = os.open(path, flags, 0o640)
            try:
                at, view = 0, memoryview(data)
                while at < len(data):
                    at += os.pwrite(descriptor, view[at:], offset + at)
                os.fdatasync(descriptor)
                if is_new:
                    sync_folder(path.parent)
            finally:
                os.close(descriptor)

    def write_file(self, relative: str, data: bytes) -> None:
        """Write a small file atomically."""
        with self._mounted() as root:
            path = root / relative
            make_folder(path.parent)
            write_bytes(path, data)

    def make_folder(self, relative: str) -> None:
        """Create a folder and its parents."""
        with self._pinned() as root:
            if not (root / relative).is_dir():
                self._require_mounted(root)
                make_folder(root / relative)

    def discard_start(self, relative: str) -> None:
        """Remove what a failed start has left; see :func:`kiosk.storage.store.discard_start`."""
        with self._mounted() as root:
            discard_start(root / relative)

    def wipe(self, relative: str, offset: int, length: int | None) -> None:
        """Overwrite a range of a file; see :func:`kiosk.storage.atomic_io.wipe_file`."""
        with self._mounted() as root:
            wipe_file(root / relative, offset, length)

    def remove_files(self, relatives: tuple[str, ...]) -> None:
        """Remove files; absent ones are no error."""
        with self._mounted() as root:
            remove_durably([root / relative for relative in relatives])

    def set_file_aside(self, relative: str) -> None:
        """Move a file that no seal covers out of the hearing, without deleting it."""
        with self._mounted() as root:
            source = root / relative
            other = root / ONLY_HERE / f"{relative}.0-{_size(source)}"
            others = (other.with_name(f"{other.name}-{n}" if n else other.name) for n in count())
            places = chain([root / SET_ASIDE / relative], others)
            target = next(place for place in places if not place.exists())
            make_folder(target.parent)
            source.replace(target)
            sync_folder(target.parent)
            sync_folder(source.parent)

    def encrypt_set_aside(self, relative: str) -> None:
        """Encrypt a file that is set aside to ``<relative>.<digest>.age``, for the court alone.

        It is about to be erased, and may be the only copy of what it holds. A file that is not set
        aside is left alone: it has its replacement.
        """
        is_set_aside = relative.startswith(f"{SET_ASIDE}/") and self.exists(relative)
        if not is_set_aside or self.encrypt_to_court is None:
            return
        with self._mounted() as root:
            plain = (root / relative).read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:8]  # what is wiped in half is another file
            encrypted = root / f"{relative}.{digest}{AGE_SUFFIX}"
            if not encrypted.exists():
                write_bytes(encrypted, self.encrypt_to_court(plain))

    def keep_range(self, relative: str, begin: int, end: int, source: StorageVolume) -> None:
        """Copy a range of a file of ``source`` to :data:`ONLY_HERE`; nothing kept is overwritten.

        It may be repeated: what is kept already is not kept again.
        """
        with self._mounted() as root:
            for number in count():
                kept = f"{ONLY_HERE}/{relative}.{begin}-{end}{f'-{number}' if number else ''}"
                size = self.size(kept)
                if size <= end - begin and self._begins_at(kept, size, relative, begin, source):
                    break
            for at in range(begin + size, end, CHUNK_BYTES):
                data = source.read(relative, at, min(CHUNK_BYTES, end - at))
                append_durably(root / kept, at - begin, data)

    def _begins_at(
        self, kept: str, size: int, relative: str, begin: int, source: StorageVolume
    ) -> bool:
        """Return whether ``kept`` is the beginning of a range of ``source``."""
        return all(
            self.read(kept, at, length) == source.read(relative, begin + at, length)
            for at in range(0, size, CHUNK_BYTES)
            for length in (min(CHUNK_BYTES, size - at),)
        )

    # -- reading -------------------------------------------------------------------------------
    def reading(self) -> AbstractContextManager[None]:
        """Return what a read of a file below ``root`` runs in that no method here makes."""
        return nullcontext()

    def size(self, relative: str) -> int:
        """Return the size of a file in bytes; 0 if there is none."""
        return _size(self.root / relative)

    def exists(self, relative: str) -> bool:
        """Return whether the file exists."""
        return (self.root / relative).exists()

    def read(self, relative: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes; they do not stay in the page cache."""
        with (self.root / relative).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), length, offset)
            os.posix_fadvise(file.fileno(), offset, length, os.POSIX_FADV_DONTNEED)
            return data

    def list_files(self, folder: str) -> list[str]:
        """Return the names of all files below ``folder``, sorted; none if it is absent."""
        base = self.root / folder
        found = [path for path in base.rglob("*") if path.is_file()] if base.is_dir() else []
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def list_names(self, folder: str) -> list[str]:
        """Return the names in ``folder``, sorted; none if it is absent."""
        base = self.root / folder
        return sorted(path.name for path in base.iterdir()) if base.is_dir() else []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def failure_state(error: Exception) -> str:
    """Return the state of a storage that failed with ``error``."""
    cause = error if isinstance(error, OSError) else error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    if number in _FULL_ERRNOS:
        return "full"
    if number == errno.EROFS:
        return "read_only"
    gone = (errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ENOENT)
    return "gone" if number in gone else "failed"


STORAGE_ERRORS = (OSError, StorageError)
