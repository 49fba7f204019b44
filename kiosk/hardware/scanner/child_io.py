"""The child's side of a scanning process: events to the parent, its stop, numbers, pages."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.scanner.errors import ScannerError
from kiosk.hardware.scanner.jobs import OverheadJob, SaneJob, ScanJob

J = TypeVar("J", SaneJob, OverheadJob)


class EventWriter:
    """Writes events for the parent to a stream that nobody else writes to."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, event: str, **values: object) -> None:
        """Send one event at once."""
        self._stream.write(json.dumps({"event": event, **values}) + "\n")
        self._stream.flush()


def run_job(job_type: type[J], run: Callable[[J, EventWriter], None]) -> int:
    """Run the job that comes on standard input; return the exit status: 1 after a fault."""
    writer = EventWriter(_redirect_stdout())
    job = job_type.from_line(sys.stdin.readline())
    die_with_parent(job.parent)
    try:
        run(job, writer)
    except ScannerError as error:
        writer.send("fault", code=error.code, text=str(error))
        return 1
    except OSError as error:
        writer.send("fault", code="storage_failed", text=str(error))
        return 1
    return 0


def _redirect_stdout() -> TextIO:
    """Return our standard output, and send what libraries print there to standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def wait_for_stop(seconds: float) -> bool:
    """Return whether the parent said stop (or went away) within ``seconds``."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable)


class PageNumbers:
    """The page numbers of a job: the missing ones first, then the following ones."""

    def __init__(self, job: ScanJob) -> None:
        self._missing = list(job.numbers)
        self._next = job.next_number

    def take(self) -> int:
        """Return the number of the next page."""
        number = self._missing.pop(0) if self._missing else self._next
        self._next = max(self._next, number + 1)
        return number


def write_page(
    write_jpeg: Callable[[Callable[[bytes], object]], None], job: ScanJob, number: int
) -> Path:
    """Write page ``number`` durably, whole or not at all; return its path.

    Args:
        write_jpeg: writes the page with the function that it is given.
        job: it names the folder.
        number: of the page.
    """
    path = Path(job.folder) / f"{number:04d}.jpg"
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        write_jpeg(file.write)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path
