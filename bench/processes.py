"""Processor time, memory and written bytes of a tree of processes, read from ``/proc``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/PID/stat`` after the command's name; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def descendants(root: int) -> set[int]:
    """Return ``root`` and all processes below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """Return user and system seconds of ``root`` and its descendants, ended ones included."""
    total = 0
    for pid in descendants(root):
        if (fields := _stat(pid)) is not None:
            total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return total / TICKS


def thread_cpu_seconds(root: int, name: str) -> float:
    """Return user and system seconds of the living threads of that name in the tree."""
    total = 0
    for pid in descendants(root):
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                head, _, rest = (task / "stat").read_text("ascii", "replace").rpartition(")")
                if head.partition("(")[2] == name:
                    total += sum(int(field) for field in rest.split()[11:13])
    return total / TICKS


def bytes_written(root: int) -> int:
    """Return the bytes that living processes of the tree have written to storage."""
    total = 0
    for pid in descendants(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(": ")
                total += int(value) if name == "write_bytes" else 0
    return total


def device_bytes_written(path: Path) -> int | None:
    """Return the bytes written to the disk under ``path``, by everybody; None in memory.

    Unlike :func:`bytes_written` they hold what the file system's own journal costs.
    """
    number = path.stat().st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat")
    try:
        return int(device.read_text(encoding="ascii").split()[6]) * 512
    except OSError:
        return None


def proportional_set_size(root: int) -> int:
    """Return the memory of the tree in bytes, each shared page counted once (PSS)."""
    total = 0
    for pid in descendants(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total
