"""The process that touches SANE: ``python -m kiosk.hardware.scanner.sane_child``.

SANE can hang for ever, crash, and lose a batch because of one page. So it runs alone here, writes
every page to the disk at once and reports each step to its parent. It knows nothing of visitors and
never gives up by itself: the parent kills it.

Standard input: the first line is the job (JSON, :class:`SaneJob`); then ``stop`` or end of file
ends it between two pages. Standard output: one JSON object a line, ``{"event": ...}``:

========== ==================================================================
opened     the options as read back: ``source``, ``mode``, ``resolution``
waiting    the feeder is empty; sent again and again
moving     something moves (``rows`` of the page in flight)
page       ``number``, ``file``, ``width``, ``height``: whole and on the disk
broken     ``number``: the page arrived incomplete and was not kept
fault      ``code``, ``text``: the scanner says why it does not go on
empty      the feeder ran empty after at least one page
========== ==================================================================
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.hardware.child_process.malloc import return_free_memory
from kiosk.hardware.scanner.child_io import (
    EventWriter,
    PageNumbers,
    run_job,
    wait_for_stop,
    write_page,
)
from kiosk.hardware.scanner.errors import (
    PageIncompleteError,
    ScannerAbsentError,
    ScannerCoverOpenError,
    ScannerDoubleFeedError,
    ScannerError,
    ScannerJamError,
    ScannerLostError,
    ScannerNoPaperError,
    ScannerPictureError,
    ScannerResolutionError,
    error_from_code,
    error_from_text,
)
from kiosk.hardware.scanner.escl_status import FeederState, query_feeder
from kiosk.hardware.scanner.jobs import SaneJob
from kiosk.hardware.scanner.page_strips import PageStrips
from kiosk.hardware.scanner.sane_options import (
    nearest_resolution,
    pick_mode,
    pick_source,
    window,
)
from kiosk.hardware.scanner.sane_rows import read_strips
from kiosk.hardware.scanner.scanned_page import is_complete, resolution_of, trimmed_size

#: Options of the window, in the order in which they are set.
_GEOMETRY = ("page_width", "page_height", "tl_x", "tl_y", "br_x", "br_y")
#: Seconds between two attempts to scan from an empty feeder.
_RETRY_SECONDS = 0.5
#: Attempts at a sheet that the feeder has and does not draw in.
_MOST_MISPICKS = 6
#: Sensor of SANE's back ends for Fujitsu's and Canon's feeders: a sheet lies there.
_SHEET_SENSOR = "page_loaded"
#: Codes that SANE may report in place of an eSCL scanner's exact state.
_AMBIGUOUS_CODES = ("scanner_no_paper", "scanner_jam", "scanner_lost", "scanner_failed")
_CODE_BY_STATE: dict[FeederState, str] = {
    "jam": ScannerJamError.code,
    "cover": ScannerCoverOpenError.code,
    "double_feed": ScannerDoubleFeedError.code,
}


class SaneDevice:
    """An open SANE device with its options set.

    Raises:
        ScannerError: the exact one, by SANE's text.
    """

    def __init__(self, job: SaneJob) -> None:
        if not job.device:
            raise ScannerAbsentError("no scanner is configured")
        # Imported here: SANE reads SANE_CONFIG_DIR when it is loaded and initialised.
        import sane  # type: ignore[import-untyped]

        self._errors: type[Exception] = sane._sane.error  # noqa: SLF001 (it is nowhere else)
        with self._translated_errors():
            sane.init()
        try:
            with self._translated_errors():
                self._device = sane.open(job.device)
        except ScannerError as error:
            if error.code == "scanner_busy":
                raise
            raise ScannerLostError(str(error)) from error
        self.options = self._configure(job)
        self.resolution = int(self.options["resolution"])
        self._is_size_proven = job.is_size_proven or job.source == "glass"

    @contextlib.contextmanager
    def _translated_errors(self) -> Any:
        try:
            yield
        except (self._errors, RuntimeError, AttributeError) as error:
            raise error_from_text(str(error)) from error

    def _configure(self, job: SaneJob) -> dict[str, Any]:
        """Set the source first (it resets the geometry), then the rest; return what is in force."""
        with self._translated_errors():
            self._set_option("source", pick_source(self._constraint("source"), job))
            self._set_option("mode", pick_mode(self._constraint("mode"), job.mode))
            resolution = nearest_resolution(self._constraint("resolution"), job.resolution)
            self._set_option("resolution", resolution)
            self._set_window(resolution or job.resolution)
            options = {
                name: getattr(self._device, name)
                for name in ("source", "mode", "resolution")
                if name in self._device.opt
            }
        options.setdefault("resolution", job.resolution)
        if abs(float(options["resolution"]) - job.resolution) > job.resolution / 2:
            raise ScannerError(f"asked for {job.resolution} dpi, got {options['resolution']}")
        return options

    def _constraint(self, name: str) -> Any:
        """Return the constraint of an option, or None where it cannot be set."""
        option = self._device.opt.get(name)
        if option is None or not option.is_active() or not option.is_settable():
            return None
        return option.constraint

    def _set_option(self, name: str, value: object) -> None:
        if value is not None:
            setattr(self._device, name, value)

    def _set_window(self, resolution: int) -> None:
        import sane

        limits = {
            option: constraint[:2]
            for option in _GEOMETRY
            if isinstance(constraint := self._constraint(option), tuple)
        }
        in_pixels = any(self._device.opt[name].unit == sane._sane.UNIT_PIXEL for name in limits)  # noqa: SLF001
        for option, value in window(limits, in_pixels=in_pixels, resolution=resolution):
            self._set_option(option, value)

    def start(self) -> None:
        """Start the next page."""
        with self._translated_errors():
            self._device.start()

    def read(self, writer: EventWriter, keep_feeding: bool) -> PageStrips:
        """Return the page that :meth:`start` began.

        Raises:
            PageIncompleteError: it is cut off.
            ScannerResolutionError: its size shows half or twice the resolution; no page before it
                showed the right one.
        """
        with self._translated_errors():
            expected = int(self._device.get_parameters()[2][1])
            page = PageStrips(self.resolution)
            for strip in read_strips(self._device, keep_feeding=keep_feeding):
                page.add(strip)
                writer.send("moving", rows=page.height)
        if not is_complete(page, expected):
            raise PageIncompleteError(f"{page.width} x {page.height}, expected {expected} rows")
        if not self._is_size_proven:
            found = resolution_of(page, self.resolution)
            if found in ("half", "twice"):
                raise ScannerResolutionError(f"{found} {self.resolution} dpi, or an unusual sheet")
            self._is_size_proven = found == "right"
        return page

    def cancel(self) -> None:
        """End the job of a feeder that ran empty: some say so only in the middle of a page."""
        with contextlib.suppress(Exception):
            self._device.cancel()

    def has_sheets(self, job: SaneJob) -> bool:
        """Return whether the feeder itself says that sheets lie in it."""
        if query_feeder(job.device, Path(job.config_dir) if job.config_dir else None) == "loaded":
            return True
        option = self._device.opt.get(_SHEET_SENSOR)
        with contextlib.suppress(Exception):  # a sensor that does not answer says nothing
            return option is not None and option.is_active() and bool(self._device.page_loaded)
        return False

    def close(self) -> None:
        """Release the device and end its job in the scanner."""
        with contextlib.suppress(Exception):
            self._device.close()


def _run(job: SaneJob, writer: EventWriter) -> None:
    if job.config_dir:
        os.environ["SANE_CONFIG_DIR"] = job.config_dir
    try:
        device = SaneDevice(job)
        writer.send("opened", **device.options)
        try:
            if not job.probe:
                _scan_pages(device, job, writer)
        finally:
            device.close()
    except ScannerError as error:
        raise _exact_error(error, job) from error


def _scan_pages(device: SaneDevice, job: SaneJob, writer: EventWriter) -> None:
    """Scan page after page until the feeder is empty or the parent says stop."""
    numbers = PageNumbers(job)
    has_scanned, mispicks = False, 0
    while not wait_for_stop(0):
        try:
            device.start()
            _scan_page(device, job, writer, numbers)
        except ScannerNoPaperError as error:
            device.cancel()
            mispicks += has_scanned
            _check_feeder(error, job, mispicks)
            if not has_scanned:
                writer.send("waiting")
            elif not device.has_sheets(job):
                writer.send("empty")
                return
            if wait_for_stop(_RETRY_SECONDS):
                return
            continue
        except ScannerLostError as error:
            raise _picture_error(error, job) from error
        mispicks = 0
        return_free_memory()  # the strips of a page leave holes in the heap
        has_scanned = True  # also by an incomplete page: the sheet has passed
        if job.source == "glass":
            return


def _check_feeder(error: ScannerNoPaperError, job: SaneJob, mispicks: int) -> None:
    """Raise what an empty feeder means where it is not empty.

    sane-airscan also reports it where it does not understand the feeder's state.
    """
    exact = _exact_error(error, job)
    if exact.code != error.code:
        raise exact from error
    if mispicks > _MOST_MISPICKS:
        raise ScannerJamError("the feeder has sheets and draws none in") from error


def _scan_page(device: SaneDevice, job: SaneJob, writer: EventWriter, numbers: PageNumbers) -> None:
    """Read the page that was started, and keep it if it is whole."""
    try:
        page = device.read(writer, job.source == "feeder")
    except PageIncompleteError as error:
        writer.send("broken", number=numbers.take(), text=str(error))
        return
    number = numbers.take()
    width, height = trimmed_size(page, device.resolution)
    path = write_page(partial(page.write_jpeg, size=(width, height)), job, number)
    writer.send("page", number=number, file=path.name, width=width, height=height)


def _picture_error(error: ScannerLostError, job: SaneJob) -> ScannerError:
    """Return what an I/O error in a page means: an eSCL scanner that answers is not lost.

    sane-airscan says the same of a picture that it cannot decode: CMYK, 16 bits, one bit.
    """
    config_dir = Path(job.config_dir) if job.config_dir else None
    if query_feeder(job.device, config_dir) in (None, "gone"):
        return error
    return ScannerPictureError(str(error))


def _exact_error(error: ScannerError, job: SaneJob) -> ScannerError:
    """Return ``error``, with an eSCL scanner's own code in place of an ambiguous one."""
    code = error.code
    if job.source == "feeder" and code in _AMBIGUOUS_CODES:
        state = query_feeder(job.device, Path(job.config_dir) if job.config_dir else None)
        code = _CODE_BY_STATE.get(state, code) if state is not None else code
    return error_from_code(code, str(error))


if __name__ == "__main__":
    # SANE's clean-up may hang: leave without it.
    os._exit(run_job(SaneJob, _run))
