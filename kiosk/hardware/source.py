"""Sources: what gives timed packets (camera) or timed samples (microphones), and their supervision.

A :class:`SourceSet` is opened once, at the start of the recorder, and stays warm: a recording
then begins on running devices. Every device lives in a child process that is killed and started
again when it is ill.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from kiosk.config import Settings


class SourceSet:
    """The camera and all microphones of ``settings``, warm and supervised.

    Args:
        settings: all of them.
        preview: file in shared memory for the live picture (:mod:`kiosk.hardware.preview`).
    """

    def __init__(self, settings: Settings, preview: Path) -> None:
        raise NotImplementedError

    def open(self) -> None:
        """Start all devices; returns at once, they come up by themselves."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop all devices and their processes."""
        raise NotImplementedError

    def __enter__(self) -> SourceSet:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def state(self) -> dict[str, Any]:
        """Return ``{"camera": {...}, "microphones": [...]}`` of ``GET /v1/state``."""
        raise NotImplementedError

    def levels(self) -> dict[str, dict[str, float]]:
        """Return the ``levels`` event: ``{"judge": {"rms_db", "peak_db"}, ...}``; poll 10/s."""
        raise NotImplementedError

    def devices(self) -> list[dict[str, Any]]:
        """Return the camera's and microphones' entries of ``GET /v1/devices``."""
        raise NotImplementedError

    def wait_ready(self, timeout: float) -> bool:
        """Wait until no source is ``starting``; True when all are delivering."""
        raise NotImplementedError
