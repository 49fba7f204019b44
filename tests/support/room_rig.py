"""A new kiosk as a technician meets it: recorder, sync, and the screen's state without a window."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from kiosk.auth.first_technician import FIRST_TECHNICIAN, FirstTechnician
from kiosk.commissioning.record import STEPS, Record
from kiosk.demo.screen_driver import UnixConnection
from kiosk.export.removable_drive import VIRTUAL_MARKER
from kiosk.ipc import LocalClient
from kiosk.locale import Language
from kiosk.rules import load_rules
from kiosk.selftest import CHECKS
from kiosk.storage.ages import Ages
from kiosk.ui.app_state import AppState
from tests.support.delivery_rig import Kiosk, Process
from tests.support.waiting import wait_for

RULES = load_rules()


class RoomRig:
    """One kiosk under ``folder`` (short: it holds Unix sockets), without camera and microphones.

    Args:
        url: of the central system, which need not run.
    """

    def __init__(self, folder: Path, url: str, **groups: Mapping[str, Any]) -> None:
        self.kiosk = Kiosk(folder, url, None)
        self.recorder = Process(folder / "recorder.log")
        changed: dict[str, Mapping[str, Any]] = {
            "camera": {"back_end": "none"},
            "recording": {"low_space_hours": 0},
            "export": {"media": [str(folder / "media")]},
            **groups,
        }
        self.kiosk.options["paths"]["volatile_data_ok"] = True
        for name, values in changed.items():
            self.kiosk.options.setdefault(name, {})
            self.kiosk.change_settings(name, **values)
        self.paths = self.kiosk.paths

    def start_recorder(self) -> None:
        """Start the recorder and wait until it answers."""
        self.recorder.start_command("--config", str(self.kiosk.config), "recorder")
        wait_for(self._is_answering, "the recorder")

    def _is_answering(self) -> bool:
        connection = UnixConnection(self.paths.recorder_socket, 5.0)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/v1/state")
            return connection.getresponse().status == 200
        return False

    def restart_recorder(self) -> None:
        """End it in order and start it again, as systemd does; who is signed in stays so."""
        self.recorder.stop()
        self.start_recorder()

    def plug_stick(self) -> Path:
        """Plug a stick in; return its folder."""
        stick = self.kiosk.folder / "media" / "STICK"
        stick.mkdir(parents=True, exist_ok=True)
        (stick.parent / VIRTUAL_MARKER).touch()
        return stick

    def stop(self) -> None:
        """End both services."""
        self.kiosk.stop()
        self.recorder.stop()

    @contextlib.asynccontextmanager
    async def screen(self, language: Language = "en") -> AsyncIterator[AppState]:
        """Give the screen, with the first technician signed in and the room's steps loaded."""
        tries = FirstTechnician(self.paths.first_technician, Ages(self.paths.sign_in_ages))
        code = tries.make_code()
        app = AppState(self.kiosk.settings, rules=RULES)
        app.translate.switch_language(language)
        try:
            client: LocalClient = app.recorder_connection.client
            body = {"person": FIRST_TECHNICIAN.id, "pin": code}
            client.token = (await client.post("/v1/sign-in", body))["token"]
            await app.commissioning.load()
            yield app
        finally:
            await app.close()


@contextlib.contextmanager
def room_rig(folder: Path, url: str, **groups: Mapping[str, Any]) -> Iterator[RoomRig]:
    """Give a kiosk whose recorder runs; end it."""
    rig = RoomRig(folder, url, **groups)
    try:
        rig.start_recorder()
        yield rig
    finally:
        rig.stop()


def checked_record(**states: str) -> Record:
    """Return a record in which all was done and tested but the report; ``states`` by check."""
    record = Record(started="2026-11-28T04:00:00.000Z", person="p-1")
    for step in STEPS[:-1]:
        record = record.with_result(step, "done")
    checks: dict[str, dict[str, Any]] = {
        name: {
            "check": name,
            "state": states.get(name, "skipped"),
            "code": None,
            "measured": {},
            "seconds": 0.1,
            "at": "2026-11-28T04:01:00.000Z",
            "deviations": {},
            "limits": {},
        }
        for name in CHECKS
    }
    return Record(record.steps, checks=checks, started=record.started, person=record.person)
