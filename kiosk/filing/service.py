"""Everything that the touch screen needs of the filing package, in one place.

One service per process; one open filing per visitor. All calls are asynchronous or quick, and none
blocks the event loop: scanner and page imaging are child processes, printer and encryption are
threads.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Self

from PIL import Image

from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.errors import KioskError, StorageError
from kiosk.filing.context import FilingContext
from kiosk.filing.drafts.migrate_drafts import migrate_drafts
from kiosk.filing.drafts.open_filing import FilingEvent, OpenFiling, PageChecked
from kiosk.filing.drafts.parked_filings import ParkedFilings, RecorderClient, UnfinishedFiling
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, StepRefusedError
from kiosk.filing.folder import (
    WIPED_PREFIX,
    FilingFolder,
    filing_folders,
    finish_wipes,
    remove_tree,
)
from kiosk.filing.form import applicant, cases, fee
from kiosk.filing.form.required_documents import slots_of_type
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import parse_reference
from kiosk.filing.printing.ticket import Ticket
from kiosk.filing.registration import SyncClient
from kiosk.filing.submission import submission
from kiosk.filing.submission.receipt_printer_service import ReceiptPrinterService
from kiosk.filing.submission.status import FilingStatus, parse_status
from kiosk.filing.submission.submission import Submission
from kiosk.locale import Language
from kiosk.rules import Rules

__all__ = ["FilingEvent", "FilingService", "OpenFiling", "PageChecked", "Submission", "Ticket"]

log = logging.getLogger(__name__)


class FilingService(FilingContext):
    """All filings of one kiosk; an asynchronous context manager.

    Args:
        settings: all settings.
        rules: the court's rules.
        sync: client of the sync service (:class:`kiosk.ipc.LocalClient`).
        worker: page imaging; the service ends its child when it closes.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        sync: SyncClient,
        worker: ImagingWorker | None = None,
    ) -> None:
        super().__init__(settings, rules, sync, worker)
        self._root = self.paths.filings
        self._receipt_printer = ReceiptPrinterService(self)
        self._parked_filings = ParkedFilings(self)
        self._open_filings: dict[str, OpenFiling] = {}
        self._background_tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        # Plain files that the previous process left in memory.
        await asyncio.to_thread(shutil.rmtree, self.paths.filing_work, ignore_errors=True)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.gather(*self._background_tasks, return_exceptions=True)
        await self.worker.close()

    # -- drafts -------------------------------------------------------------------------------

    def create(self, document_type: str, language: Language) -> OpenFiling:
        """Create a filing; its folder is on the disk, under its own key, when this returns.

        Raises:
            UnknownRuleError: no such document type.
            StorageError: the disk fails.
        """
        slots = slots_of_type(self.rules, document_type)
        filing = Filing(document_type=document_type, language=language, slots=slots)
        folder = FilingFolder.create(self._root, filing, self.paths.filing_work)
        return self._track_open(OpenFiling(self, folder))

    def _track_open(self, filing: OpenFiling) -> OpenFiling:
        self._open_filings[filing.record.id] = filing
        self._parked_filings.track(filing.record.id)
        filing.escrow_key()
        return filing

    def open(self, filing_id: str) -> OpenFiling:
        """Return a submitted filing, or a draft that is open already.

        Raises:
            FilingLockedError: a draft; it is resumed with its ticket, or recovered.
            FilingDamagedError: there is none, or it cannot be read.
        """
        known = self._open_filings.get(filing_id)
        if known is not None and not known.is_closed:
            return known
        folder = FilingFolder.open(self._root / filing_id, self.paths.filing_work)
        return OpenFiling(self, folder)

    def wipe(self, filing: OpenFiling) -> None:
        """Wipe an unfinished filing at once, also in the middle of a scan: the visitor left.

        When this returns its key is destroyed, the scan is killed and nothing readable is left;
        the encrypted remains are removed in the background.

        Raises:
            StepRefusedError: it was submitted already.
            StorageError: it cannot be removed.
        """
        if filing.record.state != "draft":
            raise StepRefusedError("what was handed in is not wiped")
        self._open_filings.pop(filing.record.id, None)
        filing.close()
        self._remove_in_background(filing.folder.erase())

    def _remove_in_background(self, doomed: Path) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(remove_tree, doomed))
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)

    # -- parking -------------------------------------------------------------------------------

    async def park(self, filing: OpenFiling) -> Ticket:
        """Park a draft: the key goes onto the ticket alone and out of memory; nothing is printed.

        Raises:
            FilingLockedError: it is no open draft.
            StorageError: it cannot be written; the filing stays open.
        """
        ticket = await self._parked_filings.park(filing)
        self._open_filings.pop(filing.record.id, None)
        return ticket

    async def print_ticket(self, ticket: Ticket) -> None:
        """Print a ticket.

        Raises:
            PrinterError: exactly which one; show :attr:`Ticket.png` instead.
        """
        await self._receipt_printer.print_png(ticket.png)

    async def resume(self, text: str) -> OpenFiling:
        """Return the filing of a ticket: its QR code's text, or its code as typed.

        Its pictures are made again by :meth:`OpenFiling.rebuild_previews`.

        Raises:
            TicketUnknownError: no parked filing belongs to it.
        """
        return self._track_open(await self._parked_filings.resume(text))

    def list_unfinished(self) -> list[UnfinishedFiling]:
        """Return the drafts that nobody has open, newest first; for the secretary only."""
        return self._parked_filings.list_unfinished(set(self._open_filings))

    async def recover(self, filing_id: str, recorder: RecorderClient) -> OpenFiling:
        """Open a draft that a crash left, for a secretary whose token ``recorder`` carries.

        Raises:
            ServiceRefusedError: not signed in as a secretary, or the time is over.
            FilingLockedError: parked, or no key was kept for a secretary.
        """
        return self._track_open(await self._parked_filings.recover(filing_id, recorder))

    def wipe_unfinished(self, older_than_seconds: float = 0.0) -> int:
        """Wipe expired parked filings and abandoned drafts; return how many.

        Drafts that are open are not touched.

        Args:
            older_than_seconds: since this process first saw them.
        """
        count = finish_wipes(self._root)
        for path in self._parked_filings.list_abandoned(
            set(self._open_filings), older_than_seconds
        ):
            try:
                remove_tree(FilingFolder.for_erasure(path, self.paths.filing_work).erase())
                count += 1
            except StorageError as error:
                log.error("%s", error)
        return count

    def wipe_abandoned(self, filing_id: str) -> None:
        """Wipe one draft that nobody has open, on a secretary's order.

        Raises:
            StepRefusedError: it is open, or no draft.
        """
        known = {unfinished.filing_id for unfinished in self.list_unfinished()}
        if filing_id not in known:
            raise StepRefusedError("no such unfinished filing")
        path = self._root / filing_id
        self._remove_in_background(FilingFolder.for_erasure(path, self.paths.filing_work).erase())

    # -- details -------------------------------------------------------------------------------

    def applicant_problems(self, filing: OpenFiling) -> dict[str, str]:
        """Return the problems of the applicant's data, by field.

        Codes: ``missing`` (the rules data expect it), ``iin_length``, ``iin_date``,
        ``iin_check_digit``, ``bin_length``, ``bin_form``, ``bin_check_digit``. Advice only.
        """
        return applicant.field_problems(filing.record.applicant, self.rules)

    async def find_case(self, text: str) -> cases.CaseLookup:
        """Return what is known of a case number, typed or from a summons' QR code; never fails."""
        return await cases.find_case(self, cases.case_number_in_code(text) or text)

    def fee_options(self, filing: OpenFiling) -> tuple[fee.FeeOption, ...]:
        """Return the fees that may be due for its document type."""
        return fee.fee_options(self.rules, filing.record.document_type, filing.record.language)

    def exemption_options(self, filing: OpenFiling) -> tuple[fee.FeeOption, ...]:
        """Return the grounds of exemption that can be named."""
        return fee.exemption_options(self.rules, filing.record.language)

    def fee_hint(
        self,
        filing: OpenFiling,
        *,
        fee_id: str | None = None,
        amount: Decimal | None = None,
        exemption: str | None = None,
        paid_on: date | None = None,
    ) -> fee.FeeHint:
        """Return the fee that may be due, and save it; never a reason to refuse (R14).

        Args:
            filing: the filing.
            fee_id: which of :meth:`fee_options`, where there are several.
            amount: amount of the claim in tenge.
            exemption: one of :meth:`exemption_options`.
            paid_on: date of payment; None: today.
        """
        day = paid_on or self.to_local(wall_time()).date()
        hint = fee.fee_hint(
            self, filing.record, day, fee_id=fee_id, amount=amount, exemption=exemption
        )
        if hint.statement is not None:
            filing.update_details(fee=hint.statement)
        return hint

    # -- submission ----------------------------------------------------------------------------

    async def submit(self, filing: OpenFiling) -> Submission:
        """Submit: write the documents, register, draw the receipt, let sync deliver.

        May be called again after any failure or crash: it continues where it stopped and gives
        the same number.

        Raises:
            NoPagesError: there is nothing to submit.
            PageFailedError: a page cannot be put into the document.
            DocumentTooLargeError: one page alone is too large.
            StorageError: the disk fails; nothing was submitted, the pages are kept.
        """
        done = await submission.submit(self, self._receipt_printer, filing)
        self._open_filings.pop(filing.record.id, None)
        return done

    async def resume_submissions(self) -> list[Submission]:
        """Finish submissions that a power cut interrupted; call it once at the start."""
        await asyncio.to_thread(migrate_drafts, self)
        return await submission.resume_submissions(
            self, self._receipt_printer, self._submitted_filings()
        )

    async def remove_delivered(self, keep_documents_seconds: float = 86_400.0) -> int:
        """Remove the documents of delivered filings; return how many. Call it while idle.

        Nothing is removed before sync confirms the delivery by the central system's own hashes.

        Args:
            keep_documents_seconds: how long a delivered document stays readable here.
        """
        count = 0
        for filing in self._submitted_filings():
            try:
                count += await submission.remove_delivered(
                    self, filing.folder, keep_documents_seconds
                )
            except KioskError as error:
                log.info("filing %s: not tidied: %s", filing.record.id, error)
        return count

    # -- receipts ------------------------------------------------------------------------------

    async def print_receipt(self, filing: OpenFiling, *, large: bool = False) -> None:
        """Print the receipt (again): as saved, or in large print.

        Raises:
            PrinterError: exactly which one; show :meth:`receipt_png` instead.
            StepRefusedError: it was not submitted yet.
        """
        await self._receipt_printer.print_receipt(filing.folder, large=large)

    async def print_image(self, image: Image.Image) -> None:
        """Print any picture on the receipt printer, after what it prints now.

        Raises:
            PrinterError: exactly which one.
        """
        await self._receipt_printer.print_image(image)

    async def receipt_png(self, filing: OpenFiling, *, large: bool = False) -> bytes:
        """Return the receipt as PNG for the screen, with its QR code.

        Raises:
            StepRefusedError: it was not submitted yet.
        """
        return await self._receipt_printer.receipt_png(filing.folder, large=large)

    def find_by_reference(self, text: str) -> OpenFiling:
        """Return the submitted filing of a receipt's QR code (to print its receipt again).

        Raises:
            FilingDamagedError: no receipt of this kiosk.
        """
        filing_id = parse_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        filing = self.open(filing_id)
        if filing.record.state == "draft":
            raise FilingLockedError("not handed in yet")
        return filing

    async def status(self, text: str) -> FilingStatus:
        """Return the status of the filing of a receipt's QR code, and how old it is.

        Raises:
            FilingDamagedError: not the code of a receipt.
            KioskError: sync does not know it, or does not answer.
        """
        filing_id = parse_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        return parse_status(await self.sync.get(f"/v1/filings/{filing_id}"))

    # -- helpers -------------------------------------------------------------------------------

    def _submitted_filings(self) -> list[OpenFiling]:
        """Return every submitted filing; a damaged one is left for the technician."""
        found = []
        for path in filing_folders(self._root):
            if path.name.startswith(WIPED_PREFIX):
                continue
            try:
                folder = FilingFolder.open(path, self.paths.filing_work)
                found.append(OpenFiling(self, folder))
            except FilingLockedError:
                continue  # a draft
            except FilingDamagedError as error:
                log.error("%s", error)
        return found
