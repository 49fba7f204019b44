"""The job of the process that drives the overhead camera."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

PaperFormat = Literal["auto", "a4", "a5", "letter"]


@dataclass(frozen=True)
class OverheadJob:
    """One run of ``kiosk.hardware.scanner.overhead_child``.

    Attributes:
        parent: process id of the parent.
        folder: where pages go, as ``0001.jpg``.
        camera: libcamera's number.
        back_end: ``picamera2`` or ``virtual``.
        pictures: folder that the virtual camera plays.
        paper: format of the pages, or ``auto``.
        view_mm: width in millimetres of the desk in the picture; 0: unknown.
        still_seconds: how long a page must lie still.
        mode: ``gray`` or ``colour``.
        resolution: dots per inch at most.
        numbers: page numbers still missing, taken first.
        next_number: number of the page after those.
        taken_page: the page that an earlier run took and that may still lie there, as that run
            told it (:class:`kiosk.hardware.scanner.still_page_detector.TakenPage`).
        probe: only open the camera and tell its options.
    """

    module: ClassVar[str] = "kiosk.hardware.scanner.overhead_child"

    parent: int
    folder: str
    camera: int
    back_end: Literal["picamera2", "virtual"]
    pictures: str
    paper: PaperFormat
    view_mm: int
    still_seconds: float
    mode: str
    resolution: int
    numbers: tuple[int, ...]
    next_number: int
    taken_page: dict[str, Any] | None = None
    probe: bool = False

    def to_line(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> OverheadJob:
        """Return the job in ``line``."""
        value = json.loads(line)
        return cls(**{**value, "numbers": tuple(value["numbers"])})
