"""The calls with which a technician looks after a service: its age, and its restart."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable

from kiosk.api.base import Model
from kiosk.api.operations import NoBody
from kiosk.api.upkeep import GET_SERVICE, RESTART, StartReason
from kiosk.errors import KioskError
from kiosk.services.local_api import Call, Route
from kiosk.services.service_life import ServiceLife

log = logging.getLogger(__name__)


class RestartRefusedError(KioskError):
    """The service is not restarted now; ``code`` says why."""

    code = "restart_busy"
    status = 409


class UpkeepService:
    """Answers for one service.

    Args:
        life: of its process.
        check: raises where the service must not end now; gets the call.
        stop: ends the service in order.
    """

    def __init__(
        self,
        life: ServiceLife,
        check: Callable[[Call], Awaitable[None]],
        stop: Callable[[], None],
    ) -> None:
        self._life, self._check, self._stop = life, check, stop

    def routes(self) -> list[Route]:
        """Return the operations with their handlers."""
        return [(GET_SERVICE, self._get_service), (RESTART, self._restart)]

    async def _get_service(self, _call: Call) -> Model:
        return self._life.status()

    async def _restart(self, call: Call) -> Model:
        require_supervision()
        await self._check(call)
        log.warning("%s restarts this service", call.person.id)
        self._life.end_reason = StartReason.TECHNICIAN
        asyncio.get_running_loop().call_soon(self._stop)
        return NoBody()


def require_supervision() -> None:
    """Check that systemd starts this process again.

    Raises:
        RestartRefusedError: it was started by hand, as in a demo.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        raise RestartRefusedError("nothing would start it again", code="restart_unsupervised")


def refuse_in_hearing() -> RestartRefusedError:
    """Return the refusal because a hearing is open."""
    return RestartRefusedError("a hearing is open", code="restart_in_hearing")
