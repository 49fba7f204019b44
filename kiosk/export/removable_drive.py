"""Removable drives that a copy can be written to, and the sealed hearings to copy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk.api.exports import RemovableDrive, SealedHearing
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.evidence.seal import is_sealed
from kiosk.export.minutes import load_hearing_state
from kiosk.export.permission import closed_parts, is_wholly_closed
from kiosk.export.recipient import needs_warning
from kiosk.storage.paths import Paths

VIRTUAL_MARKER = ".virtual-media"
"""A file of this name in a root turns each folder there into a drive, for tests and the demo."""
_ESCAPES = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


def find_drives(
    roots: Sequence[Path],
    mounts: Path = Path("/proc/self/mountinfo"),
) -> list[RemovableDrive]:
    """Return the drives mounted below ``roots`` that can be written to.

    Args:
        roots: folders in which removable drives are mounted (``/media/kiosk``).
        mounts: see proc(5).
    """
    drives = {}
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields, _, rest = line.partition(" - ")
        mount, file_system = fields.split(), rest.split()
        if len(mount) < 6 or not file_system:
            continue
        path = Path(_unescape(mount[4]))
        below = any(path.is_relative_to(root) and path != root for root in roots)
        if below and (drive := _probe_drive(path, file_system[0])):
            drives[drive.path] = drive
    for root in roots:
        if (root / VIRTUAL_MARKER).is_file():
            folders = (path for path in root.iterdir() if path.is_dir())
            virtual = (_probe_drive(path, "virtual") for path in folders)
            drives |= {drive.path: drive for drive in virtual if drive is not None}
    return [drives[path] for path in sorted(drives)]


def drives_for_copies(settings: Settings) -> list[RemovableDrive]:
    """Return the drives that a copy can be written to: all but the second storage."""
    own = settings.paths.mirror
    drives = find_drives(settings.export.media)
    return [drive for drive in drives if own is None or not own.is_relative_to(drive.path)]


def _unescape(text: str) -> str:
    for code, letter in _ESCAPES.items():
        text = text.replace(code, letter)
    return text


def _probe_drive(path: Path, file_system: str) -> RemovableDrive | None:
    try:
        space = os.statvfs(path)
    except OSError:
        return None
    if space.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
        return None
    size = space.f_frsize
    return RemovableDrive(
        path=str(path),
        name=path.name,
        file_system=file_system,
        free_bytes=space.f_bavail * size,
        total_bytes=space.f_blocks * size,
    )


class SealedHearingList:
    """Lists the sealed hearings of this kiosk; each hearing is read once."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._rows: dict[str, SealedHearing] = {}

    def rows(self) -> list[SealedHearing]:
        """Return the hearings, newest first; damaged ones are marked."""
        folders = {folder.name: folder for folder in self._folders()}
        self._rows = {name: row for name, row in self._rows.items() if name in folders}
        for name, folder in folders.items():
            if name not in self._rows:
                self._rows[name] = _read_row(folder)
        rows = [
            row.model_copy(update={"delivered": (self._paths.receipts / f"{name}.json").is_file()})
            for name, row in self._rows.items()
        ]
        return sorted(rows, key=lambda row: row.started, reverse=True)

    def _folders(self) -> Iterator[Path]:
        if self._paths.hearings.is_dir():
            yield from (folder for folder in self._paths.hearings.iterdir() if is_sealed(folder))


def _read_row(folder: Path) -> SealedHearing:
    """Return the list row of one hearing."""
    try:
        state = load_hearing_state(folder)
        wholly, some = is_wholly_closed(folder), bool(closed_parts(folder))
    except KioskError:
        return SealedHearing(id=folder.name, parts=0, closed="all", damaged=True)
    return SealedHearing(
        id=folder.name,
        case_number=state.details.get("case_number"),
        title=state.title,
        kind=state.details.get("kind"),
        session=state.details.get("session"),
        started=state.started,
        ended=state.stopped_at,
        seconds=round(state.finished_seconds, 1),
        parts=len(state.parts),
        people=tuple(dict.fromkeys(row.name for row in state.persons.shown if row.name)),
        needs_warning=needs_warning(state.details.get("kind")),
        closed="all" if wholly else "some" if some else "none",
    )
