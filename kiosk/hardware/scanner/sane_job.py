"""The job of the process that drives SANE."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

from kiosk.hardware.scanner.events import ScanSource


@dataclass(frozen=True)
class SaneJob:
    """One run of ``kiosk.hardware.scanner.sane_child``.

    Attributes:
        parent: process id of the parent.
        device: SANE device name.
        config_dir: ``SANE_CONFIG_DIR``, or empty for the system's.
        folder: where pages go, as ``0001.jpg``.
        source: feeder (until it is empty), or glass (one page).
        duplex: both sides, where the feeder can.
        mode: ``gray`` or ``colour``.
        resolution: dots per inch.
        numbers: page numbers still missing, scanned first.
        next_number: number of the page after those.
        probe: only open the scanner and tell its options.
    """

    module: ClassVar[str] = "kiosk.hardware.scanner.sane_child"

    parent: int
    device: str
    config_dir: str
    folder: str
    source: ScanSource
    duplex: bool
    mode: str
    resolution: int
    numbers: tuple[int, ...]
    next_number: int
    probe: bool = False

    def to_line(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> SaneJob:
        """Return the job in ``line``."""
        value = json.loads(line)
        return cls(**{**value, "numbers": tuple(value["numbers"])})
