"""The marker file in the root of a storage, which names the kiosk that the storage belongs to.

A folder without the marker is a mount point whose disk was pulled out, or another person's stick;
nothing is ever written to it. A kiosk may have several mirrors (sticks that are used in turn).
"""

from __future__ import annotations

import errno
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.clocks import format_wall
from kiosk.errors import StorageError
from kiosk.storage.atomic_io import read_json, write_json

MARKER_FILE = "kiosk-storage.json"
VolumeRole = Literal["data", "mirror"]


class MirrorRefusedError(StorageError):
    """The folder cannot be adopted as second storage."""

    code = "mirror_refused"


@dataclass(frozen=True)
class VolumeMarker:
    """The kiosk that may write here, and the role of the storage."""

    uuid: str
    kiosk: str
    role: str


def read_marker(root: Path) -> VolumeMarker | None:
    """Return the marker in ``root``: None if there is none, an empty one if it is damaged.

    Raises:
        OSError: the storage cannot be read.
    """
    try:
        value = read_json(root / MARKER_FILE)
        return VolumeMarker(str(value["uuid"]), str(value["kiosk"]), str(value["role"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError):
        return VolumeMarker("", "", "")


def write_marker(root: Path, kiosk: str, role: VolumeRole) -> VolumeMarker:
    """Mark ``root`` as a storage of ``kiosk``; keep a marker that says so already.

    Raises:
        StorageError: it cannot be read or written.
    """
    try:
        found = read_marker(root)
    except OSError as error:
        raise StorageError(f"{root}: cannot be read: {error.strerror}") from error
    if found is not None and found.kiosk == kiosk and found.role == role:
        return found
    marker = VolumeMarker(str(uuid.uuid4()), kiosk, role)
    content = {"uuid": marker.uuid, "kiosk": kiosk, "role": role, "adopted": format_wall()}
    write_json(root / MARKER_FILE, content)
    return marker


def adopt_mirror(root: Path, kiosk: str, data: Path, *, takeover: bool = False) -> VolumeMarker:
    """Make ``root`` a mirror of ``kiosk``.

    Args:
        data: the kiosk's own storage; the mirror must be on another file system.
        takeover: accept a storage that belongs to another kiosk; its content stays.

    Raises:
        MirrorRefusedError: it is no folder, not a file system of its own, or another kiosk's.
        StorageError: it cannot be read or written.
    """
    try:
        found = read_marker(root)
        is_same_device = root.stat().st_dev == data.stat().st_dev
    except OSError as error:
        raise MirrorRefusedError(f"{root}: {error.strerror}") from error
    if not root.is_dir():
        raise MirrorRefusedError(f"{root}: not a folder")
    if is_same_device:
        raise MirrorRefusedError(f"{root}: is on the same file system as {data}: is it mounted?")
    if found is not None and found.kiosk != kiosk and not takeover:
        raise MirrorRefusedError(f"{root}: belongs to {found.kiosk or 'something else'}")
    return write_marker(root, kiosk, "mirror")


def identify_volume(root: Path, kiosk: str, role: VolumeRole) -> tuple[str, str]:
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
