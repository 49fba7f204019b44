"""One storage as the replica sees it: durable steps on files below its root, and its identity.

This is the only place where the bytes of a replica are touched: a test makes a slow or a lying
disk by overriding a method.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kiosk.errors import StorageError
from kiosk.storage.atomic_io import make_folder, overwrite, sync_folder, write_bytes
from kiosk.storage.store import append_durably, remove_durably
from kiosk.storage.volume_marker import Role, identity_of

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SET_ASIDE = "set-aside"


class GapError(Exception):
    """The log is shorter than the place where the bytes belong."""


class Disk:
    """Files below ``root``; ``relative`` names use ``/``.

    Args:
        kiosk: whose storage it must be; ``role`` as what.
    """

    def __init__(self, root: Path, kiosk: str, role: Role) -> None:
        self.root = root
        self.role = role
        self.holes_allowed = False
        self._kiosk = kiosk

    def identity(self) -> tuple[str, str]:
        """Return state and UUID; see :func:`kiosk.storage.volume_marker.identity_of`."""
        return identity_of(self.root, self._kiosk, self.role)

    def space(self) -> tuple[int, int]:
        """Return the bytes free and in all.

        Raises:
            OSError: it does not answer.
        """
        found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def _known(self) -> None:
        """Make sure that nothing is ever made on a mount point without its disk."""
        state, _ = self.identity()
        if state not in ("ok", "read_only"):
            raise OSError(errno.ENODEV, "the storage is not there")

    # -- steps, each durable when it returns; all raise OSError or StorageError ----------------
    def append(self, relative: str, offset: int, data: bytes) -> None:
        """Have ``data`` at ``offset``, the end of the log from now on.

        Raises:
            GapError: what belongs before it is not there.
        """
        path = self.root / relative
        size = self.size(relative)
        if size < offset:
            self._known()
        if size < offset and not self.holes_allowed:
            raise GapError(f"{relative}: {size} bytes, not {offset}")
        if size == 0 and not path.exists():
            self._known()
        append_durably(path, offset, data)

    def patch(self, relative: str, offset: int, data: bytes) -> None:
        """Write into the middle of a log."""
        descriptor = os.open(self.root / relative, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, data, offset)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def whole(self, relative: str, data: bytes) -> None:
        """Write a small file atomically."""
        path = self.root / relative
        self._known()
        make_folder(path.parent)
        write_bytes(path, data)

    def folder(self, relative: str) -> None:
        """Make a folder."""
        if not (self.root / relative).is_dir():
            self._known()
            make_folder(self.root / relative)

    def wipe(self, relative: str, offset: int, length: int | None) -> None:
        """Overwrite a piece of a file; see :func:`kiosk.storage.atomic_io.overwrite`."""
        self._known()
        overwrite(self.root / relative, offset, length)

    def remove(self, relatives: tuple[str, ...]) -> None:
        """Remove files; absent ones are no error."""
        self._known()
        remove_durably([self.root / relative for relative in relatives])

    def set_aside(self, relative: str) -> None:
        """Move a file that does not belong out of the hearing; nothing is thrown away."""
        self._known()
        target = self.root / SET_ASIDE / relative
        make_folder(target.parent)
        (self.root / relative).replace(target)
        sync_folder(target.parent)
        sync_folder((self.root / relative).parent)

    # -- reading -------------------------------------------------------------------------------
    def size(self, relative: str) -> int:
        """Return the bytes of a file, 0 where there is none."""
        try:
            return (self.root / relative).stat().st_size
        except FileNotFoundError:
            return 0

    def exists(self, relative: str) -> bool:
        """Say whether there is such a file."""
        return (self.root / relative).exists()

    def read(self, relative: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes; they do not stay in the page cache."""
        with (self.root / relative).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), length, offset)
            os.posix_fadvise(file.fileno(), offset, length, os.POSIX_FADV_DONTNEED)
            return data

    def files(self, folder: str) -> list[str]:
        """Return the names of all files below ``folder``, sorted; none where it is absent."""
        base = self.root / folder
        found = [path for path in base.rglob("*") if path.is_file()] if base.is_dir() else []
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def names(self, folder: str) -> list[str]:
        """Return the names in ``folder``, sorted; none where it is absent."""
        base = self.root / folder
        return sorted(path.name for path in base.iterdir()) if base.is_dir() else []


def kind_of(error: Exception) -> str:
    """Return the state of a storage that refused with ``error``."""
    cause = error if isinstance(error, OSError) else error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    if number in _FULL:
        return "full"
    if number == errno.EROFS:
        return "read_only"
    gone = (errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ENOENT)
    return "gone" if number in gone else "failed"


Refusal = (OSError, StorageError)
