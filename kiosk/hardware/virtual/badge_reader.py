"""A badge reader on a pseudo-terminal, which sends a line for each badge.

``python -m kiosk.hardware.virtual.badge_reader`` runs it by hand: each line of standard input is a
badge.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import tty
from pathlib import Path
from typing import Self


class VirtualBadgeReader:
    """The reader: a context manager whose ``port`` goes into ``[badge] port``.

    ``port`` is a link that stays the same after unplugging and plugging in, like a udev link.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kiosk-badge-")
        self._link = Path(self._folder.name) / "reader"
        self.port = str(self._link)
        self._master = self._slave = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_error: object) -> None:
        self.unplug()
        self._folder.cleanup()

    def scan(self, badge: str) -> None:
        """Scan ``badge``: send its text as a line."""
        self.send(badge.encode("utf-8") + b"\r\n")

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        os.write(self._master, data)

    def unplug(self) -> None:
        """Unplug the reader; programs with an open port get errors."""
        self._link.unlink(missing_ok=True)
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._master = self._slave = -1

    def plug(self) -> None:
        """Plug the reader in (again)."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._link.symlink_to(os.ttyname(self._slave))


def main() -> int:
    """Run the reader until standard input ends."""
    with VirtualBadgeReader() as reader:
        print(f'port = "{reader.port}"', flush=True)
        for line in sys.stdin:
            reader.scan(line.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
