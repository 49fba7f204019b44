"""Shared by the scanning processes: events to the parent, its stop, writing a page."""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

#: Of the JPEG in which a page is kept.
_JPEG_QUALITY = 94


class EventWriter:
    """Writes events for the parent to a stream that nobody else writes to."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, event: str, **values: Any) -> None:
        """Send one event at once."""
        self._stream.write(json.dumps({"event": event, **values}) + "\n")
        self._stream.flush()


def redirect_stdout() -> TextIO:
    """Return our standard output, and send what libraries print there to standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def wait_for_stop(seconds: float) -> bool:
    """Return whether the parent said stop (or went away) within ``seconds``."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable)


def write_page(image: Image.Image, path: Path, resolution: int) -> None:
    """Write a page so that it is on the disk, under its name, or not at all.

    As JPEG that no eye tells from the scan: a tenth of the time of PNG, a third of the bytes.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        dots = (resolution, resolution)
        image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4", dpi=dots)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
