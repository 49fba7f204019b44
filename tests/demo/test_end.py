"""However a demo ends, nothing that it started is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

pytestmark = [pytest.mark.slow]
MARK = "KIOSK_DEMO_TEST"


class Demo:
    """A ``kiosk demo`` whose processes are found by a variable in their environment."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self._mark = folder, f"{MARK}={uuid.uuid4()}".encode()
        self.output = folder / "demo.txt"
        name, _, value = self._mark.decode().partition("=")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kiosk.cli", "demo", "--out", str(folder), *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, name: value},
                start_new_session=True,
            )

    def running(self) -> dict[int, str]:
        """Return the command lines of all its processes, by id."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark in (path / "environ").read_bytes().split(b"\0"):
                    words = (path / "cmdline").read_bytes().split(b"\0")
                    found[int(path.name)] = b" ".join(words).decode(errors="replace")
            except OSError:
                continue
        return found

    def has_printed(self, text: str) -> Callable[[], bool]:
        """Return a condition: the demo has printed ``text``, or has ended."""
        return lambda: text in self.output.read_text() or self.process.poll() is not None


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    made: list[Demo] = []

    def start(*words: str) -> Demo:
        made.append(Demo(tmp_path / "out", *words))
        return made[-1]

    (tmp_path / "out").mkdir()
    yield start
    for demo in made:
        for pid in demo.running():
            os.kill(pid, signal.SIGKILL)
        demo.process.wait(30)


CASES = {
    "live, SIGTERM": (("--live",), "Type a role", signal.SIGTERM),
    "live, terminal closed while it is set up": (("--live",), "", signal.SIGHUP),
    "in the middle, killed": ((), "A visitor files", signal.SIGKILL),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_running(start: Callable[..., Demo], case: str) -> None:
    words, text, number = CASES[case]
    demo = start(*words)
    if text:
        wait_for(demo.has_printed(text), text, 180)
    else:
        wait_for(lambda: any("Xvfb" in line for line in demo.running().values()), "X server")
    assert demo.process.poll() is None, demo.output.read_text()
    lines = list(demo.running().values())
    if text:
        for part in ("Xvfb", "pulseaudio", " recorder", " sync", " ui", " central"):
            assert any(part in line for line in lines), f"{part} does not run: {lines}"
    demo.process.send_signal(number)
    expected = -number if number == signal.SIGKILL else 128 + number
    assert demo.process.wait(60) == expected, demo.output.read_text()
    if number == signal.SIGKILL:  # the kernel ends the children, one after the other
        wait_for(lambda: not demo.running(), f"end of all: {demo.running()}")
    assert demo.running() == {}
    assert "Traceback" not in demo.output.read_text()
