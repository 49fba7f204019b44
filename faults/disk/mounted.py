"""A trial disk in use: mount it, make it fail, cut its power, mount what survived."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Literal

from faults.disk.server import unmount
from faults.disk.volume import UnsyncedNames

FailureMode = Literal["ok", "full", "read_only", "gone", "slow"]
ANSWER_TIMEOUT_S = 30.0


def missing_requirement() -> str:
    """Return what this machine lacks for trial disks, or ``""``."""
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return "" if shutil.which("fusermount3") else "there is no fusermount3 (Debian: fuse3)"


class TrialDiskError(Exception):
    """The trial disk itself failed."""


class MountedDisk:
    """A trial disk, mounted at ``path`` (a context manager).

    Args:
        path: an empty folder, or one that can be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = path.with_name(f"{path.name}.log")
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MountedDisk:
        if requirement := missing_requirement():
            raise TrialDiskError(requirement)
        self.path.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "faults.disk.server", str(self.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
                start_new_session=True,
            )
        self.mount()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        server = self._server
        assert server is not None
        assert server.stdin is not None
        assert server.stdout is not None
        unmount(self.path, lazily=True)
        server.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(5)
        server.kill()
        server.wait()
        server.stdout.close()

    def _request(self, **request: object) -> dict[str, Any]:
        server = self._server
        assert server is not None
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
            raise TrialDiskError(f"no answer to {request}: {self._log.read_text()[-2000:]}")
        line = server.stdout.readline()
        if not line:
            raise TrialDiskError(f"ended at {request}: {self._log.read_text()[-2000:]}")
        return dict(json.loads(line))

    def mount(self) -> None:
        """Serve the current content."""
        self._request(do="mount")

    def fail(self, mode: FailureMode, seconds: float = 0.0) -> None:
        """Fail in ``mode``, or be ``ok`` again; ``seconds`` is how long a sync takes when slow."""
        self._request(do="fail", how=mode, seconds=seconds)

    def cut_power(self, random: Random, names: UnsyncedNames = UnsyncedNames.UNDONE) -> int:
        """Cut the power: unsynced data are lost, and nothing can be read or written.

        Returns:
            Number of files with unsynced data.
        """
        answer = self._request(do="cut", seed=str(random.random()), names=names.value)
        return int(answer["lost"])

    def remount(self, limit_s: float = 10.0) -> None:
        """Mount the surviving data; its users must have been killed.

        Raises:
            TrialDiskError: somebody still uses it.
        """
        end = time.monotonic() + limit_s
        while not unmount(self.path):
            if time.monotonic() > end:
                raise TrialDiskError(f"{self.path} is still in use")
            time.sleep(0.02)
        self.mount()
