"""Runs a program as after a boot, with new clocks and another boot id.

It uses a time namespace and a file bound over ``/proc/sys/kernel/random/boot_id`` in a mount
namespace, which needs root. Without root the program runs in the machine's own boot and treats a
power cut as a crash.
"""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from pathlib import Path

BOOT_S = 30
"""Clock reading at the start of a program: the time a Pi takes to boot."""
_BIND = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'


def can_simulate_boots() -> bool:
    """Return whether this machine can simulate boots."""
    if os.getuid() != 0:
        return False
    command = ["unshare", "--mount", "--time", "--boottime", "0", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


class SimulatedBoots:
    """Simulated boots of one kiosk.

    Args:
        folder: for the files with the boot ids.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offset_s = 0
        self.is_supported = can_simulate_boots()

    def next_boot_command(self) -> list[str]:
        """Return the command prefix that runs a program in the next boot."""
        if not self.is_supported:
            return []
        self._offset_s = BOOT_S - int(time.monotonic())
        identity = self._folder / "boot_id"
        identity.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        offset = str(self._offset_s)
        clocks = ["--time", "--monotonic", offset, "--boottime", offset]
        return ["unshare", "--mount", *clocks, "--", "sh", "-c", _BIND, str(identity)]

    def to_boot_ns(self, monotonic_s: float) -> int:
        """Convert our ``time.monotonic()`` to the program's recording clock."""
        return round((monotonic_s + self._offset_s) * 1e9)
