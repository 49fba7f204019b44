"""Writes that are on the disk when they return.

A file is durable when its bytes *and* its folder entry are synced; a file that replaces another
is written beside it, synced, and renamed over it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kiosk.errors import StorageError


def sync_folder(folder: Path) -> None:
    """Sync the entries of ``folder`` (file names; the files' bytes are synced by their writer)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o750) -> Path:
    """Make ``folder`` and its parents, durably; return it. It may exist already."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=mode, exist_ok=True)
            sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder


def write_bytes(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write ``data`` to ``path`` atomically and durably: the old content or the new, never less.

    Raises:
        StorageError: disk full, read-only or gone; the old content is untouched.
    """
    write_chunks(path, (data,), mode)


def write_chunks(path: Path, chunks: Iterable[bytes], mode: int = 0o640) -> None:
    """Write ``chunks`` one after the other, as :func:`write_bytes` does."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def write_text(path: Path, text: str, mode: int = 0o640) -> None:
    """Write ``text`` as UTF-8, atomically and durably (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"), mode)


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as readable UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def write_json(path: Path, value: Any, mode: int = 0o640) -> None:
    """Write ``value`` as readable UTF-8 JSON, atomically and durably."""
    write_bytes(path, json_bytes(value), mode)
