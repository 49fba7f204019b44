"""Events of the local services: lines of any length arrive whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from kiosk.ipc import EventStream, LocalClient, serve_unix


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
