"""The interface of the filing package for the touch screen (R2, R103).

There is one service per process and one open filing per visitor. No call blocks the event loop:
scanner and page imaging are child processes, printer and encryption run in threads.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import date
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
from kiosk.rules import FeeBasis, Rules
from kiosk.storage.ages import Ages

__all__ = ["FilingEvent", "FilingService", "OpenFiling", "PageChecked", "Submission", "Ticket"]

log = logging.getLogger(__name__)


class FilingService(FilingContext):
    """All filings of one kiosk; an asynchronous context manager.

    Args:
        settings: all settings.
        rules: the court's rules.
        sync: client of the sync service (:class:`kiosk.ipc.LocalClient`).
        worker: page imaging; the service ends its child when it closes.
        ages: how long each filing has been parked, left or delivered.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        sync: SyncClient,
        worker: ImagingWorker | None = None,
        ages: Ages | None = None,
    ) -> None:
        super().__init__(settings, rules, sync, worker)
        self._root = self.paths.filings
        self._receipt_printer = ReceiptPrinterService(self)
        self._ages = ages or Ages(self.paths.filing_ages)
        self._parked_filings = ParkedFilings(self, self._ages)
        self._open_filings: dict[str, OpenFiling] = {}
        self._background_tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        # The previous process may have left plain files in memory.
        await asyncio.to_thread(shutil.rmtree, self.paths.filing_work, ignore_errors=True)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.gather(*self._background_tasks, return_exceptions=True)
        await self.worker.close()

    # -- drafts -------------------------------------------------------------------------------

    def create(self, document_type: str, language: Language) -> OpenFiling:
        """Create a filing; on return its folder is on the disk, with its own key.

        Raises:
            UnknownRuleError: there is no such document type.
            StorageError: the disk fails.
        """
        slots = slots_of_type(self.rules, document_type)
        filing = Filing(document_type=document_type, language=language, slots=slots)
        folder = FilingFolder.create(self._root, filing, self.paths.filing_work)
        return self._track_open(OpenFiling(self, folder))

    def _track_open(self, filing: OpenFiling) -> OpenFiling:
        self._open_filings[filing.record.id] = filing
        filing.escrow_key()
        return filing

    def open(self, filing_id: str) -> OpenFiling:
        """Return a submitted filing, or a draft that is open already.

        Raises:
            FilingLockedError: it is a draft: resume it with its ticket, or recover it.
            FilingDamagedError: it does not exist or cannot be read.
        """
        known = self._open_filings.get(filing_id)
        if known is not None and not known.is_closed:
            return known
        folder = FilingFolder.open(self._root / filing_id, self.paths.filing_work)
        return OpenFiling(self, folder)

    def wipe(self, filing: OpenFiling) -> None:
        """Wipe an unfinished filing at once, even during a scan: the visitor left.

        On return its key is destroyed, the scan is killed and nothing readable is left. The
        encrypted rest is removed in the background.

        Raises:
            StepRefusedError: it is already submitted.
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
        """Park a draft: move the key from memory to the ticket; print nothing.

        Raises:
            FilingLockedError: it is not an open draft.
            StorageError: it cannot be written; the filing stays open.
        """
        ticket = await self._parked_filings.park(filing)
        self._open_filings.pop(filing.record.id, None)
        return ticket

    async def print_ticket(self, ticket: Ticket) -> None:
        """Print a ticket.

        Raises:
            PrinterError: the exact one; show :attr:`Ticket.png` instead.
        """
        await self._receipt_printer.print_png(ticket.png)

    async def resume(self, text: str) -> OpenFiling:
        """Return the filing of a ticket: its QR code's text, or its code as typed.

        Call :meth:`OpenFiling.rebuild_previews` to make its pictures again.

        Raises:
            TicketUnknownError: no parked filing belongs to it.
        """
        return self._track_open(await self._parked_filings.resume(text))

    def list_unfinished(self) -> list[UnfinishedFiling]:
        """Return the drafts that are not open, newest first; only for the secretary."""
        return self._parked_filings.list_unfinished(set(self._open_filings))

    async def recover(self, filing_id: str, recorder: RecorderClient) -> OpenFiling:
        """Open a draft left after a crash, for the secretary whose token ``recorder`` carries.

        Raises:
            ServiceRefusedError: not signed in as a secretary, or the time is over.
            FilingLockedError: it is parked, or no key is kept for a secretary.
        """
        return self._track_open(await self._parked_filings.recover(filing_id, recorder))

    def wipe_unfinished(self, older_than_seconds: float = 0.0) -> int:
        """Wipe expired parked filings and abandoned drafts; return how many.

        Open drafts stay.

        Args:
            older_than_seconds: minimum time since this process first saw them.
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
        """Wipe a draft that is not open, for a secretary.

        Raises:
            StepRefusedError: it is open or not a draft.
        """
        known = {unfinished.filing_id for unfinished in self.list_unfinished()}
        if filing_id not in known:
            raise StepRefusedError("no such unfinished filing")
        path = self._root / filing_id
        self._remove_in_background(FilingFolder.for_erasure(path, self.paths.filing_work).erase())

    # -- details -------------------------------------------------------------------------------

    def applicant_problems(self, filing: OpenFiling) -> dict[str, str]:
        """Return the problems of the applicant's data, by field.

        Codes: ``missing`` (required by the rules), ``iin_length``, ``iin_date``,
        ``iin_check_digit``, ``bin_length``, ``bin_form``, ``bin_check_digit``. Advice only.
        """
        return applicant.field_problems(filing.record.applicant, self.rules)

    async def find_case(self, text: str) -> cases.CaseLookup:
        """Look up a case number, typed or from a summons' QR code; never fails."""
        return await cases.find_case(self, cases.case_number_in_code(text) or text)

    def fee_options(
        self, filing: OpenFiling, language: Language | None = None
    ) -> tuple[fee.FeeOption, ...]:
        """Return the fees that may be due for the document type (default: in its language)."""
        record = filing.record
        return fee.fee_options(
            self.rules, record.document_type, language or record.language, fee.payer_of(record)
        )

    def is_free(self, filing: OpenFiling) -> bool:
        """Return whether nobody pays a state fee for such a document."""
        return self.rules.document_type(filing.record.document_type).free_by is not None

    def exemption_options(
        self, filing: OpenFiling, language: Language
    ) -> tuple[fee.FeeOption, ...]:
        """Return the grounds of exemption from which whoever pays may choose."""
        return fee.exemption_options(self.rules, language, fee.payer_of(filing.record))

    def fee_hint(
        self,
        filing: OpenFiling,
        *,
        fee_id: str | None = None,
        basis: FeeBasis | None = None,
        exemption: str | None = None,
        paid_on: date | None = None,
    ) -> fee.FeeHint:
        """Return and save the fee that may be due; it is never a reason to refuse (R14).

        Args:
            filing: the filing.
            fee_id: one of :meth:`fee_options`, if there are several.
            basis: an amount in tenge, or the number of documents and pages.
            exemption: one of :meth:`exemption_options`.
            paid_on: date of payment; None for today.
        """
        day = paid_on or self.to_local(wall_time()).date()
        hint = fee.fee_hint(
            self, filing.record, day, fee_id=fee_id, basis=basis, exemption=exemption
        )
        if hint.statement is not None:
            filing.update_details(fee=hint.statement)
        return hint

    # -- submission ----------------------------------------------------------------------------

    async def submit(self, filing: OpenFiling) -> Submission:
        """Submit: write the documents, register, draw the receipt, let sync deliver.

        It can be called again after any failure or crash: it continues and gives the same number.

        Raises:
            NoPagesError: there is nothing to submit.
            PageFailedError: a page cannot be added to the document.
            DocumentTooLargeError: a single page is too large.
            StorageError: the disk fails; nothing is submitted, the pages are kept.
        """
        done = await submission.submit(self, self._receipt_printer, filing)
        self._open_filings.pop(filing.record.id, None)
        return done

    async def resume_submissions(self) -> list[Submission]:
        """Finish submissions that a power cut interrupted; call it once at startup."""
        await asyncio.to_thread(migrate_drafts, self)
        return await submission.resume_submissions(
            self, self._receipt_printer, self._submitted_filings()
        )

    async def remove_delivered(self, keep_documents_seconds: float = 86_400.0) -> int:
        """Remove the documents of delivered filings; return how many. Call it while idle.

        It removes nothing before sync confirms the delivery by the central system's hashes.

        Args:
            keep_documents_seconds: how long a delivered document is kept here.
        """
        delivered = []
        for filing in self._submitted_filings():
            try:
                if await submission.is_delivered(self, filing.folder):
                    delivered.append(filing.folder)
            except KioskError as error:
                log.info("filing %s: documents not removed: %s", filing.record.id, error)
        ages = self._ages.of("delivered", [folder.filing.id for folder in delivered])
        count = 0
        for folder in delivered:
            if ages[folder.filing.id] >= keep_documents_seconds:
                try:
                    folder.delete_documents()
                    count += 1
                except KioskError as error:
                    log.error("%s", error)
        return count

    # -- receipts ------------------------------------------------------------------------------

    async def print_receipt(self, filing: OpenFiling, *, large: bool = False) -> None:
        """Print the receipt (again): as saved, or in large print.

        Raises:
            PrinterError: the exact one; show :meth:`receipt_png` instead.
            StepRefusedError: it is not submitted yet.
        """
        await self._receipt_printer.print_receipt(filing.folder, large=large)

    async def print_image(self, image: Image.Image) -> None:
        """Print a picture on the receipt printer, after the current print.

        Raises:
            PrinterError: the exact one.
        """
        await self._receipt_printer.print_image(image)

    async def receipt_png(self, filing: OpenFiling, *, large: bool = False) -> bytes:
        """Return the receipt as PNG for the screen, with its QR code.

        Raises:
            StepRefusedError: it is not submitted yet.
        """
        return await self._receipt_printer.receipt_png(filing.folder, large=large)

    def find_by_reference(self, text: str) -> OpenFiling:
        """Return the submitted filing of a receipt's QR code, to print its receipt again.

        Raises:
            FilingDamagedError: it is not a receipt of this kiosk.
        """
        filing_id = parse_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        filing = self.open(filing_id)
        if filing.record.state == "draft":
            raise FilingLockedError("not handed in yet")
        return filing

    async def status(self, text: str) -> FilingStatus:
        """Return the status of the filing of a receipt's QR code, and its age.

        Raises:
            FilingDamagedError: it is not the code of a receipt.
            KioskError: sync does not know the filing, or does not answer.
        """
        filing_id = parse_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        return parse_status(await self.sync.get(f"/v1/filings/{filing_id}"))

    # -- helpers -------------------------------------------------------------------------------

    def _submitted_filings(self) -> list[OpenFiling]:
        """Return every submitted filing; skip damaged ones, which are left for the technician."""
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
