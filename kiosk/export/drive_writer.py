"""Writes a copy to a removable drive of the parties (FAT32 too) and reads all of it back.

The folder is called ``<name>.unfinished`` until everything in it was read back from the drive
and found equal. The remains of a copy whose drive was pulled out are found by their marker and
removed by the next copy. No links, permissions or hidden files: plain names, plain files.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kiosk.export.errors import (
    DriveBusyError,
    DriveError,
    NoSpaceError,
    ReadBackError,
    SourceChangedError,
)
from kiosk.storage.atomic_io import sync_folder

UNFINISHED = ".unfinished"
MARKER = "unfinished.txt"
_MARKER_TEXT = "courtroom-kiosk copy, unfinished; may be removed\n"
BLOCK_BYTES = 1 << 20
_FLUSH_BYTES = 32 * BLOCK_BYTES
"""Written data is flushed this often, to leave the page cache to the recording."""
_CLUSTER_BYTES = 32 * 1024
"""Largest cluster of FAT32: the space of a file is rounded up to it."""
_GONE_ERRNOS = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE, errno.ENOTCONN)
OnBytes = Callable[[int], None]
"""Called with the bytes done since the last call; may raise to cancel."""


def safe_name(text: str) -> str:
    """Return ``text`` as a name that any file system takes (letters, digits, dots, dashes)."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "0"


