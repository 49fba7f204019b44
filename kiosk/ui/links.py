"""Lines to the recorder and to sync: the newest state of each, and whether it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from kiosk.ipc import LocalClient, ServiceDownError

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5


class ServiceLine:
    """Listens to one service's events until cancelled; it comes back when the service does.

    Args:
        client: the service.
        on_event: called with each event's name and value.
        on_change: called when the service begins or ceases to answer.
        pause: seconds between two tries.
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
        self.up: bool | None = None

    def _set(self, up: bool) -> None:
        if up != self.up:
            self.up = up
            self._on_change()

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                async for name, value in self.client.events():
                    self._take(name, value)
            except (ServiceDownError, ValueError) as error:
                log.debug("no events: %s", error)
            self._set(up=False)
            await asyncio.sleep(self._pause)

    def _take(self, name: str, value: Any) -> None:
        try:
            self._on_event(name, value)
        except ValidationError as error:
            log.warning("event %s not understood: %s", name, error.errors()[:1])
            return
        self._set(up=True)
