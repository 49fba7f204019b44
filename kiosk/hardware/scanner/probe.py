"""Opens the configured scanner without moving paper, for the device list and the self-test."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.errors import ScannerError, ScannerStalledError, error_from_code
from kiosk.hardware.scanner.events import ScanSource
from kiosk.hardware.scanner.jobs import build_job
from kiosk.hardware.scanner.process import ScannerProcess, opened_options


@dataclass(frozen=True)
class ScannerInfo:
    """Device, library and options that are really in use."""

    device: str
    library: str
    version: str
    back_end: str
    options: dict[str, Any]
    seconds_to_open: float


async def probe_scanner(settings: ScannerSettings) -> ScannerInfo:
    """Open the configured scanner and return what is in use; no paper moves.

    Raises:
        ScannerError: the exact reason why it cannot be used.
    """
    started = time.monotonic()
    try:
        options = await _read_options(settings, "feeder")
    except ScannerError as error:
        if error.code != "no_feeder":
            raise
        options = await _read_options(settings, "glass")
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


async def _read_options(settings: ScannerSettings, source: ScanSource) -> dict[str, Any]:
    """Return the scanner's options, read back from it."""
    job = replace(build_job(settings, Path(), source), probe=True)
    child = await ScannerProcess.start(job)
    try:
        event = await child.read_event(settings.stall_seconds)
    except TimeoutError as error:
        raise ScannerStalledError("the scanner does not answer in time") from error
    finally:
        await child.kill()
    if event is None:
        raise ScannerStalledError("the scanning process died")
    if event["event"] != "opened":
        raise error_from_code(str(event["code"]), str(event["text"]))
    return opened_options(event)
