"""Uploads: announced, appended, verified; each file exactly once, wherever a process is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Row, bindparam, select, update

from kiosk.central import crash_points
from kiosk.central.contract import UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.receipts import make_receipt
from kiosk.central.deliveries.spool import Checksum, Spool, too_long
from kiosk.central.deliveries.upload_records import (
    COMPLETE,
    MISMATCH,
    RECEIVING,
    UNUSABLE_STATES,
    announcement_of,
    check_owner,
    create_upload,
    local_address,
    record_mismatch,
    replace_upload,
    tus_address,
)
from kiosk.central.errors import RefusedError, content_conflict, not_found, wrong_owner
from kiosk.central.http.json_api import BodyStream
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall

log = logging.getLogger(__name__)
MAX_CONCURRENT_HASHES = 2


class ExternalUploadServer(Protocol):
    """Another server that receives uploads instead of this one."""

    async def create(self, uploads: Sequence[Row[Any]]) -> dict[str, str]:
        """Create uploads there; return the address of each created upload by its id."""


class UploadService:
    """The uploads of the server.

    Args:
        database: records announced uploads.
        store: receives complete files.
        spool: folder of files that are still arriving.
        signer: signs receipts.
        crash_hook: called at named points (tests).
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
        self._spool = Spool(spool, crash_hook)
        self._signer = signer
        self._crash_hook = crash_hook
        self._hash_slots = asyncio.Semaphore(MAX_CONCURRENT_HASHES)
        self._verifying: dict[str, asyncio.Task[None]] = {}
        self.external_server: ExternalUploadServer | None = None
        self.on_verified: Callable[[str], Awaitable[None]] = _ignore_verified

    async def announce(
        self, kiosk: str, upload: str, announcement: UploadAnnouncement
    ) -> dict[str, Any]:
        """Announce one file (``PUT /v1/uploads/{id}``); repeating it gives the same answer."""

        def work(connection: Connection) -> None:
            check_owner(connection, kiosk, announcement.kind, announcement.owner)
            row = connection.execute(
                select(schema.uploads).where(schema.uploads.c.id == upload)
            ).one_or_none()
            if row is None:
                create_upload(
                    connection, upload, kiosk, announcement.kind, announcement.owner, announcement
                )
            elif row.kiosk != kiosk:
                raise wrong_owner()
            elif announcement != announcement_of(row):
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
        await asyncio.to_thread(self._spool.write, row.id, blocks)
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
        # The receipt of its owner follows a moment after its own.
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
            return self._spool.path(row.id).stat().st_size
        except FileNotFoundError:
            return int(row.size) if row.id in self._verifying else 0

    async def durable_offset(self, row: Row[Any]) -> int:
        """Return the durable offset; a PATCH that is still open on the upload is aborted first."""
        async with self._spool.lock(row.id):
            return await asyncio.to_thread(self._sync_offset, row)

    async def discard(self, upload: str) -> None:
        """Abort the requests on an unusable upload and delete the bytes received for it."""
        async with self._spool.lock(upload):
            self._spool.path(upload).unlink(missing_ok=True)
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
            content_length: length of the body where it is known.

        Raises:
            RefusedError: 409 wrong offset, 413 too long, 460 wrong checksum, 423 taken over,
                408 line silent, 507 disk full, 410 unusable. What has arrived is kept, except with
                a checksum.
        """
        async with self._spool.lock(row.id) as lock:
            if (await self.find(row.kiosk, row.id)).state in UNUSABLE_STATES:  # meanwhile
                raise RefusedError(410, "upload_dead", "ask the owner for a fresh address")
            durable_bytes = await asyncio.to_thread(self._sync_offset, row)
            if durable_bytes != offset:
                raise RefusedError(409, "offset_differs", f"the offset is {durable_bytes}")
            if offset + (content_length or 0) > row.size:
                raise too_long(row.size)
            end = await self._spool.append(row.id, offset, row.size, lock.blocks(body), checksum)
        if end == row.size:
            self.verify(row.id)
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
        spooled = self._spool.path(row.id)
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
            False when the file has been closed meanwhile: its bytes have to be deleted.
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
            record_mismatch(connection, row)
            replace_upload(connection, row)
        return bool(updated.rowcount)

    async def resume(self) -> int:
        """Verify, after a start, the files that arrived completely; return their number."""
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
        """Return whether the store has the file although no verdict is recorded."""
        return not self._spool.path(row.id).exists() and self._store.has(row.id)

    def _sync_offset(self, row: Row[Any]) -> int:
        """Return the offset after making everything that was written durable."""
        if row.state == RECEIVING:
            self._spool.sync(row.id)
        return self.received_bytes(row)


async def _ignore_verified(_owner: str) -> None:
    """Do nothing; used until the delivery service is connected."""
