"""Writing a copy to a medium of the parties (FAT32 too) and reading all of it back.

The folder is called ``<name>.unfinished`` until everything in it was read back from the medium
and found equal; what a pulled stick leaves behind is found by its marker and removed at the next
try. No links, no permissions, no hidden files: plain names, plain files.
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
    CopyDiffersError,
    MediumBusyError,
    MediumError,
    NoSpaceError,
    SourceChangedError,
)

UNFINISHED = ".unfinished"
MARKER = "unfinished.txt"
_MARK = "courtroom-kiosk copy, unfinished; may be removed\n"
BLOCK = 1 << 20
_FLUSH_BYTES = 32 * BLOCK
"""So often written data is pushed to the medium, so that the page cache is left to others."""
_CLUSTER = 32 * 1024
"""Largest cluster of FAT32: what a file takes is rounded up to it."""
_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE, errno.ENOTCONN)
Tell = Callable[[int], None]
"""Called with the bytes done since the last call; may raise to break off."""


def safe_name(text: str) -> str:
    """Return ``text`` as a name that any file system takes (letters, digits, dots, dashes)."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "0"


def taken_on_medium(sizes: list[int]) -> int:
    """Return the bytes that files of ``sizes`` take on a medium, at most."""
    return sum(-(-size // _CLUSTER) * _CLUSTER for size in sizes) + 64 * _CLUSTER


@dataclass
class _Written:
    """A file as it was written: its size and the SHA-256 of each block of 1 MiB."""

    size: int = 0
    blocks: list[bytes] = field(default_factory=list)


class MediumFile:
    """A file on the medium: written nearly in order, its blocks hashed as they are written.

    A player's file is written from its beginning to its end, but for the length in its first
    bytes, which is put in last: so the first block may be written again.
    """

    def __init__(self, path: Path, tell: Tell, on_close: Callable[[_Written], None]) -> None:
        self._tell = tell
        self._on_close = on_close
        self._file = path.open("wb", buffering=0)
        self._first = bytearray()
        self._tail = bytearray()
        self._blocks: list[bytes] = []
        self._size = self._position = self._dirty = 0

    def write(self, data: bytes) -> int:
        """Write at the position."""
        view = memoryview(data)
        while view:  # a raw write may take less
            view = view[self._file.write(view) or 0 :]
        self._hash(bytes(data))
        self._position += len(data)
        self._dirty += len(data)
        if self._dirty >= _FLUSH_BYTES:
            self._flush()
        return len(data)

    def _hash(self, data: bytes) -> None:
        """Take ``data`` at the position into the hashes."""
        if self._position < self._size:
            if self._position + len(data) > len(self._first):
                raise MediumError("only the first block of a file may be written again")
            self._first[self._position : self._position + len(data)] = data
            return
        self._size += len(data)
        rest = BLOCK - len(self._first)
        self._first += data[:rest]
        self._tail += data[rest:] if rest > 0 else data
        while len(self._tail) >= BLOCK:
            self._blocks.append(hashlib.sha256(self._tail[:BLOCK]).digest())
            del self._tail[:BLOCK]

    def _flush(self) -> None:
        os.fdatasync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        done, self._dirty = self._dirty, 0
        self._tell(done)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; see :meth:`io.IOBase.seek`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        self._position = base[whence] + offset
        return self._file.seek(self._position)

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def close(self) -> None:
        """Bring everything to the medium and close; may be called twice."""
        if self._file.closed:
            return
        try:
            self._flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        blocks = [hashlib.sha256(self._first).digest(), *self._blocks]
        if self._tail:
            blocks.append(hashlib.sha256(self._tail).digest())
        self._on_close(_Written(self._size, blocks))


class Medium:
    """One copy on a medium, from its first byte until it was read back.

    Args:
        target: folder on the medium under which the copy's folder is made.
        name: of the copy's folder.

    Raises:
        MediumError, MediumBusyError: nothing can be written there.
    """

    def __init__(self, target: Path, name: str) -> None:
        self._target = target
        self.final = _free_name(target / name)
        self.folder = self.final.with_name(self.final.name + UNFINISHED)
        self._written: dict[str, _Written] = {}
        self._folders: set[Path] = set()
        with _refusals(target):
            remove_unfinished(target)
            self._make(self.folder)
            self._lock = _locked(self.folder / MARKER)
            self._lock.write(_MARK)
            self._lock.flush()
            os.fsync(self._lock.fileno())

    def refusals(self) -> contextlib.AbstractContextManager[None]:
        """Turn what the medium refuses within into a :class:`MediumError`."""
        return _refusals(self._target)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file written so far, by name."""
        return {name: one.size for name, one in self._written.items()}

    def _make(self, folder: Path) -> None:
        for path in (*reversed(folder.parents), folder):
            if path not in self._folders and path.is_relative_to(self.folder):
                path.mkdir(exist_ok=True)
                self._folders.add(path)

    def open(self, name: str, tell: Tell = lambda _: None) -> MediumFile:
        """Begin the file ``name`` (with ``/`` between folders)."""
        path = self.folder / name
        with _refusals(self._target):
            self._make(path.parent)
            return MediumFile(path, tell, lambda one: self._written.update({name: one}))

    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with _refusals(self._target), contextlib.closing(self.open(name)) as file:
            file.write(data)

    def copy(self, source: Path, name: str, sha256: str | None, tell: Tell) -> None:
        """Copy ``source``, which must have the given SHA-256 (None: any).

        Raises:
            SourceChangedError: it has another one, or cannot be read.
        """
        digest = hashlib.sha256()
        with _refusals(self._target), contextlib.closing(self.open(name, tell)) as file:
            for block in _blocks_of(source):
                digest.update(block)
                file.write(block)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise SourceChangedError(f"{source}: not what was sealed")

    def check(self, tell: Tell, names: list[str] | None = None) -> dict[str, str]:
        """Read files back from the medium itself; return the SHA-256 of each by name.

        Raises:
            CopyDiffersError: something that was read is not what was written.
        """
        with _refusals(self._target):
            chosen = sorted(self._written) if names is None else names
            return {name: self._check(name, tell) for name in chosen}

    def _check(self, name: str, tell: Tell) -> str:
        written, digest, size = self._written[name], hashlib.sha256(), 0
        with (self.folder / name).open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            for number, wanted in enumerate(written.blocks):
                block = _exactly(file, BLOCK)
                if hashlib.sha256(block).digest() != wanted:
                    raise CopyDiffersError(f"{name}: differs from byte {number * BLOCK} on")
                digest.update(block)
                size += len(block)
                tell(len(block))
            if size != written.size or file.read(1):
                raise CopyDiffersError(f"{name}: {size} bytes in place of {written.size}")
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return digest.hexdigest()

    def finish(self) -> Path:
        """Give the checked copy its name; return its folder."""
        with _refusals(self._target):
            self._lock.close()
            (self.folder / MARKER).unlink()
            self.folder.rename(self.final)
            for folder in (self.final, self._target):
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        return self.final

    def abandon(self) -> None:
        """Remove what was written, if the medium still lets us; else the next try does."""
        self._lock.close()
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)


def remove_unfinished(target: Path) -> int:
    """Remove what interrupted copies have left under ``target``; return how many.

    Raises:
        MediumBusyError: one of them is still being written; OSError: it cannot be removed.
    """
    removed = 0
    for folder in sorted(target.glob(f"*{UNFINISHED}")):
        marker = folder / MARKER
        empty = folder.is_dir() and not any(folder.iterdir())
        if not empty:
            if not marker.is_file() or not _MARK.startswith(marker.read_text("utf-8")):
                continue  # not ours
            _locked(marker).close()
        shutil.rmtree(folder)
        removed += 1
    return removed


def require_space(target: Path, needed: int) -> None:
    """Check that ``needed`` bytes fit on the medium.

    Raises:
        NoSpaceError: they do not; MediumError: the medium does not answer.
    """
    free = free_bytes(target)
    if free < needed:
        mb = 1e6
        raise NoSpaceError(
            f"{target}: {needed / mb:.0f} MB are needed, {free / mb:.0f} MB are free"
        )


def free_bytes(target: Path) -> int:
    """Return the bytes that are free on the medium, with what an interrupted copy gives back."""
    with _refusals(target):
        found = os.statvfs(target)
        left = sum(
            path.stat().st_size
            for folder in target.glob(f"*{UNFINISHED}")
            if (folder / MARKER).is_file()
            for path in folder.rglob("*")
            if path.is_file()
        )
        return found.f_bavail * found.f_frsize + left


def _free_name(path: Path) -> Path:
    """Return ``path``, or with a number where a copy lies there already."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _locked(marker: Path) -> IO[str]:
    """Open ``marker`` and hold its lock.

    Raises:
        MediumBusyError: somebody else holds it.
    """
    file = marker.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise MediumBusyError(f"{marker.parent}: another copy is being written") from error
    except OSError:
        return file  # a file system without locks
    return file


def _blocks_of(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb", buffering=0) as file:
            while block := file.read(BLOCK):
                yield block
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise SourceChangedError(f"{source}: cannot be read: {error.strerror}") from error


def _exactly(file: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes, fewer only at the end of the file."""
    parts = bytearray()
    while len(parts) < size and (data := file.read(size - len(parts))):
        parts += data
    return bytes(parts)


@contextlib.contextmanager
def _refusals(target: Path) -> Iterator[None]:
    """Turn what the medium refuses into an error that says what happened to it."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpaceError(f"{target}: the medium is full") from error
        if error.errno in _GONE or not target.is_dir():
            raise MediumError(f"{target}: the medium is gone ({error.strerror})") from error
        raise MediumError(f"{target}: cannot be written: {error.strerror}") from error
