"""A filing that a visitor has open: scans, checks and orders its pages.

A scan arrives in memory (tmpfs) and is encrypted to the disk before its event is yielded. Then it
is checked and leaves memory. Nothing readable is ever written to the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from kiosk.errors import KioskError, StorageError
from kiosk.filing.context import FilingContext
from kiosk.filing.errors import FilingLockedError, PageFailedError, StepRefusedError
from kiosk.filing.folder import ESCROW_KEY_FILE, FilingFolder
from kiosk.filing.form import required_documents
from kiosk.filing.imaging.page_advice import sort_advice
from kiosk.filing.imaging.worker import PreparedPage
from kiosk.filing.model import Filing, Page, Slot
from kiosk.hardware.scanner.events import PageReady, ScanEvent, ScannerOpened, ScanSource
from kiosk.hardware.scanner.session import ScanSession
from kiosk.storage.atomic_io import write_bytes
from kiosk.storage.key_escrow import NoEscrowKeyError, newest_public_key, wrap_key

log = logging.getLogger(__name__)

#: Maximum number of pages that wait in memory for their check; others are read from the disk.
_MAX_WAITING = 3
#: Free bytes in memory below which encoded pages are deleted; they can be made again.
_MIN_FREE_BYTES = 96_000_000
_UPSIDE_DOWN = "page_upside_down"


@dataclass(frozen=True)
class PageChecked:
    """A page has been checked, and its pictures for the screen exist.

    ``advice`` holds codes of :mod:`kiosk.filing.imaging.page_advice`. A page that cannot be
    processed has the advice ``page_failed`` and no pictures; it must be scanned again.
    """

    number: int
    preview: Path | None
    thumbnail: Path | None
    advice: tuple[str, ...]


FilingEvent = ScanEvent | PageChecked


@dataclass
class _ScanTarget:
    """Slot and position for the pages of the running scan."""

    slot: str
    position: int | None
    first_page: int
    is_duplex: bool

    def sheet_of(self, number: int) -> int:
        """Return the sheet of page ``number``: the number of its front."""
        if not self.is_duplex or number < self.first_page:
            return number
        return number - (number - self.first_page) % 2


class OpenFiling:
    """A filing that is open at this kiosk, made by :class:`kiosk.filing.service.FilingService`."""

    def __init__(self, context: FilingContext, folder: FilingFolder) -> None:
        self._context = context
        self._folder = folder
        self._checks: dict[int, PageChecked] = {}
        self._tasks: set[asyncio.Task[PageChecked]] = set()
        self._sessions: set[ScanSession] = set()
        self._scan_target: _ScanTarget | None = None
        self._is_closed = False
        self._escrow_name = ""

    @property
    def record(self) -> Filing:
        """The filing's content, as saved on the disk."""
        return self._folder.filing

    @property
    def folder(self) -> FilingFolder:
        """Its folder."""
        return self._folder

    @property
    def is_closed(self) -> bool:
        """Whether it is wiped or parked and cannot be used any more."""
        return self._is_closed

    def check_of(self, number: int) -> PageChecked | None:
        """Return the result of checking page ``number``, or None while the check runs."""
        return self._checks.get(number)

    def escrow_key(self) -> None:
        """Wrap the key under the recorder's newest escrow key, for recovery by a secretary."""
        key = self._folder.key
        if key is None or self._is_closed:
            return
        keys = self._context.paths.public_keys
        try:
            name = newest_public_key(keys)
            if name != self._escrow_name:
                wrapped = wrap_key(keys, key.secret)
                write_bytes(self._folder.path / ESCROW_KEY_FILE, wrapped, 0o600)
                self._escrow_name = name
        except NoEscrowKeyError as error:  # the visitor goes on; the staff must know
            if self._context.is_protecting:
                log.error("unfinished filings are not protected: %s", error)
            self._context.is_protecting = False
        else:
            self._context.is_protecting = True

    # -- scanning ------------------------------------------------------------------------------

    def scan_session(
        self,
        *,
        source: ScanSource | None = None,
        duplex: bool = False,
        retake: tuple[int, ...] = (),
        slot: str | None = None,
        position: int | None = None,
    ) -> ScanSession:
        """Return a scan into this filing.

        Args:
            source: feeder, glass, or None for the feeder if there is one.
            duplex: scan both sides if the feeder can.
            retake: pages to scan again.
            slot: slot of the pages, which becomes the current one; None for the current one.
            position: position (from 1) in the slot; None for its end.
        """
        if slot is not None:
            self.choose_slot(slot)
        first = self.record.next_page
        self._scan_target = _ScanTarget(self.record.slot, position, first, duplex)
        return ScanSession(
            self._context.settings.scanner,
            self._folder.work_folder,
            first_page=first,
            source=source,
            duplex=duplex,
            missing=retake,
        )

    async def scan(self, session: ScanSession) -> AsyncIterator[FilingEvent]:
        """Run ``session`` and yield its events; a :class:`PageChecked` follows each page.

        Page and filing are encrypted on the disk before :class:`PageReady` is yielded.
        """
        events: asyncio.Queue[FilingEvent | None] = asyncio.Queue()
        target = self._scan_target or _ScanTarget(
            self.record.slot, None, self.record.next_page, False
        )

        async def feed() -> None:
            try:
                async with session:
                    async for event in session.events():
                        if isinstance(event, ScannerOpened) and target.is_duplex:
                            target.is_duplex = _scans_both_sides(event)
                        if isinstance(event, PageReady):
                            events.put_nowait(await self._add_page(event, target, events))
                        else:
                            events.put_nowait(event)
                await asyncio.gather(*self._tasks, return_exceptions=True)
            except KioskError:
                if not self._is_closed:
                    raise
            finally:
                events.put_nowait(None)

        self._sessions.add(session)
        warm_up_task = asyncio.ensure_future(self._context.worker.start())
        feed_task = asyncio.ensure_future(feed())
        try:
            while (event := await events.get()) is not None:
                yield event
            await feed_task
        finally:
            session.finish()
            feed_task.cancel()
            await asyncio.gather(feed_task, warm_up_task, return_exceptions=True)
            self._sessions.discard(session)

    async def _add_page(
        self, ready: PageReady, target: _ScanTarget, events: asyncio.Queue[FilingEvent | None]
    ) -> PageReady:
        """Encrypt a new page, add it to the filing, and schedule its check."""
        number = ready.number
        plain = self._folder.work_folder / f"arrived-{uuid4()}.jpg"
        ready.path.rename(plain)  # the same page may be scanned again meanwhile
        key, encrypted_file = self._folder.key, self._folder.page_file(number)
        if key is None or self._is_closed:
            plain.unlink(missing_ok=True)
            raise FilingLockedError("wiped while a page arrived")
        await asyncio.to_thread(key.encrypt_file, plain, encrypted_file)
        self._checks.pop(number, None)
        is_known = any(page.number == number for page in self.record.pages)
        page = (
            Page(number=number)
            if is_known
            else Page(number=number, slot=target.slot, sheet=target.sheet_of(number))
        )
        filing = self.record.with_page(page)
        is_late = any(other.number > number for other in self.record.pages)
        if target.position is not None and not is_known and not is_late:
            filing = filing.with_page_moved(number, target.position)
            target.position += 1
        self._folder.save(filing)
        self.escrow_key()
        if len(self._tasks) >= _MAX_WAITING:
            plain.unlink(missing_ok=True)
        self._schedule_check(number, plain, events)
        return replace(ready, path=encrypted_file)

    def _schedule_check(
        self, number: int, plain: Path, events: asyncio.Queue[FilingEvent | None]
    ) -> None:
        task = asyncio.ensure_future(self._check_page(number, plain))
        self._tasks.add(task)

        def report_result(done: asyncio.Task[PageChecked]) -> None:
            self._tasks.discard(done)
            if not done.cancelled() and done.exception() is None:
                events.put_nowait(done.result())

        task.add_done_callback(report_result)

    def close(self) -> None:
        """Stop at once, before wiping or parking; kill a running scan."""
        self._is_closed = True
        for session in self._sessions:
            session.finish()
            if session.child_pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(session.child_pid, signal.SIGKILL)
        for task in list(self._tasks):
            task.cancel()
        self._checks.clear()

    # -- checks --------------------------------------------------------------------------------

    async def _check_page(
        self, number: int, plain: Path | None = None, *, by_hand: bool = False
    ) -> PageChecked:
        """Prepare page ``number`` for document and screen, and save the result of its check."""
        page = self.record.page(number)
        try:
            async with self._decrypted_page(number, plain) as path:
                # The kiosk turns a page once, right after its scan; later only the person does.
                may_turn = not page.checked and not page.turn and not by_hand
                prepared = await self._context.worker.prepare(
                    path, page.turn, path.parent, may_turn=may_turn
                )
                pictures = self._move_results(prepared, number)
        except KioskError as error:
            log.warning("filing %s: page %d: %s", self.record.id, number, error.code)
            checked = PageChecked(number, None, None, (PageFailedError.code,))
        else:
            advice = prepared.advice
            if page.checked and _UPSIDE_DOWN in page.advice:  # checked again after it was resumed
                advice = sort_advice((*advice, _UPSIDE_DOWN))
            checked = PageChecked(number, *pictures, advice)
            update = {"advice": advice, "skew": prepared.skew, "checked": True}
            update["turn"] = prepared.turn
            newest = self.record.page(number)
            if not self._is_closed and self.record.state == "draft" and newest.turn == page.turn:
                self._folder.save(self.record.with_page(newest.model_copy(update=update)))
        self._checks[number] = checked
        return checked

    def _move_results(self, prepared: PreparedPage, number: int) -> tuple[Path, Path]:
        """Rename the prepared files after the page; return preview and thumbnail."""
        work, name = self._folder.work_folder, f"{number:04d}"
        if shutil.disk_usage(work).free < _MIN_FREE_BYTES:
            prepared.file.unlink(missing_ok=True)  # made again on submission
        else:
            prepared.file.rename(work / f"{name}.pdf")
        preview = prepared.preview.rename(work / f"{name}-preview.jpg")
        return preview, prepared.thumbnail.rename(work / f"{name}-small.jpg")

    @contextlib.asynccontextmanager
    async def _decrypted_page(
        self, number: int, arrived: Path | None = None
    ) -> AsyncIterator[Path]:
        """Yield the decrypted page as a file in memory, in its own folder."""
        page_folder = self._folder.work_folder / f"page-{uuid4()}"
        path = page_folder / f"{number:04d}.jpg"
        try:
            page_folder.mkdir(mode=0o700)
            if arrived is not None and arrived.exists():
                arrived.rename(path)
            elif self._folder.key is None:
                raise FilingLockedError("no key")
            else:
                data = await asyncio.to_thread(
                    self._folder.key.decrypt_file, self._folder.page_file(number)
                )
                path.write_bytes(data)
            yield path
        except OSError as error:
            raise StorageError(f"page {number}: {error.strerror}") from error
        finally:
            shutil.rmtree(page_folder, ignore_errors=True)

    async def encoded_page(self, page: Page) -> Path:
        """Return the encoded page; encode it now if needed.

        Raises:
            PageFailedError: it cannot be read, or page imaging crashed or hung.
        """
        file = self._folder.prepared_file(page.number) if page.checked else None
        if file is None:
            async with self._decrypted_page(page.number) as path:
                prepared = await self._context.worker.prepare(
                    path, page.turn, path.parent, may_turn=not page.checked and not page.turn
                )
                file = self._folder.work_folder / f"{page.number:04d}.pdf"
                prepared.file.rename(file)
        return file

    async def wait_checks(self) -> None:
        """Wait until every scheduled check has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def rebuild_previews(self) -> None:
        """Make the pictures for the screen again, after the filing was resumed."""
        for page in self.record.kept_pages:
            if self._is_closed:
                return
            if page.number not in self._checks:
                await self._check_page(page.number)

    # -- changes to pages ----------------------------------------------------------------------

    async def rotate_page(self, number: int) -> PageChecked:
        """Rotate a page by 90 degrees clockwise, and check it again."""
        page = self.record.page(number)
        turned = page.model_copy(update={"turn": (page.turn + 90) % 360, "checked": False})
        self._folder.save(self.record.with_page(turned))
        return await self._check_page(number, by_hand=True)

    def delete_page(self, number: int) -> None:
        """Mark a page as deleted; :meth:`restore_page` undoes it."""
        self._set_deleted(number, True)

    def restore_page(self, number: int) -> None:
        """Restore a deleted page at its old position."""
        self._set_deleted(number, False)

    def move_page(self, number: int, position: int, slot: str | None = None) -> None:
        """Move a page to ``position`` (from 1) among the kept pages of a slot (None: its own)."""
        self._folder.save(self.record.with_page_moved(number, position, slot))

    def _set_deleted(self, number: int, deleted: bool) -> None:
        page = self.record.page(number).model_copy(update={"deleted": deleted})
        self._folder.save(self.record.with_page(page))

    # -- slots ---------------------------------------------------------------------------------

    def slots(self) -> tuple[required_documents.SlotView, ...]:
        """Return every slot in order, with label, pages and sheet count."""
        return required_documents.slot_views(self.record, self._context.rules, self.record.language)

    def sheet_count(self) -> required_documents.SheetCount:
        """Return how many sheets of the whole filing were declared and scanned."""
        return required_documents.sheet_count(self.record)

    def choose_slot(self, slot: str) -> None:
        """Send the next pages to ``slot`` and clear its skipped mark."""
        found = self.record.find_slot(slot).model_copy(update={"skipped": False})
        self._folder.save(self.record.with_slot(found).model_copy(update={"slot": slot}))

    def add_slot(self, slot: str) -> Slot:
        """Add another slot of the type of ``slot`` (which must allow many) for the next pages."""
        filing, new_slot = required_documents.with_slot_added(self.record, slot)
        self._folder.save(filing)
        return new_slot

    def skip_slot(self, slot: str, skipped: bool = True) -> None:
        """Mark a slot as skipped, or clear the mark."""
        self._folder.save(required_documents.with_slot_skipped(self.record, slot, skipped))

    def declare_sheets(
        self, sheets: int | None, slot: str | None = None
    ) -> required_documents.SheetCount:
        """Save how many sheets the person counted (in a slot, or in all); return the count."""
        if sheets is not None and sheets < 0:
            raise StepRefusedError("not a number of sheets")
        if slot is None:
            self._folder.save(self.record.model_copy(update={"sheets_said": sheets}))
            return self.sheet_count()
        found = self.record.find_slot(slot).model_copy(update={"sheets_said": sheets})
        self._folder.save(self.record.with_slot(found))
        return next(view.sheets for view in self.slots() if view.slot.id == slot)

    # -- details -------------------------------------------------------------------------------

    def update_details(self, **changes: object) -> None:
        """Save details that the person entered.

        What was said of the fee does not outlive another document, nor its figure another payer.

        Args:
            changes: document_type, case_kind, case_number, case_known, applicant, fee,
                sheets_said, not_scanned, language.

        Raises:
            StepRefusedError: the filing is already submitted, or there is no such field.
        """
        allowed = {
            "document_type",
            "case_kind",
            "case_number",
            "case_known",
            "applicant",
            "fee",
            "sheets_said",
            "not_scanned",
            "language",
        }
        if not allowed.issuperset(changes) or self.record.state != "draft":
            raise StepRefusedError(f"cannot be changed now: {', '.join(changes)}")
        before = filing = self.record
        if "document_type" in changes:
            filing = required_documents.with_document_type(
                filing, str(changes.pop("document_type")), self._context.rules
            )
        value = filing.model_dump()
        value.update(changes)
        after = Filing.model_validate(value)
        self._folder.save(after if "fee" in changes else _with_fitting_fee(before, after))


def _with_fitting_fee(before: Filing, after: Filing) -> Filing:
    """Return ``after`` without the fee of another document, or figure and ground of another payer.

    Rates and grounds are a person's or an organisation's (НК 665, 668(1)).
    """
    fee = after.fee
    if after.document_type != before.document_type:
        fee = None
    elif fee is not None and after.applicant.kind != before.applicant.kind:
        fee = fee.model_copy(update={"hint": None, "mrp": None, "exemption": None})
    return after.model_copy(update={"fee": fee})


def _scans_both_sides(opened: ScannerOpened) -> bool:
    """Return whether the scanner reports that it scans both sides."""
    source = str(opened.options.get("source", "")).lower()
    return not source or "duplex" in source or "both" in source
