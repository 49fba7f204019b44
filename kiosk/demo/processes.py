"""Processes of the demo: each has a log; they end in reverse order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from kiosk.errors import KioskError
from kiosk.hardware.child_process.pdeathsig import die_with_parent

T = TypeVar("T")


def end_process(process: subprocess.Popen[bytes], grace_seconds: float = 8.0) -> None:
    """Terminate ``process``; kill it, and the rest of its group, if it does not end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end_with_this_process(number: int = signal.SIGKILL) -> Callable[[], None] | None:
    """Return what a new process does before it starts, so that it ends however this one does.

    The kernel ends it with the thread that started it: of the main thread only can that be said.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    parent = os.getpid()
    return lambda: die_with_parent(parent, number)


def wait_until(
    condition: Callable[[], T | None], what: str, seconds: float = 30.0, every: float = 0.1
) -> T:
    """Return the first true value of ``condition``, checked ``every`` so many seconds.

    Raises:
        KioskError: it was not true within ``seconds``; the message names ``what``.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise KioskError(f"timed out after {seconds:.0f} s: {what}")
        time.sleep(every)


class Services(Protocol):
    """What runs the kiosk's services: processes of the demo, or systemd with its units."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment of programs that work on the kiosk's screen."""

    def check(self) -> None:
        """Check that all services are running.

        Raises:
            KioskError: one is not; the message names it.
        """

    def signal(self, name: str, number: int) -> None:
        """Send signal ``number`` to the main process of one service."""


class ProcessGroup:
    """The processes of one demo, by name; ``logs`` gets one file for each."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self.environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start ``command`` in a group of its own, its output in ``logs/NAME.log``."""
        with (self._logs / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                start_new_session=True,
                preexec_fn=end_with_this_process(),  # noqa: PLW1509 (no lock is taken in it)
            )
        self._running[name] = process
        return process

    def start_kiosk(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``kiosk ARGUMENTS`` with the Python that runs the demo."""
        return self.start(name, sys.executable, "-m", "kiosk.cli", *arguments)

    def signal(self, name: str, number: int) -> None:
        """Send signal ``number`` to one process."""
        self._running[name].send_signal(number)

    def check(self) -> None:
        """Check that all processes are running.

        Raises:
            KioskError: one has ended by itself; the message names it.
        """
        for name, process in self._running.items():
            status = process.poll()
            if status is not None:
                raise KioskError(f"{name} ended with status {status}; see {self._logs}/{name}.log")

    def end(self, name: str) -> None:
        """End one process and forget it."""
        end_process(self._running.pop(name))

    def end_all(self) -> None:
        """End all processes, the last started first."""
        for name in reversed(list(self._running)):
            self.end(name)
