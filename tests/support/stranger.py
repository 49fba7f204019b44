"""``kiosk`` as the user "nobody" types it: forked from a process of root that has imported it.

That process lives in a mount namespace of its own, in which "nobody" can read the interpreter's
folders, wherever they are. Every run is a process with its own standard streams and session.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import kiosk.cli
from tests.support.mounts import why_no_mount

NOBODY = "nobody"
_OPEN_UP = """
set -e
home=$1 kept=$2; shift 2
mount --bind "$home" "$kept"
mount -t tmpfs -o mode=755 none "$home"
for name in $(ls -A "$kept"); do
  if [ -d "$kept/$name" ]; then
    mkdir "$home/$name"
    mount --bind "$kept/$name" "$home/$name"
  fi
done
exec "$@"
"""


@dataclass(frozen=True)
class Ended:
    """How one run ended: exit status (negative: by that signal) and what it printed."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return self.out + self.err


def open_namespace(folder: Path) -> list[str]:
    """Return what runs a command in a mount namespace where all can read the interpreter's files.

    Args:
        folder: made for it.
    """
    folder.mkdir()
    command = ["unshare", "--mount", "--propagation", "private"]
    home = Path(sys.base_prefix).resolve()
    closed = [place for place in home.parents if place.stat().st_mode & 0o005 != 0o005]
    if not closed:
        return command
    kept = folder / "kept"
    kept.mkdir()
    return [*command, "sh", "-c", _OPEN_UP, "sh", str(closed[0]), str(kept)]


NEEDED_BY_COMMANDS = (
    "kiosk.central.tasks",
    "kiosk.export.hearing_export",
    "kiosk.recording.verify.hearing",
    "kiosk.services.recorder",
    "kiosk.services.sync",
)
"""What the commands import when they run, and what takes most of their time."""


class Stranger:
    """Runs commands as nobody, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [*open_namespace(folder), sys.executable, "-m", "tests.support.stranger"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *argv: str,
        cwd: Path = Path("/"),
        stdin: str | None = "",
        stdout: str = "pipe",
        end: str = "",
        environment: dict[str, str] | None = None,
    ) -> Ended:
        """Run ``kiosk ARGV`` to its end.

        Args:
            stdin: what it reads; None: closed.
            stdout: ``pipe``, ``closed``, ``unread`` (nobody reads it) or ``full`` (a full disk).
            end: a signal that it gets as soon as it waits for something: ``SIGINT``.
        """
        request = {"argv": argv, "cwd": str(cwd), "stdin": stdin, "stdout": stdout, "end": end}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps(request | {"environment": environment or {}}),
            file=self._process.stdin,
            flush=True,
        )
        line = self._process.stdout.readline()
        assert line, "the process that forks has ended"
        return Ended(**json.loads(line))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


def stranger_or_skip(folder: Path) -> Stranger:
    """Return one; skip the test where root or mounts are missing."""
    if reason := why_no_mount():
        pytest.skip(f"cannot be nobody here: {reason}")
    try:
        pwd.getpwnam(NOBODY)
    except KeyError:
        pytest.skip("there is no user “nobody” here")
    return Stranger(folder)


# -- the process that forks ------------------------------------------------------------------------
def _serve() -> None:
    commands = (f"kiosk.commands.{name}" for name in kiosk.cli.command_names())
    for name in (*commands, *NEEDED_BY_COMMANDS):
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _run(request: dict[str, Any]) -> dict[str, Any]:
    read_end, write_end = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    if request["stdout"] != "pipe":  # before it can write
        os.close(out_read)
        out_read = os.open(os.devnull, os.O_RDONLY)
    pid = os.fork()
    if pid == 0:
        _become_nobody(request, read_end, out_write, err_write)
    for descriptor in (read_end, out_write, err_write):
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        os.write(write_end, (request["stdin"] or "").encode("latin-1"))
    os.close(write_end)
    if request["end"]:
        _wait_until_it_waits(pid)
        os.kill(pid, getattr(signal, request["end"]))
    out, err = _read_both(out_read, err_read, pid)
    _, status = os.waitpid(pid, 0)
    return {"status": os.waitstatus_to_exitcode(status), "out": out, "err": err}


def _become_nobody(request: dict[str, Any], read_end: int, out_write: int, err_write: int) -> None:
    status = 99
    try:
        os.setsid()
        # A run of the tests in the background ignores SIGINT, and its children would, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(read_end, 0)
        os.dup2(out_write, 1)
        os.dup2(err_write, 2)
        if request["stdout"] == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        os.closerange(3, 256)
        sys.stdin = os.fdopen(0, "r", closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        if request["stdin"] is None:
            os.close(0)
            setattr(sys, "stdin", None)  # noqa: B010 - Python does so; its type says otherwise
        if request["stdout"] == "closed":
            os.close(1)
            setattr(sys, "stdout", None)  # noqa: B010
        entry = pwd.getpwnam(NOBODY)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.chdir(request["cwd"])
        os.environ.update(HOME="/nonexistent", **request["environment"])
        status = kiosk.cli.main(list(request["argv"]))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _wait_until_it_waits(pid: int, seconds: float = 30.0) -> None:
    """Wait until the process sleeps in a system call and has not run for a while."""
    end, before = time.monotonic() + seconds, -1
    while time.monotonic() < end:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ran = int(fields[11]) + int(fields[12])
        if fields[0] in "SZ" and ran == before:
            return
        before = ran
        time.sleep(0.3)


def _read_both(out_read: int, err_read: int, pid: int, seconds: float = 90.0) -> tuple[str, str]:
    """Return what comes on both; kill the process when they are not closed in time."""
    texts = {out_read: b"", err_read: b""}
    waiting, end = set(texts), time.monotonic() + seconds
    while waiting:
        readable, _, _ = select.select(list(waiting), [], [], max(0.0, end - time.monotonic()))
        if not readable:
            os.kill(pid, signal.SIGKILL)
            break
        for descriptor in readable:
            block = os.read(descriptor, 65536)
            texts[descriptor] += block
            if not block:
                waiting.discard(descriptor)
    for descriptor in texts:
        os.close(descriptor)
    out, err = texts[out_read], texts[err_read]
    return out.decode(errors="replace"), err.decode(errors="replace")


if __name__ == "__main__":
    _serve()
