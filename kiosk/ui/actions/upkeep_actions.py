"""The technician's upkeep: the services, since when they run, and their restart (no Kivy)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.api.base import read_leniently
from kiosk.api.upkeep import GET_SERVICE, RESTART, ServiceStatus, StartReason
from kiosk.errors import KioskError
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.services.service_life import ServiceLife
from kiosk.services.upkeep import require_supervision

log = logging.getLogger(__name__)
ServiceName = Literal["recorder", "sync", "ui"]
SERVICES: tuple[ServiceName, ...] = ("recorder", "sync", "ui")
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class UpkeepState:
    """What the screen of the services shows.

    Attributes:
        services: by name; None: it does not answer.
        asked: the service whose restart awaits confirmation.
        restarting: what was told to restart and has not come back, with its starts before.
    """

    services: dict[ServiceName, ServiceStatus | None] = field(default_factory=dict)
    asked: ServiceName | None = None
    restarting: dict[ServiceName, int] = field(default_factory=dict)


class UpkeepActions:
    """What a tap on the technician's upkeep does.

    Args:
        recorder, sync: the services; the recorder's client holds the technician's token.
        life: of the touch screen's own process.
        screen_refusal: code of why the screen must not end now; empty: it may.
        on_change: called after every change.
        on_error: called with an error's code.

    Attributes:
        end_screen: ends the touch screen's process in order.
    """

    def __init__(
        self,
        recorder: LocalClient,
        sync: LocalClient,
        life: ServiceLife,
        screen_refusal: Callable[[], str],
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._recorder, self._sync, self._life = recorder, sync, life
        self._screen_refusal = screen_refusal
        self._notify_change, self._report_error = on_change, on_error
        self.state = UpkeepState()
        self.end_screen: Callable[[], None] = lambda: None

    async def poll(self, is_shown: Callable[[], bool]) -> None:
        """Ask the services while the screen is shown."""
        while True:
            if is_shown():
                await self.refresh()
            elif self.state != UpkeepState():
                self.state = UpkeepState()
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Ask each service once."""
        recorder, sync = await asyncio.gather(_ask(self._recorder), _ask(self._sync))
        services: dict[ServiceName, ServiceStatus | None] = {
            "recorder": recorder,
            "sync": sync,
            "ui": self._life.status(),
        }
        waiting = {
            name: starts
            for name, starts in self.state.restarting.items()
            if (status := services[name]) is None or status.starts <= starts
        }
        self._set(services=services, restarting=waiting)

    def ask_restart(self, name: ServiceName | None) -> None:
        """Ask whether to restart ``name``; None: withdraw the question."""
        self._set(asked=name)

    async def restart(self) -> None:
        """Restart the service that was asked about."""
        name = self.state.asked
        self._set(asked=None)
        if name == "ui":
            self._restart_screen()
        elif name is not None and await self._post_restart(name):
            status = self.state.services.get(name)
            starts = status.starts if status else 0
            self._set(restarting={**self.state.restarting, name: starts})

    def _restart_screen(self) -> None:
        """End this process; systemd starts it again.

        Raises:
            RestartRefusedError: nobody would start it again.
        """
        require_supervision()
        if code := self._screen_refusal():
            self._report_error(code)
            return
        self._life.end_reason = StartReason.TECHNICIAN
        self.end_screen()

    async def _post_restart(self, name: ServiceName) -> bool:
        """Tell a service to restart; return whether it will."""
        client = self._recorder if name == "recorder" else self._sync
        self._sync.token = self._recorder.token
        try:
            await client.post(RESTART.path)
        except ServiceRefusedError as error:
            self._report_error(error.code)
            return False
        except KioskError:
            self._report_error("recorder_down" if name == "recorder" else "service_down")
            return False
        finally:
            self._sync.token = None
        return True

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._notify_change()


async def _ask(client: LocalClient) -> ServiceStatus | None:
    """Return what a service says of itself; None: nothing."""
    try:
        return read_leniently(ServiceStatus, await client.get(GET_SERVICE.path, 2.0))[0]
    except (KioskError, ValueError) as error:
        log.debug("no answer: %s", error)
        return None
