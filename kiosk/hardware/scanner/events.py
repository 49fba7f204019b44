"""Events of a scan session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kiosk.hardware.scanner.errors import ScannerError

ScanSource = Literal["feeder", "glass"]


@dataclass(frozen=True)
class ScannerOpened:
    """The scanner answers; ``options`` were read back from it."""

    options: dict[str, Any]


@dataclass(frozen=True)
class PaperExpected:
    """There is nothing to scan yet. ``pages``: pages to load (again), lowest first."""

    source: ScanSource
    pages: tuple[int, ...]


@dataclass(frozen=True)
class SheetExpected:
    """The fault ``code`` is gone, but the person may still hold sheet ``page``.

    Scanning continues when they confirm (:meth:`ScanSession.confirm_sheet`) or the feeder shows
    that the sheet is in it again. After ``[scanner] reload_seconds`` it continues without the
    sheet, and the page is asked for at the end. So no page takes another one's place.
    """

    code: str
    page: int


@dataclass(frozen=True)
class PageMoving:
    """Page ``number`` passes through the scanner."""

    number: int


@dataclass(frozen=True)
class PageReady:
    """Page ``number`` is whole and on the disk at ``path``."""

    path: Path
    number: int
    width: int
    height: int


@dataclass(frozen=True)
class ScanFault:
    """The scan has stopped (or page ``page`` was not kept); earlier pages are safe."""

    code: str
    page: int
    error: ScannerError


@dataclass(frozen=True)
class FaultCleared:
    """The fault ``code`` is gone; the scan continues."""

    code: str


@dataclass(frozen=True)
class ScanFinished:
    """The session has ended; ``pages`` are on the disk, ``missing`` were not scanned again."""

    pages: tuple[int, ...]
    missing: tuple[int, ...]


ScanEvent = (
    ScannerOpened
    | PaperExpected
    | SheetExpected
    | PageMoving
    | PageReady
    | ScanFault
    | FaultCleared
    | ScanFinished
)
