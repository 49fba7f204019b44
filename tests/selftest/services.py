"""A recorder and a sync that answer on real Unix sockets, as docs/interfaces.md says.

They stand for the two processes where a test is about what the self-test makes of an answer;
that the real processes give these answers is tested in their own rooms. Reports are saved and
signed by the recorder's own code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from kiosk.api.reports import SAVE_REPORT
from kiosk.auth.person import Person, TokenError
from kiosk.config import Settings
from kiosk.ipc import errors_as_json, read_json, serve_unix
from kiosk.services.local_api import add_routes
from kiosk.services.reports import ReportService
from kiosk.storage.paths import Paths

PASSED: dict[str, Any] = {"state": "passed", "measured": {}}
TOKEN = "signed-in"


def refused(code: str, status: int) -> web.Response:
    """Return an error as services give it."""
    return web.json_response({"code": code, "message": code}, status=status)


@dataclass
class Recorder:
    """The recorder's tests and reports; ``answers`` by name, ``calls`` what was asked."""

    settings: Settings
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    recording: bool = False
    press: Any = None
    calls: list[tuple[str, float]] = field(default_factory=list)

    async def start(self, socket: Path) -> web.AppRunner:
        """Serve on ``socket``."""
        app = web.Application(middlewares=[errors_as_json])
        app.add_routes(
            [
                web.post("/v1/tests/{name}", self._test),
                web.get("/v1/devices", self._devices),
                web.post("/v1/sign-in", self._sign_in),
                web.get("/v1/staff", self._staff),
            ]
        )
        add_routes(app, [SAVE_REPORT], ReportService(self.settings).routes(), self._authorize)
        return await serve_unix(app, socket)

    @staticmethod
    async def _authorize(request: web.Request, roles: tuple[str, ...]) -> Person:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise TokenError("not signed in")
        return Person("t-1", "T", roles)

    async def _test(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused("sign_in_refused", 401)
        if self.recording:
            return refused("already_recording", 409)
        name = request.match_info["name"]
        self.calls.append((name, float((await read_json(request))["seconds"])))
        if name == "panel" and self.press is not None:
            await self.press.wait()
        return web.json_response(self.answers.get(name, PASSED))

    async def _devices(self, _: web.Request) -> web.Response:
        device = {"name": "camera", "library": "av", "version": "18", "back_end": "virtual"}
        return web.json_response({"devices": [{**device, "virtual": True}]})

    async def _staff(self, _: web.Request) -> web.Response:
        people = [{"person": "t-1", "name": "T", "roles": ["technician"]}]
        return web.json_response({"people": people})

    async def _sign_in(self, request: web.Request) -> web.Response:
        if (await read_json(request)).get("pin") != "4711":
            return refused("unknown_badge", 401)
        return web.json_response({"token": TOKEN, "person": "t-1", "name": "T", "roles": []})


@dataclass
class Sync:
    """Sync: link check, and a delivery that takes what is sealed under ``reports/``."""

    paths: Paths
    link: dict[str, Any] = field(
        default_factory=lambda: {
            "state": "passed",
            "verdict": "good",
            "down_mbit": 9.4,
            "up_mbit": 4.8,
        }
    )
    link_state: dict[str, Any] = field(default_factory=lambda: {"state": "up", "problem": None})
    delivers: bool = True
    central_sha256_match: bool = True
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def start(self, socket: Path) -> web.AppRunner:
        """Serve on ``socket``."""
        app = web.Application(middlewares=[errors_as_json])
        app.add_routes(
            [
                web.get("/v1/state", self._state),
                web.post("/v1/link-check", self._check),
                web.post("/v1/deliver", self._deliver),
                web.get("/v1/reports/{id}", self._report),
            ]
        )
        return await serve_unix(app, socket)

    async def _state(self, _: web.Request) -> web.Response:
        state = {"link": self.link_state, "queue": {"items": 0, "bytes": 0}, "database": "ok"}
        return web.json_response(state)

    async def _check(self, _: web.Request) -> web.Response:
        return web.json_response(self.link)

    async def _deliver(self, _: web.Request) -> web.Response:
        for signature in self.paths.reports.glob("*/SHA256SUMS.p7s"):
            folder = signature.parent
            self.taken[folder.name] = json.loads((folder / "report.json").read_text())
        return web.json_response({})

    async def _report(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.taken:
            return refused("not_found", 404)
        if not self.central_sha256_match:
            return web.json_response({"state": "failed", "central_sha256_match": False})
        if not self.delivers:
            return web.json_response({"state": "queued", "central_sha256_match": None})
        return web.json_response({"state": "delivered", "central_sha256_match": True})
