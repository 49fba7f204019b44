"""Submits filings: documents, registration, receipt, marker. Any step can be repeated."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from kiosk.clocks import format_wall, wall_time
from kiosk.errors import KioskError, StorageError
from kiosk.filing.context import FilingContext
from kiosk.filing.drafts.open_filing import OpenFiling
from kiosk.filing.errors import NoPagesError
from kiosk.filing.folder import FilingFolder
from kiosk.filing.form.required_documents import slot_label
from kiosk.filing.model import Document, Filing, Slot
from kiosk.filing.registration import Registration, register
from kiosk.filing.submission.receipt_printer_service import ReceiptPrinterService
from kiosk.storage.atomic_io import write_chunks

log = logging.getLogger(__name__)

_MEGABYTE = 1_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Submission:
    """A submitted filing; ``receipt`` is the picture file."""

    filing: Filing
    registration: Registration
    receipt: Path


async def submit(
    context: FilingContext, receipt_printer: ReceiptPrinterService, filing: OpenFiling
) -> Submission:
    """Write the documents, register, draw the receipt, let sync deliver, destroy the scans.

    It can be called again after any failure or crash: it continues and gives the same number.

    Raises:
        NoPagesError: there is nothing to submit.
        PageFailedError: a page cannot be added to the document.
        DocumentTooLargeError: a single page is too large.
        StorageError: the disk fails; nothing is submitted, the pages are kept.
    """
    folder = filing.folder
    if folder.filing.state == "draft":
        await filing.wait_checks()
        documents = await _write_documents(context, filing)
        folder.save(folder.filing.as_submitted(documents))
    registration = await register(
        folder, context.sync, context.settings.kiosk.id, context.to_local(wall_time())
    )
    if folder.filing.state == "submitted":
        folder.save(folder.filing.with_state(registration.state))
    await receipt_printer.save_receipt(folder, registration)
    if not folder.is_submitted:
        folder.mark_submitted()
    await asyncio.to_thread(folder.delete_scans)
    return Submission(folder.filing, registration, folder.receipt_file)


async def _write_documents(context: FilingContext, filing: OpenFiling) -> tuple[Document, ...]:
    """Write a document for each slot with pages; copy them to the disk once all are made."""
    folder = filing.folder
    if not folder.filing.kept_pages:
        raise NoPagesError("nothing to hand in")
    out = folder.work_folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    made: list[tuple[Path, Document]] = []
    try:
        for slot in folder.filing.slots:
            if folder.filing.pages_of(slot.id):
                made += await _write_slot_documents(context, filing, slot, out / slot.id)
        await asyncio.to_thread(_copy_documents, folder, made)
    except OSError as error:
        raise StorageError(f"the documents cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return tuple(document for _path, document in made)


async def _write_slot_documents(
    context: FilingContext, filing: OpenFiling, slot: Slot, out: Path
) -> list[tuple[Path, Document]]:
    """Write a slot's document in memory, in parts if it is too large for one file."""
    out.mkdir(parents=True)
    content = filing.record
    encoded = [await filing.encoded_page(page) for page in content.pages_of(slot.id)]
    written = await context.worker.assemble(
        encoded,
        out,
        title=slot_label(content, slot, context.rules, content.language),
        language=content.language,
        max_bytes=int(context.rules.limit("max_file_mb") * _MEGABYTE),
    )
    main = slot.id == content.slots[0].id
    return [
        (
            out / file.path,
            Document(
                path=file.path if main else file.path.replace("document", slot.id, 1),
                type=slot.type,
                pages=file.pages,
                size=file.size,
                sha256=file.sha256,
                part=index,
                parts=len(written),
                slot=slot.id,
            ),
        )
        for index, file in enumerate(written, start=1)
    ]


def _copy_documents(folder: FilingFolder, made: list[tuple[Path, Document]]) -> None:
    """Copy the documents to the disk, durably."""
    for path, document in made:
        with path.open("rb") as file:
            write_chunks(folder.path / document.path, iter(lambda: file.read(_BLOCK), b""))


async def is_delivered(context: FilingContext, folder: FilingFolder) -> bool:
    """Return whether a filing is delivered and its documents are still here.

    Sync says so, after it has compared the central system's hashes.

    Raises:
        KioskError: sync does not answer, or the disk fails.
    """
    filing = folder.filing
    if filing.state in ("registered", "provisional") and folder.is_submitted:
        if folder.pages_folder.exists():  # a crash came before their deletion
            folder.delete_scans()
        reply = await context.sync.get(f"/v1/filings/{filing.id}")
        if reply.get("delivered") is not True:
            return False
        filing = folder.save(filing.with_state("delivered", delivered_at=format_wall()))
    has_documents = any((folder.path / d.path).exists() for d in filing.documents)
    return filing.state == "delivered" and has_documents


async def resume_submissions(
    context: FilingContext, receipt_printer: ReceiptPrinterService, filings: list[OpenFiling]
) -> list[Submission]:
    """Finish submissions that a power cut interrupted."""
    done = []
    for filing in filings:
        if filing.record.state != "draft" and not filing.folder.is_submitted:
            try:
                done.append(await submit(context, receipt_printer, filing))
            except KioskError as error:
                log.error("filing %s: cannot be finished: %s", filing.record.id, error.code)
    return done
