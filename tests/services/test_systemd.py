"""What systemd hears of a service: one datagram for each notification."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.services.watchdog import ping_watchdog
from kiosk.systemd import notify


@contextlib.contextmanager
def listening(address: str | bytes) -> Iterator[socket.socket]:
    """Yield a datagram socket bound to ``address``, as systemd has one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(10)
        yield receiver


def test_systemd_hears_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(str(tmp_path / "notify")) as receiver:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        notify("STOPPING=1")
        assert [receiver.recv(100), receiver.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_an_at_sign_stands_for_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"kiosk-test-{os.getpid()}"
    with listening(b"\0" + name.encode()) as receiver:
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify("READY=1")
        assert receiver.recv(100) == b"READY=1"


def test_a_healthy_service_pings_and_a_hung_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])

    async def ping_until_asked_three_times() -> None:
        asked = asyncio.Event()

        def is_healthy() -> bool:
            answer = next(answers, None)
            if answer is None:
                asked.set()
            return bool(answer)

        task = asyncio.create_task(ping_watchdog(is_healthy))
        await asked.wait()
        task.cancel()

    with listening(str(tmp_path / "notify")) as receiver:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000")
        asyncio.run(ping_until_asked_three_times())
        assert receiver.recv(100) == b"WATCHDOG=1"
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):
            receiver.recv(100)


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "vsock:2:1", "@" + "x" * 200])
def test_a_service_works_on_when_systemd_does_not_hear_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
