"""Notifies systemd that a service is ready, and regularly that it is still healthy."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import sdnotify

DEFAULT_SECONDS = 5.0


def notify(state: str) -> None:
    """Send one notification (``READY=1``, ``STOPPING=1``); nothing happens without systemd."""
    sdnotify.SystemdNotifier().notify(state)


async def ping_watchdog(is_healthy: Callable[[], bool]) -> None:
    """Ping systemd's watchdog while ``is_healthy()``; ends only when cancelled."""
    limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    period = limit / 3 if limit else DEFAULT_SECONDS
    while True:
        if is_healthy():
            notify("WATCHDOG=1")
        await asyncio.sleep(period)
