"""The spool: files that are still arriving, one per upload, in a folder of this machine.

The length of a spool file after fsync says how far its upload is. One server uses the folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from kiosk.central import crash_points
from kiosk.central.arrival.intake import Checksum, broken_body_refused, checked_blocks
from kiosk.central.arrival.upload_lock import UploadLock, UploadLocks
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import FolderStore
from kiosk.central.errors import RefusedError
from kiosk.central.http.json_api import BodyStream
from kiosk.storage.atomic_io import make_folder, sync_folder

log = logging.getLogger(__name__)
SYNC_EVERY_BYTES = 8 << 20


class Spool:
    """The :class:`.intake.Intake` of one server; a file is named after its upload's id.

    Args:
        folder: where the files are.
        database: announced uploads.
        store: receives complete files.
        crash_hook: called at named points (tests).
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        store: FolderStore,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._folder = make_folder(folder)
        self._database = database
        self._store = store
        self._crash_hook = crash_hook
        self._locks = UploadLocks()

    @contextlib.asynccontextmanager
    async def lock(self, upload: Row[Any]) -> AsyncIterator[SpooledArrival]:
        """See :class:`.intake.Intake`."""
        async with self._locks.hold(upload.id) as lock:
            yield SpooledArrival(self._path(upload.id), upload.size, lock, self._crash_hook)

    async def received(self, uploads: Sequence[Row[Any]]) -> Mapping[str, int]:
        """See :class:`.intake.Intake`."""
        return {upload.id: _size(self._path(upload.id)) for upload in uploads}

    async def write(self, upload: Row[Any], blocks: Iterator[bytes]) -> None:
        """See :class:`.intake.Intake`."""

        def work() -> None:
            with self._path(upload.id).open("wb") as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())

        with _disk_refused():
            await asyncio.to_thread(work)

    async def store_whole(self, contents: Mapping[str, bytes]) -> None:
        """See :class:`.intake.Intake`: what a crash leaves in the spool has arrived completely."""

        def work() -> None:
            for upload, content in contents.items():
                self._path(upload).write_bytes(content)
            self._crash_hook(crash_points.PATCH_BEFORE_SYNC)
            self._store.put_files({upload: self._path(upload) for upload in contents})

        async with contextlib.AsyncExitStack() as stack:
            for upload in contents:
                await stack.enter_async_context(self._locks.hold(upload))
            with _disk_refused():
                await asyncio.to_thread(work)

    @contextlib.asynccontextmanager
    async def verification(self, uploads: Collection[str]) -> AsyncIterator[Collection[str]]:
        """See :class:`.intake.Intake`: there is no other process."""
        yield uploads

    def move_to_store(self, upload: Row[Any]) -> None:
        """See :class:`.intake.Intake`."""
        if not self._store.has(upload.id):
            if upload.size == 0:
                self._path(upload.id).touch()
            self._store.put_file(self._path(upload.id), upload.id)

    async def forget(self, upload: str) -> None:
        """See :class:`.intake.Intake`."""
        self._path(upload).unlink(missing_ok=True)

    async def abort_stale(self) -> int:
        """See :class:`.intake.Intake`: every file is of an upload."""
        return 0

    async def list_complete(self) -> Sequence[str]:
        """See :class:`.intake.Intake`: also what a crash has left in the store."""
        table = schema.uploads
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(table).where(table.c.state == schema.RECEIVING)
            ).all()
        )
        return await asyncio.to_thread(lambda: [row.id for row in rows if self._is_complete(row)])

    def _is_complete(self, row: Row[Any]) -> bool:
        path = self._path(row.id)
        return _size(path) == row.size or (not path.exists() and self._store.has(row.id))

    def _path(self, upload: str) -> Path:
        return self._folder / upload


class SpooledArrival:
    """The :class:`.intake.Arrival` of a file of the spool.

    Args:
        path: the file, which may be absent.
        size: announced size.
        lock: held for this request.
        crash_hook: called at named points (tests).
    """

    def __init__(
        self, path: Path, size: int, lock: UploadLock, crash_hook: crash_points.CrashHook
    ) -> None:
        self._path = path
        self._size = size
        self._lock = lock
        self._crash_hook = crash_hook

    async def durable_offset(self) -> int:
        """See :class:`.intake.Arrival`: syncs what was written."""

        def work() -> int:
            with contextlib.suppress(FileNotFoundError):
                _sync_and_close(os.open(self._path, os.O_RDONLY | os.O_CLOEXEC))
            return _size(self._path)

        with _disk_refused():
            return await asyncio.to_thread(work)

    async def drop(self) -> None:
        """See :class:`.intake.Arrival`."""
        self._path.unlink(missing_ok=True)

    async def append(self, offset: int, body: BodyStream, checksum: Checksum | None) -> int:
        """See :class:`.intake.Arrival`."""
        room = self._size - offset
        blocks = checked_blocks(self._lock.blocks(body), room, self._size, checksum)
        with _disk_refused():  # of whatever step: no folder entry may be left, too
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640
            )
            is_complete = False
            try:
                sync_folder(self._path.parent)
                with broken_body_refused():
                    written = await _copy_blocks(blocks, descriptor)
                is_complete = True
            finally:
                if checksum is not None and not is_complete:
                    os.ftruncate(descriptor, offset)
                self._crash_hook(crash_points.PATCH_BEFORE_SYNC)
                await asyncio.to_thread(_sync_and_close, descriptor)
            self._crash_hook(crash_points.PATCH_AFTER_SYNC)
        return offset + written


async def _copy_blocks(blocks: AsyncIterator[bytes], descriptor: int) -> int:
    """Write ``blocks`` as they come; return the number of bytes.

    Every block is handed to the kernel at once, so that a killed process loses none of them.
    """
    written, unsynced = 0, 0
    async for block in blocks:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]
        written += len(block)
        unsynced += len(block)
        if unsynced >= SYNC_EVERY_BYTES:
            await asyncio.to_thread(os.fdatasync, descriptor)
            unsynced = 0
    return written


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_refused() -> Iterator[None]:
    """Turn a failing disk into a refusal: the kiosk keeps the file and tries again later."""
    try:
        yield
    except OSError as error:
        log.error("spool cannot be written: %s", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusedError(507, "storage_full", retry_after=60) from error
        raise RefusedError(503, "storage_failed", retry_after=60) from error
