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
from pathlib import Path
from typing import Any

from PIL import Image

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
    error_from_code,
    error_from_text,
)
from kiosk.hardware.scanner.escl_status import FeederState, query_feeder
from kiosk.hardware.scanner.jobs import SaneJob
from kiosk.hardware.scanner.scanned_page import is_complete, trim_to_sheet

#: Rows between two ``moving`` events; reading a row costs microseconds.
_ROWS_PER_EVENT = 200
#: Seconds between two attempts to scan from an empty feeder.
_RETRY_SECONDS = 0.5
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

    @contextlib.contextmanager
    def _translated_errors(self) -> Any:
        try:
            yield
        except (self._errors, RuntimeError, AttributeError) as error:
            raise error_from_text(str(error)) from error

    def _configure(self, job: SaneJob) -> dict[str, Any]:
        """Set the source first (it resets the geometry), then the rest; return what is in force."""
        with self._translated_errors():
            self._set_option("source", _pick_source(self._constraint("source"), job))
            self._set_option("mode", _pick_mode(self._constraint("mode"), job.mode))
            self._set_option("resolution", _nearest(self._constraint("resolution"), job.resolution))
            for option in ("page_width", "page_height", "tl_x", "tl_y", "br_x", "br_y"):
                limits = self._constraint(option)
                if isinstance(limits, tuple):
                    self._set_option(option, limits[0] if option.startswith("tl") else limits[1])
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

    def start(self) -> None:
        """Start the next page."""
        with self._translated_errors():
            self._device.start()

    def read(self, writer: EventWriter, keep_feeding: bool) -> Image.Image:
        """Return the page that :meth:`start` began.

        Raises:
            PageIncompleteError: it is cut off.
        """

        def progress(row: int, _rows: int) -> None:
            # An exception in here would crash SANE's caller in C.
            if row % _ROWS_PER_EVENT == 0:
                with contextlib.suppress(Exception):
                    writer.send("moving", rows=row)

        with self._translated_errors():
            expected = int(self._device.get_parameters()[2][1])
            image: Image.Image = self._device.snap(keep_feeding, progress)
        if not is_complete(image, expected):
            raise PageIncompleteError(f"{image.width} x {image.height}, expected {expected} rows")
        return trim_to_sheet(image, self.resolution)

    def close(self) -> None:
        """Release the device and end its job in the scanner."""
        with contextlib.suppress(Exception):
            self._device.close()


def _pick_source(constraint: object, job: SaneJob) -> str | None:
    """Return SANE's name of the wanted source; names differ between back ends.

    Raises:
        ScannerError: ``no_feeder`` or ``no_glass``: the scanner has no such source.
    """
    if not isinstance(constraint, list):
        return None
    glass = [n for n in constraint if any(w in n.lower() for w in ("flatbed", "glass", "platen"))]
    feeders = [name for name in constraint if name not in glass]
    if job.source == "glass":
        if not glass:
            raise ScannerError("no glass", code="no_glass")
        return str(glass[0])
    if not feeders:
        raise ScannerError("no feeder", code="no_feeder")
    duplex_feeders = [name for name in feeders if "duplex" in name.lower()]
    simplex_feeders = [
        name for name in feeders if name not in duplex_feeders and "back" not in name.lower()
    ]
    wanted = duplex_feeders if job.duplex else simplex_feeders
    return str((wanted or feeders)[0])


def _pick_mode(constraint: object, mode: str) -> str | None:
    """Return SANE's name for grey or colour."""
    if not isinstance(constraint, list):
        return None
    prefix = "col" if mode == "colour" else "gr"
    return next((str(name) for name in constraint if name.lower().startswith(prefix)), None)


def _nearest(constraint: object, wanted: int) -> int | None:
    """Return the permitted resolution nearest to ``wanted``."""
    if isinstance(constraint, list) and constraint:
        return int(min(constraint, key=lambda value: abs(value - wanted)))
    if isinstance(constraint, tuple):
        return int(min(max(wanted, constraint[0]), constraint[1]))
    return None


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
    has_scanned = False
    while not wait_for_stop(0):
        try:
            device.start()
        except ScannerNoPaperError as error:
            # sane-airscan also reports this where it does not understand the feeder's state.
            exact = _exact_error(error, job)
            if exact.code != error.code:
                raise exact from error
            if has_scanned:
                writer.send("empty")
                return
            writer.send("waiting")
            if wait_for_stop(_RETRY_SECONDS):
                return
            continue
        _scan_page(device, job, writer, numbers.take())
        has_scanned = True  # also by an incomplete page: the sheet has passed
        if job.source == "glass":
            return


def _scan_page(device: SaneDevice, job: SaneJob, writer: EventWriter, number: int) -> None:
    """Scan one page and keep it if it is whole."""
    try:
        image = device.read(writer, job.source == "feeder")
    except PageIncompleteError as error:
        writer.send("broken", number=number, text=str(error))
        return
    writer.send("moving", rows=image.height)
    path = write_page(image, job, number, device.resolution)
    writer.send("page", number=number, file=path.name, width=image.width, height=image.height)


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
