"""Atomic, durable writes: the bytes are on the disk when a function returns. JSON files.

A file is durable when its bytes *and* its folder entry are synced. A file that replaces another
is written to a temporary file beside it, synced, and renamed over it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError

log = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 20
MAX_JSON_BYTES = 64 << 20
"""No JSON file of the kiosk comes near this; a larger one would take the memory of a recording."""
_UNWRITABLE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


FileVersion = tuple[int, int, int]


def file_version(path: Path) -> FileVersion | None:
    """Return inode, modification time (ns) and size: they change when a file is replaced.

    None: it is absent, or its folder cannot be read.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def sync_folder(folder: Path) -> None:
    """Sync the entries of ``folder`` (file names; the files' bytes are synced by their writer)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o770) -> Path:
    """Create ``folder`` and its missing parents durably; return it.

    The units' UMask says whether the group may write: sync deletes what the recorder made, and
    only reads what the touch screen made. A folder whose entry cannot be synced is removed again:
    the next call must not find it and take it for durable.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            is_made = _make_one(path, mode)
            try:
                sync_folder(path.parent)
            except OSError:
                if is_made:
                    with contextlib.suppress(OSError):
                        path.rmdir()
                raise
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder


def _make_one(folder: Path, mode: int) -> bool:
    """Create a folder; return False if another has made it meanwhile."""
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return False
    return True


def write_bytes(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write ``data`` to ``path`` atomically and durably: a crash leaves the old content or the new.

    Raises:
        StorageError: the disk is full, read-only or gone; the old content is untouched.
    """
    write_chunks(path, (data,), mode)


def write_chunks(path: Path, chunks: Iterable[bytes], mode: int = 0o640) -> None:
    """Write ``chunks`` one after the other, as :func:`write_bytes` does."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def wipe_ranges(size: int) -> Iterator[tuple[int, int | None]]:
    """Yield ``(offset, length)`` ranges for :func:`wipe_file` that cover a whole file.

    The last length is None: it covers what another copy of the file has beyond ``size``.
    """
    starts = range(0, max(size, 1), _BLOCK_BYTES)
    yield from ((start, None if start == starts[-1] else _BLOCK_BYTES) for start in starts)


def wipe_file(path: Path, offset: int = 0, length: int | None = None) -> None:
    """Overwrite a file, or a range of it, with zeros and sync it.

    An absent file is no error. If the disk cannot write there (a bad block, or a full
    copy-on-write file system), this is only logged, so that the file can still be removed.

    Raises:
        OSError: the disk is read-only or gone.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            end = size if length is None else min(size, offset + length)
            for start in range(offset, end, _BLOCK_BYTES):
                os.pwrite(file.fileno(), bytes(min(_BLOCK_BYTES, end - start)), start)
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _UNWRITABLE_ERRNOS:
            raise
        log.exception("%s: not overwritten", path.name)


def write_text(path: Path, text: str, mode: int = 0o640) -> None:
    """Write ``text`` as UTF-8, atomically and durably (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"), mode)


def json_bytes(value: object) -> bytes:
    """Return ``value`` as readable UTF-8 JSON; half of a surrogate pair stays an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def write_json(path: Path, value: object, mode: int = 0o640) -> None:
    """Write ``value`` as readable UTF-8 JSON, atomically and durably."""
    write_bytes(path, json_bytes(value), mode)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file at ``path``.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: it holds no JSON, something other than an object, or too much.
    """
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"{path.name}: larger than {MAX_JSON_BYTES} bytes")
    try:
        value = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError(f"{path.name}: nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path.name}: not a JSON object")
    return value


def read_json_or_none(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in the file at ``path``; None if it is missing or damaged.

    Only damage is logged.
    """
    try:
        return read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s/%s: cannot be read: %s", path.parent.name, path.name, error)
        return None
