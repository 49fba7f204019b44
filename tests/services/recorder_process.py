"""A recorder in a process of its own, with virtual devices through the real libraries."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from kiosk.api.recorder_operations import RECORDER_OPERATIONS
from kiosk.config import PathSettings
from kiosk.exchange.staff_list import hash_secret
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import LocalClient, ServiceDownError
from kiosk.storage.paths import Paths
from tests.support.contract import check_answer
from tests.support.forked_process import ForkedProcess, fork_kiosk
from tests.support.identity import Court
from tests.support.waiting import PATIENCE, wait_for

PEOPLE = {"secretary": "S-1", "judge": "J-1", "technician": "T-1"}
PIN = "4711"
NAMES = ("judge", "witness")
KIOSK = "kiosk-0042"


@cache
def staff_rows() -> list[dict[str, Any]]:
    """Return one person per role, all with the same kind of badge; the secretary has a PIN."""
    return [
        {
            "person": f"p-{role}",
            "name": role.title(),
            "roles": [role],
            "badge": hash_secret(badge),
            "pin": hash_secret(PIN) if role == "secretary" else None,
        }
        for role, badge in PEOPLE.items()
    ]


class RecorderProcess:
    """One kiosk's recorder under ``folder`` (short: it holds Unix sockets)."""

    def __init__(
        self,
        folder: Path,
        microphones: VirtualMicrophones | None = None,
        camera: str = "virtual",
        enrolled: bool = True,
        extra_settings: str = "",
        volatile_data_ok: bool = True,
    ) -> None:
        self.folder = folder
        self.paths = Paths.from_settings(PathSettings(data=folder / "data", run=folder / "run"))
        self.court = Court.make(folder / "court")
        self.log = folder / "recorder.log"
        self._microphones = microphones
        self._process: ForkedProcess | None = None
        self._write_settings(camera, extra_settings, volatile_data_ok)
        self.court.publish_staff(self.paths, KIOSK, staff_rows())
        if enrolled:
            self.court.issue(KIOSK, self.paths.device_key, self.paths.device_certificate)

    def _write_settings(self, camera: str, extra_settings: str, volatile_data_ok: bool) -> None:
        names = self._microphones.names if self._microphones else ()
        tables = [
            f'[[microphones]]\nname = "{name}"\nrole = "{name}"\ndevice = "mic_{name}"\n'
            for name in names
        ]
        (self.folder / "kiosk.toml").write_text(
            f'[kiosk]\nid = "{KIOSK}"\n'
            f'[paths]\ndata = "{self.paths.data}"\nrun = "{self.paths.run}"\n'
            f"volatile_data_ok = {str(volatile_data_ok).lower()}\n"
            f'[camera]\nback_end = "{camera}"\nwidth = 320\nheight = 180\nfps = 10\n'
            "keyframe_seconds = 1.0\nbitrate = 300000\n"
            f"[recording]\nlow_space_hours = 0\n{extra_settings}\n" + "".join(tables)
        )

    # -- process -----------------------------------------------------------------------------------
    @property
    def process(self) -> ForkedProcess:
        """The recorder's process."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start the recorder and wait until it answers."""
        environment = os.environ | {"GPIOZERO_PIN_FACTORY": "mock", "PYTHONFAULTHANDLER": "1"}
        if self._microphones is not None:
            environment |= self._microphones.environment
        command = ["--config", str(self.folder / "kiosk.toml"), "recorder"]
        self._process = fork_kiosk(command, self.log, environment=environment)
        wait_for(self._answers, "the recorder's answer")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.state()["contract"] == 1)
        except ServiceDownError:
            return False

    def stop(self) -> int:
        """End it as systemd does; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # tells where every thread stands
            self.process.wait(timeout=PATIENCE)
            raise AssertionError(f"it does not end:\n{self.log.read_text()}") from None

    def kill(self) -> None:
        """Kill it as a crash does; its device children die with it."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    # -- API ---------------------------------------------------------------------------------------
    def call(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> dict[str, Any]:
        """Send one request and check its answer against the contract.

        Raises what :class:`LocalClient` raises.
        """

        async def once() -> dict[str, Any]:
            client = LocalClient(self.paths.recorder_socket, token)
            try:
                return await client.call(method, path, body, timeout=30)
            finally:
                await client.close()

        answer = asyncio.run(once())
        check_answer(RECORDER_OPERATIONS, method, path, answer)
        return answer

    def state(self) -> dict[str, Any]:
        """Return State."""
        return self.call("GET", "/v1/state")

    def sign_in(self, role: str = "secretary") -> str:
        """Sign in with the badge of ``role``; return the token."""
        return str(self.call("POST", "/v1/sign-in", {"badge": PEOPLE[role]})["token"])

    def post(self, path: str, body: Any = None, role: str = "secretary") -> dict[str, Any]:
        """Sign in as ``role`` and post."""
        return self.call("POST", path, body or {}, self.sign_in(role))

    def wait_for_state(
        self, condition: Callable[[dict[str, Any]], Any], what: str, seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """Return the first State for which ``condition`` holds."""

        def read_matching_state() -> dict[str, Any] | None:
            state = self.state()
            return state if condition(state) else None

        try:
            return wait_for(read_matching_state, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}\n{self.log.read_text()}") from None

    def wait_until_ready(self) -> dict[str, Any]:
        """Wait until all devices deliver."""

        def ready(state: dict[str, Any]) -> bool:
            names = [row["state"] for row in state["microphones"]]
            return state["camera"]["state"] in ("ok", "off") and not {"starting"} & set(names)

        return self.wait_for_state(ready, "warm devices")

    def hearing_folder(self, hearing_id: str) -> Path:
        """Return a hearing's folder."""
        return self.paths.hearings / hearing_id


def events(recorder: RecorderProcess, seconds: float) -> list[tuple[str, Any]]:
    """Listen to the recorder's events for ``seconds``."""

    async def listen() -> list[tuple[str, Any]]:
        client = LocalClient(recorder.paths.recorder_socket)
        found = []
        end = time.monotonic() + seconds
        try:
            async for event in client.events():
                found.append(event)
                if time.monotonic() > end:
                    break
        finally:
            await client.close()
        return found

    return asyncio.run(listen())


def hearing(**fields: Any) -> dict[str, Any]:
    """Return the request that starts an open civil hearing, with ``fields`` instead."""
    value = {"id": str(uuid.uuid4()), "case_number": "7514-26-00-2/1", "kind": "civil"}
    return {"hearing": value | {"format": "offline", "publicity": "open"} | fields}


def seconds_at_least(seconds: float) -> Any:
    """Return a condition of State: the running part has ``seconds`` or more."""
    return lambda state: (state["hearing"] or {}).get("part_seconds", 0) >= seconds
