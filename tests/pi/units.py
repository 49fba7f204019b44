"""The kiosk's units inside the booted machine: their processes, their screen, their journal."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.demo.x_server import Display
from kiosk.errors import KioskError

SERVICES = ("recorder", "sync", "ui")
CHECK_EVERY_S = 2.0


def systemctl(*arguments: str) -> str:
    """Run systemctl; return what it prints.

    Raises:
        KioskError: it failed.
    """
    answer = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise KioskError(f"systemctl {' '.join(arguments)}: {answer.stderr} {answer.stdout}")
    return answer.stdout.strip()


def property_of(service: str, name: str) -> str:
    """Return a property of a kiosk unit."""
    return systemctl("show", f"--property={name}", "--value", f"kiosk-{service}.service")


def main_pid(service: str) -> int:
    """Return the id of a kiosk unit's main process; 0: it has none now."""
    return int(property_of(service, "MainPID"))


def restarts(service: str) -> int:
    """Return how often systemd restarted a kiosk unit."""
    return int(property_of(service, "NRestarts"))


class Units:
    """The kiosk's services as systemd runs them.

    A restart that nobody asked for is an error: what fails and is tried again looks alive.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.expected_restarts = dict.fromkeys(SERVICES, 0)
        self._checked = 0.0

    def check(self) -> None:
        """Check that no unit was restarted unexpectedly.

        Raises:
            KioskError: one was.
        """
        if time.monotonic() - self._checked < CHECK_EVERY_S:
            return
        self._checked = time.monotonic()
        units = [f"kiosk-{service}.service" for service in SERVICES]
        counts = systemctl("show", "--property=NRestarts", "--value", *units).split()
        for service, count in zip(SERVICES, counts, strict=True):
            if int(count) > self.expected_restarts[service]:
                raise KioskError(f"kiosk-{service} was restarted: {property_of(service, 'Result')}")

    def signal(self, name: str, number: int) -> None:
        """Send a signal to the main process of ``name``."""
        os.kill(main_pid(name), number)


@dataclass(frozen=True)
class UnitDisplay(Display):
    """The display of the touch screen's unit: its X server serves that user alone."""

    def command(self, *words: str) -> list[str]:
        """Return the command that runs ``words`` as the screen's user."""
        return ["setpriv", "--reuid=kiosk-ui", "--regid=kiosk", "--clear-groups", "--", *words]


def processes(service: str, *words: str) -> list[int]:
    """Return the processes of a kiosk unit whose command line ends with ``words``."""
    group = property_of(service, "ControlGroup")
    files = Path(f"/sys/fs/cgroup{group}").rglob("cgroup.procs")
    found = []
    for pid in (int(line) for file in files for line in file.read_text().split()):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]
            names = [Path(word).name for word in command[-len(words) :]]
            if not words or names == list(words):
                found.append(pid)
    return found


def journal() -> Iterator[dict[str, str]]:
    """Yield unit and text of each entry of this boot."""
    command = ["journalctl", "--boot", "--output=json", "--no-pager", "--all"]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
    for line in lines:
        entry = json.loads(line)
        unit = entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER") or "kernel"
        yield {"unit": str(unit), "text": str(entry.get("MESSAGE"))}
