"""TLS handshakes that strangers begin and never end keep no kiosk out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from kiosk.central.http import connection_limit
from kiosk.central.http.connection_limit import TlsConnections
from kiosk.central.http.header_timeout import TimedRunner
from kiosk.central.server import open_authority, tls_context
from tests.support.central_rig import Central
from tests.support.forked_process import ForkedProcess

DESCRIPTORS = 1024  # the reserve is whole: what the kernel accepts in one go fits in
PATIENCE_S = 30.0


def client_hello(ca: Path) -> bytes:
    """Return how a client begins a handshake."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=ca).wrap_bio(ssl.MemoryBIO(), sent)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def begin(port: int, sent: bytes) -> socket.socket:
    """Connect and send the beginning of a handshake."""
    stranger = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    with contextlib.suppress(ConnectionError):
        stranger.sendall(sent)
    return stranger


def is_cut(stranger: socket.socket) -> bool:
    """Return whether the server has closed a connection."""
    stranger.setblocking(False)
    try:
        while stranger.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def test_of_too_many_handshakes_the_oldest_is_cut_and_an_ended_one_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MAX_HANDSHAKES", 3)
    monkeypatch.setattr(connection_limit, "HEAD_TIMEOUT_S", 600.0)
    authority = open_authority(tmp_path)
    context = tls_context(authority, *authority.server_files(["localhost"]))
    hello = client_hello(authority.root_path)
    trusting = ssl.create_default_context(cafile=authority.root_path)

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/", _answer)
        runner = TimedRunner(app)
        await runner.setup()
        connections = TlsConnections(runner.server, context)  # type: ignore[arg-type]
        server = await asyncio.get_running_loop().create_server(connections, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        kept = []
        for _ in range(5):  # more than may be unfinished; these are finished
            kept.append(await _served(port, trusting))
        strangers = [
            await asyncio.to_thread(begin, port, sent)
            for sent in (b"", hello[:50], hello, b"", hello[:50], hello)
        ]
        kept.append(await _served(port, trusting))
        async with asyncio.timeout(PATIENCE_S):
            while not all(map(is_cut, strangers[:3])):
                await asyncio.sleep(0.01)
        assert sum(map(is_cut, strangers)) == 4, "room was made for the last one, too"
        assert not any(reader.at_eof() for reader, _ in kept)
        for stranger in strangers:
            stranger.close()
        for _, writer in kept:
            writer.close()
        server.close()
        await runner.cleanup()

    asyncio.run(run())


async def _answer(_request: web.Request) -> web.Response:
    return web.Response()


async def _served(
    port: int, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection on which a request was answered."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    return reader, writer


class SmallCentral(Central):
    """A server that may have few file descriptors."""

    def launch(self, command: list[str]) -> ForkedProcess:
        """See :class:`Central`."""
        limited = ["prlimit", f"--nofile={DESCRIPTORS}", sys.executable, "-m", "kiosk.cli"]
        return subprocess.Popen([*limited, *command])  # type: ignore[return-value]  # as far as used


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Central]:
    """A running one."""
    with SmallCentral(tmp_path / "data") as central:
        yield central


@pytest.mark.slow
def test_half_open_handshakes_on_all_descriptors_keep_no_kiosk_out(small: Central) -> None:
    kiosk = small.enrol()
    hello, port = client_hello(small.ca), int(small.url.rsplit(":", 1)[1])
    beginnings = (b"", hello[:50], hello)
    with contextlib.ExitStack() as stack:
        for number in range(DESCRIPTORS):
            stack.enter_context(begin(port, beginnings[number % 3]))
        for number in range(20):
            for more in range(10):
                stack.enter_context(begin(port, beginnings[more % 3]))
            answer = kiosk.call("GET", "/v1/contract", headers={"Connection": "close"})
            assert answer.status_code == 200, f"request {number}"
