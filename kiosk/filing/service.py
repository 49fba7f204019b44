"""The filing desk: everything the touch screen asks of the filing room, in one place.

One desk per process; one open filing per visitor. All calls are asynchronous or quick, and none
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
from kiosk.filing.context import FilingRoom
from kiosk.filing.drafts import migrate_drafts as old_drafts
from kiosk.filing.drafts.draft_filing import DeskEvent, OpenFiling, PageChecked
from kiosk.filing.drafts.parking import Parking, RecorderClient, Unfinished
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, StepRefusedError
from kiosk.filing.folder import (
    WIPED,
    FilingFolder,
    finish_wipes,
    folders_in,
    remove_tree,
)
from kiosk.filing.form import applicant as applicants
from kiosk.filing.form import cases, fee
from kiosk.filing.form.required_documents import slots_of_type
from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.filing.model import Filing
from kiosk.filing.printing.receipt import filing_of_reference
from kiosk.filing.printing.ticket import Ticket
from kiosk.filing.registration import SyncClient
from kiosk.filing.submission import submission as handing_in
from kiosk.filing.submission.receipt_printer_service import Receipts
from kiosk.filing.submission.status import Standing, standing_of
from kiosk.filing.submission.submission import HandedIn
from kiosk.locale import Language
from kiosk.rules import Rules

__all__ = ["DeskEvent", "FilingDesk", "HandedIn", "OpenFiling", "PageChecked", "Ticket"]

log = logging.getLogger(__name__)


class FilingDesk(FilingRoom):
    """The filing room for one kiosk; an asynchronous context manager.

    Args:
        settings: all settings.
        rules: the court's rules.
        sync: client of the sync service (:class:`kiosk.ipc.LocalClient`).
        worker: page imaging; the desk ends its child when it closes.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        sync: SyncClient,
        worker: ImagingWorker | None = None,
    ) -> None:
        super().__init__(settings, rules, sync, worker)
        self._root = self.layout.filings
        self._receipts = Receipts(self)
        self._parking = Parking(self)
        self._open: dict[str, OpenFiling] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        # What the process before this one left readable in memory.
        await asyncio.to_thread(shutil.rmtree, self.layout.filing_work, ignore_errors=True)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.worker.close()

    # -- a draft's life ------------------------------------------------------------------------

    def begin(self, document_type: str, language: Language) -> OpenFiling:
        """Begin a filing: its folder is on the disk when this returns, under a key of its own.

        Raises:
            UnknownRuleError: no such document type.
            StorageError: the disk fails.
        """
        slots = slots_of_type(self.rules, document_type)
        filing = Filing(document_type=document_type, language=language, slots=slots)
        folder = FilingFolder.create(self._root, filing, self.layout.filing_work)
        return self._opened(OpenFiling(self, folder))

    def _opened(self, filing: OpenFiling) -> OpenFiling:
        self._open[filing.filing.id] = filing
        self._parking.see(filing.filing.id)
        filing.protect()
        return filing

    def open(self, filing_id: str) -> OpenFiling:
        """Return a filing that was handed in, or a draft that is open already.

        Raises:
            FilingLockedError: a draft; it is resumed with its ticket, or recovered.
            FilingDamagedError: there is none, or it cannot be read.
        """
        known = self._open.get(filing_id)
        if known is not None and not known.gone:
            return known
        folder = FilingFolder.open(self._root / filing_id, self.layout.filing_work)
        return OpenFiling(self, folder)

    def wipe(self, filing: OpenFiling) -> None:
        """Wipe an unfinished filing at once, also in the middle of a scan: the visitor left.

        When this returns its key is destroyed, the scan is killed and nothing readable is left;
        the sealed remains are removed in the background.

        Raises:
            StepRefusedError: it was handed in already.
            StorageError: it cannot be removed.
        """
        if filing.filing.state != "draft":
            raise StepRefusedError("what was handed in is not wiped")
        self._open.pop(filing.filing.id, None)
        filing.abandon()
        self._remove_soon(filing.folder.erase())

    def _remove_soon(self, doomed: Path) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(remove_tree, doomed))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # -- parking -------------------------------------------------------------------------------

    async def park(self, filing: OpenFiling) -> Ticket:
        """Park a draft: the key goes onto the ticket alone and out of memory; nothing is printed.

        Raises:
            FilingLockedError: it is no open draft.
            StorageError: it cannot be written; the filing stays open.
        """
        ticket = await self._parking.park(filing)
        self._open.pop(filing.filing.id, None)
        return ticket

    async def print_ticket(self, ticket: Ticket) -> None:
        """Print a ticket.

        Raises:
            PrinterError: exactly which one; show :attr:`Ticket.picture` instead.
        """
        await self._receipts.print_png(ticket.picture)

    async def resume(self, text: str) -> OpenFiling:
        """Return the filing of a ticket: its QR code's text, or its code as typed.

        Its pictures are made again by :meth:`OpenFiling.look_again`.

        Raises:
            TicketUnknownError: no parked filing belongs to it.
        """
        return self._opened(await self._parking.resume(text))

    def unfinished(self) -> list[Unfinished]:
        """Return the drafts that nobody has open, newest first: for the secretary only."""
        return self._parking.unfinished(set(self._open))

    async def recover(self, filing_id: str, recorder: RecorderClient) -> OpenFiling:
        """Open what a crash left behind, for a secretary whose token ``recorder`` carries.

        Raises:
            ServiceRefusedError: not signed in as a secretary, or the time is over.
            FilingLockedError: parked, or no key was kept for a secretary.
        """
        return self._opened(await self._parking.recover(filing_id, recorder))

    def wipe_unfinished(self, older_than_seconds: float = 0.0) -> int:
        """Wipe expired tickets and drafts that were left behind; return how many.

        Drafts that are open are not touched.

        Args:
            older_than_seconds: since this process first saw them.
        """
        count = finish_wipes(self._root)
        for path in self._parking.left_behind(set(self._open), older_than_seconds):
            try:
                remove_tree(FilingFolder.doomed(path, self.layout.filing_work).erase())
                count += 1
            except StorageError as error:
                log.error("%s", error)
        return count

    def wipe_left_behind(self, filing_id: str) -> None:
        """Wipe one draft that nobody has open (the secretary says so).

        Raises:
            StepRefusedError: it is open, or no draft.
        """
        known = {one.filing_id for one in self.unfinished()}
        if filing_id not in known:
            raise StepRefusedError("no such unfinished filing")
        path = self._root / filing_id
        self._remove_soon(FilingFolder.doomed(path, self.layout.filing_work).erase())

    # -- what the person says ------------------------------------------------------------------

    def applicant_advice(self, filing: OpenFiling) -> dict[str, str]:
        """Return what is missing or looks wrong in what the applicant said, by field.

        Codes: ``missing`` (the rules data expect it), ``iin_length``, ``iin_date``,
        ``iin_check_digit``, ``bin_length``, ``bin_form``, ``bin_check_digit``. Advice only.
        """
        return applicants.advice(filing.filing.applicant, self.rules)

    async def find_case(self, text: str) -> cases.FoundCase:
        """Return what is known of a case number, typed or from a summons' QR code; never fails."""
        return await cases.find_case(self, cases.case_in_code(text) or text)

    def fees(self, filing: OpenFiling) -> tuple[fee.Choice, ...]:
        """Return the fees that may be due for its document type."""
        return fee.fees_for(self.rules, filing.filing.document_type, filing.filing.language)

    def exemptions(self, filing: OpenFiling) -> tuple[fee.Choice, ...]:
        """Return the grounds of exemption that can be named."""
        return fee.exemptions(self.rules, filing.filing.language)

    def fee(
        self,
        filing: OpenFiling,
        *,
        fee_id: str | None = None,
        amount: Decimal | None = None,
        exemption: str | None = None,
        paid_on: date | None = None,
    ) -> fee.FeeHint:
        """Return what may be due, and keep it with the filing; never a reason to refuse (R14).

        Args:
            filing: the filing.
            fee_id: which of :meth:`fees`, where there are several.
            amount: amount of the claim in tenge.
            exemption: one of :meth:`exemptions`.
            paid_on: date of payment; None: today.
        """
        day = paid_on or self.local(wall_time()).date()
        hint = fee.fee_hint(
            self, filing.filing, day, fee=fee_id, amount=amount, exemption=exemption
        )
        if hint.statement is not None:
            filing.describe(fee=hint.statement)
        return hint

    # -- handing in ----------------------------------------------------------------------------

    async def submit(self, filing: OpenFiling) -> HandedIn:
        """Hand in: write the documents, register, draw the receipt, let sync deliver.

        May be called again after any failure or crash: it goes on where it stopped and gives
        the same number.

        Raises:
            NoPagesError: there is nothing to hand in.
            PageFailedError: a page cannot be put into the document.
            DocumentTooLargeError: one page alone is too large.
            StorageError: the disk fails; nothing was handed in, the pages are kept.
        """
        done = await handing_in.hand_in(self, self._receipts, filing)
        self._open.pop(filing.filing.id, None)
        return done

    async def resume_submitting(self) -> list[HandedIn]:
        """Finish what was being handed in when the power went; call it once at the start."""
        await asyncio.to_thread(old_drafts.seal_all, self)
        return await handing_in.finish(self, self._receipts, self._handed_in())

    async def tidy(self, keep_documents_seconds: float = 86_400.0) -> int:
        """Remove what has been delivered; return how many. Call it now and then while idle.

        Nothing is removed before sync confirms the delivery by the central system's own hashes.

        Args:
            keep_documents_seconds: how long a delivered document stays readable here.
        """
        count = 0
        for filing in self._handed_in():
            try:
                count += await handing_in.tidy(self, filing.folder, keep_documents_seconds)
            except KioskError as error:
                log.info("filing %s: not tidied: %s", filing.filing.id, error)
        return count

    # -- receipts ------------------------------------------------------------------------------

    async def print_receipt(self, filing: OpenFiling, *, large: bool = False) -> None:
        """Print the receipt (again): as it is kept, or in large print.

        Raises:
            PrinterError: exactly which one; show :meth:`receipt_picture` instead.
            StepRefusedError: nothing was handed in yet.
        """
        await self._receipts.print(filing.folder, large=large)

    async def print_image(self, image: Image.Image) -> None:
        """Print any picture on the receipt printer, after what it prints now.

        Raises:
            PrinterError: exactly which one.
        """
        await self._receipts.print_image(image)

    async def receipt_picture(self, filing: OpenFiling, *, large: bool = False) -> bytes:
        """Return the receipt as PNG for the screen, with its QR code.

        Raises:
            StepRefusedError: nothing was handed in yet.
        """
        return await self._receipts.picture(filing.folder, large=large)

    def by_reference(self, text: str) -> OpenFiling:
        """Return the handed-in filing of a receipt's QR code (to print its receipt again).

        Raises:
            FilingDamagedError: no receipt of this kiosk.
        """
        filing_id = filing_of_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        filing = self.open(filing_id)
        if filing.filing.state == "draft":
            raise FilingLockedError("not handed in yet")
        return filing

    async def standing(self, text: str) -> Standing:
        """Return where the filing of a receipt's QR code stands, and how old that is.

        Raises:
            FilingDamagedError: not the code of a receipt.
            KioskError: sync does not know it, or does not answer.
        """
        filing_id = filing_of_reference(text)
        if filing_id is None:
            raise FilingDamagedError("not the code of a receipt")
        return standing_of(await self.sync.get(f"/v1/filings/{filing_id}"))

    # -- helpers -------------------------------------------------------------------------------

    def _handed_in(self) -> list[OpenFiling]:
        """Return every handed-in filing; a damaged one is left for the technician."""
        found = []
        for path in folders_in(self._root):
            if path.name.startswith(WIPED):
                continue
            try:
                folder = FilingFolder.open(path, self.layout.filing_work)
                found.append(OpenFiling(self, folder))
            except FilingLockedError:
                continue  # a draft
            except FilingDamagedError as error:
                log.error("%s", error)
        return found
