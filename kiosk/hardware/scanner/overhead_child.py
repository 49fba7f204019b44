"""The process behind the overhead camera: ``python -m kiosk.hardware.scanner.overhead_child``.

It tells the same events as :mod:`kiosk.hardware.scanner.child` on its standard output and ends
likewise. ``page`` carries ``lies_there`` besides: what the next run must know so as not to take
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
from kiosk.hardware.scanner.errors import ScannerError
from kiosk.hardware.scanner.overhead_cameras import LOOK_SECONDS, OverheadCamera, open_camera
from kiosk.hardware.scanner.overhead_job import OverheadJob
from kiosk.hardware.scanner.overhead_watch import Seen, Watch
from kiosk.hardware.scanner.page_finder import find_page, reduced
from kiosk.hardware.scanner.page_flattener import scan_of
from kiosk.hardware.scanner.reporter import Reporter, own_output, stopped, write_page


class Desk:
    """Takes page after page from the desk until the parent says stop.

    Args:
        job: what to do.
        camera: looks at the desk.
        reporter: hears what happens.
    """

    def __init__(self, job: OverheadJob, camera: OverheadCamera, reporter: Reporter) -> None:
        self._job = job
        self._camera = camera
        self._reporter = reporter
        self._numbers = list(job.numbers)
        self._next = job.next_number
        seen = Seen.from_json(job.lies_there) if job.lies_there else None
        self._watch = Watch(job.still_seconds, seen)

    def run(self) -> None:
        """Look, and take what lies still."""
        while not stopped(LOOK_SECONDS):
            view = self._watch.look(self._camera.look(), time.monotonic())
            if view == "ready":
                self._reporter.tell("moving", rows=0)
                self._take(self._camera.still())
            else:
                self._reporter.tell("waiting")

    def _take(self, photograph: Image.Image) -> None:
        """Keep the page in ``photograph``; a hand came between: look on."""
        grey = reduced(photograph)
        corners = find_page(grey)
        if corners is None:
            return
        job = self._job
        scale = photograph.width / grey.width
        image, resolution = scan_of(
            photograph, corners * scale, job.paper, job.view_mm, job.resolution
        )
        if job.mode == "gray":
            image = image.convert("L")
        number = self._numbers.pop(0) if self._numbers else self._next
        self._next = max(self._next, number + 1)
        path = Path(job.folder) / f"{number:04d}.jpg"
        write_page(image, path, resolution)
        seen = Seen.of(grey, corners)
        self._watch.took(seen)
        self._reporter.tell(
            "page",
            number=number,
            file=path.name,
            width=image.width,
            height=image.height,
            lies_there=seen.to_json(),
        )


def _work(job: OverheadJob, reporter: Reporter) -> None:
    camera = open_camera(job)
    try:
        reporter.tell("opened", **camera.facts(), resolution=job.resolution, mode=job.mode)
        if not job.probe:
            Desk(job, camera, reporter).run()
    finally:
        camera.close()


def main() -> int:
    """Do the job on standard input; exit status 0, or 1 after a fault was told."""
    reporter = Reporter(own_output())
    job = OverheadJob.from_line(sys.stdin.readline())
    die_with_parent(job.parent)
    try:
        _work(job, reporter)
    except ScannerError as error:
        reporter.tell("fault", code=error.code, text=str(error))
        return 1
    except OSError as error:
        reporter.tell("fault", code="storage_failed", text=str(error))
        return 1
    return 0


if __name__ == "__main__":
    # A camera's clean-up may hang: leave without it.
    os._exit(main())
