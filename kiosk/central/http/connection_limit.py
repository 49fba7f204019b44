"""A clear end to connections: too many are refused at once instead of hanging until some end.

A process without a free file descriptor cannot accept; whoever connects waits in the kernel's queue
until its own time-out. So some descriptors stay reserved, and a connection beyond them is closed.
Before that, whoever has begun the oldest unfinished TLS handshake makes room: a kiosk ends its own
in a moment, and strangers who never end theirs keep no kiosk out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import ssl
import time
from asyncio.sslproto import SSLProtocol
from contextlib import suppress
from functools import partial

from kiosk.central.http.header_timeout import HEAD_TIMEOUT_S, TimedServer

log = logging.getLogger(__name__)

RESERVED = 256  # for files, database, store; and for what the kernel accepts in one go
MAX_HANDSHAKES = 2048  # all kiosks of a country's courts may come back at the same moment
LOG_INTERVAL_S = 60.0


class Handshake(SSLProtocol):
    """TLS below a connection, as asyncio has it; its handshake is in ``unfinished`` until its end.

    Args:
        server: makes the connection above it.
        context: the server's TLS settings.
        unfinished: handshakes, oldest first.
    """

    def __init__(
        self, server: TimedServer, context: ssl.SSLContext, unfinished: dict[Handshake, None]
    ) -> None:
        handler = server()
        super().__init__(
            asyncio.get_running_loop(),
            handler,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for its end
            server_side=True,
            ssl_handshake_timeout=HEAD_TIMEOUT_S,  # type: ignore[arg-type]  # seconds, not whole
        )
        self._unfinished = unfinished
        self._below: asyncio.BaseTransport | None = None
        handler.on_connected = partial(unfinished.pop, self, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._below = transport
        self._unfinished[self] = None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the handshake, if it has not ended."""
        self._unfinished.pop(self, None)
        super().connection_lost(exc)

    def cut(self) -> None:
        """Close the connection at once."""
        self._unfinished.pop(self, None)
        if isinstance(self._below, asyncio.Transport):
            self._below.abort()


class TlsConnections:
    """Makes the protocol of each new connection, within limits.

    The process's soft limit is raised to its hard limit (systemd: ``LimitNOFILE``).

    Args:
        server: makes the connections above TLS.
        context: the server's TLS settings.
    """

    def __init__(self, server: TimedServer, context: ssl.SSLContext) -> None:
        self._server, self._context = server, context
        self._unfinished: dict[Handshake, None] = {}
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = self._limit - min(RESERVED, self._limit // 4)
        self._logged_at = -LOG_INTERVAL_S

    def __call__(self) -> Handshake:
        """Return the protocol of a new connection.

        Raises:
            ConnectionRefusedError: there is no room for it; asyncio drops the connection.
        """
        is_full = _lowest_free_descriptor(self._limit) >= self._most
        if is_full and time.monotonic() - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = time.monotonic()
            log.error("too many connections: %d of %d file descriptors", self._most, self._limit)
        if is_full or len(self._unfinished) >= MAX_HANDSHAKES:
            oldest = next(iter(self._unfinished), None)
            if oldest is None:
                raise ConnectionRefusedError
            oldest.cut()
        return Handshake(self._server, self._context, self._unfinished)


def _lowest_free_descriptor(limit: int) -> int:
    """Return the number that the next file gets; all below it are in use."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return limit
    os.close(number)
    return number
