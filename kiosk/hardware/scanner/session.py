"""Scans documents in a child process: through SANE, or with a camera above the desk.

A :class:`ScanSession` is an asynchronous stream of events. A page is on the disk before its event
comes. A fault never costs a page that is on the disk, and the stream continues by itself once the
fault is cleared. Scanners are opened by their configured name: discovery takes seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from kiosk.config import ScannerSettings
from kiosk.hardware.scanner.errors import (
    PageIncompleteError,
    ScannerBusyError,
    ScannerCoverOpenError,
    ScannerStalledError,
    error_from_code,
)
from kiosk.hardware.scanner.escl_status import query_feeder
from kiosk.hardware.scanner.events import (
    FaultCleared,
    PageMoving,
    PageReady,
    PaperExpected,
    ScanEvent,
    ScanFault,
    ScanFinished,
    ScannerOpened,
    ScanSource,
    SheetExpected,
)
from kiosk.hardware.scanner.jobs import OverheadJob, ScanJob, build_job
from kiosk.hardware.scanner.process import STOP_TIMEOUT_S, ScannerProcess, opened_options

log = logging.getLogger(__name__)

#: Seconds between two attempts while a fault lasts.
_RETRY_SECONDS = 0.7
#: Seconds that a scanner may be busy before a fault is reported.
_BUSY_GRACE_S = 4.0
#: Seconds between two queries of the feeder while a sheet is expected.
_FEEDER_POLL_S = 0.4
#: After these faults the sheet is outside the feeder, ...
_SHEET_OUTSIDE = frozenset({"scanner_jam", "scanner_cover_open", "scanner_double_feed"})
#: ... after these it may be, if a sheet was moving.
_SHEET_MAYBE_OUTSIDE = frozenset({"scanner_stalled", "scanner_lost", "scanner_failed"})
#: After these it has passed, even if it was the first one.
_SHEET_PASSED = frozenset({"scanner_picture", "scanner_resolution"})


class ScanSession:
    """A visitor's scan into a folder.

    Use it as an asynchronous context manager and iterate :meth:`events`. :meth:`finish` and leaving
    the context both end it at once; pages on the disk stay.

    Args:
        settings: ``[scanner]`` of the settings.
        folder: where pages go, as ``0001.jpg``; it exists.
        first_page: number of the next page.
        source: feeder, glass, or None for the feeder if there is one.
        duplex: scan both sides if the feeder can.
        missing: pages to scan again first (a retake).
    """

    def __init__(
        self,
        settings: ScannerSettings,
        folder: Path,
        *,
        first_page: int = 1,
        source: ScanSource | None = None,
        duplex: bool = False,
        missing: tuple[int, ...] = (),
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._is_overhead = settings.kind == "overhead"
        self._source: ScanSource = "feeder" if self._is_overhead else source or "feeder"
        self._can_fall_back = source is None and not self._is_overhead
        self._taken_page: dict[str, Any] | None = None
        self._is_duplex = duplex
        self._missing = list(missing)
        self._next_number = first_page
        self._is_retake = bool(missing)
        self._pages: list[int] = []
        self._incomplete_pages: set[int] = set()
        self._fault_code: str | None = None
        self._busy_since: float | None = None
        self._is_paper_expected = False
        self._is_feeder_emptied = False
        self._moving_page = 0
        self._side_count = 0
        self._is_two_sided = False
        self._asks_for_missing = bool(missing)
        self._expected_sheet: int | None = None
        self._is_between_sheets = False
        self._sheet_is_back: bool | None = None
        self._sheet_answered = asyncio.Event()
        self._process: ScannerProcess | None = None
        self._glass_requested = asyncio.Event()
        self._interrupted = asyncio.Event()
        self._is_finished = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.finish()
        if self._process is not None:
            await self._process.kill()

    @property
    def child_pid(self) -> int | None:
        """Process id of the running child, or None."""
        return self._process.pid if self._process else None

    @property
    def next_page(self) -> int:
        """Number of the next page."""
        return self._expected_pages()[0]

    def finish(self) -> None:
        """End the session: the visitor has no more paper, or cancelled."""
        self._is_finished = True
        self._interrupted.set()

    def select_source(self, source: ScanSource) -> None:
        """Switch to the glass or back to the feeder; on the glass, each call scans one page.

        An overhead camera has neither: the call changes nothing.
        """
        if self._is_overhead:
            return
        self._can_fall_back = False
        self._glass_requested.set()
        if source != self._source:
            self._source = source
            self._interrupted.set()

    def confirm_sheet(self, is_back: bool = True) -> None:
        """Answer :class:`SheetExpected` (possible from its :class:`ScanFault` on).

        Args:
            is_back: the sheet is on top of the others again; False: it comes at the end.
        """
        self._sheet_is_back = is_back
        self._sheet_answered.set()

    async def events(self) -> AsyncIterator[ScanEvent]:
        """Yield events until the feeder is empty and no page is missing, or until `finish`."""
        while not self._is_finished:
            self._interrupted.clear()
            if self._source == "glass" and not self._glass_requested.is_set():
                yield PaperExpected("glass", self._expected_pages())
                await self._wait_for_any(self._glass_requested, self._interrupted)
                continue
            self._glass_requested.clear()
            async for event in self._run_child():
                yield event
            if self._is_complete():
                break
            if self._expected_sheet is not None:
                async for event in self._wait_for_sheet(self._expected_sheet):
                    yield event
            elif self._fault_code is not None or self._busy_since is not None:
                await self._pause(_RETRY_SECONDS)
                if self._source == "glass":
                    self._glass_requested.set()
        yield ScanFinished(tuple(sorted(self._pages)), tuple(self._missing))

    # -- one run of the child ----------------------------------------------------------------

    async def _run_child(self) -> AsyncIterator[ScanEvent]:
        """Yield the events of one child until it ends, is killed, or has no more to do."""
        self._is_feeder_emptied = False
        self._side_count = 0
        self._process = await ScannerProcess.start(self._next_job())
        try:
            while (message := await self._read_event(self._process)) is not None:
                for event in self._handle(message):
                    yield event
                if message["event"] in ("fault", "empty") or self._is_retake_complete():
                    break
        finally:
            child, self._process = self._process, None
            await child.end()

    async def _read_event(self, child: ScannerProcess) -> dict[str, Any] | None:
        """Return the child's next event, or None at the end of the run."""
        try:
            message = await child.read_event(self._settings.stall_seconds, self._interrupted)
            if message is None and self._interrupted.is_set():
                # Wait for a page that the child is writing to the disk right now.
                child.request_stop()
                message = await child.read_event(STOP_TIMEOUT_S)
        except TimeoutError:
            await child.kill()
            if self._interrupted.is_set():
                return None
            return _stalled_event("nothing moves")
        if message is None and not self._interrupted.is_set():
            status = await child.end()
            return _stalled_event(f"the scanning process died ({status})") if status else None
        return message

    def _handle(self, message: dict[str, Any]) -> list[ScanEvent]:
        """Return the session's events for one event of the child."""
        match message["event"]:
            case "opened":
                options = opened_options(message)
                self._is_two_sided = "duplex" in str(options.get("source", "")).lower()
                return [ScannerOpened(options)]
            case "waiting":
                if self._is_between_sheets and self._missing and not self._asks_for_missing:
                    self._finish_batch()
                return self._clear_fault() + self._expect_paper()
            case "moving":
                return self._clear_fault() + self._report_moving()
            case "page":
                return [*self._clear_fault(), *self._accept_page(message)]
            case "broken":
                return [*self._clear_fault(), self._reject_page(message)]
            case "empty":
                self._is_feeder_emptied = True
                self._asks_for_missing = bool(self._missing)
                return []
            case "fault":
                return self._handle_fault(message)
        return []

    def _clear_fault(self) -> list[ScanEvent]:
        self._busy_since = None
        if self._fault_code is None:
            return []
        code, self._fault_code = self._fault_code, None
        return [FaultCleared(code)]

    def _expect_paper(self) -> list[ScanEvent]:
        if self._is_paper_expected:
            return []
        self._is_paper_expected = True
        return [PaperExpected("feeder", self._expected_pages())]

    def _report_moving(self) -> list[ScanEvent]:
        self._is_paper_expected = False
        if self._moving_page == self.next_page:
            return []
        self._moving_page = self.next_page
        return [PageMoving(self._moving_page)]

    def _accept_page(self, message: dict[str, Any]) -> list[ScanEvent]:
        number = int(message["number"])
        was_incomplete = number in self._incomplete_pages
        self._incomplete_pages.discard(number)
        self._is_paper_expected = False
        self._advance(number)
        self._taken_page = message.get("taken_page")
        if number not in self._pages:
            self._pages.append(number)
        path = self._folder / message["file"]
        page = PageReady(path, number, int(message["width"]), int(message["height"]))
        return [FaultCleared(PageIncompleteError.code), page] if was_incomplete else [page]

    def _reject_page(self, message: dict[str, Any]) -> ScanFault:
        number = int(message["number"])
        self._advance(number)
        self._missing = sorted({*self._missing, number})
        self._incomplete_pages.add(number)
        return ScanFault(PageIncompleteError.code, number, PageIncompleteError(message["text"]))

    def _advance(self, number: int) -> None:
        if number in self._missing:
            self._missing.remove(number)
        self._next_number = max(self._next_number, number + 1)
        self._moving_page = 0
        self._side_count += 1

    def _handle_fault(self, message: dict[str, Any]) -> list[ScanEvent]:
        code = str(message["code"])
        if code == "no_feeder" and self._can_fall_back:
            self._source = "glass"
            self._can_fall_back = False
            return []
        if code == ScannerBusyError.code and self._within_busy_grace():
            return []
        self._is_paper_expected = False
        was_moving = self._moving_page != 0
        had_started = was_moving or self._side_count > 0
        self._moving_page = 0
        if code == self._fault_code:
            return []
        self._fault_code = code
        self._is_between_sheets = code == ScannerCoverOpenError.code and not was_moving
        sheet = self._first_page_of_sheet()
        if code in _SHEET_OUTSIDE | (_SHEET_MAYBE_OUTSIDE if had_started else frozenset()):
            self._expect_sheet(sheet)
        elif code in _SHEET_PASSED:
            self._expect_sheet(sheet, has_passed=True)
        error = error_from_code(code, str(message["text"]))
        log.warning("scanner: %s: %s", code, error)
        return [ScanFault(code, sheet, error)]

    def _first_page_of_sheet(self) -> int:
        """Return the first page of the sheet that did not pass; both its sides come again."""
        page = self.next_page
        if self._is_two_sided and self._side_count % 2 == 1 and page - 1 in self._pages:
            return page - 1
        return page

    # -- a sheet that did not pass -------------------------------------------------------------

    def _expect_sheet(self, sheet: int, *, has_passed: bool = False) -> None:
        """Stop feeding until it is known whether ``sheet`` is in the feeder again."""
        if self._is_overhead:
            return
        has_passed = has_passed or bool(self._pages or self._incomplete_pages or self._side_count)
        if self._source == "feeder" and has_passed:
            self._expected_sheet = sheet
            self._sheet_is_back = None
            self._sheet_answered.clear()

    async def _wait_for_sheet(self, sheet: int) -> AsyncIterator[ScanEvent]:
        """Wait until the person, the feeder or the timeout decides how to continue."""
        is_announced, was_empty, deadline = False, False, 0.0
        while not self._is_finished and self._source == "feeder" and self._sheet_is_back is None:
            state = await asyncio.to_thread(
                query_feeder, self._settings.device, self._settings.sane_config_dir
            )
            if state in ("jam", "cover", "double_feed", "gone"):
                is_announced, was_empty, deadline = False, False, 0.0
            elif state == "empty" and self._is_between_sheets and self._missing:
                self._finish_batch()
                break
            elif state == "empty":
                was_empty = True
            elif state == "loaded" and was_empty:
                self.confirm_sheet()
            elif not deadline:
                deadline = time.monotonic() + self._settings.reload_seconds
            elif time.monotonic() > deadline:
                self.confirm_sheet(False)
            if state in ("loaded", "empty") and not is_announced:
                is_announced = True
                yield SheetExpected(self._fault_code or "", sheet)
            await self._pause(_FEEDER_POLL_S, self._sheet_answered)
        self._expected_sheet = None
        if self._sheet_is_back is not None:
            self._renumber_after_sheet(sheet, self._sheet_is_back)

    def _renumber_after_sheet(self, sheet: int, is_back: bool) -> None:
        """Choose the next page's number so that every page gets its place, sheet back or not."""
        if self._asks_for_missing:
            return
        if is_back:
            self._next_number = sheet
        elif self._source == "feeder":
            after = sheet + (2 if self._is_two_sided else 1)
            self._missing = sorted({*self._missing, *range(sheet, after)})
            self._next_number = after

    def _finish_batch(self) -> None:
        """Ask for missing pages: the cover was opened after the last sheet, none is outside."""
        sheet = self._expected_sheet
        if sheet in self._missing:
            self._missing.remove(sheet)
        self._asks_for_missing = bool(self._missing)
        self._is_between_sheets = False

    def _within_busy_grace(self) -> bool:
        """Return whether the scanner has been busy too briefly to report a fault."""
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since < _BUSY_GRACE_S

    # -- helpers -----------------------------------------------------------------------------

    def _next_job(self) -> ScanJob:
        """Return the job for a child that continues the session."""
        job = replace(
            build_job(self._settings, self._folder, self._source),
            numbers=tuple(self._missing) if self._asks_for_missing else (),
            next_number=self._next_number,
        )
        if isinstance(job, OverheadJob):
            return replace(job, taken_page=self._taken_page)
        has_pages = bool(self._pages) or self._next_number > 1
        return replace(job, duplex=self._is_duplex, is_size_proven=has_pages)

    def _expected_pages(self) -> tuple[int, ...]:
        return (tuple(self._missing) if self._asks_for_missing else ()) or (self._next_number,)

    def _is_complete(self) -> bool:
        """Return whether all paper has passed and no page is missing."""
        return not self._missing and (self._is_feeder_emptied or self._is_retake_complete())

    def _is_retake_complete(self) -> bool:
        """Return whether all pages of a retake are there."""
        return self._is_retake and not self._missing

    async def _pause(self, seconds: float, also: asyncio.Event | None = None) -> None:
        """Wait for ``seconds``, or until the session is interrupted or ``also`` is set."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wait_for_any(*(event for event in (self._interrupted, also) if event))

    @staticmethod
    async def _wait_for_any(*events: asyncio.Event) -> None:
        tasks = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def _stalled_event(text: str) -> dict[str, Any]:
    """Return the fault event of a child that hangs or has died."""
    return {"event": "fault", "code": ScannerStalledError.code, "text": text}
