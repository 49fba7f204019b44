"""The lock that keeps a second process off the database of sync."""

from __future__ import annotations

import fcntl
import os
from typing import IO

from kiosk.errors import KioskError
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.paths import Paths


class AlreadyRunningError(KioskError):
    """Another ``kiosk sync`` owns this kiosk's database."""

    code = "already_running"


def acquire_lock(paths: Paths) -> IO[str]:
    """Take the lock that keeps a second process off the database; held until closed.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    path = paths.database.parent / "lock"
    make_folder(path.parent)
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "?"
        file.close()
        raise AlreadyRunningError(
            f"another kiosk process ({owner}) is using {paths.database}; only one may. "
            "Stop it first: systemctl stop kiosk-sync"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
