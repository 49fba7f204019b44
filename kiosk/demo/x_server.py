"""Runs a private X server: Xvfb without a display, Xephyr in a window with one.

The demo never draws on or clicks in the person's own display.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.demo.processes import end_process, end_with_this_process
from kiosk.errors import KioskError


@dataclass(frozen=True)
class Display:
    """A running X server; ``name`` is the value of ``DISPLAY``, ``window`` has the picture."""

    name: str
    server: str
    width: int
    height: int
    window: str = "root"

    def command(self, *words: str) -> list[str]:
        """Return the command that runs the program ``words`` where it can reach this display."""
        return list(words)


@contextmanager
def x_server(width: int, height: int, log: Path) -> Iterator[Display]:
    """Run an X server with one screen of ``width`` x ``height`` pixels until the block ends.

    Raises:
        KioskError: no X server is installed, or it did not come up.
    """
    nested = bool(os.environ.get("DISPLAY")) and shutil.which("Xephyr") is not None
    program = "Xephyr" if nested else "Xvfb"
    if shutil.which(program) is None:
        raise KioskError(f"{program} is not installed: run 'make setup'")
    reader, writer = os.pipe()
    size = f"{width}x{height}"
    options = ["-screen", size] if nested else ["-screen", "0", f"{size}x24"]
    command = [program, "-displayfd", str(writer), *options, "-nolisten", "tcp", "-noreset"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            pass_fds=(writer,),
            stdout=output,
            stderr=output,
            # SIGTERM: it removes its lock and its socket
            preexec_fn=end_with_this_process(signal.SIGTERM),  # noqa: PLW1509 (takes no lock)
        )
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise KioskError(f"{program} did not start; see {log}")
        yield Display(f":{number}", program, width, height)
    finally:
        end_process(process)
