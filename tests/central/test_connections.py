"""Connections that hold the server's resources are closed; those of kiosks are kept."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import BaseModel

from kiosk.central.http import header_timeout, json_api
from kiosk.central.http.header_timeout import TimedRunner
from kiosk.central.http.json_api import errors_as_json, read_body
from tests.support.central_rig import Central

BODY = b'{"text": "' + b"x" * 500 + b'"}'
HEAD = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)
PATIENCE_S = 30.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Text(BaseModel):
    text: str


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serve a small body; yield the port."""

    async def take(request: web.Request) -> web.StreamResponse:
        await read_body(request, _Text, 1024)
        return web.Response()

    app = web.Application(middlewares=[errors_as_json])
    app.router.add_post("/", take)
    runner = TimedRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def status(reader: asyncio.StreamReader) -> bytes:
    """Return the status of an answer and read all of it."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    length = next(line for line in head.lower().split(b"\r\n") if b"content-length" in line)
    await reader.readexactly(int(length.split()[1]))
    return head.split()[1]


async def post(port: int, size: int = len(BODY), pause: float = 0.0) -> tuple[bytes, Streams]:
    """Send a request on a new connection, its body in pieces of ``size`` until it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(status(reader))
    writer.write(HEAD)
    for place in range(0, len(BODY), size):
        writer.write(BODY[place : place + size])
        await asyncio.sleep(pause)
        if answer.done():
            break
    return await answer, (reader, writer)


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the server has closed a connection."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    except ConnectionError:
        return True


def test_a_body_that_drips_is_ended_and_a_slow_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_api, "BODY_IDLE_S", 1.0)
    monkeypatch.setattr(json_api, "SLOWEST_BYTES_S", 100.0)

    async def run() -> None:
        async with served() as port:
            assert (await post(port, size=100, pause=0.1))[0] == b"200"
            answer, _ = await post(port, size=1, pause=0.05)  # never silent for a second
            assert answer == b"408"

    asyncio.run(run())


@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_a_body_with_broken_chunks_is_refused_at_once(pause: float) -> None:
    async def run() -> None:
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = HEAD.replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
            writer.write(head + b"2\r\n{}\r\n")
            await asyncio.sleep(pause)
            writer.write(b"no length\r\n")
            assert await status(reader) == b"400"  # not 408, when nothing more has come

    asyncio.run(run())


def test_a_connection_without_a_further_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_timeout, "KEEP_ALIVE_S", 0.2)

    async def run() -> None:
        async with served() as port:
            answer, (reader, _) = await post(port)
            assert answer == b"200"
            assert await is_closed(reader)

    asyncio.run(run())


def test_of_too_many_strangers_the_oldest_connection_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(header_timeout, "MAX_STRANGERS", 3)

    async def run() -> None:
        async with served() as port:
            opened = [(await post(port))[1] for _ in range(4)]
            assert await is_closed(opened[0][0])
            for reader, writer in opened[1:]:
                writer.write(HEAD + BODY)
                assert await status(reader) == b"200"

    asyncio.run(run())


@pytest.mark.slow
def test_strangers_cut_no_kiosk_off(tmp_path: Path) -> None:
    with Central(tmp_path / "data") as central:
        kiosk = central.enrol()
        request = b"GET /v1/contract HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with kiosk.tls() as own:
            own.sendall(request)
            assert own.recv(100).startswith(b"HTTP/1.1 200")
            context = ssl.create_default_context(cafile=central.ca)
            port = int(central.url.rsplit(":", 1)[1])

            async def connect() -> bool:
                first, writer = await asyncio.open_connection("localhost", port, ssl=context)
                writer.write(request)
                assert await status(first) == b"200"
                others = [
                    await asyncio.open_connection("localhost", port, ssl=context)
                    for _ in range(header_timeout.MAX_STRANGERS)
                ]
                return len(others) > 0 and await is_closed(first)

            assert asyncio.run(connect())
            own.sendall(request)
            assert own.recv(10_000)
