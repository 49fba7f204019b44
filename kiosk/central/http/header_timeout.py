"""Connections that hold the server's resources without a good reason are closed.

No whole request head in time, no further request for a while (aiohttp waits for an hour), or the
oldest of too many that show no device certificate: who enrols needs a connection for seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.http import RawRequestMessage

from kiosk.central import CONTRACT
from kiosk.central.errors import malformed
from kiosk.central.http.json_api import error_response

HEAD_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 90.0  # a kiosk asks every 30 s
MAX_STRANGERS = 256


class Strangers:
    """The open connections without a device certificate, oldest first."""

    def __init__(self) -> None:
        self._connections: dict[web.RequestHandler, None] = {}

    def add(self, connection: web.RequestHandler) -> None:
        """Add a connection; of too many the oldest one is cut."""
        self._connections[connection] = None
        if len(self._connections) > MAX_STRANGERS:
            oldest = next(iter(self._connections))
            self.discard(oldest)
            if oldest.transport is not None:
                oldest.transport.abort()

    def discard(self, connection: web.RequestHandler) -> None:
        """Forget a connection, which may be unknown."""
        self._connections.pop(connection, None)


class TimedHandler(web.RequestHandler):
    """A connection with a time limit for each request head."""

    strangers: Strangers
    on_connected: Callable[[], object] = staticmethod(lambda: None)
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time limit: nothing has arrived yet."""
        self.on_connected()
        super().connection_made(transport)
        self._start_timer()
        if not transport.get_extra_info("peercert"):
            self.strangers.add(self)

    def data_received(self, data: bytes) -> None:
        """Stop the time limit at a whole head, start it at a part of one."""
        super().data_received(data)
        self._end_broken_body()
        if self._messages or self._current_request is not None:
            self._stop_timer()
        elif self._head_timer is None:
            self._start_timer()

    def _end_broken_body(self) -> None:
        """End a body whose chunks are none: who reads it would wait for the rest."""
        request, message = self._current_request, self._messages[-1][0] if self._messages else None
        if request is None or message is None or isinstance(message, RawRequestMessage):
            return
        if not request.content.is_eof():
            self._lingering_time = 0.0  # the connection ends with the answer
            request.content.set_exception(web.RequestPayloadError("the chunks are none"))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the time limit."""
        self._stop_timer()
        self.strangers.discard(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse a head that cannot be parsed; nothing of it is logged, whoever sent it."""
        if status != HTTPStatus.BAD_REQUEST or request.writer.output_size:
            return super().handle_error(request, status, exc, message)
        response = error_response(malformed("the request head cannot be read"))
        response.headers["Court-Contract"] = str(CONTRACT)
        response.force_close()
        return response

    def _start_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._head_timer = loop.call_later(HEAD_TIMEOUT_S, self.force_close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class TimedServer(web.Server):
    """Makes a :class:`TimedHandler` for each connection."""

    strangers: Strangers

    def __call__(self) -> TimedHandler:
        """Return the protocol of a new connection."""
        handler = TimedHandler(self, loop=self._loop, **self._kwargs)
        handler.strangers = self.strangers
        return handler


class TimedRunner(web.AppRunner):
    """Runs an application on a :class:`TimedServer`."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = TimedServer(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - aiohttp has no setting for this limit
            **made._kwargs  # noqa: SLF001
            | {"keepalive_timeout": KEEP_ALIVE_S, "auto_decompress": False},
        )
        server.strangers = Strangers()
        return server
