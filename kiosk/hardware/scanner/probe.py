"""Opens the configured scanner without moving paper, for the list of devices and the self-test."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.errors import ScannerError, ScannerStalledError, error_from_code
from kiosk.hardware.scanner.overhead_job import OverheadJob
from kiosk.hardware.scanner.process import ScannerProcess, opened_options
from kiosk.hardware.scanner.sane_job import SaneJob
from kiosk.hardware.scanner.session import ScanSession


@dataclass(frozen=True)
class ScannerInfo:
    """What is truly in use: for the report of devices and the self-test."""

    device: str
    library: str
    version: str
    back_end: str
    options: dict[str, Any]
    seconds_to_open: float


async def probe_scanner(settings: ScannerSettings) -> ScannerInfo:
    """Open the configured scanner and return what answers; no paper moves.

    Raises:
        ScannerError: which one says why it cannot be used.
    """
    session = ScanSession(settings, Path())
    started = time.monotonic()
    try:
        options = await _read_options(
            session.build_job("feeder", probe=True), settings.stall_seconds
        )
    except ScannerError as error:
        if error.code != "no_feeder":
            raise
        options = await _read_options(
            session.build_job("glass", probe=True), settings.stall_seconds
        )
    if settings.kind == "overhead":
        return ScannerInfo(
            device=f"overhead camera {settings.overhead.camera}",
            library=str(options.pop("library")),
            version=str(options.pop("version")),
            back_end=settings.overhead.back_end,
            options=options,
            seconds_to_open=time.monotonic() - started,
        )
    return ScannerInfo(
        device=settings.device,
        library="python-sane",
        version=version("python-sane"),
        back_end=settings.device.partition(":")[0] or "none",
        options=options,
        seconds_to_open=time.monotonic() - started,
    )


async def _read_options(job: SaneJob | OverheadJob, timeout_s: float) -> dict[str, Any]:
    """Return the options of the scanner, read back."""
    child = await ScannerProcess.start(job)
    try:
        event = await child.read_event(timeout_s)
    except TimeoutError as error:
        raise ScannerStalledError("the scanner does not answer in time") from error
    finally:
        await child.kill()
    if event is None:
        raise ScannerStalledError("the scanning process died")
    if event["event"] != "opened":
        raise error_from_code(str(event["code"]), str(event["text"]))
    return opened_options(event)