def size_on_drive(sizes: list[int]) -> int:
    """Return the maximum number of bytes that files of ``sizes`` take on a drive."""
    return sum(-(-size // _CLUSTER_BYTES) * _CLUSTER_BYTES for size in sizes) + 64 * _CLUSTER_BYTES


@dataclass
class _WrittenFile:
    """Size of a written file and the SHA-256 of each of its blocks of 1 MiB."""

    size: int = 0
    blocks: list[bytes] = field(default_factory=list)


class HashedFile:
    """A file on the drive whose blocks are hashed while they are written.

    What is written already may be written again: an MP4 file gets its length, and the lengths of
    the parts of its index, when they are known. A block behind the last one is read from the drive
    for that, and must be what was written.
    """

    def __init__(
        self, path: Path, on_bytes: OnBytes, on_close: Callable[[_WrittenFile], None]
    ) -> None:
        self._on_bytes = on_bytes
        self._on_close = on_close
        self._file = path.open("w+b", buffering=0)
        self._tail = bytearray()
        self._blocks: list[bytes] = []
        self._size = self._position = self._dirty = 0

    def write(self, data: bytes) -> int:
        """Write ``data`` at the position.

        Raises:
            ReadBackError: a block that is to be changed is not what was written.
        """
        content = bytes(data)
        self._hash(content)
        view = memoryview(content)
        while view:  # a raw write may write less
            view = view[self._file.write(view) or 0 :]
        self._position += len(content)
        self._dirty += len(content)
        if self._dirty >= _FLUSH_BYTES:
            self._flush()
        return len(content)

    def _hash(self, data: bytes) -> None:
        """Take ``data`` at the position into the hashes; the file is as before."""
        if self._position > self._size:
            raise DriveError("a file has no holes")
        again = self._size - self._position
        self._replace(data[:again])
        self._tail += data[again:]
        self._size += max(0, len(data) - again)
        while len(self._tail) >= BLOCK_BYTES:
            self._blocks.append(hashlib.sha256(self._tail[:BLOCK_BYTES]).digest())
            del self._tail[:BLOCK_BYTES]

    def _replace(self, data: bytes) -> None:
        """Take ``data`` at the position, all of it within the file, into the hashes."""
        position = self._position
        while data:
            number, start = divmod(position, BLOCK_BYTES)
            piece, data = data[: BLOCK_BYTES - start], data[BLOCK_BYTES - start :]
            if number == len(self._blocks):
                self._tail[start : start + len(piece)] = piece
                return
            block = bytearray(os.pread(self._file.fileno(), BLOCK_BYTES, position - start))
            if hashlib.sha256(block).digest() != self._blocks[number]:
                raise ReadBackError(f"differs from byte {position - start} on")
            block[start : start + len(piece)] = piece
            self._blocks[number] = hashlib.sha256(block).digest()
            position += len(piece)

    def _flush(self) -> None:
        os.fdatasync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        done, self._dirty = self._dirty, 0
        self._on_bytes(done)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position; see :meth:`io.IOBase.seek`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        self._position = base[whence] + offset
        return self._file.seek(self._position)

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Flush everything to the drive and close; may be called twice."""
        if self._file.closed:
            return
        try:
            self._flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if self._tail or not self._blocks:
            self._blocks.append(hashlib.sha256(self._tail).digest())
        self._on_close(_WrittenFile(self._size, self._blocks))


class DriveWriter:
    """Writes one copy to a drive and reads it back.

    Args:
        target: folder on the drive under which the copy's folder is made.
        name: of the copy's folder.

    Raises:
        DriveError, DriveBusyError: nothing can be written there.
    """

    def __init__(self, target: Path, name: str) -> None:
        self._target = target
        self.final = _unused_path(target / name)
        self.folder = self.final.with_name(self.final.name + UNFINISHED)
        self._written: dict[str, _WrittenFile] = {}
        self._folders: set[Path] = set()
        with _drive_errors(target):
            remove_unfinished(target)
            self._make_folders(self.folder)
            self._lock = _open_locked(self.folder / MARKER)
            self._lock.write(_MARKER_TEXT)
            self._lock.flush()
            os.fsync(self._lock.fileno())

    def drive_errors(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that turns each ``OSError`` into a :class:`DriveError`."""
        return _drive_errors(self._target)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file written so far, by name."""
        return {name: file.size for name, file in self._written.items()}

    def _make_folders(self, folder: Path) -> None:
        for path in (*reversed(folder.parents), folder):
            if path not in self._folders and path.is_relative_to(self.folder):
                path.mkdir(exist_ok=True)
                self._folders.add(path)

    def open(self, name: str, on_bytes: OnBytes = lambda _: None) -> HashedFile:
        """Create the file ``name`` (with ``/`` between folders)."""
        path = self.folder / name
        with _drive_errors(self._target):
            self._make_folders(path.parent)
            return HashedFile(path, on_bytes, lambda file: self._written.update({name: file}))

    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with _drive_errors(self._target), contextlib.closing(self.open(name)) as file:
            file.write(data)

    def copy(self, source: Path, name: str, sha256: str | None, on_bytes: OnBytes) -> None:
        """Copy ``source``, which must have the given SHA-256 (None: any).

        Raises:
            SourceChangedError: it has another SHA-256, or cannot be read.
        """
        digest = hashlib.sha256()
        with _drive_errors(self._target), contextlib.closing(self.open(name, on_bytes)) as file:
            for block in _read_blocks(source):
                digest.update(block)
                file.write(block)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise SourceChangedError(f"{source}: not what was sealed")

    def read_back(self, on_bytes: OnBytes, names: list[str] | None = None) -> dict[str, str]:
        """Read files back from the drive itself; return the SHA-256 of each by name.

        Raises:
            ReadBackError: a file differs from what was written.
        """
        with _drive_errors(self._target):
            chosen = sorted(self._written) if names is None else names
            return {name: self._read_back(name, on_bytes) for name in chosen}

    def _read_back(self, name: str, on_bytes: OnBytes) -> str:
        written, digest, size = self._written[name], hashlib.sha256(), 0
        with (self.folder / name).open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            for number, expected in enumerate(written.blocks):
                block = _read_full(file, BLOCK_BYTES)
                if hashlib.sha256(block).digest() != expected:
                    raise ReadBackError(f"{name}: differs from byte {number * BLOCK_BYTES} on")
                digest.update(block)
                size += len(block)
                on_bytes(len(block))
            if size != written.size or file.read(1):
                raise ReadBackError(f"{name}: {size} bytes instead of {written.size}")
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return digest.hexdigest()

    def finish(self) -> Path:
        """Give the checked copy its final name; return its folder."""
        with _drive_errors(self._target):
            self._lock.close()
            (self.folder / MARKER).unlink()
            self.folder.rename(self.final)
            for folder in (self.final, self._target):
                sync_folder(folder)
        return self.final

    def discard(self) -> None:
        """Remove what was written; if the drive does not allow it, the next copy removes it."""
        self._lock.close()
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)


def remove_unfinished(target: Path) -> int:
    """Remove the remains of interrupted copies under ``target``; return how many.

    Raises:
        DriveBusyError: one of them is still being written; OSError: it cannot be removed.
    """
    removed = 0
    for folder in sorted(target.glob(f"*{UNFINISHED}")):
        marker = folder / MARKER
        empty = folder.is_dir() and not any(folder.iterdir())
        if not empty:
            if not marker.is_file() or not _MARKER_TEXT.startswith(marker.read_text("utf-8")):
                continue  # not ours
            _open_locked(marker).close()
        shutil.rmtree(folder)
        removed += 1
    return removed


def require_space(target: Path, needed: int) -> None:
    """Check that ``needed`` bytes fit on the drive.

    Raises:
        NoSpaceError: they do not; DriveError: the drive does not answer.
    """
    free = free_bytes(target)
    if free < needed:
        raise NoSpaceError(
            f"{target}: {needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
        )


def free_bytes(target: Path) -> int:
    """Return the free bytes of the drive, including the remains of interrupted copies."""
    with _drive_errors(target):
        space = os.statvfs(target)
        unfinished = sum(
            path.stat().st_size
            for folder in target.glob(f"*{UNFINISHED}")
            if (folder / MARKER).is_file()
            for path in folder.rglob("*")
            if path.is_file()
        )
        return space.f_bavail * space.f_frsize + unfinished


def _unused_path(path: Path) -> Path:
    """Return ``path``, or with a number appended if it exists already."""
    number, unused = 1, path
    while unused.exists():
        number += 1
        unused = path.with_name(f"{path.name}-{number}")
    return unused


def _open_locked(marker: Path) -> IO[str]:
    """Open and lock ``marker``.

    Raises:
        DriveBusyError: another process holds it.
    """
    file = marker.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DriveBusyError(f"{marker.parent}: another copy is being written") from error
    except OSError:
        return file  # a file system without locks
    return file


def _read_blocks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):
                yield block
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise SourceChangedError(f"{source}: cannot be read: {error.strerror}") from error


def _read_full(file: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes, fewer only at the end of the file."""
    data = bytearray()
    while len(data) < size and (block := file.read(size - len(data))):
        data += block
    return bytes(data)


@contextlib.contextmanager
def _drive_errors(target: Path) -> Iterator[None]:
    """Turn each ``OSError`` into an error that names what happened to the drive."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpaceError(f"{target}: the medium is full") from error
        if error.errno in _GONE_ERRNOS or not target.is_dir():
            raise DriveError(f"{target}: the medium is gone ({error.strerror})") from error
        raise DriveError(f"{target}: cannot be written: {error.strerror}") from error
