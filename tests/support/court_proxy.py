"""A reverse proxy before the central system, as a court's IT puts one there, with its limits."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.support.delivery_rig import Central
from tests.support.ports import free_port

PAGE = "<html><h1>{status}</h1></html>"
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "host", "expect"}


@dataclass
class CourtProxy:
    """What the proxy does, to be changed at any time.

    Attributes:
        url: its address.
        most: bodies above this get 413 with a page of its own; None: all pass.
        cut_after: breaks a connection off after so many bytes of a body; None: never.
        refuse: status of a request with an own page, by method and path; None: it passes.
        requests: method, address, length and status of every request, in order, as a log has them.
    """

    url: str
    most: int | None = None
    cut_after: int | None = None
    refuse: Callable[[str, str], int | None] = field(default=lambda _method, _path: None)
    marked: bool = False
    requests: list[tuple[str, str, int, int]] = field(default_factory=list)

    def count(self, status: int) -> int:
        """Return how many requests had a status (0: cut off)."""
        return sum(seen[3] == status for seen in self.requests)

    async def handle(
        self, request: web.Request, target: str, http: aiohttp.ClientSession
    ) -> web.StreamResponse:
        """Pass one request on, its whole body at once."""
        length = request.content_length or 0
        status = self.refuse(request.method, request.path)
        if self.most is not None and length > self.most:
            status = 413
        if status is not None:
            self.requests.append((request.method, request.path_qs, length, status))
            await request.read()
            headers = {"Court-Contract": "1"} if self.marked else {}
            page = PAGE.format(status=status)
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        if self.cut_after is not None and length > self.cut_after:
            self.requests.append((request.method, request.path_qs, length, 0))
            await request.content.readexactly(self.cut_after)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()  # nobody gets it; the rest of the body may have come already
        kept = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        body = await request.read()
        async with http.request(
            request.method, target + request.raw_path, headers=kept, data=body or None
        ) as answer:
            content = await answer.read()
            self.requests.append((request.method, request.path_qs, length, answer.status))
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, headers=headers, body=content)


@contextmanager
def court_proxy(central: Central, identity: Path) -> Iterator[CourtProxy]:
    """Run a proxy before ``central``; it shows the device's identity there.

    Args:
        central: running.
        identity: folder of the device's certificate, key and CA.
    """
    authority = central.data / "authority"
    outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    outside.load_cert_chain(authority / "server.crt", authority / "server.key")
    inside = ssl.create_default_context(cafile=str(authority / "ca.crt"))
    inside.load_cert_chain(identity / "device.crt", identity / "device.key")
    port = free_port()
    proxy = CourtProxy(f"https://localhost:{port}")
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        connector = aiohttp.TCPConnector(ssl=inside)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:

            async def pass_on(request: web.Request) -> web.StreamResponse:
                return await proxy.handle(request, central.url, http)

            app = web.Application(client_max_size=1 << 30)
            app.router.add_route("*", "/{_:.*}", pass_on)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=outside).start()
            ready.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
