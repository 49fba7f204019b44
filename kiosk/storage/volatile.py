"""Whether a folder's content is gone at power-off: in memory, or an overlay with its changes there.

Raspberry Pi OS' overlay option mounts such an overlay over the whole system: everything looks as
it should, and every recording is gone at power-off. Source: proc_pid_mountinfo(5), overlayfs.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_IN_MEMORY = frozenset({"tmpfs", "ramfs", "rootfs", "devtmpfs"})
_MEMORY_DISK = re.compile(r"/dev/(zram|ram)\d+")
_UPPER = re.compile(r"(?:^|,)upperdir=((?:\\.|[^,\\])+)")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MAX_LAYERS = 8


@dataclass(frozen=True)
class _Mount:
    point: Path
    kind: str
    source: str
    options: str


def is_volatile(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> bool:
    """Return whether what is written below ``folder`` is gone at power-off.

    An overlay whose upper layer cannot be found counts as volatile: nothing shows that it lasts.

    Raises:
        OSError: the list of mounts cannot be read.
    """
    mounts = _read_mounts(mountinfo.read_text(encoding="utf-8", errors="surrogateescape"))
    place = folder.resolve()
    for _ in range(_MAX_LAYERS):
        mount = _mount_of(place, mounts)
        if mount is None:
            return False
        if mount.kind != "overlay":
            return mount.kind in _IN_MEMORY or _MEMORY_DISK.match(mount.source) is not None
        if "volatile" in mount.options.split(","):  # it syncs nothing
            return True
        upper = _UPPER.search(mount.options)
        if upper is None:
            return False  # nothing can be written at all, which the storage's state says
        place = Path(re.sub(r"\\(.)", r"\1", upper[1]))
        if not place.is_absolute() or not _is_there(place):
            return True
        place = place.resolve()
    return True


def _is_there(place: Path) -> bool:
    """Return whether ``place`` exists; what may not be seen may exist."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _mount_of(place: Path, mounts: list[_Mount]) -> _Mount | None:
    """Return the mount that ``place`` is on: the longest mount point, of several the newest."""
    above = [mount for mount in mounts if place.is_relative_to(mount.point)]
    return max(reversed(above), key=lambda mount: len(mount.point.parts), default=None)


def _read_mounts(text: str) -> list[_Mount]:
    mounts = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) > 4 and len(rest) > 2:
            point, source, options = map(_unescape, (fields[4], rest[1], rest[2]))
            mounts.append(_Mount(Path(point), rest[0], source, options))
    return mounts


def _unescape(text: str) -> str:
    """Return ``text`` with the kernel's octal escapes (blank, tab, newline, backslash) replaced."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), text)
