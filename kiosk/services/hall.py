"""The recorder's view for the display in the hall, on a socket of its own.

It offers nothing but what everybody may see, so whoever opens the socket may read: also a proxy
that carries it into the court's network (``kiosk-hall-view.socket``). A view that cannot be made is
not sent, and the display then says that it knows nothing; the recorder goes on.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from kiosk.api.base import Model
from kiosk.api.hall import GET_HALL, GET_HALL_EVENTS, HALL_OPERATIONS, HallView
from kiosk.errors import KioskError
from kiosk.ipc import EventStream, errors_as_json, serve_unix
from kiosk.services.local_api import Call, Route, add_routes

log = logging.getLogger(__name__)


class HallViewError(KioskError):
    """The view cannot be made now."""

    code = "service_down"
    status = 503


class HallService:
    """Serves the view.

    Args:
        make_view: returns the view now; it waits for nothing.
        socket: Unix socket.
    """

    def __init__(self, make_view: Callable[[], HallView], socket: Path) -> None:
        self._make_view, self._socket = make_view, socket
        self._events = EventStream(backlog=4)
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """Return the application of the socket."""
        app = web.Application(middlewares=[errors_as_json])
        routes: list[Route] = [(GET_HALL, self._get_view), (GET_HALL_EVENTS, self._get_events)]
        add_routes(app, HALL_OPERATIONS, routes)
        return app

    async def start(self) -> None:
        """Serve; a socket that cannot be opened costs the display only."""
        try:
            self._runner = await serve_unix(self.application(), self._socket)
        except OSError as error:
            log.error("no view for the hall: %s", error)

    def publish(self) -> None:
        """Send the view as it is now; call from the event loop's thread."""
        try:
            self._events.send("hall", self._view().to_json())
        except HallViewError as error:
            log.error("%s", error)

    async def close(self) -> None:
        """End the streams and take the socket away."""
        self._events.close()
        if self._runner is not None:
            await self._runner.cleanup()
        with contextlib.suppress(FileNotFoundError):
            self._socket.unlink()

    def _view(self) -> HallView:
        try:
            return self._make_view()
        except Exception as error:  # whatever it is, a display in the hall stops no recorder
            said = type(error).__name__  # its text may have what a list says of somebody
            raise HallViewError(f"the view for the hall cannot be made: {said}") from None

    async def _get_view(self, _call: Call) -> Model:
        return self._view()

    async def _get_events(self, call: Call) -> web.StreamResponse:
        return await self._events.handle(call.http)
