"""Jobs of the scanning processes; each is handed over as one line of JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.events import ScanSource

PaperFormat = Literal["auto", "a4", "a5", "letter"]


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Fields of every job.

    Attributes:
        module: Python module of the child process.
        parent: process id of the parent.
        folder: where pages go, as ``0001.jpg``.
        mode: ``gray`` or ``colour``.
        resolution: dots per inch; the most of them with a camera.
        numbers: page numbers still missing, scanned first.
        next_number: number of the page after those.
        probe: only open the device and report its options.
    """

    module: ClassVar[str]

    parent: int
    folder: str
    mode: str
    resolution: int
    numbers: tuple[int, ...] = ()
    next_number: int = 1
    probe: bool = False

    def to_line(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Return the job in ``line``."""
        value = json.loads(line)
        return cls(**{**value, "numbers": tuple(value["numbers"])})


@dataclass(frozen=True, kw_only=True)
class SaneJob(_Job):
    """One run of ``kiosk.hardware.scanner.sane_child``.

    Attributes:
        device: SANE device name.
        config_dir: ``SANE_CONFIG_DIR``, or empty for the system's.
        source: feeder (until it is empty), or glass (one page).
        duplex: both sides, where the feeder can.
        is_size_proven: whether the scanner has sent a page of a size that half the resolution
            cannot have.
    """

    module: ClassVar[str] = "kiosk.hardware.scanner.sane_child"

    device: str
    config_dir: str
    source: ScanSource
    duplex: bool = False
    is_size_proven: bool = False


@dataclass(frozen=True, kw_only=True)
class OverheadJob(_Job):
    """One run of ``kiosk.hardware.scanner.overhead_child``.

    Attributes:
        camera: libcamera's number.
        back_end: ``picamera2`` or ``virtual``.
        pictures: folder that the virtual camera plays.
        paper: format of the pages, or ``auto``.
        view_mm: width in millimetres of the desk in the picture; 0: unknown.
        still_seconds: how long a page must lie still.
        taken_page: page that an earlier run took and that may still be on the desk, as that run
            reported it (:class:`kiosk.hardware.scanner.still_page_detector.TakenPage`).
    """

    module: ClassVar[str] = "kiosk.hardware.scanner.overhead_child"

    camera: int
    back_end: Literal["picamera2", "virtual"]
    pictures: str
    paper: PaperFormat
    view_mm: int
    still_seconds: float
    taken_page: dict[str, Any] | None = None


ScanJob = SaneJob | OverheadJob


def build_job(settings: ScannerSettings, folder: Path, source: ScanSource) -> ScanJob:
    """Return the job for the scanner of ``settings``: one side of each sheet, from page 1."""
    if settings.kind == "overhead":
        overhead = settings.overhead
        return OverheadJob(
            parent=os.getpid(),
            folder=str(folder),
            mode=settings.colour,
            resolution=settings.resolution,
            camera=overhead.camera,
            back_end=overhead.back_end,
            pictures=str(overhead.pictures or ""),
            paper=overhead.paper,
            view_mm=overhead.view_mm,
            still_seconds=overhead.still_seconds,
        )
    return SaneJob(
        parent=os.getpid(),
        folder=str(folder),
        mode=settings.colour,
        resolution=settings.resolution,
        device=settings.device,
        config_dir=str(settings.sane_config_dir or ""),
        source=source,
    )
