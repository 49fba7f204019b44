"""Local sockets: events of any length arrive whole; a request holds JSON that all can read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from kiosk.api.reports import NewReport
from kiosk.errors import RequestError
from kiosk.ipc import EventStream, LocalClient, parse_request, serve_unix


def test_an_event_longer_than_the_read_buffer_arrives_whole(tmp_path: Path) -> None:
    """A state of half a megabyte, with letters of two bytes, then a short event."""
    large = {"text": "ә" * 300_000}

    async def run() -> list[tuple[str, object]]:
        stream = EventStream()
        app = web.Application()
        app.router.add_get("/v1/events", stream.handle)
        socket = tmp_path / "s"
        runner = await serve_unix(app, socket)
        stream.send("state", large)
        stream.send("levels", {})
        client = LocalClient(socket)
        found = []
        async with asyncio.timeout(30):
            async for event in client.events():
                found.append(event)
                if len(found) == 2:
                    break
        await client.close()
        stream.close()
        await runner.cleanup()
        return found

    assert asyncio.run(run()) == [("state", large), ("levels", {})]


def _report(measured: str) -> bytes:
    row = (
        '{"check":"clock","state":"passed","seconds":0.1,"at":"","measured":{"v":' + measured + "}}"
    )
    run = '{"started":"","ended":"","results":[' + row + "]}"
    return ('{"kind":"selftest","selftest":' + run + "}").encode()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "[" * 500 + "]" * 500])
def test_a_request_that_is_not_json_for_all_is_refused(number: str) -> None:
    """What is signed must be readable by every tool of the court, also in a field of any type."""
    assert parse_request(NewReport, _report("1.5")).kind == "selftest"
    with pytest.raises(RequestError):
        parse_request(NewReport, _report(number))
