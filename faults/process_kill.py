"""Finds the kiosk's processes and kills them as a crash would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from bench.processes import descendants


def command_line(pid: int) -> list[str]:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []


def find_processes(root: int, *words: str) -> list[int]:
    """Return ``root`` and its descendants whose command line has all ``words``, oldest first."""
    return [
        pid
        for pid in sorted(descendants(root))
        if (command := command_line(pid)) and all(word in command for word in words)
    ]


def kill(pid: int) -> None:
    """``kill -9``."""
    os.kill(pid, signal.SIGKILL)


def kill_tree(process: subprocess.Popen[bytes] | None) -> None:
    """``kill -9`` of a process and everything below it, at once; wait for its end."""
    if process is None:
        return
    for pid in descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):
            kill(pid)
    process.wait()
