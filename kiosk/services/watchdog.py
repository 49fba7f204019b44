"""Tells systemd that a service is ready, and every few seconds that it is still well."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import sdnotify

DEFAULT_SECONDS = 5.0


def notify(state: str) -> None:
    """Send one notification (``READY=1``, ``STOPPING=1``); nothing happens without systemd."""
    sdnotify.SystemdNotifier().notify(state)


async def feed_watchdog(well: Callable[[], bool]) -> None:
    """Feed systemd's watchdog as long as ``well`` says so; ends only when cancelled."""
    limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    period = limit / 3 if limit else DEFAULT_SECONDS
    while True:
        if well():
            notify("WATCHDOG=1")
        await asyncio.sleep(period)
