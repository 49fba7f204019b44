"""Makes a searchable version of each delivered document, in the background (OCRmyPDF, kaz+rus).

The original is never changed: the result is stored under a key and a hash of its own. One document
is processed at a time, at the lowest priority, in a child process with a time limit. Failures are
recorded and tried again later. A document that contains text already keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall, wall_time
from kiosk.errors import KioskError, StorageError
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import name_order

log = logging.getLogger(__name__)

#: tesseract's names of Kazakh and Russian; Debian: tesseract-ocr-kaz, tesseract-ocr-rus.
LANGUAGES = "kaz+rus"
ATTEMPTS = 5
_IDLE_S = 5.0
_RETRY_MINUTES = 10
#: Time limit of a document: a fixed part, and one for each megabyte on a slow server.
_BASE_TIMEOUT_S, _TIMEOUT_S_PER_MEGABYTE = 600.0, 300.0
_LOWEST_PRIORITY = 19


class OcrError(KioskError):
    """A document could not be made searchable; the message says why."""

    code = "searchable_failed"


@functools.cache
def missing_tools() -> str | None:
    """Return the missing tool, or None when documents can be made searchable."""
    if shutil.which("tesseract") is None:
        return "tesseract"
    listed = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=False
    ).stdout.split()
    absent = [name for name in LANGUAGES.split("+") if name not in listed]
    return f"tesseract's {', '.join(absent)}" if absent else None


def ocr_command(source: Path, result: Path) -> list[str]:
    """Return the command line of OCRmyPDF: images stay unchanged, PDF/A stays PDF/A."""
    return [
        *(sys.executable, "-m", "ocrmypdf", "--quiet", "--language", LANGUAGES),
        *("--output-type", "auto", "--optimize", "0", "--jobs", "1", "--mode", "skip"),
        *("--tesseract-timeout", "180", str(source), str(result)),
    ]


async def make_searchable(source: Path, result: Path, seconds: float) -> None:
    """Write ``source`` with a layer of text to ``result``.

    Raises:
        OcrError: OCRmyPDF refused it, died, or took longer than ``seconds``.
    """
    process = await asyncio.create_subprocess_exec(
        *ocr_command(source, result),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1", "TMPDIR": str(result.parent)},
    )
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, process.pid, _LOWEST_PRIORITY)
    try:
        async with asyncio.timeout(seconds):
            _, stderr = await process.communicate()
    except TimeoutError as error:
        raise OcrError(f"took longer than {seconds:.0f} s") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and tesseract
        await process.wait()
    if process.returncode:
        last = stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise OcrError(f"status {process.returncode}: {' '.join(last)[:300]}")


@dataclass(frozen=True)
class WaitingDocument:
    """A document that waits to be made searchable."""

    upload: str
    delivery: str
    path: str
    size: int
    attempts: int


class SearchableWorker:
    """Background task that makes documents searchable, one after the other.

    Args:
        database, store: the server's.
        work_folder: for files being worked on.
        seconds: time limit of one document; None derives it from the size.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        work_folder: Path,
        seconds: float | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._work_folder = work_folder
        self._seconds = seconds

    async def run(self) -> None:
        """Work until cancelled; a failing database or a full disk only delays.

        Of several servers one works, and another one takes over when it ends.
        """
        missing_tool = await asyncio.to_thread(missing_tools)
        if missing_tool is not None:
            log.warning("%s is not installed: documents are not made searchable", missing_tool)
            return
        shutil.rmtree(self._work_folder, ignore_errors=True)
        self._work_folder.mkdir(parents=True)
        while True:
            try:
                async with self._database.claim(["searchable"]) as claimed:
                    has_processed = bool(claimed) and await self.process_next()
            except (RefusedError, KioskError, OSError) as error:
                log.warning("searchable: %s", error)
                has_processed = False
            if not has_processed:
                await asyncio.sleep(_IDLE_S)

    async def process_next(self) -> bool:
        """Process one document; return False when none is waiting."""
        document = await self._database.run_read(_next_document)
        if document is None:
            return False
        try:
            values = await self._process(document)
        except (OcrError, OSError, StorageError) as error:
            log.warning("document %s: %s", document.upload, error)
            retry_at = wall_time() + timedelta(minutes=_RETRY_MINUTES * 2**document.attempts)
            values = {
                "state": "failed",
                "problem": str(error)[:400],
                "next_at": format_wall(retry_at),
            }
        values["attempts"] = document.attempts + 1
        await self._database.run_write(
            lambda connection: _save_result(connection, document, values)
        )
        if values["state"] == "done":
            rows = await self._database.run_read(
                lambda c: searchable_versions(c, document.delivery)
            )
            keys = {searchable_path(row.path): row.key for row in rows if row.state == "done"}
            await asyncio.to_thread(
                self._store.publish_delivery, "searchable", document.delivery, keys
            )
        return True

    async def _process(self, document: WaitingDocument) -> dict[str, Any]:
        """Make one document searchable and store it; return the values to record."""
        limit = self._seconds or _BASE_TIMEOUT_S + _TIMEOUT_S_PER_MEGABYTE * document.size / 1e6
        with tempfile.TemporaryDirectory(dir=self._work_folder) as name:
            source, result = Path(name) / "original.pdf", Path(name) / "searchable.pdf"
            await asyncio.to_thread(self._fetch, document, source)
            await make_searchable(source, result, limit)
            key = str(uuid.uuid4())
            size = result.stat().st_size
            digest = await asyncio.to_thread(sha256_of, result)
            await asyncio.to_thread(self._store.put_file, result, key)
        return {
            "state": "done",
            "key": key,
            "size": size,
            "sha256": digest,
            "made_at": format_wall(),
            "problem": None,
            "next_at": None,
        }

    def _fetch(self, document: WaitingDocument, target: Path) -> None:
        with target.open("wb") as file:
            for block in self._store.read(document.upload, 0, document.size):
                file.write(block)


