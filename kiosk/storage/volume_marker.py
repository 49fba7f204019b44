"""Whose storage this is: a marker file in its root, written when it is adopted.

A folder without the marker is a mount point whose disk was pulled out, or somebody's stick: it
is never written to. A kiosk may have several second storages (sticks that take turns).
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.clocks import wall_text
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import write_json

MARKER = "kiosk-storage.json"
Role = Literal["data", "mirror"]


class MirrorRefusedError(StorageError):
    """The folder cannot be adopted as second storage."""

    code = "mirror_refused"


@dataclass(frozen=True)
class Marker:
    """Who may write here."""

    uuid: str
    kiosk: str
    role: str


def read_marker(root: Path) -> Marker | None:
    """Return the marker in ``root``, None where there is none (or none that can be understood).

    Raises:
        OSError: the storage cannot be read.
    """
    try:
        value = json.loads((root / MARKER).read_bytes())
        return Marker(str(value["uuid"]), str(value["kiosk"]), str(value["role"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError):
        return Marker("", "", "")


def write_marker(root: Path, kiosk: str, role: Role) -> Marker:
    """Mark ``root`` as a storage of ``kiosk``; one that is marked so already keeps its marker.

    Raises:
        StorageError: it cannot be read or written.
    """
    try:
        found = read_marker(root)
    except OSError as error:
        raise StorageError(f"{root}: cannot be read: {error.strerror}") from error
    if found is not None and found.kiosk == kiosk and found.role == role:
        return found
    marker = Marker(str(uuid.uuid4()), kiosk, role)
    about = {"uuid": marker.uuid, "kiosk": kiosk, "role": role, "adopted": wall_text()}
    write_json(root / MARKER, about)
    return marker


def adopt(root: Path, kiosk: str, data: Path, *, takeover: bool = False) -> Marker:
    """Make ``root`` a second storage of ``kiosk``.

    Args:
        data: the kiosk's own storage: the second must be another file system.
        takeover: take a storage that belongs to another kiosk; what lies there stays.

    Raises:
        MirrorRefusedError: it is no folder, no storage of its own, or another kiosk's.
        StorageError: it cannot be read or written.
    """
    try:
        found = read_marker(root)
        same = root.stat().st_dev == data.stat().st_dev
    except OSError as error:
        raise MirrorRefusedError(f"{root}: {error.strerror}") from error
    if not root.is_dir():
        raise MirrorRefusedError(f"{root}: not a folder")
    if same:
        raise MirrorRefusedError(f"{root}: lies on the same file system as {data}: is it mounted?")
    if found is not None and found.kiosk != kiosk and not takeover:
        raise MirrorRefusedError(f"{root}: belongs to {found.kiosk or 'something else'}")
    return write_marker(root, kiosk, "mirror")


def identity_of(root: Path, kiosk: str, role: Role) -> tuple[str, str]:
    """Return ``(state, uuid)``: ``ok``, ``foreign``, ``absent``, ``read_only`` or ``failed``."""
    try:
        marker = read_marker(root)
        if marker is None:
            mounted = root.is_dir() and os.path.ismount(root)
            return ("foreign" if mounted else "absent"), ""
        if marker.kiosk != kiosk or marker.role != role:
            return "foreign", marker.uuid
        read_only = bool(os.statvfs(root).f_flag & os.ST_RDONLY)
    except OSError as error:
        gone = error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.EIO)
        return ("absent" if gone else "failed"), ""
    return ("read_only" if read_only else "ok"), marker.uuid
