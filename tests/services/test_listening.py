"""The headset falls silent as soon as its listener may not listen any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from kiosk.api.recorder import Playback
from kiosk.api.recorder_operations import START_LISTENING, STOP_LISTENING
from kiosk.auth.person import Person, RoleError, TokenError
from kiosk.auth.tokens import TokenIssuer
from kiosk.hearing.courtroom import Courtroom
from kiosk.ipc import LocalClient, ServiceRefusedError, errors_as_json, serve_unix
from kiosk.services.listening import ListeningService
from kiosk.services.local_api import add_routes, bearer_token
from kiosk.services.step_runner import StepRunner

PATH = START_LISTENING.path
SECRETARY = Person("p-1", "", ("secretary",))


class Headset:
    """Plays until it is stopped; ``on_start`` happens while the step that starts it runs."""

    def __init__(self) -> None:
        self.is_running = False
        self.on_start: Callable[[], object] = lambda: None

    def start(self, _request: object) -> None:
        self.is_running = True
        self.on_start()

    def wait_started(self) -> Playback:
        return Playback(source=None, seconds=0.0, of_seconds=600.0)

    def stop(self) -> None:
        self.is_running = False


class Room:
    """The calls of the headset on a socket, with a clock that a test moves."""

    def __init__(self, socket: Path) -> None:
        self.socket, self.now = socket, 1000.0
        self.tokens = TokenIssuer(b"k" * 32, 60.0, lambda: self.now)
        self.headset = Headset()
        self.refusal: Exception | None = None
        self.steps = StepRunner()
        monitor = SimpleNamespace(listen_back=self.headset)
        courtroom = SimpleNamespace(monitor=monitor, start_listen_back=self.headset.start)
        self.service = ListeningService(
            cast("Courtroom", courtroom), self.steps, self.check, lambda: None
        )

    def check(self, token: str, _roles: tuple[str, ...]) -> Person:
        if self.refusal is not None:
            raise self.refusal
        return self.tokens.owner(token)

    async def authorize(self, request: web.Request, _roles: tuple[str, ...]) -> Person:
        return self.tokens.check(bearer_token(request))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[LocalClient]:
        app = web.Application(middlewares=[errors_as_json])
        add_routes(app, (START_LISTENING, STOP_LISTENING), self.service.routes(), self.authorize)
        runner = await serve_unix(app, self.socket)
        client = LocalClient(self.socket, self.tokens.issue(SECRETARY))
        try:
            yield client
        finally:
            await client.close()
            await runner.cleanup()
            self.steps.close()

    async def silence(self) -> None:
        async with asyncio.timeout(30):
            while self.headset.is_running:
                await asyncio.sleep(0.01)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "r.sock")


@pytest.mark.parametrize("why", ["time", "list", "role"])
def test_it_ends_with_the_sign_in(room: Room, why: str) -> None:
    async def steps() -> None:
        async with room.serving() as client:
            await client.post(PATH)
            await room.service.look()
            assert room.headset.is_running
            if why == "time":
                room.now += 61
            else:
                room.refusal = TokenError("off the list") if why == "list" else RoleError("")
            await room.silence()

    asyncio.run(steps())


def test_listening_is_no_use_of_the_screen(room: Room) -> None:
    """Who went away while it played is signed out at the time that the settings say."""

    async def steps() -> None:
        async with room.serving() as client:
            await client.post(PATH)
            room.now += 40
            await room.service.look()
            room.now += 40
            await room.service.look()
            assert not room.headset.is_running

    asyncio.run(steps())


def test_who_signs_out_while_it_begins_hears_nothing(room: Room) -> None:
    async def steps() -> None:
        async with room.serving() as client:
            token = str(client.token)
            room.headset.on_start = lambda: room.tokens.end(token)
            with pytest.raises(ServiceRefusedError) as refused:
                await client.post(PATH)
            assert refused.value.code == "token_expired"
            assert not room.headset.is_running

    asyncio.run(steps())


def test_what_is_refused_leaves_what_plays_to_its_listener(room: Room) -> None:
    def refuse() -> Any:
        raise TokenError("no")

    async def steps() -> None:
        async with room.serving() as client:
            await client.post(PATH)
            room.headset.on_start = refuse
            with pytest.raises(ServiceRefusedError):
                await client.post(PATH)
            await room.service.look()
            assert room.headset.is_running
            await room.service.sign_in(Person("p-2", "", ("presiding",)), "another")
            assert not room.headset.is_running
            room.headset.on_start = lambda: None
            await client.post(PATH)
            await client.call("DELETE", PATH)
            assert not room.headset.is_running

    asyncio.run(steps())
