"""The process behind the overhead camera: ``python -m kiosk.hardware.scanner.overhead_child``.

It tells the same events as :mod:`kiosk.hardware.scanner.sane_child` on its standard output and ends
likewise. ``page`` also carries ``taken_page``: what the next run must know so as not to take
the page again that still lies on the desk. ``empty`` never comes: the person says when it is
enough.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from PIL import Image

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.scanner.child_io import EventWriter, redirect_stdout, wait_for_stop, write_page
from kiosk.hardware.scanner.errors import ScannerError
from kiosk.hardware.scanner.overhead_cameras import PREVIEW_INTERVAL_S, OverheadCamera, open_camera
from kiosk.hardware.scanner.overhead_job import OverheadJob
from kiosk.hardware.scanner.page_finder import find_page, to_preview
from kiosk.hardware.scanner.page_flattener import make_scan
from kiosk.hardware.scanner.still_page_detector import StillPageDetector, TakenPage


class OverheadBatch:
    """Takes page after page from the desk until the parent says stop.

    Args:
        job: what to do.
        camera: above the desk.
        writer: reports to the parent.
    """

    def __init__(self, job: OverheadJob, camera: OverheadCamera, writer: EventWriter) -> None:
        self._job = job
        self._camera = camera
        self._writer = writer
        self._numbers = list(job.numbers)
        self._next_number = job.next_number
        taken = TakenPage.from_json(job.taken_page) if job.taken_page else None
        self._detector = StillPageDetector(job.still_seconds, taken)

    def run(self) -> None:
        """Scan every page that lies still."""
        while not wait_for_stop(PREVIEW_INTERVAL_S):
            state = self._detector.observe(self._camera.preview(), time.monotonic())
            if state == "ready":
                self._writer.send("moving", rows=0)
                self._scan_page(self._camera.capture())
            else:
                self._writer.send("waiting")

    def _scan_page(self, photograph: Image.Image) -> None:
        """Keep the page in ``photograph``; a hand came between: look on."""
        grey = to_preview(photograph)
        corners = find_page(grey)
        if corners is None:
            return
        job = self._job
        scale = photograph.width / grey.width
        image, resolution = make_scan(
            photograph, corners * scale, job.paper, job.view_mm, job.resolution
        )
        if job.mode == "gray":
            image = image.convert("L")
        number = self._numbers.pop(0) if self._numbers else self._next_number
        self._next_number = max(self._next_number, number + 1)
        path = Path(job.folder) / f"{number:04d}.jpg"
        write_page(image, path, resolution)
        taken = TakenPage.from_preview(grey, corners)
        self._detector.mark_taken(taken)
        self._writer.send(
            "page",
            number=number,
            file=path.name,
            width=image.width,
            height=image.height,
            taken_page=taken.to_json(),
        )


def _run_job(job: OverheadJob, writer: EventWriter) -> None:
    camera = open_camera(job)
    try:
        writer.send("opened", **camera.facts(), resolution=job.resolution, mode=job.mode)
        if not job.probe:
            OverheadBatch(job, camera, writer).run()
    finally:
        camera.close()


def main() -> int:
    """Do the job on standard input; exit status 0, or 1 after it reported a fault."""
    writer = EventWriter(redirect_stdout())
    job = OverheadJob.from_line(sys.stdin.readline())
    die_with_parent(job.parent)
    try:
        _run_job(job, writer)
    except ScannerError as error:
        writer.send("fault", code=error.code, text=str(error))
        return 1
    except OSError as error:
        writer.send("fault", code="storage_failed", text=str(error))
        return 1
    return 0


if __name__ == "__main__":
    # A camera's clean-up may hang: leave without it.
    os._exit(main())
