"""The technician's USB stick: the first removable drive that is not the second storage."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.export.removable_drive import find_drives


def find_stick(settings: Settings) -> Path:
    """Return the folder in which it is mounted.

    Raises:
        StorageError: there is none (``drive_absent``).
    """
    own = settings.paths.mirror
    found = [Path(drive.path) for drive in find_drives(settings.export.media)]
    drives = [path for path in found if own is None or not own.is_relative_to(path)]
    if not drives:
        raise StorageError("no removable drive is there", code="drive_absent")
    return drives[0]


def stick_error(error: Exception) -> StorageError:
    """Return what is said when the stick refuses."""
    return StorageError(f"the stick refuses: {error}", code="stick_failed")
