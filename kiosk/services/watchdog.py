"""Notifies systemd regularly that a service is still healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kiosk.systemd import notify, ping_interval_s


async def ping_watchdog(is_healthy: Callable[[], bool]) -> None:
    """Ping systemd's watchdog while ``is_healthy()``; ends only when cancelled."""
    while True:
        if is_healthy():
            notify("WATCHDOG=1")
        await asyncio.sleep(ping_interval_s())
