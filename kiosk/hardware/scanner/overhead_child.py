"""The process behind the overhead camera: ``python -m kiosk.hardware.scanner.overhead_child``.

It sends the same events as :mod:`kiosk.hardware.scanner.sane_child` on its standard output and ends
in the same way. ``page`` also carries ``taken_page``: the next run needs it so that it does not
take the page that is still on the desk again. ``empty`` never comes: the person says when there are
no more pages.
"""

from __future__ import annotations

import os
import time

from kiosk.hardware.scanner.child_io import (
    EventWriter,
    PageNumbers,
    run_job,
    wait_for_stop,
    write_page,
)
from kiosk.hardware.scanner.jobs import OverheadJob
from kiosk.hardware.scanner.overhead_cameras import PREVIEW_INTERVAL_S, OverheadCamera, open_camera
from kiosk.hardware.scanner.page_finder import find_page, to_preview
from kiosk.hardware.scanner.page_flattener import make_scan
from kiosk.hardware.scanner.page_strips import PageStrips, strips_of
from kiosk.hardware.scanner.still_page_detector import StillPageDetector, TakenPage


def _run(job: OverheadJob, writer: EventWriter) -> None:
    camera = open_camera(job)
    try:
        writer.send("opened", **camera.facts(), resolution=job.resolution, mode=job.mode)
        if not job.probe:
            _scan_pages(job, camera, writer)
    finally:
        camera.close()


def _scan_pages(job: OverheadJob, camera: OverheadCamera, writer: EventWriter) -> None:
    """Scan every page that lies still, until the parent says stop."""
    taken = TakenPage.from_json(job.taken_page) if job.taken_page else None
    detector = StillPageDetector(job.still_seconds, taken)
    numbers = PageNumbers(job)
    while not wait_for_stop(PREVIEW_INTERVAL_S):
        if detector.observe(camera.preview(), time.monotonic()) != "ready":
            writer.send("waiting")
            continue
        writer.send("moving", rows=0)
        taken = _scan_page(job, camera, writer, numbers)
        if taken is not None:
            detector.mark_taken(taken)


def _scan_page(
    job: OverheadJob, camera: OverheadCamera, writer: EventWriter, numbers: PageNumbers
) -> TakenPage | None:
    """Photograph and keep the page on the desk; None where a hand came between."""
    photograph = camera.capture()
    grey = to_preview(photograph)
    corners = find_page(grey)
    if corners is None:
        return None
    scale = photograph.width / grey.width
    image, resolution = make_scan(
        photograph, corners * scale, job.paper, job.view_mm, job.resolution
    )
    if job.mode == "gray":
        image = image.convert("L")
    number = numbers.take()
    page = PageStrips(resolution)
    for strip in strips_of(image):
        page.add(strip)
    path = write_page(page.write_jpeg, job, number)
    taken = TakenPage.from_preview(grey, corners)
    writer.send(
        "page",
        number=number,
        file=path.name,
        width=image.width,
        height=image.height,
        taken_page=taken.to_json(),
    )
    return taken


if __name__ == "__main__":
    # A camera's clean-up may hang: leave without it.
    os._exit(run_job(OverheadJob, _run))
