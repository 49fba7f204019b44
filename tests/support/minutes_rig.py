"""A kiosk's data with one sealed hearing, and the calls about its minutes on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kiosk.api.minutes import MINUTES_OPERATIONS
from kiosk.api.operations import COURT_ROLES
from kiosk.auth.person import Person
from kiosk.config import ExportSettings, KioskSettings, PathSettings, Settings
from kiosk.export.removable_drive import VIRTUAL_MARKER
from kiosk.ipc import LocalClient, ServiceRefusedError, errors_as_json, serve_unix
from kiosk.services.local_api import add_routes
from kiosk.services.minutes import MinutesService
from kiosk.storage.ages import Ages
from kiosk.storage.paths import Paths
from tests.support.contract import check_answer
from tests.support.hearing_builder import sealed_hearing
from tests.support.identity import Court

SECRETARY = Person("p-1", "Ахметова А. Б.", ("secretary",))
JUDGE = Person("p-2", "Серикова С. С.", ("judge",))
Steps = Callable[[LocalClient], Awaitable[None]]


class MinutesRig:
    """A kiosk's data with one sealed hearing, and who is signed in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        paths = PathSettings(data=folder / "data", run=folder / "run")
        kiosk = KioskSettings(id="kiosk-0001", court={"kk": "Сынақ соты", "ru": "Тестовый суд"})
        self.drives = folder / "media"
        self.people_roots = folder / "people.pem"
        export = ExportSettings(media=(self.drives,), people_roots=self.people_roots)
        self.settings = Settings(paths=paths, kiosk=kiosk, export=export)
        self.paths = Paths.from_settings(paths)
        self.court = Court.make(folder / "court")
        self.signer = self.court.issue(
            "kiosk-0001", self.paths.device_key, self.paths.device_certificate
        )
        self.recording = sealed_hearing(self.paths.hearings, self.signer, parts=1)
        self.hearing = self.recording.name
        self.person = SECRETARY
        self.versions: list[dict[str, Any]] = []
        self.ages: Ages | None = None

    def plug(self, name: str) -> Path:
        """Plug a removable drive in; return its folder."""
        drive = self.drives / name
        drive.mkdir(parents=True)
        (self.drives / VIRTUAL_MARKER).touch()
        return drive

    async def authorize(self, _: web.Request, roles: tuple[str, ...]) -> Person:
        assert roles == COURT_ROLES
        return self.person

    @asynccontextmanager
    async def client(self) -> AsyncIterator[LocalClient]:
        """Serve the calls on a socket, as a recorder that has just started."""
        app = web.Application(middlewares=[errors_as_json])
        routes = MinutesService(self.settings, self.ages).routes()
        add_routes(app, MINUTES_OPERATIONS, routes, self.authorize)
        socket = self.folder / "s"
        runner = await serve_unix(app, socket)
        client = LocalClient(socket)
        try:
            yield client
        finally:
            await client.close()
            await runner.cleanup()

    def run(self, steps: Steps) -> None:
        """Run ``steps`` with a client."""

        async def run() -> None:
            async with asyncio.timeout(100), self.client() as client:
                await steps(client)

        asyncio.run(run())

    async def call(self, client: LocalClient, step: str = "", **body: Any) -> dict[str, Any]:
        """Take a step of the hearing's minutes; return what they are then."""
        path = f"/v1/minutes/{self.hearing}{step}"
        answer = await client.post(path, body)
        check_answer(MINUTES_OPERATIONS, "POST", path, answer)
        return dict(answer)

    async def refusal(self, client: LocalClient, step: str = "", **body: Any) -> str:
        """Return the code with which a step is refused."""
        with pytest.raises(ServiceRefusedError) as refused:
            await self.call(client, step, **body)
        return refused.value.code

    async def confirm(self, client: LocalClient, person: Person) -> dict[str, Any]:
        """Read the minutes and confirm them as ``person``."""
        self.person = person
        read = await self.call(client)
        return await self.call(client, "/confirm", revision=read["revision"])

    def sealed(self, identifier: str) -> Path:
        """Return a sealed version's folder."""
        return self.paths.minutes / identifier

    def confirm_twice(self) -> list[dict[str, Any]]:
        """Confirm the first version, then a corrected second one; return both."""
        made: list[dict[str, Any]] = []

        async def steps(client: LocalClient) -> None:
            await self.call(client, "/language", language="ru")
            await self.call(client, "/fields", field="attendance", lines=["Омаров С., истец"])
            await self.confirm(client, SECRETARY)
            made.append(await self.confirm(client, JUDGE))
            self.person = SECRETARY
            begun = await self.call(client, "/versions")
            assert (begun["version"], begun["stage"], begun["can_undo"]) == (2, "draft", False)
            assert "Омаров С., истец" in str(begun["fields"])
            await self.call(client, "/fields", field="attendance", lines=["Омаров С. Т., истец"])
            await self.confirm(client, SECRETARY)
            made.append(await self.confirm(client, JUDGE))

        self.run(steps)
        return made
