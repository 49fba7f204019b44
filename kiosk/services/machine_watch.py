"""Watches the machine's own health for the recorder's alarms (wiring only)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kiosk.api.recorder import AlarmKey
from kiosk.hardware.machine_health import MachineHealth, read_machine_health

log = logging.getLogger(__name__)
INTERVAL_S = 10.0
SOURCE = "machine"


class MachineWatch:
    """Looks at the machine every ten seconds.

    Args:
        on_change: called when what is wrong has changed.
        read: reads the health; in a thread.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        read: Callable[[], MachineHealth] = read_machine_health,
    ) -> None:
        self._on_change, self._read = on_change, read
        self._codes: tuple[str, ...] = ()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            codes = (await asyncio.to_thread(self._read)).alarms
            if codes != self._codes:
                log.warning("machine: %s", ", ".join(codes) or "well again")
                self._codes = codes
                self._on_change()
            await asyncio.sleep(INTERVAL_S)

    def alarms(self) -> list[AlarmKey]:
        """Return what is wrong, as seen last."""
        return [(code, SOURCE) for code in self._codes]
