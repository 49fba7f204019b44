"""A connection on which no whole request head arrives in time is closed.

aiohttp waits as long as its keep-alive lasts; a stranger could hold connections with half a head.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

HEAD_TIMEOUT_S = 10.0


class TimedHandler(web.RequestHandler):
    """A connection with a time limit for each request head."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time limit: nothing has arrived yet."""
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Stop the time limit at a whole head, start it at a part of one."""
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self._stop_timer()
        elif self._head_timer is None:
            self._start_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the time limit."""
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._head_timer = loop.call_later(HEAD_TIMEOUT_S, self.force_close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class TimedServer(web.Server):
    """Makes a :class:`TimedHandler` for each connection."""

    def __call__(self) -> TimedHandler:
        """Return the protocol of a new connection."""
        return TimedHandler(self, loop=self._loop, **self._kwargs)


class TimedRunner(web.AppRunner):
    """Runs an application on a :class:`TimedServer`."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return TimedServer(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - aiohttp has no setting for this limit
            **made._kwargs,  # noqa: SLF001
        )
