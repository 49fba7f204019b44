"""Bring the time servers of kiosk.toml ([kiosk] time_servers) into systemd-timesyncd.

kiosk-host.service runs this as root when the machine starts and when kiosk.toml was edited. Without
time servers in the settings, those of the operating system stay.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from kiosk.settings_files import load_settings, settings_path
from kiosk.storage.atomic_io import write_text

HELP = "bring the time servers of kiosk.toml into the system (systemd runs it)"
EXAMPLES = ("sudo kiosk host",)
EXIT_STATUS = {0: "done", 1: "the settings of the system cannot be written"}
DROP_IN = Path("/etc/systemd/timesyncd.conf.d/90-kiosk.conf")
_RESTART = ("systemctl", "try-restart", "systemd-timesyncd.service")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--to``, for tests."""
    parser.add_argument("--to", type=Path, default=DROP_IN, metavar="FILE", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Write the drop-in if it changed, and have systemd-timesyncd read it.

    systemd loses an edit that is saved while this runs: so the file is looked at again.
    """
    settings = settings_path(arguments.config)
    seen = None
    while seen != (seen := _stamp(settings)):
        servers = load_settings(settings).kiosk.time_servers
        changed = write_drop_in(arguments.to, servers)
        if changed and arguments.to == DROP_IN:
            subprocess.run(_RESTART, check=False)
        print(f"time servers: {' '.join(servers) or 'those of the operating system'}")
    return 0


def _stamp(path: Path) -> int:
    """Return when ``path`` was written, 0 if it is absent."""
    return path.stat().st_mtime_ns if path.exists() else 0


def write_drop_in(path: Path, servers: tuple[str, ...]) -> bool:
    """Make ``path`` name ``servers``, or remove it when there are none; return whether it changed.

    ``NTP=`` is reset first: the servers of other files are not asked as well.
    """
    wanted = f"[Time]\nNTP=\nNTP={' '.join(servers)}\nFallbackNTP=\n" if servers else None
    present = path.read_text(encoding="utf-8") if path.exists() else None
    if wanted == present:
        return False
    if wanted is None:
        path.unlink()
    else:
        write_text(path, wanted, mode=0o644)
    return True