def searchable_path(path: str) -> str:
    """Return the name of the searchable version of ``path``."""
    return f"{path.removesuffix('.pdf')}.searchable.pdf"


def searchable_versions(connection: Connection, filing: str) -> Sequence[Row[Any]]:
    """Return the rows of a filing's searchable versions (done or failed), by path."""
    table = schema.searchable
    found = connection.execute(select(table).where(table.c.delivery == filing))
    return sorted(found, key=lambda row: name_order(row.path))


def _next_document(connection: Connection) -> WaitingDocument | None:
    """Return the oldest document that waits, or None."""
    files, uploads, results = schema.files, schema.uploads, schema.searchable
    row = connection.execute(
        select(uploads, files.c.delivery, files.c.path.label("name"), results.c.attempts)
        .join(files, files.c.upload == uploads.c.id)
        .join(schema.deliveries, schema.deliveries.c.id == files.c.delivery)
        .outerjoin(results, results.c.upload == uploads.c.id)
        .where(schema.deliveries.c.kind == "filing", schema.deliveries.c.completed_at.is_not(None))
        .where(uploads.c.state == COMPLETE, files.c.path.like("%.pdf"))
        .where(
            or_(
                results.c.upload.is_(None),
                (results.c.state == "failed")
                & (results.c.attempts < ATTEMPTS)
                & (results.c.next_at <= format_wall()),
            )
        )
        .order_by(schema.deliveries.c.completed_at, files.c.path)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return WaitingDocument(row.id, row.delivery, row.name, row.size, row.attempts or 0)


def _save_result(connection: Connection, document: WaitingDocument, values: dict[str, Any]) -> None:
    table = schema.searchable
    changed = connection.execute(
        update(table).where(table.c.upload == document.upload).values(**values)
    )
    if not changed.rowcount:
        where = {"delivery": document.delivery, "path": document.path}
        connection.execute(table.insert().values(upload=document.upload, **where, **values))
