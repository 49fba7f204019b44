"""Media that a copy can be written to, and the sealed hearings that can be copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError
from kiosk.evidence.seal import is_sealed
from kiosk.export.minutes import read_record
from kiosk.export.permission import closed_parts, is_wholly_closed
from kiosk.storage.paths import Layout

VIRTUAL = ".virtual-media"
"""A file of this name in a root makes each folder there a medium: for tests and the demo."""
_ESCAPES = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


@dataclass(frozen=True)
class Medium:
    """A removable medium that is mounted and can be written.

    Attributes:
        path: where it is mounted: what ``POST /v1/exports`` takes as ``medium``.
        name: of its folder, as the desktop named it.
    """

    path: str
    name: str
    file_system: str
    free_bytes: int
    total_bytes: int

    def as_json(self) -> dict[str, Any]:
        """Return it as data."""
        return asdict(self)


def find_media(
    roots: Sequence[Path],
    mounts: Path = Path("/proc/self/mountinfo"),
    devices: Path = Path("/sys/dev/block"),
) -> list[Medium]:
    """Return the media mounted below ``roots``, or removable ones mounted anywhere.

    Args:
        roots: folders in which removable media are mounted (``/media``, ``/run/media``).
        mounts: see proc(5); devices: links from ``major:minor`` to the device in sysfs.
    """
    found = {}
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields, _, rest = line.partition(" - ")
        words, file_system = fields.split(), rest.split()
        if len(words) < 6 or not file_system:
            continue
        path = Path(_unescaped(words[4]))
        below = any(path.is_relative_to(root) and path != root for root in roots)
        if (below or _is_removable(devices / words[2])) and (one := _medium(path, file_system[0])):
            found[one.path] = one
    for root in roots:
        if (root / VIRTUAL).is_file():
            folders = (path for path in root.iterdir() if path.is_dir())
            found |= {one.path: one for path in folders if (one := _medium(path, "virtual"))}
    return [found[path] for path in sorted(found)]


def _unescaped(text: str) -> str:
    for code, letter in _ESCAPES.items():
        text = text.replace(code, letter)
    return text


def _is_removable(device: Path) -> bool:
    """Say whether sysfs calls a block device (or the disk of a partition) removable."""
    try:
        real = device.resolve(strict=True)
        flags = [folder / "removable" for folder in (real, real.parent)]
        return any(flag.is_file() and flag.read_text().strip() == "1" for flag in flags)
    except OSError:
        return False


def _medium(path: Path, file_system: str) -> Medium | None:
    try:
        space = os.statvfs(path)
    except OSError:
        return None
    if space.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
        return None
    size = space.f_frsize
    return Medium(str(path), path.name, file_system, space.f_bavail * size, space.f_blocks * size)


class SealedHearings:
    """Lists the sealed hearings of this kiosk; what is sealed is read once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, dict[str, Any]] = {}

    def listed(self) -> list[dict[str, Any]]:
        """Return them, the newest first; one whose journals are damaged is marked so."""
        folders = {folder.name: folder for folder in self._folders()}
        self._known = {name: row for name, row in self._known.items() if name in folders}
        for name, folder in folders.items():
            if name not in self._known:
                self._known[name] = _row(folder)
        rows = [
            {**row, "delivered": (self._layout.receipts / f"{name}.json").is_file()}
            for name, row in self._known.items()
        ]
        return sorted(rows, key=lambda row: str(row["started"]), reverse=True)

    def _folders(self) -> Iterator[Path]:
        if self._layout.hearings.is_dir():
            yield from (one for one in self._layout.hearings.iterdir() if is_sealed(one))


def _row(folder: Path) -> dict[str, Any]:
    """Return what a list shows of one hearing."""
    try:
        record = read_record(folder)
        wholly, some = is_wholly_closed(folder), bool(closed_parts(folder))
    except KioskError:
        empty = {"case_number": None, "title": None, "started": "", "seconds": 0.0, "parts": 0}
        return {"id": folder.name, **empty, "closed": "all", "damaged": True}
    return {
        "id": folder.name,
        "case_number": record.hearing.get("case_number"),
        "title": record.hearing.get("title"),
        "started": record.started,
        "seconds": round(record.closed_seconds, 1),
        "parts": len(record.parts),
        "closed": "all" if wholly else "some" if some else "none",
        "damaged": False,
    }
