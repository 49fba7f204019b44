"""Bytes on their way in: announced, appended, verified; exactly once, killed anywhere.

The truth about how far an upload is, is the length of its spool file after fsync. Whoever asks
or sends on an upload breaks off a PATCH that is still open on it: on a half-open line the old
one would hold the upload until its time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientPayloadError
from sqlalchemy import Connection, Row, bindparam, select, update

from kiosk.central import crash_points
from kiosk.central.contract import FileEntry, UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.receipts import make_receipt
from kiosk.central.errors import RefusedError, content_conflict, malformed, not_found, wrong_owner
from kiosk.central.http.json_api import BodyStream
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall
from kiosk.storage.atomic_io import make_folder, sync_folder

log = logging.getLogger(__name__)

RECEIVING, COMPLETE, MISMATCH, CLOSED = "receiving", "complete", "mismatch", "closed"
UNUSABLE_STATES = frozenset({MISMATCH, CLOSED})
IDLE_TIMEOUT_S = 60.0
HANDOVER_TIMEOUT_S = 10.0
SYNC_EVERY_BYTES = 8 << 20
MAX_CONCURRENT_HASHES = 2


class UploadTakenOverError(Exception):
    """A newer request on the same upload ends this one."""


@dataclass(frozen=True)
class Checksum:
    """``Upload-Checksum``: the SHA-256 of one PATCH body."""

    sha256: bytes


class ExternalUploadServer(Protocol):
    """Another server that receives uploads instead of this one."""

    async def create(self, uploads: Sequence[Row[Any]]) -> dict[str, str]:
        """Create uploads there; return the address of each created upload by its id."""


def check_owner(connection: Connection, kiosk: str, kind: str, owner: str) -> None:
    """Refuse an ``owner`` of another kiosk or of another kind.

    Raises:
        RefusedError: 403, another kiosk's; 409, of another kind.
    """
    for table, key in ((schema.deliveries, "id"), (schema.uploads, "owner")):
        row = connection.execute(
            select(table.c.kiosk, table.c.kind).where(table.c[key] == owner).limit(1)
        ).one_or_none()
        if row is not None and row.kiosk != kiosk:
            raise wrong_owner()
        if row is not None and row.kind != kind:
            raise content_conflict(f"this id is a {row.kind}")


def find_or_create_upload(
    connection: Connection, kiosk: str, kind: str, owner: str, file: FileEntry
) -> str:
    """Return the id of the upload of ``file``: a complete one, one under way, or a new one."""
    table = schema.uploads
    rows = connection.execute(
        select(table.c.id, table.c.state)
        .where(table.c.owner == owner, table.c.path == file.path, table.c.kiosk == kiosk)
        .where(table.c.size == file.size, table.c.sha256 == file.sha256)
        .where(table.c.state.in_((COMPLETE, RECEIVING)))
        .order_by(table.c.state, table.c.created_at)  # complete sorts before receiving
    ).all()
    if rows:
        return str(rows[0].id)
    return _create_upload(connection, str(uuid.uuid4()), kiosk, kind, owner, file)


def _create_upload(
    connection: Connection, upload: str, kiosk: str, kind: str, owner: str, file: FileEntry
) -> str:
    _require_not_closed(connection, owner, file)
    connection.execute(
        schema.uploads.insert().values(
            id=upload,
            kiosk=kiosk,
            kind=kind,
            owner=owner,
            path=file.path,
            size=file.size,
            sha256=file.sha256,
            state=RECEIVING,
            created_at=format_wall(),
        )
    )
    return upload


def _require_not_closed(connection: Connection, owner: str, file: FileEntry) -> None:
    """Refuse a plain file that an encrypted one has replaced.

    Raises:
        RefusedError: 409 ``closed_since``.
    """
    table = schema.closures
    closed = connection.execute(
        select(table.c.hearing).where(
            table.c.hearing == owner, table.c.path == file.path, table.c.sha256 == file.sha256
        )
    ).one_or_none()
    if closed is not None:
        raise RefusedError(409, "closed_since", "the hearing was closed since before this file")


class UploadService:
    """All uploads of the server.

    Args:
        database: where they are announced.
        store: where complete files go.
        spool: folder of files that are still arriving.
        signer: signs receipts.
        step: called at named steps (tests).
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        spool: Path,
        signer: ReceiptSigner,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._database = database
        self._store = store
        self._spool = make_folder(spool)
        self._signer = signer
        self._crash_hook = crash_hook
        self._locks: dict[str, _UploadLock] = {}
        self._hash_slots = asyncio.Semaphore(MAX_CONCURRENT_HASHES)
        self._verifying: dict[str, asyncio.Task[None]] = {}
        self.external_server: ExternalUploadServer | None = None
        self.on_verified: Callable[[str], Awaitable[None]] = _ignore_verified

    async def announce(
        self, kiosk: str, upload: str, announcement: UploadAnnouncement
    ) -> dict[str, Any]:
        """Announce one file (``PUT /v1/uploads/{id}``); the same again gives the same answer."""

        def work(connection: Connection) -> None:
            check_owner(connection, kiosk, announcement.kind, announcement.owner)
            row = connection.execute(
                select(schema.uploads).where(schema.uploads.c.id == upload)
            ).one_or_none()
            if row is None:
                _create_upload(
                    connection, upload, kiosk, announcement.kind, announcement.owner, announcement
                )
            elif row.kiosk != kiosk:
                raise wrong_owner()
            elif announcement != _announcement_of(row):
                raise content_conflict("this upload was announced differently")

        await self._database.run_write(work)
        await self.assign_addresses([await self.find(kiosk, upload)])
        return await self.describe(kiosk, upload)

    async def assign_addresses(self, rows: Sequence[Row[Any]]) -> None:
        """Assign a tus address to each upload once: on this server or the external one."""
        unassigned = [
            row for row in rows if row.address is None and row.state == RECEIVING and row.size
        ]
        if self.external_server is None or not unassigned:
            return
        external = await self.external_server.create(unassigned)
        assignments = [
            {"key": row.id, "place": external.get(row.id, local_address(row.id))}
            for row in unassigned
        ]
        table = schema.uploads
        statement = (
            update(table).where(table.c.id == bindparam("key")).values(address=bindparam("place"))
        )
        await self._database.run_write(
            lambda connection: connection.execute(statement, assignments)
        )

    async def import_external(self, row: Row[Any], location: Mapping[str, str]) -> None:
        """Import bytes that the external server received, then verify them.

        Raises:
            RefusedError: 400, the store cannot import from this location.
            StorageError: the import failed.
        """
        await asyncio.to_thread(self._store.import_tusd_file, location, row.id)
        self.verify(row.id)

    async def import_file(self, row: Row[Any], blocks: Iterator[bytes]) -> None:
        """Import a whole file from elsewhere (a courier's drive), then verify it.

        Raises:
            RefusedError: 507, the disk is full; nothing is lost.
        """

        def write() -> None:
            try:
                with self._spool_path(row.id).open("wb") as file:
                    for block in blocks:
                        file.write(block)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise _storage_error(error) from error

        await asyncio.to_thread(write)
        await self.verify(row.id)

    async def find(self, kiosk: str, upload: str) -> Row[Any]:
        """Return the row of an upload of ``kiosk``.

        Raises:
            RefusedError: 404, not there or another kiosk's.
        """

        def work(connection: Connection) -> Row[Any] | None:
            return connection.execute(
                select(schema.uploads).where(
                    schema.uploads.c.id == upload, schema.uploads.c.kiosk == kiosk
                )
            ).one_or_none()

        row = await self._database.run_read(work)
        if row is None:
            raise not_found()
        return row

    async def describe(self, kiosk: str, upload: str, wait: float = 0.0) -> dict[str, Any]:
        """Return ``GET /v1/uploads/{id}``, after at most ``wait`` seconds of verifying."""
        row = await self.find(kiosk, upload)
        is_complete = row.state == RECEIVING and self.received_bytes(row) == row.size
        # the receipt of its owner comes a moment after its own
        if is_complete or row.id in self._verifying:
            await asyncio.wait({self.verify(row.id)}, timeout=wait)
            row = await self.find(kiosk, upload)
        offset = self.received_bytes(row)
        verifying = row.state == RECEIVING and offset == row.size
        return {
            "upload": row.id,
            "kind": row.kind,
            "owner": row.owner,
            "path": row.path,
            "size": row.size,
            "sha256": row.sha256,
            "address": tus_address(row),
            "offset": offset,
            "state": "verifying" if verifying else row.state,
            "server_sha256": row.server_sha256,
            "receipt": row.receipt,
        }

    def received_bytes(self, row: Row[Any]) -> int:
        """Return how many bytes of an upload have been received (durable or about to be)."""
        if row.state != RECEIVING:
            return int(row.size)
        try:
            return self._spool_path(row.id).stat().st_size
        except FileNotFoundError:
            return int(row.size) if row.id in self._verifying else 0

    async def durable_offset(self, row: Row[Any]) -> int:
        """Return the durable offset; a PATCH that is still open on the upload is aborted first."""
        async with self._lock_upload(row.id):
            return await asyncio.to_thread(self._sync_offset, row)

    async def discard(self, upload: str) -> None:
        """Abort whatever works on an unusable upload and delete the bytes received of it."""
        async with self._lock_upload(upload):
            self._spool_path(upload).unlink(missing_ok=True)
        verification = self._verifying.get(upload)
        if verification is not None:
            await asyncio.wait({verification})

    async def append(
        self,
        row: Row[Any],
        offset: int,
        body: BodyStream,
        checksum: Checksum | None = None,
        content_length: int | None = None,
    ) -> int:
        """Append ``body`` at ``offset``; return the new offset, which is durable.

        Args:
            row: the upload.
            offset: where the body begins.
            body: the bytes.
            checksum: of the body, or None.
            declared: the body's length where it is known.

        Raises:
            RefusedError: 409 wrong offset, 413 too long, 460 wrong checksum, 423 taken over,
                408 line silent, 507 disk full. What had arrived is kept (not with a checksum).
        """
        async with self._lock_upload(row.id) as lock:
            if (await self.find(row.kiosk, row.id)).state in UNUSABLE_STATES:  # meanwhile
                raise RefusedError(410, "upload_dead", "ask the owner for a fresh address")
            durable_bytes = await asyncio.to_thread(self._sync_offset, row)
            if durable_bytes != offset:
                raise RefusedError(409, "offset_differs", f"the offset is {durable_bytes}")
            if offset + (content_length or 0) > row.size:
                raise _too_long(row.size)
            end = await self._receive(row, offset, lock.blocks(body), checksum)
        if end == row.size:
            self.verify(row.id)
        return end

    async def _receive(
        self,
        row: Row[Any],
        offset: int,
        blocks: AsyncIterator[bytes],
        checksum: Checksum | None,
    ) -> int:
        path = self._spool_path(row.id)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        is_complete = False
        try:
            sync_folder(self._spool)
            end = await _copy_blocks(blocks, descriptor, offset, row.size, checksum)
            is_complete = True
        except (ClientPayloadError, ConnectionError) as error:
            raise malformed("the body broke off") from error
        except UploadTakenOverError as error:
            raise RefusedError(423, "busy", "another request has taken over") from error
        except TimeoutError as error:
            raise RefusedError(408, "too_slow", "the line was silent for too long") from error
        except OSError as error:
            raise _storage_error(error) from error
        finally:
            if checksum is not None and not is_complete:
                os.ftruncate(descriptor, offset)
            self._crash_hook(crash_points.PATCH_BEFORE_SYNC)
            await asyncio.to_thread(_sync_and_close, descriptor)
        self._crash_hook(crash_points.PATCH_AFTER_SYNC)
        return end

    def verify(self, upload: str) -> asyncio.Task[None]:
        """Start (or join) the verification of a completely received upload."""
        task = self._verifying.get(upload)
        if task is None:
            task = asyncio.create_task(self._verify(upload), name=f"verify-{upload}")
            self._verifying[upload] = task
            task.add_done_callback(lambda task: self._on_verified(upload, task))
        return task

    def _on_verified(self, upload: str, task: asyncio.Task[None]) -> None:
        self._verifying.pop(upload, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("upload %s could not be verified: %s", upload, task.exception())

    async def _verify(self, upload: str) -> None:
        async with self._hash_slots:
            row = await self._database.run_read(
                lambda connection: connection.execute(
                    select(schema.uploads).where(schema.uploads.c.id == upload)
                ).one()
            )
            if row.state == RECEIVING:
                digest = await asyncio.to_thread(self._store_and_hash, row)
                is_recorded = await self._database.run_write(
                    lambda connection: self._record_verdict(connection, row, digest)
                )
                self._crash_hook(crash_points.VERIFY_AFTER_COMMIT)
                if digest != row.sha256:
                    log.error("upload %s: SHA-256 differs from what was announced", upload)
                if digest != row.sha256 or not is_recorded:
                    await asyncio.to_thread(self._store.remove_file, upload)
        await self.on_verified(row.owner)

    def _store_and_hash(self, row: Row[Any]) -> str:
        """Move the file into the store and return the SHA-256 of what the store gives back."""
        spooled = self._spool_path(row.id)
        self._crash_hook(crash_points.VERIFY_BEFORE_TAKE)
        if not self._store.has(row.id):
            if row.size == 0:
                spooled.touch()
            self._store.put_file(spooled, row.id)
        self._crash_hook(crash_points.VERIFY_AFTER_TAKE)
        digest = self._store.read_sha256(row.id)
        spooled.unlink(missing_ok=True)
        return digest

    def _record_verdict(self, connection: Connection, row: Row[Any], digest: str) -> bool:
        """Record the verdict; after a mismatch the owner's file gets a new upload.

        Returns:
            False when the file has been closed meanwhile: its bytes are to go.
        """
        matches = digest == row.sha256
        receipt = None
        if matches:
            file = {"path": row.path, "size": row.size, "sha256": digest}
            receipt = make_receipt(self._signer, "file", row.id, row.kiosk, [file])
        table = schema.uploads
        updated = connection.execute(
            update(table)
            .where(table.c.id == row.id, table.c.state == RECEIVING)
            .values(
                state=COMPLETE if matches else MISMATCH,
                server_sha256=digest,
                receipt=receipt,
                ended_at=format_wall(),
            )
        )
        if updated.rowcount and not matches:
            _record_mismatch(connection, row)
            _replace_upload(connection, row)
        return bool(updated.rowcount)

    async def resume(self) -> int:
        """After a start: verify what was fully received before; return how many there are."""
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(schema.uploads).where(schema.uploads.c.state == RECEIVING)
            ).all()
        )
        ready = await asyncio.to_thread(
            lambda: [
                row.id
                for row in rows
                if self.received_bytes(row) == row.size or self._is_stored(row)
            ]
        )
        for upload in ready:
            self.verify(upload)
        return len(ready)

    async def close(self) -> None:
        """Cancel verifications; they start again at the next start."""
        tasks = list(self._verifying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_stored(self, row: Row[Any]) -> bool:
        """Whether the store has the file although no verdict is recorded."""
        return not self._spool_path(row.id).exists() and self._store.has(row.id)

    def _spool_path(self, upload: str) -> Path:
        return self._spool / upload

    def _sync_offset(self, row: Row[Any]) -> int:
        """Return the offset after making everything that was written durable."""
        if row.state == RECEIVING:
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(self._spool_path(row.id), os.O_RDONLY | os.O_CLOEXEC)
                _sync_and_close(descriptor)
        return self.received_bytes(row)

    @contextlib.asynccontextmanager
    async def _lock_upload(self, upload: str) -> AsyncIterator[_UploadLock]:
        """Lock an upload; the request that held it is aborted."""
        lock = self._locks.setdefault(upload, _UploadLock())
        lock.users += 1
        try:
            lock.interrupt()
            try:
                await asyncio.wait_for(lock.mutex.acquire(), HANDOVER_TIMEOUT_S)
            except TimeoutError as error:
                raise RefusedError(423, "busy", retry_after=2) from error
            try:
                yield lock
            finally:
                lock.mutex.release()
        finally:
            lock.users -= 1
            if lock.users == 0:
                self._locks.pop(upload, None)


class _UploadLock:
    """Lock of one upload: a newer request aborts the one that holds it."""

    def __init__(self) -> None:
        self.mutex = asyncio.Lock()
        self.users = 0
        self._read_timeout: asyncio.Timeout | None = None

    def interrupt(self) -> None:
        """Abort the body that is being received, if there is one."""
        if self._read_timeout is not None:
            self._read_timeout.reschedule(0)

    async def blocks(self, body: BodyStream) -> AsyncIterator[bytes]:
        """Yield ``body`` block by block as it comes.

        Raises:
            TimeoutError: nothing came for :data:`IDLE_TIMEOUT_S`.
            TakenOverError: another request on the upload has come.
        """
        while block := await self._next_block(body):
            yield block

    async def _next_block(self, body: BodyStream) -> bytes:
        if self.users > 1:
            raise UploadTakenOverError
        try:
            async with asyncio.timeout(IDLE_TIMEOUT_S) as self._read_timeout:
                return await body.readany()
        except TimeoutError as error:
            if self.users > 1:
                raise UploadTakenOverError from error
            raise
        finally:
            self._read_timeout = None


async def _copy_blocks(
    blocks: AsyncIterator[bytes],
    descriptor: int,
    offset: int,
    size: int,
    checksum: Checksum | None,
) -> int:
    """Write ``blocks`` as they come; return the offset behind it.

    Every block is handed to the kernel at once, so that a killed process loses none of them.
    """
    digest = hashlib.sha256() if checksum is not None else None
    end, unsynced = offset, 0
    async for block in blocks:
        if end + len(block) > size:
            raise _too_long(size)
        _write_all(descriptor, block)
        end += len(block)
        unsynced += len(block)
        if digest is not None:
            digest.update(block)
        if unsynced >= SYNC_EVERY_BYTES:
            await asyncio.to_thread(os.fdatasync, descriptor)
            unsynced = 0
    if checksum is not None and digest is not None and digest.digest() != checksum.sha256:
        raise RefusedError(460, "checksum_differs")
    return end


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _too_long(size: int) -> RefusedError:
    return RefusedError(413, "too_long", f"the file has {size} bytes")


def _storage_error(error: OSError) -> RefusedError:
    """Return what a failing disk means for the kiosk: keep it and try again later."""
    log.error("spool cannot be written: %s", error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusedError(507, "storage_full", retry_after=60)
    return RefusedError(503, "storage_failed", retry_after=60)


def _announcement_of(row: Row[Any]) -> UploadAnnouncement:
    return UploadAnnouncement(
        kind=row.kind, owner=row.owner, path=row.path, size=row.size, sha256=row.sha256
    )


def _record_mismatch(connection: Connection, row: Row[Any]) -> None:
    connection.execute(
        schema.incidents.insert().values(
            at=format_wall(),
            kiosk=row.kiosk,
            code="hash_mismatch",
            subject=row.owner,
            detail=row.path,
        )
    )


def _replace_upload(connection: Connection, row: Row[Any]) -> None:
    """Give the file of an unusable upload a new one, if a manifest names it."""
    table = schema.files
    wanted = connection.execute(select(table.c.path).where(table.c.upload == row.id)).one_or_none()
    if wanted is None:
        return
    file = FileEntry(path=row.path, size=row.size, sha256=row.sha256)
    upload = find_or_create_upload(connection, row.kiosk, row.kind, row.owner, file)
    connection.execute(update(table).where(table.c.upload == row.id).values(upload=upload))


def tus_address(row: Row[Any]) -> str:
    """Return the tus address of an upload: a path on this server, or a whole URL."""
    return str(row.address or local_address(row.id))


def local_address(upload: str) -> str:
    """Return the path of an upload's tus address on this server."""
    return f"/v1/tus/{upload}"


async def _ignore_verified(_owner: str) -> None:
    """Do nothing, until the delivery service is connected."""
