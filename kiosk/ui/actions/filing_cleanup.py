"""Finishes interrupted submissions; wipes abandoned filings and removes delivered documents."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from kiosk.errors import KioskError
from kiosk.filing.service import FilingService

# How long the secretary can recover a filing that a crash left behind; then it is wiped.
ABANDONED_SECONDS = 1800.0
INTERVAL_SECONDS = 60.0


async def clean_up_filings(service: FilingService, is_filing_open: Callable[[], bool]) -> None:
    """Clean up every minute until cancelled; first finish what a power cut interrupted.

    Args:
        service: keeps the filings.
        is_filing_open: whether a visitor's filing is open: then nothing is removed.
    """
    with contextlib.suppress(KioskError):
        await service.resume_submissions()
    while True:
        with contextlib.suppress(KioskError):
            service.wipe_unfinished(ABANDONED_SECONDS)
        if not is_filing_open():
            await service.remove_delivered()
        await asyncio.sleep(INTERVAL_SECONDS)
