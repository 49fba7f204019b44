"""The supervisor of a device's process, with real processes: no failure of a handler ends it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kiosk.hardware.child_process.supervisor import ProcessSupervisor
from tests.support.waiting import wait_for

CHILD = """
from kiosk.hardware.child_process.child import read_commands, set_up_child
writer, config = set_up_child()
writer.send_status(**config)
for _ in read_commands():
    pass
"""


@pytest.mark.parametrize("failing", ["message", "start", "look", "stop"])
def test_a_failure_of_a_handler_restarts_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    (tmp_path / "device_child.py").write_text(CHILD)
    path = f"{tmp_path}:{Path(__file__).parents[2]}:{os.environ.get('PYTHONPATH', '')}"
    monkeypatch.setenv("PYTHONPATH", path)
    has_failed, reasons, sessions = threading.Event(), list[str](), list[int]()
    received: list[tuple[int, bytes]] = []

    def fail_once(at: str) -> None:
        if at == failing and not has_failed.is_set():
            has_failed.set()
            raise ValueError("a message that nobody understands")

    def on_message(_kind: int, payload: bytes) -> None:
        fail_once("message")
        received.append((sessions[-1], payload))

    def find_problem() -> str | None:
        fail_once("look")
        is_second = bool(received) and sessions[-1] > 1
        return None if is_second or failing != "stop" else "is told to end"

    def on_start(session: int) -> None:
        sessions.append(session)
        fail_once("start")

    def on_stop(reason: str) -> None:
        reasons.append(reason)
        fail_once("stop")

    supervisor = ProcessSupervisor(
        "device", "device_child", {"is": "here"}, on_message, find_problem, on_start, on_stop
    )
    supervisor.start()
    try:
        wait_for(lambda: any(number > 1 for number, _ in received), "the restarted child")
        assert received[-1][1] == b'{"is": "here"}'
        assert has_failed.is_set()
        assert reasons, "nobody was told that the device was away"
        assert supervisor.pid is not None
    finally:
        supervisor.close()
