"""The document scanner in a child process: through SANE, or a camera above the desk.

A scan is a :class:`ScanSession`: an asynchronous stream of events. Pages are on the disk before
their event comes; a fault never costs a page that is there, and the stream goes on by itself
once the fault is mended. Scanners are reached by their configured name: discovery takes seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from kiosk.config import Scanner as ScannerSettings
from kiosk.hardware.scanner.child import Job, Source
from kiosk.hardware.scanner.errors import (
    PageIncompleteError,
    ScannerBusyError,
    ScannerCoverOpenError,
    ScannerError,
    ScannerStalledError,
    error_from_code,
)
from kiosk.hardware.scanner.escl_status import feeder_state, status_url
from kiosk.hardware.scanner.overhead_job import OverheadJob
from kiosk.hardware.scanner.process import STOP_SECONDS, ScannerProcess

log = logging.getLogger(__name__)

#: Seconds between two attempts while a fault lasts.
_RETRY_SECONDS = 0.7
#: Seconds that a scanner may be busy before the visitor is told.
_BUSY_SECONDS = 4.0
#: Seconds between two looks at the feeder while a sheet is awaited.
_LOOK_SECONDS = 0.4
#: After these the sheet in question is outside the feeder, ...
_SHEET_OUTSIDE = frozenset({"scanner_jam", "scanner_cover_open", "scanner_double_feed"})
#: ... after these it may be, if one was on its way.
_SHEET_PERHAPS_OUTSIDE = frozenset({"scanner_stalled", "scanner_lost", "scanner_failed"})


@dataclass(frozen=True)
class Opened:
    """The scanner answers; ``options`` were read back from it."""

    options: dict[str, Any]


@dataclass(frozen=True)
class WaitingForPaper:
    """Nothing to scan yet. ``pages``: the pages to (re)load, lowest first; the first is next."""

    source: Source
    pages: tuple[int, ...]


@dataclass(frozen=True)
class SheetAwaited:
    """The fault ``code`` is gone, but sheet ``page`` may still be in the person's hand.

    Scanning goes on when they say (:meth:`ScanSession.confirm`) or show that it lies in the
    feeder again; after ``[scanner] reload_seconds`` it goes on without it, and the page is asked
    for at the end. So no page takes another one's place.
    """

    code: str
    page: int


@dataclass(frozen=True)
class Moving:
    """Page ``number`` is passing."""

    number: int


@dataclass(frozen=True)
class PageReady:
    """Page ``number`` is whole and on the disk at ``path``."""

    path: Path
    number: int
    width: int
    height: int


@dataclass(frozen=True)
class Fault:
    """The scan stands still (or page ``page`` was not kept); earlier pages are safe."""

    code: str
    page: int
    error: ScannerError


@dataclass(frozen=True)
class Mended:
    """The fault ``code`` is gone; the scan goes on."""

    code: str


@dataclass(frozen=True)
class Done:
    """The session ended; ``pages`` are on the disk, ``missing`` were not scanned again."""

    pages: tuple[int, ...]
    missing: tuple[int, ...]


Event = Opened | WaitingForPaper | SheetAwaited | Moving | PageReady | Fault | Mended | Done


@dataclass(frozen=True)
class ScannerInfo:
    """What is truly in use: for the report of devices and the self-test."""

    device: str
    library: str
    version: str
    back_end: str
    options: dict[str, Any]
    seconds_to_open: float


async def probe_scanner(settings: ScannerSettings) -> ScannerInfo:
    """Open the configured scanner and return what answers; no paper moves.

    Raises:
        ScannerError: which one says why it cannot be used.
    """
    session = ScanSession(settings, Path())
    started = time.monotonic()
    try:
        options = await _open_only(session.job("feeder", probe=True), settings.stall_seconds)
    except ScannerError as error:
        if error.code != "no_feeder":
            raise
        options = await _open_only(session.job("glass", probe=True), settings.stall_seconds)
    if settings.kind == "overhead":
        return ScannerInfo(
            device=f"overhead camera {settings.overhead.camera}",
            library=str(options.pop("library")),
            version=str(options.pop("version")),
            back_end=settings.overhead.back_end,
            options=options,
            seconds_to_open=time.monotonic() - started,
        )
    return ScannerInfo(
        device=settings.device,
        library="python-sane",
        version=version("python-sane"),
        back_end=settings.device.partition(":")[0] or "none",
        options=options,
        seconds_to_open=time.monotonic() - started,
    )


async def _open_only(job: Job | OverheadJob, patience: float) -> dict[str, Any]:
    """Return the options of the scanner, read back."""
    child = await ScannerProcess.start(job)
    try:
        told = await child.next(patience)
    except TimeoutError as error:
        raise ScannerStalledError("the scanner does not answer in time") from error
    finally:
        await child.kill()
    if told is None:
        raise ScannerStalledError("the scanning process died")
    if told["event"] != "opened":
        raise error_from_code(str(told["code"]), str(told["text"]))
    return _options(told)


def _options(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "event"}


class ScanSession:
    """One visitor's scan into one folder.

    Use it as an asynchronous context manager and iterate :meth:`events`. ``finish`` (enough
    pages) and leaving the context both end it at once; pages on the disk stay.

    Args:
        settings: ``[scanner]`` of the settings.
        folder: where pages go, as ``0001.jpg``; it exists.
        first_page: number of the next page.
        source: feeder, glass, or None to take the feeder where there is one.
        duplex: scan both sides, where the feeder can.
        missing: pages to scan again first (a retake).
    """

    def __init__(
        self,
        settings: ScannerSettings,
        folder: Path,
        *,
        first_page: int = 1,
        source: Source | None = None,
        duplex: bool = False,
        missing: tuple[int, ...] = (),
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._overhead = settings.kind == "overhead"
        self._source: Source = "feeder" if self._overhead else source or "feeder"
        self._may_fall_back = source is None and not self._overhead
        self._lies_there: dict[str, Any] | None = None
        self._duplex = duplex
        self._missing = list(missing)
        self._next = first_page
        self._retake_only = bool(missing)
        self._pages: list[int] = []
        self._broken: set[int] = set()
        self._fault: str | None = None
        self._busy_since: float | None = None
        self._waiting = False
        self._emptied = False
        self._moving = 0
        self._sides = 0
        self._two_sided = False
        self._recalls = bool(missing)
        self._sheet_awaited: int | None = None
        self._between_sheets = False
        self._sheet_is_back: bool | None = None
        self._answered = asyncio.Event()
        self._child: ScannerProcess | None = None
        self._wanted = asyncio.Event()
        self._leave = asyncio.Event()
        self._finished = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.finish()
        if self._child is not None:
            await self._child.kill()

    @property
    def child_pid(self) -> int | None:
        """Process id of the running child, if one runs."""
        return self._child.pid if self._child else None

    @property
    def next_page(self) -> int:
        """Number of the page that comes next."""
        return self._awaited()[0]

    def finish(self) -> None:
        """End the session: the visitor has no more paper, or cancels."""
        self._finished = True
        self._leave.set()

    def use(self, source: Source) -> None:
        """Change to the glass or back to the feeder; on the glass, each call scans one page.

        An overhead camera has neither: nothing changes.
        """
        if self._overhead:
            return
        self._may_fall_back = False
        self._wanted.set()
        if source != self._source:
            self._source = source
            self._leave.set()

    def confirm(self, back_in: bool = True) -> None:
        """Answer :class:`SheetAwaited` (or its :class:`Fault` already).

        Args:
            back_in: the sheet lies on top of the others again; False: it comes at the end.
        """
        self._sheet_is_back = back_in
        self._answered.set()

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens until the feeder is empty and nothing is missing, or `finish`."""
        while not self._finished:
            self._leave.clear()
            if self._source == "glass" and not self._wanted.is_set():
                yield WaitingForPaper("glass", self._awaited())
                await self._first_of(self._wanted, self._leave)
                continue
            self._wanted.clear()
            async for event in self._one_run():
                yield event
            if self._complete():
                break
            if self._sheet_awaited is not None:
                async for event in self._until_sheet_is_back(self._sheet_awaited):
                    yield event
            elif self._fault is not None or self._busy_since is not None:
                await self._pause(_RETRY_SECONDS)
                if self._source == "glass":
                    self._wanted.set()
        yield Done(tuple(sorted(self._pages)), tuple(self._missing))

    # -- one run of the child ----------------------------------------------------------------

    async def _one_run(self) -> AsyncIterator[Event]:
        """Yield the events of one child until it ends, is killed, or is not wanted any more."""
        self._emptied = False
        self._sides = 0
        self._child = await ScannerProcess.start(self.job(self._source))
        try:
            while (told := await self._told(self._child)) is not None:
                for event in self._understand(told):
                    yield event
                if told["event"] in ("fault", "empty") or self._retaken():
                    break
        finally:
            child, self._child = self._child, None
            await child.end()

    async def _told(self, child: ScannerProcess) -> dict[str, Any] | None:
        """Return the child's next event; None when the run is over."""
        try:
            told = await child.next(self._settings.stall_seconds, self._leave)
            if told is None and self._leave.is_set():
                # A page that is on its way to the disk right now is still taken.
                child.ask_to_stop()
                told = await child.next(STOP_SECONDS)
        except TimeoutError:
            await child.kill()
            if self._leave.is_set():
                return None
            return _stalled("nothing moves")
        if told is None and not self._leave.is_set():
            status = await child.end()
            return _stalled(f"the scanning process died ({status})") if status else None
        return told

    def _understand(self, told: dict[str, Any]) -> list[Event]:
        """Return what one event of the child means for the visitor."""
        match told["event"]:
            case "opened":
                options = _options(told)
                self._two_sided = "duplex" in str(options.get("source", "")).lower()
                return [Opened(options)]
            case "waiting":
                if self._between_sheets and self._missing and not self._recalls:
                    self._stack_is_through()
                return self._mended() + self._wait()
            case "moving":
                return self._mended() + self._move()
            case "page":
                return [*self._mended(), *self._keep(told)]
            case "broken":
                return [*self._mended(), self._break(told)]
            case "empty":
                self._emptied = True
                self._recalls = bool(self._missing)
                return []
            case "fault":
                return self._fail(told)
        return []

    def _mended(self) -> list[Event]:
        self._busy_since = None
        if self._fault is None:
            return []
        code, self._fault = self._fault, None
        return [Mended(code)]

    def _wait(self) -> list[Event]:
        if self._waiting:
            return []
        self._waiting = True
        return [WaitingForPaper("feeder", self._awaited())]

    def _move(self) -> list[Event]:
        self._waiting = False
        if self._moving == self.next_page:
            return []
        self._moving = self.next_page
        return [Moving(self._moving)]

    def _keep(self, told: dict[str, Any]) -> list[Event]:
        number = int(told["number"])
        was_broken = number in self._broken
        self._broken.discard(number)
        self._waiting = False
        self._advance(number)
        self._lies_there = told.get("lies_there")
        if number not in self._pages:
            self._pages.append(number)
        path = self._folder / told["file"]
        page = PageReady(path, number, int(told["width"]), int(told["height"]))
        return [Mended(PageIncompleteError.code), page] if was_broken else [page]

    def _break(self, told: dict[str, Any]) -> Fault:
        number = int(told["number"])
        self._advance(number)
        self._missing = sorted({*self._missing, number})
        self._broken.add(number)
        return Fault(PageIncompleteError.code, number, PageIncompleteError(told["text"]))

    def _advance(self, number: int) -> None:
        if number in self._missing:
            self._missing.remove(number)
        self._next = max(self._next, number + 1)
        self._moving = 0
        self._sides += 1

    def _fail(self, told: dict[str, Any]) -> list[Event]:
        code = str(told["code"])
        if code == "no_feeder" and self._may_fall_back:
            self._source = "glass"
            self._may_fall_back = False
            return []
        if code == ScannerBusyError.code and self._still_patient():
            return []
        self._waiting = False
        had_begun, was_moving = self._moving != 0 or self._sides > 0, self._moving != 0
        self._moving = 0
        if code == self._fault:
            return []
        self._fault = code
        self._between_sheets = code == ScannerCoverOpenError.code and not was_moving
        sheet = self._first_side_in_question()
        if code in _SHEET_OUTSIDE | (_SHEET_PERHAPS_OUTSIDE if had_begun else frozenset()):
            self._await_sheet(sheet)
        error = error_from_code(code, str(told["text"]))
        log.warning("scanner: %s: %s", code, error)
        return [Fault(code, sheet, error)]

    def _first_side_in_question(self) -> int:
        """Return the first page of the sheet that did not pass: of two sides both come again."""
        page = self.next_page
        if self._two_sided and self._sides % 2 == 1 and page - 1 in self._pages:
            return page - 1
        return page

    # -- a sheet that did not pass -------------------------------------------------------------

    def _await_sheet(self, sheet: int) -> None:
        """Do not feed before it is known whether ``sheet`` lies in the feeder again."""
        if self._overhead:
            return
        if self._source == "feeder" and (self._pages or self._broken or self._sides):
            self._sheet_awaited = sheet
            self._sheet_is_back = None
            self._answered.clear()

    async def _until_sheet_is_back(self, sheet: int) -> AsyncIterator[Event]:
        """Wait until the person, the feeder or the time says how to go on."""
        told, emptied, until = False, False, 0.0
        while not self._finished and self._source == "feeder" and self._sheet_is_back is None:
            state = await self._feeder_state()
            if state in ("jam", "cover", "double_feed", "gone"):
                told, emptied, until = False, False, 0.0
            elif state == "empty" and self._between_sheets and self._missing:
                self._stack_is_through()
                break
            elif state == "empty":
                emptied = True
            elif state == "loaded" and emptied:
                self.confirm()
            elif not until:
                until = time.monotonic() + self._settings.reload_seconds
            elif time.monotonic() > until:
                self.confirm(False)
            if state in ("loaded", "empty") and not told:
                told = True
                yield SheetAwaited(self._fault or "", sheet)
            await self._pause(_LOOK_SECONDS, self._answered)
        self._sheet_awaited = None
        if self._sheet_is_back is not None:
            self._place_sheet(sheet, self._sheet_is_back)

    def _place_sheet(self, sheet: int, is_back: bool) -> None:
        """Number what comes next so that every page is in its place, whatever the sheet does."""
        if self._recalls:
            return
        if is_back:
            self._next = sheet
        elif self._source == "feeder":
            after = sheet + (2 if self._two_sided else 1)
            self._missing = sorted({*self._missing, *range(sheet, after)})
            self._next = after

    def _stack_is_through(self) -> None:
        """Ask for what is missing: the cover was opened after the last sheet, none is outside."""
        sheet = self._sheet_awaited
        if sheet in self._missing:
            self._missing.remove(sheet)
        self._recalls = bool(self._missing)
        self._between_sheets = False

    async def _feeder_state(self) -> str | None:
        """Return what an eSCL scanner says of its feeder; None: it is not one, or says nothing."""
        url = status_url(self._settings.device, self._settings.sane_config_dir)
        return None if url is None else await asyncio.to_thread(feeder_state, url)

    def _still_patient(self) -> bool:
        """Return whether a busy scanner may still become free without a word to the visitor."""
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since < _BUSY_SECONDS

    # -- helpers -----------------------------------------------------------------------------

    def job(self, source: Source, probe: bool = False) -> Job | OverheadJob:
        """Return the job for a child that goes on where the session stands."""
        settings = self._settings
        if self._overhead:
            return self._overhead_job(probe)
        return Job(
            parent=os.getpid(),
            device=settings.device,
            config_dir=str(settings.sane_config_dir or ""),
            folder=str(self._folder),
            source=source,
            duplex=self._duplex,
            mode=settings.colour,
            resolution=settings.resolution,
            numbers=tuple(self._missing) if self._recalls else (),
            next_number=self._next,
            probe=probe,
        )

    def _overhead_job(self, probe: bool) -> OverheadJob:
        settings = self._settings
        return OverheadJob(
            parent=os.getpid(),
            folder=str(self._folder),
            camera=settings.overhead.camera,
            back_end=settings.overhead.back_end,
            pictures=str(settings.overhead.pictures or ""),
            paper=settings.overhead.paper,
            view_mm=settings.overhead.view_mm,
            still_seconds=settings.overhead.still_seconds,
            mode=settings.colour,
            resolution=settings.resolution,
            numbers=tuple(self._missing) if self._recalls else (),
            next_number=self._next,
            lies_there=self._lies_there,
            probe=probe,
        )

    def _awaited(self) -> tuple[int, ...]:
        return (tuple(self._missing) if self._recalls else ()) or (self._next,)

    def _complete(self) -> bool:
        """Return whether the session's paper is through and no page has to come again."""
        return not self._missing and (self._emptied or self._retaken())

    def _retaken(self) -> bool:
        """Return whether the pages of a retake are all there."""
        return self._retake_only and not self._missing

    async def _pause(self, seconds: float, also: asyncio.Event | None = None) -> None:
        """Wait, unless the session is left (or ``also`` happens) meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._first_of(*(event for event in (self._leave, also) if event))

    @staticmethod
    async def _first_of(*events: asyncio.Event) -> None:
        tasks = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def _stalled(text: str) -> dict[str, Any]:
    """Return the event that the child could not tell itself."""
    return {"event": "fault", "code": ScannerStalledError.code, "text": text}
