"""The line to a service that can be gone: cut, or silent, for as long as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Mode = Literal["open", "cut", "silent"]


class ServiceLine:
    """A line in front of a service.

    Args:
        connect: opens a connection to the service.
    """

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self._connect = connect
        self._loop = asyncio.new_event_loop()
        self._mode: Mode = "open"
        self._passes = asyncio.Event()
        self._passes.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def set_mode(self, mode: Mode) -> None:
        """Let bytes pass, cut every connection, or keep back what comes until it is open again."""
        asyncio.run_coroutine_threadsafe(self._set_mode(mode), self._loop).result(10)

    async def _set_mode(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "cut":
            for writer in self._writers:
                writer.transport.abort()
        if mode == "silent":
            self._passes.clear()
        else:
            self._passes.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        if self._mode == "cut":
            writer.transport.abort()
            return
        inner_reader, inner_writer = await self._connect()
        self._writers |= {writer, inner_writer}
        await asyncio.gather(self._copy(reader, inner_writer), self._copy(inner_reader, writer))
        self._writers -= {writer, inner_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    @contextlib.contextmanager
    def listening(self, listen: Callable[[], Awaitable[asyncio.Server]]) -> Iterator[int]:
        """Listen until the block ends; yield the port (0: a Unix socket)."""

        async def begin() -> asyncio.Server:
            return await listen()

        server = self._loop.run_until_complete(begin())
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        name = server.sockets[0].getsockname()
        try:
            yield name[1] if isinstance(name, tuple) else 0
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)


@contextlib.contextmanager
def tcp_line(port: int) -> Iterator[tuple[ServiceLine, int]]:
    """Yield a line to a port of loopback, and its own port."""
    line = ServiceLine(lambda: asyncio.open_connection("127.0.0.1", port))
    with line.listening(lambda: asyncio.start_server(line.serve, "127.0.0.1", 0)) as own:
        yield line, own


@contextlib.contextmanager
def unix_line(target: Path, own: Path) -> Iterator[ServiceLine]:
    """Yield a line to the Unix socket ``target``; it listens at ``own``."""
    line = ServiceLine(lambda: asyncio.open_unix_connection(str(target)))
    with line.listening(lambda: asyncio.start_unix_server(line.serve, str(own))):
        yield line
