"""The scanner: whether it answers and, when a room is set up, whether a sheet comes through it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.errors import ScannerError, ScannerNoPaperError
from kiosk.hardware.scanner.events import (
    PageReady,
    PaperExpected,
    ScanFault,
    ScannerOpened,
)
from kiosk.hardware.scanner.probe import probe_scanner
from kiosk.hardware.scanner.session import ScanSession
from kiosk.selftest.model import SelfTestContext, unattended
from kiosk.selftest.verdict import NOT_FITTED, Verdict

_MM_OF_INCH = 25.4


async def check_scanner(context: SelfTestContext) -> Verdict:
    """Whether the scanner answers, how fast, and with which options; in a new room, a test sheet.

    A scanner that answers may still draw nothing in, or send what cannot be read.
    """
    settings = context.settings.scanner
    if not settings.fitted:
        return NOT_FITTED
    info = await probe_scanner(settings)
    measured: dict[str, Any] = {
        "device": info.device,
        "library": info.library,
        "version": info.version,
        "back_end": info.back_end,
        "open_ms": round(info.seconds_to_open * 1000),
        "options": info.options,
    }
    if not context.commissioning or context.ask is unattended:
        return Verdict("passed", None, measured)
    try:
        sheet = await _scan_sheet(settings, context.check_seconds)
    except ScannerError as error:
        return Verdict("failed", error.code, measured)
    return Verdict("passed", None, {**measured, **sheet})


async def _scan_sheet(settings: ScannerSettings, seconds: float) -> dict[str, Any]:
    """Scan one sheet, which is kept nowhere; return its size in millimetres, where it is known.

    Raises:
        ScannerError: the exact one; ``scanner_no_paper`` where no sheet came within ``seconds``.
    """
    with tempfile.TemporaryDirectory(prefix="kiosk-sheet-") as folder:
        async with ScanSession(settings, Path(folder)) as session:
            try:
                async with asyncio.timeout(seconds):
                    return await _first_sheet(session)
            except TimeoutError:
                raise ScannerNoPaperError("no sheet came") from None


async def _first_sheet(session: ScanSession) -> dict[str, Any]:
    """Return the size of the first page of ``session``."""
    resolution, sheet = 0, None
    async for event in session.events():
        match event:
            case ScannerOpened(options=options):
                resolution = int(options.get("resolution") or 0)
            case PaperExpected(source="glass"):
                session.select_source("glass")
            case ScanFault(error=error) if sheet is None and error.code != "scanner_no_paper":
                raise error
            case PageReady() if sheet is None:
                sheet = _size_mm(event, resolution)
                session.finish()
    if sheet is None:
        raise ScannerNoPaperError("no sheet came")
    return sheet


def _size_mm(page: PageReady, resolution: int) -> dict[str, Any]:
    """Return width and height of ``page``; nothing where the resolution is not known."""
    if not resolution:
        return {}
    return {
        "sheet_width_mm": round(page.width / resolution * _MM_OF_INCH),
        "sheet_height_mm": round(page.height / resolution * _MM_OF_INCH),
    }
