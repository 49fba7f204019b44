"""A technician sees how old the services are and restarts them; real processes come back."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kiosk.api.operations import NoBody
from kiosk.api.sync import SYNC_OPERATIONS
from kiosk.api.upkeep import RESTART
from kiosk.ipc import LocalClient, ServiceDownError, ServiceRefusedError
from kiosk.services.local_api import Call, NotServedError, add_routes
from kiosk.services.service_life import ServiceLife
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, hearing, seconds_at_least
from tests.support.contract import check_answer
from tests.support.waiting import PATIENCE, wait_for


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the processes believe that systemd starts them again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        yield


@pytest.fixture
def unsupervised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody start the processes again."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


def refusal(recorder: RecorderProcess, role: str = "technician") -> tuple[int, str]:
    """Return status and code with which the restart is refused."""
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/restart", role=role)
    return refused.value.status, refused.value.code


def why(recorder: RecorderProcess) -> tuple[str, int]:
    """Return why the recorder was started, and how often."""
    status = recorder.call("GET", "/v1/service")
    return status["reason"], status["starts"]


@pytest.mark.slow
@pytest.mark.usefixtures("systemd")
def test_the_recorder_restarts_for_a_technician_and_says_why_it_was_started(
    make_recorder: MakeRecorder,
) -> None:
    recorder = make_recorder(microphones=None, camera="none")
    recorder.start()
    assert why(recorder) == ("boot", 1)
    assert refusal(recorder, "secretary") == (403, "sign_in_refused")
    assert recorder.post("/v1/restart", role="technician") == {}
    assert recorder.process.wait(PATIENCE) == 0
    recorder.start()
    assert why(recorder) == ("technician", 2)
    recorder.kill()
    recorder.start()
    assert why(recorder) == ("failed", 3)
    assert recorder.stop() == 0
    recorder.start()
    assert why(recorder) == ("stopped", 4)


@pytest.mark.slow
@pytest.mark.usefixtures("systemd")
def test_no_hearing_is_interrupted_by_a_restart(recorder: RecorderProcess) -> None:
    recorder.wait_until_ready()
    recorder.post("/v1/hearings", hearing())
    recorder.wait_for_state(seconds_at_least(1), "a recording")
    assert refusal(recorder) == (409, "restart_in_hearing")
    recorder.post("/v1/hearing/recess")
    assert refusal(recorder) == (409, "restart_in_hearing")
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda state: state["phase"] == "idle", "the seal")
    assert recorder.post("/v1/restart", role="technician") == {}
    assert recorder.process.wait(PATIENCE) == 0


@pytest.mark.usefixtures("unsupervised")
def test_what_nobody_starts_again_is_not_ended(bare_recorder: RecorderProcess) -> None:
    if "NOTIFY_SOCKET" in Path(f"/proc/{bare_recorder.process.pid}/environ").read_text():
        pytest.skip("these tests themselves run below systemd")
    assert refusal(bare_recorder) == (409, "restart_unsupervised")


def test_a_token_says_whose_it_is(bare_recorder: RecorderProcess) -> None:
    token = bare_recorder.sign_in("technician")
    answer = bare_recorder.call("GET", "/v1/sign-in", token=token)
    assert answer == {"person": "p-technician", "roles": ["technician"]}
    with pytest.raises(ServiceRefusedError) as refused:
        bare_recorder.call("GET", "/v1/sign-in", token=f"{token}x")
    assert (refused.value.status, refused.value.code) == (401, "token_expired")


# -- sync ------------------------------------------------------------------------------------------
class SyncProcess:
    """``kiosk sync`` beside a recorder."""

    def __init__(self, recorder: RecorderProcess) -> None:
        self._recorder = recorder
        command = ["-m", "kiosk.cli", "--config", str(recorder.folder / "kiosk.toml"), "sync"]
        with (recorder.folder / "sync.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], env=os.environ, stdout=log, stderr=log
            )
        wait_for(self._answers, "sync's answer")

    def _answers(self) -> bool:
        log = self._recorder.folder / "sync.log"
        assert self.process.poll() is None, log.read_text()
        try:
            return bool(self.call("GET", "/v1/service"))
        except ServiceDownError:
            return False

    def call(self, method: str, path: str, token: str | None = None) -> dict[str, Any]:
        """Send one request and check its answer against the contract."""

        async def once() -> dict[str, Any]:
            client = LocalClient(self._recorder.paths.sync_socket, token)
            try:
                return await client.call(method, path, {} if method == "POST" else None)
            finally:
                await client.close()

        answer = asyncio.run(once())
        check_answer(SYNC_OPERATIONS, method, path, answer)
        return answer

    def refusal(self, token: str | None) -> tuple[int, str]:
        """Return status and code with which the restart is refused."""
        with pytest.raises(ServiceRefusedError) as refused:
            self.call("POST", "/v1/restart", token)
        return refused.value.status, refused.value.code

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)


@pytest.mark.slow
@pytest.mark.usefixtures("systemd")
def test_sync_restarts_for_a_technician_outside_hearings(recorder: RecorderProcess) -> None:
    recorder.wait_until_ready()
    technician, secretary = recorder.sign_in("technician"), recorder.sign_in("secretary")
    sync = SyncProcess(recorder)
    try:
        assert sync.refusal(None) == (401, "token_expired")
        assert sync.refusal("forged.token") == (401, "token_expired")
        assert sync.refusal(secretary) == (403, "sign_in_refused")
        recorder.post("/v1/hearings", hearing())
        assert sync.refusal(technician) == (409, "restart_in_hearing")
        recorder.post("/v1/hearing/end")
        recorder.wait_for_state(lambda state: state["phase"] == "idle", "the seal")
        assert sync.call("POST", "/v1/restart", technician) == {}
        assert sync.process.wait(PATIENCE) == 0
    finally:
        sync.close()
    again = SyncProcess(recorder)
    try:
        status = again.call("GET", "/v1/service")
        assert (status["reason"], status["starts"]) == ("technician", 2)
        recorder.process.send_signal(signal.SIGSTOP)
        with pytest.raises(ServiceRefusedError):
            again.call("POST", "/v1/restart", technician)
        recorder.process.send_signal(signal.SIGCONT)
        assert again.process.poll() is None
    finally:
        recorder.process.send_signal(signal.SIGCONT)
        again.close()


def test_an_operation_with_roles_is_not_served_without_a_check_of_who_calls() -> None:
    async def answer(_call: Call) -> NoBody:
        return NoBody()

    with pytest.raises(NotServedError, match="restart"):
        add_routes(web.Application(), [RESTART], [(RESTART, answer)])


# -- note ------------------------------------------------------------------------------------------
def test_a_note_of_another_boot_or_a_damaged_one_says_nothing_wrong(tmp_path: Path) -> None:
    ServiceLife(tmp_path).begin()
    note = tmp_path / "life.json"
    note.write_text(note.read_text().replace('"boot": "', '"boot": "other-'))
    later = ServiceLife(tmp_path)
    later.begin()
    assert (later.status().reason, later.status().starts) == ("boot", 1)
    note.write_text('{"boot": 7, "starts": "x"}')
    last = ServiceLife(tmp_path)
    last.begin()
    assert last.status().reason == "boot"
