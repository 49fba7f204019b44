"""``kiosk`` processes without the seconds of importing: forked from a process that has imported it.

They are processes like any other (to be killed, frozen, ended), with a session of their own. The
parent of them all ends with the tests, and takes along what is left.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.cli import main
from tests.support import netns
from tests.support.waiting import PATIENCE

MODULES = (
    "kiosk.commands.central",
    "kiosk.central.tasks",
    "kiosk.commands.sync",
    "kiosk.services.sync",
    "kiosk.commands.recorder",
    "kiosk.services.recorder",
)
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ForkedProcess:
    """One forked process; what :class:`subprocess.Popen` can do, as far as tests need it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = threading.Event()

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit status.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; does nothing after the end."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def end(self, grace_seconds: float = 8.0) -> int:
        """Ask it to end, kill it when it does not; return the exit status."""
        self.terminate()
        try:
            return self.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait(30)


class ForkServer:
    """The parent: a process that has imported what ``kiosk`` needs and forks on demand."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._started: list[int] = []
        self._children: dict[int, ForkedProcess] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def start(
        self,
        argv: list[str],
        output: Path | None = None,
        errors: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ForkedProcess:
        """Start ``kiosk ARGV``; ``output`` gets what it prints (appended), and ``errors`` too.

        It runs in the calling thread's network namespace, with this process's priority, and in
        ``environment``, which is this process's of now if not given.
        """
        request = {
            "argv": argv,
            "environment": dict(os.environ if environment is None else environment),
            "nice": os.getpriority(os.PRIO_PROCESS, 0),
            "output": None if output is None else str(output),
            "errors": None if errors is None else str(errors),
            "network": netns.network_path(),
        }
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            with self._changed:
                assert self._changed.wait_for(lambda: self._started, 60), "nothing was forked"
                return self._children[self._started.pop()]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            with self._changed:
                if "started" in event:
                    self._children[event["started"]] = ForkedProcess(event["started"])
                    self._started.append(event["started"])
                    self._changed.notify_all()
                    continue
            child = self._children.pop(event["ended"])
            child.returncode = event["status"]
            child.ended.set()


_servers: dict[int, ForkServer] = {}


def fork_kiosk(
    argv: list[str],
    output: Path | None = None,
    errors: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> ForkedProcess:
    """Start ``kiosk ARGV`` from this test process's fork server, made on first use.

    Args:
        argv: the words of the command.
        output: gets what it prints, and ``errors`` what it prints as errors, if that is another.
        environment: its variables; those of this process if not given.
    """
    if os.getpid() not in _servers:
        _servers[os.getpid()] = ForkServer()
    return _servers[os.getpid()].start(argv, output, errors, environment)


def run_kiosk(argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run ``kiosk ARGV`` to its end, as :func:`fork_kiosk` starts it."""
    with tempfile.TemporaryDirectory(prefix="kiosk-command-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        status = fork_kiosk(argv, output, errors).wait(PATIENCE)
        return subprocess.CompletedProcess(
            argv, status, output.read_text("utf-8"), errors.read_text("utf-8")
        )


def _serve() -> None:
    """Run the parent: one request per line on stdin; starts and ends as lines on stdout."""
    for name in MODULES:
        importlib.import_module(name)
    children: set[int] = set()
    signal_read, signal_write = os.pipe()
    os.set_blocking(signal_write, False)
    signal.set_wakeup_fd(signal_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in END_SIGNALS:  # it ends when its stdin does, and takes its children along
        signal.signal(number, signal.SIG_IGN)
    rest = b""
    while True:
        readable, _, _ = select.select([0, signal_read], [], [], 1.0)
        if signal_read in readable:
            os.read(signal_read, 4096)
        _reap(children)
        if 0 not in readable:
            continue
        block = os.read(0, 65536)
        if not block:
            break
        *requests, rest = (rest + block).split(b"\n")
        for request in requests:
            pid = _fork(json.loads(request))
            children.add(pid)
            _print_json({"started": pid})
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap(children: set[int]) -> None:
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            children.discard(pid)
            _print_json({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _print_json(value: dict[str, Any]) -> None:
    os.write(1, (json.dumps(value) + "\n").encode())


def _fork(request: dict[str, Any]) -> int:
    network = netns.open_network(request["network"])
    pid = os.fork()
    if pid:
        os.close(network)
        return pid
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *END_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        netns.enter(network)
        os.setsid()
        os.environ.clear()
        os.environ.update(request["environment"])
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, request["nice"])
        if "PYTHONFAULTHANDLER" in os.environ:
            faulthandler.enable()
        output, errors = request["output"], request["errors"]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        os.dup2(os.open(output, flags, 0o644) if output else nothing, 1)
        if errors:
            os.dup2(os.open(errors, flags, 0o644), 2)
        elif output:
            os.dup2(1, 2)
        status = main(request["argv"])
        sys.stdout.flush()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve()
