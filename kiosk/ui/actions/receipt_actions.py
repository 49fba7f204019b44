"""What a tap on the card of a receipt does: print it, scan the signed sheet, take a scan back.

The screen owns printer and scanner, the recorder keeps the scan. The recording goes on meanwhile.
A scan that the recorder did not take stays in memory and can be handed over again.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PIL import Image
from pydantic import ValidationError

from kiosk.api.base import read_leniently
from kiosk.api.minutes import ShortMinutes
from kiosk.api.receipts import (
    MAX_SCAN_BYTES,
    ReceiptAnswer,
    UnscannedReceipt,
    UnscannedReceipts,
)
from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.errors import KioskError
from kiosk.filing.service import FilingService
from kiosk.hardware.receipt_printer import PrinterError, PrinterUnconfirmedError
from kiosk.hardware.scanner.errors import ScannerBusyError
from kiosk.hardware.scanner.events import (
    FaultCleared,
    PageMoving,
    PageReady,
    PaperExpected,
    ScanEvent,
    ScanFault,
    SheetExpected,
)
from kiosk.hardware.scanner.session import ScanSession
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.locale import Translator
from kiosk.ui.actions.recorder_actions import RecorderActions

log = logging.getLogger(__name__)

Step = Literal["", "printing", "paper", "glass", "moving", "reading"]
OF_HEARING = "/v1/hearing/receipts"
NOT_STORED = "receipt_not_stored"


def late_receipts_path(hearing_id: str) -> str:
    """Return the call that takes receipts of an ended hearing into its minutes."""
    return f"/v1/minutes/{hearing_id}/receipts"


@dataclass(frozen=True)
class ReceiptState:
    """The open card of a receipt.

    Attributes:
        mark: whose card is open; 0: none.
        hidden: number of the mark whose card was closed.
        step: what goes on: nothing, printing, waiting for the sheet in the feeder or on the glass,
            the sheet moves, the page is read.
        problem: code of an alarm; empty: none.
        kept: the mark with which the newest scan was kept; 0: none.
        can_retry: a scan waits in memory.
        choices: of an ended hearing, whose receipt it may be: no code says it.
        page: of these.
        path: of the call that takes the scan, for a hearing or for minutes; empty: nothing is open.
    """

    mark: int = 0
    hidden: int = 0
    step: Step = ""
    problem: str = ""
    kept: int = 0
    can_retry: bool = False
    choices: tuple[UnscannedReceipt, ...] = ()
    page: int = 0
    path: str = ""

    @property
    def is_scanning(self) -> bool:
        """Whether the scanner is at work or waits."""
        return self.step in ("paper", "glass", "moving", "reading")


@dataclass(frozen=True)
class _Scan:
    """A scan in memory, until the recorder has it."""

    mark: int
    codes: tuple[str, ...]
    pdf: bytes
    path: str


class ReceiptActions(RecorderActions):
    """The card of a receipt.

    Args:
        filing: scanner settings, page imaging, the printer, and a folder in memory.
        recorder: the service, with the secretary's token.
        translate: of the screen, for the document's metadata.
        on_change: called after every change.
        on_error: called with an error's code.

    Attributes:
        is_scanner_used: returns whether a visitor's scan is open.
    """

    def __init__(
        self,
        filing: FilingService,
        recorder: LocalClient,
        translate: Translator,
        on_change: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        super().__init__(recorder, on_change, on_error)
        self._filing, self._translate = filing, translate
        self._scanner, self._worker = filing.settings.scanner, filing.worker
        self._folder = filing.paths.receipt_work
        self._session: ScanSession | None = None
        self._waiting: _Scan | None = None
        self._hearing_id, self._is_over = "", False
        self._is_at_work = False
        self.is_scanner_used: Callable[[], bool] = lambda: False
        self.state = ReceiptState()

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._notify_change()

    def state_of(self, path: str) -> ReceiptState:
        """Return the state of what ``path`` takes: no other hearing's is shown in its place."""
        is_of_hearing = path == OF_HEARING and not self.state.path
        return self.state if is_of_hearing or path == self.state.path else ReceiptState()

    def follow(self, recorder: RecorderState) -> None:
        """Forget the receipts of a hearing that is not open any more.

        A recorder that has just been started again shows no hearing for a moment: that is no end.
        """
        hearing = recorder.hearing
        is_over = hearing is not None and recorder.phase is Phase.SEALING
        if hearing is None and not self._is_over:
            return
        hearing_id = hearing.id if hearing else ""
        if (hearing_id, is_over) != (self._hearing_id, self._is_over):
            self._hearing_id, self._is_over = hearing_id, is_over
            self.reset()

    # -- the card ------------------------------------------------------------------------------
    def open(self, mark: int) -> None:
        """Open the card of the receipt of ``mark``."""
        self._turn_to_hearing()
        self._set(mark=mark, problem="", kept=0)

    def close(self, mark: int) -> None:
        """Close the card; a scan that waits for paper ends."""
        self.stop_scan()
        self._turn_to_hearing()
        self._set(mark=0, hidden=mark, problem="", kept=0)

    def _turn_to_hearing(self) -> None:
        if self.state != self.state_of(OF_HEARING):
            self.reset()

    def open_late(self, hearing_id: str) -> None:
        """Turn to the receipts of an ended hearing; what waits for its minutes stays."""
        path = late_receipts_path(hearing_id)
        if not (self.state.path == path and (self.state.can_retry or self.state.step)):
            self.reset()
            self._set(path=path)

    def reset(self) -> None:
        """Forget everything, for another hearing."""
        self.stop_scan()
        self._waiting = None
        self.state = ReceiptState()

    async def choose(self, choice: str, mark: int, draw: Callable[[], Image.Image]) -> None:
        """Carry out a choice of the card of ``mark``.

        Args:
            draw: returns the picture of the receipt.
        """
        self._turn_to_hearing()
        what, _, value = choice.partition(":")
        match what:
            case "print":
                await self.print(mark, draw)
            case "scan":
                await self.scan(mark)
            case "glass":
                self.use_glass()
            case "stop":
                self.stop_scan()
            case "retry":
                await self.retry()
            case "withdraw":
                self._set(problem="", kept=0)
                await self._call("DELETE", f"/v1/hearing/receipts/{value}")

    # -- printing ------------------------------------------------------------------------------
    async def print(self, mark: int, draw: Callable[[], Image.Image]) -> None:
        """Print the receipt; what the printer could not print is not journalled as printed."""
        if self.state.step:
            return
        self._set(step="printing", problem="", kept=0)
        problem, hearing_id = "", self._hearing_id
        try:
            await self._filing.print_image(await asyncio.to_thread(draw))
        except PrinterUnconfirmedError as error:
            problem = error.code
        except PrinterError as error:
            self._set(step="", problem=error.code)
            return
        self._set(step="", problem=problem)
        if hearing_id == self._hearing_id:  # a mark of the next hearing may have its number
            await self._post("/v1/hearing/receipts/printed", mark=mark)

    # -- scanning ------------------------------------------------------------------------------
    async def scan(self, mark: int, path: str = OF_HEARING) -> None:
        """Scan one sheet and hand it to the recorder; a fault of the scanner goes away by itself.

        Args:
            mark: whose receipt it is if no code on the sheet can be read.
            path: of the call that takes it: for the hearing that runs, or for minutes.
        """
        if self.state.step:
            return
        if self._is_at_work or self.is_scanner_used():  # a page of other minutes may be read still
            self._set(problem=ScannerBusyError.code, path=path)
            return
        self._is_at_work = True
        try:
            await self._scan(mark, path)
        finally:
            self._is_at_work = False

    async def _scan(self, mark: int, path: str) -> None:
        self._set(step="paper", problem="", kept=0, choices=(), path=path)
        hearing_id = self._hearing_id
        try:
            page = await self._scan_page()
            if page is not None:
                self._set(step="reading", problem="")
                scan = await self._read(mark, page, path)
                is_meant = path != OF_HEARING or hearing_id == self._hearing_id
                self._waiting = scan if is_meant else None
        except KioskError as error:
            log.warning("receipt: %s", error)
            self._set(problem=error.code)
        finally:
            self._session = None
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._set(step="")
        if page_is_waiting := self._waiting:
            await self._keep(page_is_waiting)

    async def _scan_page(self) -> Path | None:
        """Return the first page that the scanner gives; None: it was stopped."""
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        async with ScanSession(self._scanner, self._folder) as session:
            self._session = session
            async for event in session.events():
                if isinstance(event, PageReady):
                    return event.path
                self._follow(session, event)
        return None

    def _follow(self, session: ScanSession, event: ScanEvent) -> None:
        """Show what the scanner says."""
        match event:
            case PaperExpected(source=source):
                self._set(step="glass" if source == "glass" else "paper")
            case PageMoving():
                self._set(step="moving", problem="")
            case FaultCleared():
                self._set(problem="")
            case ScanFault(code=code):
                self._set(step="paper", problem=code)
            case SheetExpected():
                session.confirm_sheet()

    async def _read(self, mark: int, page: Path, path: str) -> _Scan:
        """Return the page as PDF/A with the codes on it.

        Raises:
            KioskError: it cannot be read, or the disk fails.
        """
        codes = await self._worker.read_codes(page)
        prepared = await self._worker.prepare(page, 0, self._folder)
        (written,) = await self._worker.assemble(
            [prepared.file],
            self._folder,
            title=self._translate.gettext("Receipt"),
            language=self._translate.language,
            max_bytes=MAX_SCAN_BYTES,
        )
        pdf = await asyncio.to_thread((self._folder / written.path).read_bytes)
        return _Scan(mark, codes, pdf, path)

    def use_glass(self) -> None:
        """Scan the sheet that lies on the glass."""
        if self._session is not None:
            self._session.select_source("glass")

    def stop_scan(self) -> None:
        """Stop waiting for the sheet."""
        if self._session is not None:
            self._session.finish()

    # -- handing over --------------------------------------------------------------------------
    async def retry(self) -> None:
        """Hand the scan that waits to the recorder again."""
        if self._waiting is not None:
            await self._keep(self._waiting)

    def show_page(self, page: int) -> None:
        """Show another page of what a scan may be the receipt of."""
        self._set(page=page)

    async def keep_as(self, mark: int) -> None:
        """Hand the scan that waits over as the receipt of ``mark``: somebody has read the sheet."""
        if self._waiting is not None and self.state.choices:  # not by a second tap
            self._waiting = replace(self._waiting, mark=mark, codes=())
            self._set(choices=(), page=0)
            await self._keep(self._waiting)

    async def _offer_choices(self, scan: _Scan) -> None:
        """Offer the events of an ended hearing whose receipt may be the one that was scanned."""
        choices: tuple[UnscannedReceipt, ...] = ()
        problem, can_retry = "receipt_unknown", False
        try:
            answer = await self._recorder.get(scan.path)
            choices = read_leniently(UnscannedReceipts, answer)[0].receipts
        except (KioskError, ValidationError):
            problem, can_retry = "recorder_down", True
        if self._waiting is not scan:
            return
        waits = bool(choices) or can_retry
        self._waiting = scan if waits else None
        said = "" if choices else problem
        self._set(problem=said, can_retry=waits, choices=choices, page=0, path=scan.path)

    async def _keep(self, scan: _Scan) -> None:
        """Hand a scan to the recorder; it stays in memory unless that has answered."""
        body = {
            "mark": scan.mark,
            "codes": list(scan.codes),
            "pdf": base64.b64encode(scan.pdf).decode(),
        }
        answer, problem, can_retry = None, "", False
        try:
            answer = await self._recorder.call("POST", scan.path, body)
        except ServiceRefusedError as error:
            problem = error.code  # the sheet is the wrong one, or the hearing is over
            if problem == "receipt_unknown" and scan.path != OF_HEARING:
                await self._offer_choices(scan)
                return
        except KioskError:
            problem, can_retry = "recorder_down", True
        if self._waiting is not scan:
            return  # handed over by another tap, or forgotten: another hearing is open
        if answer is None:
            self._waiting = scan if can_retry else None
            self._set(problem=problem, can_retry=can_retry, path=scan.path)
            return
        self._waiting = None
        if scan.path != OF_HEARING:
            rows = ShortMinutes.model_validate(answer).late_receipts
            newest = max(rows, key=lambda row: row.scan)
            self._set(problem="", kept=newest.mark, can_retry=False, path=scan.path)
            return
        kept = ReceiptAnswer.model_validate(answer)
        problem = "" if kept.is_durable else NOT_STORED
        self._set(problem=problem, kept=kept.receipt.mark, can_retry=False, path=scan.path)
