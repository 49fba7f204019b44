"""Handing in: documents, registration, receipt, marker; each step can be repeated after a crash."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk.clocks import wall_text, wall_time
from kiosk.errors import KioskError, StorageError
from kiosk.filing.context import FilingRoom
from kiosk.filing.drafts.draft_filing import OpenFiling
from kiosk.filing.errors import NoPagesError
from kiosk.filing.folder import FilingFolder
from kiosk.filing.form.required_documents import slot_label
from kiosk.filing.model import Document, Filing, Slot
from kiosk.filing.registration import Registration, register
from kiosk.filing.submission.receipt_printer_service import Receipts
from kiosk.storage.atomic_io import write_chunks

log = logging.getLogger(__name__)

_MEGABYTE = 1_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class HandedIn:
    """What came of handing in; ``receipt`` is a picture of it, whatever the printer does."""

    filing: Filing
    registration: Registration
    receipt: Path


async def hand_in(room: FilingRoom, receipts: Receipts, filing: OpenFiling) -> HandedIn:
    """Write the documents, register, draw the receipt, let sync deliver, destroy the scans.

    May be called again after any failure or crash: it goes on where it stopped and gives the
    same number.

    Raises:
        NoPagesError: there is nothing to hand in.
        PageFailedError: a page cannot be put into the document.
        DocumentTooLargeError: one page alone is too large.
        StorageError: the disk fails; nothing was handed in, the pages are kept.
    """
    folder = filing.folder
    if folder.filing.state == "draft":
        await filing.settle()
        documents = await _write_documents(room, filing)
        folder.keep(folder.filing.submitted(documents))
    registration = await register(
        folder, room.sync, room.settings.kiosk.id, room.local(wall_time())
    )
    if folder.filing.state == "submitted":
        folder.keep(folder.filing.stepped(registration.state))
    await receipts.keep(folder, registration)
    if not folder.is_submitted:
        folder.mark_submitted()
    await asyncio.to_thread(folder.forget_scans)
    return HandedIn(folder.filing, registration, folder.receipt)


async def _write_documents(room: FilingRoom, filing: OpenFiling) -> tuple[Document, ...]:
    """Write one document per slot that has pages; nothing is on the disk before all are made."""
    folder = filing.folder
    if not folder.filing.kept_pages:
        raise NoPagesError("nothing to hand in")
    out = folder.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    made: list[tuple[Path, Document]] = []
    try:
        for slot in folder.filing.slots:
            if folder.filing.pages_of(slot.id):
                made += await _write_slot(room, filing, slot, out / slot.id)
        await asyncio.to_thread(_take_over, folder, made)
    except OSError as error:
        raise StorageError(f"the documents cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return tuple(document for _path, document in made)


async def _write_slot(
    room: FilingRoom, filing: OpenFiling, slot: Slot, out: Path
) -> list[tuple[Path, Document]]:
    """Write a slot's document in memory, in parts where it is larger than a file may be."""
    out.mkdir(parents=True)
    what = filing.filing
    coded = [await filing.coded(page) for page in what.pages_of(slot.id)]
    written = await room.worker.assemble(
        coded,
        out,
        title=slot_label(what, slot, room.rules, what.language),
        language=what.language,
        largest=int(room.rules.limit("max_file_mb") * _MEGABYTE),
    )
    main = slot.id == what.slots[0].id
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


def _take_over(folder: FilingFolder, made: list[tuple[Path, Document]]) -> None:
    """Copy the documents to the disk, durably."""
    for path, document in made:
        with path.open("rb") as file:
            write_chunks(folder.path / document.path, iter(lambda: file.read(_BLOCK), b""))


async def tidy(room: FilingRoom, folder: FilingFolder, keep_seconds: float = 86_400.0) -> bool:
    """Remove what is left of one delivered filing; return whether anything was removed.

    Nothing is removed before sync confirms the delivery by the central system's own hashes.

    Raises:
        KioskError: sync cannot be asked, or the disk fails.
    """
    filing = folder.filing
    if filing.state in ("registered", "provisional") and folder.is_submitted:
        if folder.pages.exists():  # a crash came between the marker and the scans' end
            folder.forget_scans()
        told = await room.sync.get(f"/v1/filings/{filing.id}")
        if told.get("delivered") is not True:
            return False
        filing = folder.keep(filing.stepped("delivered", delivered_at=wall_text()))
    if filing.state != "delivered" or filing.delivered_at is None:
        return False
    age = (wall_time() - datetime.fromisoformat(filing.delivered_at)).total_seconds()
    has_documents = any((folder.path / d.path).exists() for d in filing.documents)
    if has_documents and age >= keep_seconds:
        folder.forget_documents()
        return True
    return False


async def finish(room: FilingRoom, receipts: Receipts, filings: list[OpenFiling]) -> list[HandedIn]:
    """Finish what was being handed in when the power went."""
    done = []
    for filing in filings:
        if filing.filing.state != "draft" and not filing.folder.is_submitted:
            try:
                done.append(await hand_in(room, receipts, filing))
            except KioskError as error:
                log.error("filing %s: cannot be finished: %s", filing.filing.id, error.code)
    return done
