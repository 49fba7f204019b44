"""A courtroom without a screen: the real recorder on virtual devices, for tests and trials.

The folder must have a short path: Unix sockets lie in it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kiosk.demo.processes import end_process
from kiosk.demo.screen_driver import UnixConnection
from kiosk.exchange.staff_list import hash_secret
from kiosk.hardware.virtual.microphones import VirtualMicrophoneClient, VirtualMicrophones
from kiosk.settings_files import load_settings
from kiosk.storage.atomic_io import make_folder
from kiosk.storage.paths import Paths
from tests.support.identity import Court
from tests.support.waiting import wait_for

MICROPHONES = ("judge", "secretary", "prosecutor", "defendant")
BADGE = "badge-of-the-secretary"
KIOSK = "kiosk-trial"


class RefusedError(Exception):
    """The local service answered with an error status."""


def format_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return ``tables`` as TOML; the values are texts, numbers or truth values."""
    lines = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def settings_text(
    paths: Mapping[str, Any], camera: Mapping[str, Any], microphones: VirtualMicrophoneClient
) -> str:
    """Return ``kiosk.toml`` of a room with ``MICROPHONES`` and nothing else."""
    text = format_toml({"kiosk": {"id": KIOSK}, "paths": paths, "camera": camera})
    for entry in microphones.settings(MICROPHONES, {}):
        text += "\n[[microphones]]\n"
        text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
    return text


class RecorderClient:
    """Talks to a running recorder as the touch screen does.

    Args:
        paths: of the kiosk.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._token = ""

    def call(self, method: str, target: str, body: Any = None) -> dict[str, Any]:
        """Call the recorder.

        Raises:
            OSError, http.client.HTTPException: it does not answer.
            RefusedError: it refuses.
        """
        connection = UnixConnection(self.paths.recorder_socket, 10.0)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise RefusedError(f"{target}: {response.status} {answer}")
        return dict(answer)

    def state(self) -> dict[str, Any]:
        """Return the recorder's state, ``{}`` while it does not answer."""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            return self.call("GET", "/v1/state")
        return {}

    def sign_in(self, badge: str = BADGE) -> None:
        """Sign the secretary in."""
        self._token = ""
        self._token = self.call("POST", "/v1/sign-in", {"badge": badge})["token"]

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Wait until camera and microphones deliver."""

        def ready() -> bool:
            state = self.state()
            sources = [*state.get("microphones", []), state.get("camera", {})]
            return all(source.get("state") in {"ok", "quiet"} for source in sources)

        wait_for(ready, "camera and microphones", seconds)

    def start_hearing(self) -> str:
        """Start a hearing as one tap does; return its id."""
        hearing = {"id": str(uuid.uuid4()), "kind": "civil", "adhoc": True}
        return str(self.call("POST", "/v1/hearings", {"hearing": hearing})["hearing_id"])

    def seconds_recorded(self) -> float:
        """Return the seconds of the running hearing, 0 without one."""
        return float((self.state().get("hearing") or {}).get("seconds", 0.0))

    def wait_recorded(self, seconds: float, limit: float = 60.0) -> None:
        """Wait until so many seconds of the hearing are recorded."""
        time.sleep(max(0.0, seconds - self.seconds_recorded()))  # asking costs the recorder time
        wait_for(lambda: self.seconds_recorded() >= seconds, f"{seconds} s recorded", limit)

    def end_hearing(self, limit: float = 60.0) -> Path:
        """End the hearing; return its sealed folder."""
        hearing = self.state()["hearing"]["id"]
        self.call("POST", "/v1/hearing/end", {})
        folder = self.paths.hearings / str(hearing)
        wait_for(lambda: (folder / "SHA256SUMS.p7s").exists(), "the seal", limit)
        return folder

    def ca_certificate(self) -> Path:
        """Return the root certificate to verify against: this kiosk was never enrolled."""
        is_enrolled = self.paths.device_certificate.exists()
        return self.paths.court_ca if is_enrolled else self.paths.self_signed_certificate

    def publish_staff(self, court: Court | None = None) -> None:
        """Publish one secretary with a badge, as the central system of ``court`` would."""
        secretary = {
            "person": "p-1",
            "name": "A. Secretary",
            "roles": ["secretary", "technician"],
            "pin": None,
            "badge": hash_secret(BADGE),
        }
        court = court or Court.make(make_folder(self.paths.data / "court"))
        court.publish_staff(self.paths, KIOSK, [secretary])

    def verify(self, folder: Path) -> dict[str, Any]:
        """Return what ``kiosk verify --json`` says of ``folder``."""
        command = [sys.executable, "-m", "kiosk.cli", "verify", str(folder), "--json"]
        answer = subprocess.run(
            [*command, "--ca", str(self.ca_certificate())],
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(json.loads(answer.stdout))


class VirtualCourtroom(RecorderClient):
    """Microphones, settings and staff; the recorder is started and killed at will.

    Args:
        folder: empty or absent, with a short path.
        camera: settings of ``[camera]`` besides the virtual back end.
        environment: further variables of the recorder.
        data: where recordings and all else that lasts are kept; default: in ``folder``.
        mirror: second storage, adopted; default: none.
    """

    def __init__(
        self,
        folder: Path,
        camera: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        data: Path | None = None,
        mirror: Path | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.config = folder / "kiosk.toml"
        self.microphones = VirtualMicrophones(folder / "mics", MICROPHONES)
        self.recorder: subprocess.Popen[bytes] | None = None
        paths = {"data": str(data or folder / "data"), "run": str(folder / "run")}
        if mirror is not None:
            paths["mirror"] = str(mirror)
        chosen = {"back_end": "virtual", **(camera or {})}
        self.config.write_text(settings_text(paths, chosen, self.microphones), encoding="utf-8")
        super().__init__(Paths.from_settings(load_settings(self.config).paths))
        self._environment = {
            **os.environ,
            **self.microphones.environment,
            "KIOSK_CONFIG": str(self.config),
            "GPIOZERO_PIN_FACTORY": "mock",
            **(environment or {}),
        }
        # An installed kiosk has its code compiled: a start that compiles it takes a second longer.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def __enter__(self) -> Self:
        self.paths.run.mkdir(parents=True)
        self.publish_staff()
        self.microphones.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.recorder is not None:
            end_process(self.recorder)
        self.microphones.stop()

    def launch_recorder(self, before: Sequence[str] = ()) -> None:
        """Start ``kiosk recorder``; ``before`` are words to put before its command."""
        with (self.folder / "recorder.log").open("ab") as log:
            self.recorder = subprocess.Popen(
                [*before, sys.executable, "-m", "kiosk.cli", "recorder"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    def start_recorder(self, seconds: float = 30.0) -> None:
        """Start ``kiosk recorder`` and wait until it answers."""
        self.launch_recorder()
        wait_for(self.state, "the recorder's answer", seconds)

    def kill_recorder(self) -> None:
        """``kill -9`` of the recorder's own process."""
        assert self.recorder is not None
        os.kill(self.recorder.pid, signal.SIGKILL)
        self.recorder.wait()
