"""Storages that can really be pulled out, filled and made read-only: small tmpfs mounts."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MNT_DETACH = 2
_LIBC = ctypes.CDLL(None, use_errno=True)


def why_no_mount() -> str:
    """Return why nothing can be mounted here, or ``""``."""
    version = subprocess.run(["mount", "-V"], capture_output=True, check=False)
    if os.geteuid() != 0 or version.returncode != 0:
        return "mounting needs root"
    target = Path("/tmp") / f"mount-trial-{os.getpid()}"
    target.mkdir(exist_ok=True)
    try:
        result = subprocess.run(
            ["mount", "-t", "tmpfs", "none", str(target)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            return result.stderr.strip()
        subprocess.run(["umount", str(target)], check=False)
        return ""
    finally:
        target.rmdir()


class Stick:
    """A storage that is mounted at ``folder`` and can be pulled out and put back with its content.

    Its file system lives in a mount of its own under ``hidden``; ``folder`` is a bind mount of it.
    """

    def __init__(self, folder: Path, hidden: Path, megabytes: int = 64) -> None:
        self.folder, self._hidden = folder, hidden
        folder.mkdir(parents=True, exist_ok=True)
        hidden.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(hidden))
        self.is_plugged = False
        self.plug()

    @staticmethod
    def _mount(*arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)

    def plug(self) -> None:
        """Put it in."""
        self._mount("--bind", str(self._hidden), str(self.folder))
        self.is_plugged = True

    def pull(self) -> None:
        """Pull it out, whatever is being written."""
        path = str(self.folder).encode()
        if _LIBC.umount2(path, _MNT_DETACH) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self.is_plugged = False

    def read_only(self, on: bool = True) -> None:
        """Make it read-only, or writable again."""
        option = "ro" if on else "rw"
        for _ in range(200):  # busy while a file is open for writing, which is never long
            result = subprocess.run(
                ["mount", "-o", f"remount,bind,{option}", str(self.folder)],
                capture_output=True,
                check=False,
            )
            if result.returncode == 0:
                return
            time.sleep(0.01)
        raise AssertionError(result.stderr)

    def resize(self, megabytes: int) -> None:
        """Make it larger or smaller."""
        self._mount("-o", f"remount,size={megabytes}m", str(self._hidden))

    def close(self) -> None:
        """Unmount all of it."""
        if self.is_plugged:
            self.pull()
        _LIBC.umount2(str(self._hidden).encode(), _MNT_DETACH)


@contextmanager
def sticks(folder: Path, *names: str, megabytes: int = 64) -> Iterator[list[Stick]]:
    """Mount storages at ``folder/<name>``; skip the test where mounting is not possible."""
    if reason := why_no_mount():
        pytest.skip(f"no mounts here: {reason}")
    made: list[Stick] = []
    try:
        for name in names:
            made.append(Stick(folder / name, folder / f".{name}-disk", megabytes))
        yield made
    finally:
        for stick in made:
            stick.close()


def read_hearing_files(root: Path) -> dict[str, bytes]:
    """Return the files of all hearings on a storage; some may be removed meanwhile."""
    files = {}
    for path in (root / "hearings").rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                files[path.relative_to(root).as_posix()] = path.read_bytes()
    return files
