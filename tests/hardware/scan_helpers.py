"""Runs scan sessions against the virtual scanner and reads what they report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.events import PageReady, ScanEvent, ScanFault
from kiosk.hardware.scanner.session import ScanSession
from kiosk.hardware.virtual.scanner import VirtualScanner
from tests.hardware.conftest import DPI, bars_on

React = Callable[[ScanEvent], None]


def settings_for(
    device: VirtualScanner, stall_seconds: float = 20, reload_seconds: float = 60
) -> ScannerSettings:
    """Return settings that reach ``device``."""
    return ScannerSettings(
        device=device.device,
        sane_config_dir=device.config_dir,
        resolution=DPI,
        stall_seconds=stall_seconds,
        reload_seconds=reload_seconds,
    )


def scan(session: ScanSession, react: React = lambda _event: None) -> list[ScanEvent]:
    """Run a session to its end; ``react`` is called with each event."""

    async def run() -> list[ScanEvent]:
        seen = []
        async with session:
            async for event in with_timeout(session.events()):
                seen.append(event)
                react(event)
        return seen

    return asyncio.run(run())


async def with_timeout(events: AsyncIterator[ScanEvent]) -> AsyncIterator[ScanEvent]:
    """Yield ``events``, each of which comes within a minute."""
    while True:
        try:
            yield await asyncio.wait_for(anext(events), 60)
        except StopAsyncIteration:
            return


def pages_of(events: list[ScanEvent]) -> list[PageReady]:
    """Return the pages among ``events``."""
    return [event for event in events if isinstance(event, PageReady)]


def faults_of(events: list[ScanEvent]) -> list[tuple[str, int]]:
    """Return code and page of the faults among ``events``."""
    return [(event.code, event.page) for event in events if isinstance(event, ScanFault)]


def sheets_in(folder: Path) -> list[int]:
    """Return which sheet each page on the disk shows, in order."""
    return [bars_on(path) for path in sorted(folder.glob("*.jpg"))]
