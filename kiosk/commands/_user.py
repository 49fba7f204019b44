"""The user as whom a command works when root runs it: the owner of what it writes.

A file that root writes into the kiosk's folders is a file that a service cannot replace.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from kiosk.errors import ConfigError
from kiosk.settings_files import load_settings, settings_path

RECORDER, SYNC, SCREEN = "kiosk-recorder", "kiosk-sync", "kiosk-ui"
WORKS_AS = {
    "court_keys": RECORDER,
    "courier": SYNC,
    "devices": RECORDER,
    "enroll": SYNC,
    "export": RECORDER,
    "fetch": SYNC,
    "mirror": RECORDER,
    "provision": RECORDER,
    "recorder": RECORDER,
    "reindex": SYNC,
    "selftest": SCREEN,
    "state": RECORDER,
    "sync": SYNC,
    "ui": SCREEN,
    "watch": RECORDER,
}
"""User by command; a command that is not here writes nothing of the kiosk and stays who it is."""
UMASK = 0o002
"""The kiosk's folders are shared by groups."""


def drop_root(command: str, settings_file: Path | None) -> None:
    """Change from root to the user of ``command``, with that user's groups.

    Nothing changes for anybody else, where there is no such user, and where the data folder
    belongs to root (a demo or a test): what such a kiosk writes stays root's.

    Args:
        settings_file: as ``--config`` gives it.
    """
    user = WORKS_AS.get(command)
    if user is None or os.geteuid() != 0 or _is_roots_own(settings_file):
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.umask(UMASK)
    os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)


def _is_roots_own(settings_file: Path | None) -> bool:
    """Return whether root owns the data folder; a broken settings file is the command's to name."""
    try:
        data = load_settings(settings_path(settings_file)).paths.data
        return data.stat().st_uid == 0
    except (ConfigError, OSError):
        return False
