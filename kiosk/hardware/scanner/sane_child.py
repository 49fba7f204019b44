"""The process that touches SANE: ``python -m kiosk.hardware.scanner.sane_child``.

SANE can hang for ever, segfault, and lose a batch for one page; so it lives alone here, writes
every page to the disk at once and tells its parent, line by line, what it does. It knows
nothing of visitors and never decides to give up: the parent kills it.

Standard input: the first line is the job (JSON, :class:`SaneJob`); then ``stop`` or end of file
ends it between two pages. Standard output: one JSON object a line, ``{"event": ...}``:

========== ==================================================================
opened     the options as read back: ``source``, ``mode``, ``resolution``
waiting    the feeder is empty; asked again and again
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
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.scanner.child_io import EventWriter, redirect_stdout, wait_for_stop, write_page
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
from kiosk.hardware.scanner.escl_status import FeederState, feeder_state, status_url
from kiosk.hardware.scanner.sane_job import SaneJob
from kiosk.hardware.scanner.scanned_page import is_complete, trim_to_sheet

#: Rows between two signs of life; reading a row costs microseconds.
_ROWS_PER_EVENT = 200
#: Seconds between two questions to an empty or ill feeder.
_RETRY_SECONDS = 0.5
#: What SANE may say in place of what an eSCL scanner said.
_AMBIGUOUS_CODES = ("scanner_no_paper", "scanner_jam", "scanner_lost", "scanner_failed")
_CODE_BY_STATE: dict[FeederState, str] = {
    "jam": ScannerJamError.code,
    "cover": ScannerCoverOpenError.code,
    "double_feed": ScannerDoubleFeedError.code,
}


class SaneDevice:
    """One SANE device, opened and set.

    Raises:
        ScannerError: exactly which one by SANE's text.
    """

    def __init__(self, job: SaneJob) -> None:
        if not job.device:
            raise ScannerAbsentError("no scanner is configured")
        import sane  # type: ignore[import-untyped] # SANE reads SANE_CONFIG_DIR when it is loaded and initialised

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
        """Set source first (it resets the geometry), then the rest; return what is in force."""
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

    def _set_option(self, name: str, value: Any) -> None:
        if value is not None:
            setattr(self._device, name, value)

    def start(self) -> None:
        """Start the next page."""
        with self._translated_errors():
            self._device.start()

    def read(self, writer: EventWriter, keep_feeding: bool) -> Image.Image:
        """Return the page that :meth:`start` began.

        Raises:
            PageIncompleteError: it ends before its end.
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
        """Let go of the device, with its job in the scanner."""
        with contextlib.suppress(Exception):
            self._device.close()


def _pick_source(constraint: Any, job: SaneJob) -> str | None:
    """Return SANE's name for the wanted source; names differ between backends.

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


def _pick_mode(constraint: Any, mode: str) -> str | None:
    """Return SANE's name for grey or colour."""
    if not isinstance(constraint, list):
        return None
    prefix = "col" if mode == "colour" else "gr"
    return next((str(name) for name in constraint if name.lower().startswith(prefix)), None)


def _nearest(constraint: Any, wanted: int) -> int | None:
    """Return the permitted resolution nearest to ``wanted``."""
    if isinstance(constraint, list) and constraint:
        return int(min(constraint, key=lambda value: abs(value - wanted)))
    if isinstance(constraint, tuple):
        return int(min(max(wanted, constraint[0]), constraint[1]))
    return None


class SaneBatch:
    """Scans page after page until the feeder is empty or the parent says stop."""

    def __init__(self, job: SaneJob, writer: EventWriter) -> None:
        self._job = job
        self._writer = writer
        self._numbers = list(job.numbers)
        self._next_number = job.next_number

    def run(self) -> None:
        """Do the job."""
        device = SaneDevice(self._job)
        self._writer.send("opened", **device.options)
        try:
            if not self._job.probe:
                self._scan_pages(device)
        finally:
            device.close()

    def _scan_pages(self, device: SaneDevice) -> None:
        scanned = 0
        while not wait_for_stop(0):
            try:
                device.start()
            except ScannerNoPaperError as error:
                # sane-airscan says so too when it does not know what the feeder says.
                code = _exact_code(error, self._job)
                if code != error.code:
                    raise error_from_code(code, str(error)) from error
                if scanned:
                    self._writer.send("empty")
                    return
                self._writer.send("waiting")
                if wait_for_stop(_RETRY_SECONDS):
                    return
                continue
            scanned += self._scan_page(device)
            if self._job.source == "glass":
                return

    def _scan_page(self, device: SaneDevice) -> int:
        """Scan one page; return 1 (also for a broken one: the sheet has passed)."""
        number = self._numbers.pop(0) if self._numbers else self._next_number
        self._next_number = max(self._next_number, number + 1)
        try:
            image = device.read(self._writer, self._job.source == "feeder")
        except PageIncompleteError as error:
            self._writer.send("broken", number=number, text=str(error))
            return 1
        self._writer.send("moving", rows=image.height)
        path = Path(self._job.folder) / f"{number:04d}.jpg"
        write_page(image, path, device.resolution)
        self._writer.send(
            "page", number=number, file=path.name, width=image.width, height=image.height
        )
        return 1


def _exact_code(error: ScannerError, job: SaneJob) -> str:
    """Return the code of ``error``, or what an eSCL scanner itself says in its place."""
    if job.source == "glass" or error.code not in _AMBIGUOUS_CODES:
        return error.code
    url = status_url(job.device, Path(job.config_dir) if job.config_dir else None)
    state = None if url is None else feeder_state(url)
    return _CODE_BY_STATE.get(state, error.code) if state is not None else error.code


def main() -> int:
    """Do the job on standard input; exit status 0, or 1 after it reported a fault."""
    writer = EventWriter(redirect_stdout())
    job = SaneJob.from_line(sys.stdin.readline())
    die_with_parent(job.parent)
    if job.config_dir:
        os.environ["SANE_CONFIG_DIR"] = job.config_dir
    try:
        SaneBatch(job, writer).run()
    except ScannerError as error:
        writer.send("fault", code=_exact_code(error, job), text=str(error))
        return 1
    except OSError as error:
        writer.send("fault", code="storage_failed", text=str(error))
        return 1
    return 0


if __name__ == "__main__":
    # SANE's own clean-up may hang as well: leave without it.
    os._exit(main())
