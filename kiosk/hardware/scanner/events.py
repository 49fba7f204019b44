"""What happens during a scan, as its reader sees it."""

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
    """Nothing to scan yet. ``pages``: the pages to (re)load, lowest first; the first is next."""

    source: ScanSource
    pages: tuple[int, ...]


@dataclass(frozen=True)
class SheetExpected:
    """The fault ``code`` is gone, but sheet ``page`` may still be in the person's hand.

    Scanning goes on when they say (:meth:`ScanSession.confirm_sheet`) or show that it lies in the
    feeder again; after ``[scanner] reload_seconds`` it goes on without it, and the page is asked
    for at the end. So no page takes another one's place.
    """

    code: str
    page: int


@dataclass(frozen=True)
class PageMoving:
    """Page ``number`` is passing."""

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
    """The scan stands still (or page ``page`` was not kept); earlier pages are safe."""

    code: str
    page: int
    error: ScannerError


@dataclass(frozen=True)
class FaultCleared:
    """The fault ``code`` is gone; the scan goes on."""

    code: str


@dataclass(frozen=True)
class ScanFinished:
    """The session ended; ``pages`` are on the disk, ``missing`` were not scanned again."""

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
