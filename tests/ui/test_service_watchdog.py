"""The touch screen tells systemd that it draws; one that hangs says nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.demo.x_server import Display
from tests.ui.fake_services import FakeRecorder, FakeSync
from tests.ui.touch_screen import TouchScreen

pytestmark = pytest.mark.slow
PING_S = 0.2


@pytest.fixture
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket on which systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(folder / "notify"))
        listener.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(3 * PING_S * 1e6)))
        yield listener


def _pid_of(screen: TouchScreen) -> int:
    assert screen._process is not None  # noqa: SLF001 - the process under test
    return screen._process.pid  # noqa: SLF001


def test_a_screen_that_hangs_is_silent(
    folder: Path,
    display: Display,
    recorder: FakeRecorder,
    sync: FakeSync,
    systemd: socket.socket,
) -> None:
    del recorder, sync
    with TouchScreen(folder, display) as screen:
        said = {systemd.recv(100) for _ in range(3)}
        assert said == {b"READY=1", b"WATCHDOG=1"}
        os.kill(_pid_of(screen), signal.SIGSTOP)
        try:
            systemd.settimeout(10 * PING_S)
            with contextlib.suppress(TimeoutError):  # what was sent before the stop comes first
                for _ in range(1000):
                    systemd.recv(100)
                pytest.fail("it goes on reporting")
        finally:
            os.kill(_pid_of(screen), signal.SIGCONT)
        systemd.settimeout(60)
        assert systemd.recv(100) == b"WATCHDOG=1"
