"""The filing desk: everything the touch screen asks of the filing room, in one place.

One desk per process; one open filing per visitor. All calls are asynchronous and none blocks
the event loop: the scanner and page imaging are child processes, the printer is a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from PIL import Image

from kiosk.clocks import wall_text, wall_time
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.filing.errors import (
    FilingDamagedError,
    NoPagesError,
    PageFailedError,
    StepRefusedError,
)
from kiosk.filing.folder import WIPED, FilingFolder, finish_wipes, folders_in
from kiosk.filing.imaging_worker import ImagingWorker
from kiosk.filing.model import Document, Filing, Page
from kiosk.filing.receipt import Receipt, ReceiptDocument, draw_receipt, to_png
from kiosk.filing.registration import Registration, SyncClient, register
from kiosk.hardware.receipt_printer import ReceiptPrinter
from kiosk.hardware.scanner import Event, PageReady, ScanSession
from kiosk.hardware.scanner_child import Source
from kiosk.locale import Language, Translator
from kiosk.rules import Rules
from kiosk.storage.durable import write_bytes
from kiosk.storage.layout import Layout

log = logging.getLogger(__name__)

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class PageChecked:
    """A page was looked at; pictures for the screen are there.

    ``advice`` holds codes of :mod:`kiosk.filing.advice`. A page that could not be worked on has
    the advice ``page_failed`` and no pictures: it has to be scanned again.
    """

    number: int
    preview: Path | None
    thumbnail: Path | None
    advice: tuple[str, ...]


@dataclass(frozen=True)
class HandedIn:
    """What came of handing in; ``receipt`` is a picture of it, whatever the printer does."""

    filing: Filing
    registration: Registration
    receipt: Path


DeskEvent = Event | PageChecked


class OpenFiling:
    """A visitor's filing while it is being made. Get one from :meth:`FilingDesk.begin`."""

    def __init__(self, desk: FilingDesk, folder: FilingFolder) -> None:
        self._desk = desk
        self._folder = folder
        self._checked: dict[int, PageChecked] = {}
        self._tasks: set[asyncio.Task[PageChecked]] = set()

    @property
    def filing(self) -> Filing:
        """What is on the disk."""
        return self._folder.filing

    @property
    def folder(self) -> FilingFolder:
        """Where it lies."""
        return self._folder

    def looks_of(self, number: int) -> PageChecked | None:
        """Return what was seen on page ``number``, or None while it is being looked at."""
        return self._checked.get(number)

    def session(
        self,
        *,
        source: Source | None = None,
        duplex: bool = False,
        retake: tuple[int, ...] = (),
    ) -> ScanSession:
        """Return a scan into this filing; ``retake`` scans those pages again."""
        return ScanSession(
            self._desk.settings.scanner,
            self._folder.pages,
            first_page=self.filing.next_page,
            source=source,
            duplex=duplex,
            missing=retake,
        )

    async def scan(self, session: ScanSession) -> AsyncIterator[DeskEvent]:
        """Run ``session`` and yield its events; :class:`PageChecked` follows each page soon.

        The filing is on the disk with the page before its :class:`PageReady` is yielded.
        """
        events: asyncio.Queue[DeskEvent | None] = asyncio.Queue()

        async def feed() -> None:
            try:
                async with session:
                    async for event in session.events():
                        if isinstance(event, PageReady):
                            self._take(event.number, events)
                        events.put_nowait(event)
                await asyncio.gather(*self._tasks, return_exceptions=True)
            finally:
                events.put_nowait(None)

        warming = asyncio.ensure_future(self._desk.worker.warm())
        feeding = asyncio.ensure_future(feed())
        try:
            while (event := await events.get()) is not None:
                yield event
            await feeding
        finally:
            session.finish()
            feeding.cancel()
            await asyncio.gather(feeding, warming, return_exceptions=True)

    def _take(self, number: int, events: asyncio.Queue[DeskEvent | None]) -> None:
        """Put a page that arrived into the filing, and have it looked at."""
        self._checked.pop(number, None)
        self._folder.keep(self.filing.with_page(Page(number=number)))
        task = asyncio.ensure_future(self._look_at(number))
        self._tasks.add(task)

        def told(done: asyncio.Task[PageChecked]) -> None:
            self._tasks.discard(done)
            if not done.cancelled() and done.exception() is None:
                events.put_nowait(done.result())

        task.add_done_callback(told)

    def abandon(self) -> None:
        """Stop working on pages: the filing is going to be wiped."""
        for task in list(self._tasks):
            task.cancel()

    async def _look_at(self, number: int) -> PageChecked:
        """Prepare page ``number`` for document and screen, and keep what was seen."""
        page = self.filing.page(number)
        try:
            prepared = await self._desk.worker.prepare(
                self._folder.page_file(number), page.turn, self._folder.work
            )
        except KioskError as error:
            log.warning("filing %s: page %d: %s", self.filing.id, number, error)
            checked = PageChecked(number, None, None, (PageFailedError.code,))
        else:
            checked = PageChecked(number, prepared.preview, prepared.thumbnail, prepared.advice)
            seen = {"advice": prepared.advice, "skew": prepared.skew, "checked": True}
            newest = self.filing.page(number)
            if self.filing.state == "draft" and newest.turn == page.turn:
                self._folder.keep(self.filing.with_page(newest.model_copy(update=seen)))
        self._checked[number] = checked
        return checked

    # -- what the person does to the pages -----------------------------------------------------

    async def turn(self, number: int) -> PageChecked:
        """Turn a page by 90 degrees clockwise, and look at it again."""
        page = self.filing.page(number)
        turned = page.model_copy(update={"turn": (page.turn + 90) % 360, "checked": False})
        self._folder.keep(self.filing.with_page(turned))
        return await self._look_at(number)

    def delete(self, number: int) -> None:
        """Take a page out; :meth:`restore` takes that back."""
        self._set_deleted(number, True)

    def restore(self, number: int) -> None:
        """Take a page back in, in its old place."""
        self._set_deleted(number, False)

    def move(self, number: int, place: int) -> None:
        """Move a page to ``place`` (from 1) among the kept ones."""
        self._folder.keep(self.filing.moved(number, place))

    def describe(self, **changes: object) -> None:
        """Keep what the person said: document_type, case_kind, case_number, applicant, ..."""
        allowed = {
            "document_type",
            "case_kind",
            "case_number",
            "applicant",
            "sheets_said",
            "not_scanned",
        }
        if not allowed.issuperset(changes) or self.filing.state != "draft":
            raise StepRefusedError(f"cannot be said now: {', '.join(changes)}")
        value = self.filing.model_dump()
        value.update(changes)
        self._folder.keep(Filing.model_validate(value))

    def _set_deleted(self, number: int, deleted: bool) -> None:
        page = self.filing.page(number).model_copy(update={"deleted": deleted})
        self._folder.keep(self.filing.with_page(page))

    async def settle(self) -> None:
        """Wait until every page was looked at."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


class FilingDesk:
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
        self.settings = settings
        self.rules = rules
        self.worker = worker or ImagingWorker()
        self._sync = sync
        self._root = Layout.of(settings.paths).filings
        self._printer = ReceiptPrinter(settings.printer)
        self._printing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.worker.close()

    def begin(self, document_type: str, language: Language) -> OpenFiling:
        """Begin a filing: its folder is on the disk when this returns.

        Raises:
            UnknownRuleError: no such document type.
            StorageError: the disk fails.
        """
        self.rules.document_type(document_type)
        filing = Filing(document_type=document_type, language=language)
        return OpenFiling(self, FilingFolder.create(self._root, filing))

    def open(self, filing_id: str) -> OpenFiling:
        """Return a filing that is on the disk (to resume it, or to print its receipt again).

        Raises:
            FilingDamagedError: there is none, or it cannot be read.
        """
        return OpenFiling(self, FilingFolder.open(self._root / filing_id))

    def wipe(self, filing: OpenFiling) -> None:
        """Remove an unfinished filing with all its pages: the visitor left.

        Raises:
            StepRefusedError: it was handed in already.
            StorageError: it cannot be removed.
        """
        if filing.filing.state != "draft":
            raise StepRefusedError("what was handed in is not wiped")
        filing.abandon()
        filing.folder.wipe()

    def unfinished(self) -> list[OpenFiling]:
        """Return the drafts on the disk, newest first (after a crash: for the secretary only)."""
        found = [filing for filing in self._all() if filing.filing.state == "draft"]
        return sorted(found, key=lambda filing: filing.filing.created_at, reverse=True)

    def wipe_unfinished(self, older_than_seconds: float = 0.0) -> int:
        """Remove drafts of that age, and the remains of wipes that were cut off; return how many.

        Args:
            older_than_seconds: age by their creation.
        """
        count = finish_wipes(self._root)
        now = wall_time()
        for filing in self.unfinished():
            made = datetime.fromisoformat(filing.filing.created_at)
            if (now - made).total_seconds() >= older_than_seconds:
                self.wipe(filing)
                count += 1
        return count

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
        folder = filing.folder
        if folder.filing.state == "draft":
            await filing.settle()
            documents = await self._write_documents(folder)
            folder.keep(folder.filing.submitted(documents))
        registration = await register(
            folder, self._sync, self.settings.kiosk.id, self._local(wall_time())
        )
        if folder.filing.state == "submitted":
            folder.keep(folder.filing.stepped(registration.state))
        self._keep_receipt(folder, registration)
        if not folder.is_submitted:
            folder.mark_submitted()
        return HandedIn(folder.filing, registration, folder.receipt)

    async def resume_submitting(self) -> list[HandedIn]:
        """Finish what was being handed in when the power went; call it once at the start."""
        done = []
        for filing in self._all():
            if filing.filing.state != "draft" and not filing.folder.is_submitted:
                try:
                    done.append(await self.submit(filing))
                except KioskError as error:
                    log.error("filing %s: cannot be finished: %s", filing.filing.id, error)
        return done

    async def tidy(self, keep_documents_seconds: float = 86_400.0) -> int:
        """Remove what has been delivered: scans at once, documents later; return how many.

        Nothing is removed before sync confirms the delivery by the central system's own hashes.
        Call it now and then while nobody stands at the kiosk.

        Args:
            keep_documents_seconds: how long a delivered document stays readable here.
        """
        count = 0
        for filing in self._all():
            try:
                count += await self._tidy(filing.folder, keep_documents_seconds)
            except KioskError as error:
                log.info("filing %s: not tidied: %s", filing.filing.id, error)
        return count

    async def _tidy(self, folder: FilingFolder, keep_seconds: float) -> bool:
        """Tidy one filing; return whether anything was removed."""
        filing = folder.filing
        if filing.state in ("registered", "provisional") and folder.is_submitted:
            told = await self._sync.get(f"/v1/filings/{filing.id}")
            if told.get("delivered") is not True:
                return False
            filing = folder.keep(filing.stepped("delivered", delivered_at=wall_text()))
        if filing.state != "delivered" or filing.delivered_at is None:
            return False
        age = (wall_time() - datetime.fromisoformat(filing.delivered_at)).total_seconds()
        had_scans = folder.pages.exists()
        folder.forget_scans()
        has_documents = any((folder.path / d.path).exists() for d in filing.documents)
        if has_documents and age >= keep_seconds:
            folder.forget_documents()
            return True
        return had_scans

    async def _write_documents(self, folder: FilingFolder) -> tuple[Document, ...]:
        filing = folder.filing
        if not filing.kept_pages:
            raise NoPagesError("nothing to hand in")
        coded = [await self._coded(folder, page) for page in filing.kept_pages]
        kind = self.rules.document_type(filing.document_type)
        written = await self.worker.assemble(
            coded,
            folder.path,
            title=kind.label.text(filing.language),
            language=filing.language,
            largest=int(self.rules.limit("max_file_mb") * _MEGABYTE),
        )
        return tuple(
            Document(
                path=file.path,
                type=filing.document_type,
                pages=file.pages,
                size=file.size,
                sha256=file.sha256,
                part=index,
                parts=len(written),
            )
            for index, file in enumerate(written, start=1)
        )

    async def _coded(self, folder: FilingFolder, page: Page) -> Path:
        """Return the coded page, made now where that was not done yet."""
        file = folder.prepared_file(page.number) if page.checked else None
        if file is None:
            prepared = await self.worker.prepare(
                folder.page_file(page.number), page.turn, folder.work
            )
            file = prepared.file
        return file

    # -- the receipt ---------------------------------------------------------------------------

    async def print_receipt(self, filing: OpenFiling, *, large: bool = False) -> None:
        """Print the receipt (again): as it is kept, or in large print.

        Raises:
            PrinterError: exactly which one; the receipt is still there as a picture.
            StepRefusedError: nothing was handed in yet.
        """
        registration = filing.folder.registration()
        if registration is None:
            raise StepRefusedError("no number was given yet")
        if large:
            known = Registration(**{**registration, "documents": ()})
            image = self._draw(filing.filing, known, large=True)
        else:
            with Image.open(filing.folder.receipt) as kept:
                image = kept.convert("1")
        async with self._printing:
            await asyncio.to_thread(self._printer.print_image, image)

    def _keep_receipt(self, folder: FilingFolder, registration: Registration) -> None:
        if not folder.receipt.exists():
            write_bytes(folder.receipt, to_png(self._draw(folder.filing, registration)))

    def _draw(
        self, filing: Filing, registration: Registration, *, large: bool = False
    ) -> Image.Image:
        language = filing.language
        kiosk = self.settings.kiosk
        reached: list[str] = ["received"]
        if registration.state == "registered":
            reached.append("registered")
        at = datetime.fromisoformat(filing.submitted_at or registration.at)
        receipt = Receipt(
            filing_id=filing.id,
            court=kiosk.court.get(language, ""),
            room=kiosk.room,
            kiosk=kiosk.id,
            number=registration.number,
            provisional=registration.state == "provisional",
            at=self._local(at),
            type_label=self.rules.document_type(filing.document_type).label.text(language),
            documents=[
                ReceiptDocument(document.pages, document.sha256) for document in filing.documents
            ],
            reached=reached,
            not_scanned=filing.not_scanned,
        )
        width = self.settings.printer.width_dots
        return draw_receipt(receipt, Translator(language), width=width, large=large)

    # -- helpers -------------------------------------------------------------------------------

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.settings.kiosk.timezone))

    def _all(self) -> list[OpenFiling]:
        """Return every filing that can be read; a damaged one is left for the technician."""
        found = []
        for path in folders_in(self._root):
            if path.name.startswith(WIPED):
                continue
            try:
                found.append(OpenFiling(self, FilingFolder.open(path)))
            except FilingDamagedError as error:
                log.error("%s", error)
        return found
