"""Event connections to the recorder and to sync: their newest state, and whether they answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from kiosk.ipc import LocalClient, ServiceDownError

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5


class ServiceConnection:
    """Listens to the events of one service and reconnects when the service comes back.

    Args:
        client: the service.
        on_event: called with each event's name and value.
        on_change: called when the service starts or stops answering.
        pause: seconds between two attempts.
    """

    def __init__(
        self,
        client: LocalClient,
        on_event: Callable[[str, Any], None],
        on_change: Callable[[], None],
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self.client = client
        self._on_event, self._on_change, self._pause = on_event, on_change, pause
        self.is_up: bool | None = None

    def _set_is_up(self, up: bool) -> None:
        if up != self.is_up:
            self.is_up = up
            self._on_change()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async for name, value in self.client.events():
                    self._handle_event(name, value)
            except (ServiceDownError, ValueError) as error:
                log.debug("no events: %s", error)
            self._set_is_up(up=False)
            await asyncio.sleep(self._pause)

    def _handle_event(self, name: str, value: Any) -> None:
        try:
            self._on_event(name, value)
        except ValidationError as error:
            log.warning("event %s not understood: %s", name, error.errors()[:1])
            return
        self._set_is_up(up=True)
