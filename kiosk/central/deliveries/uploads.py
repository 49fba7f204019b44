"""Uploads: announced, appended, verified; each file exactly once, wherever a process is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kiosk.central import crash_points
from kiosk.central.arrival.intake import Checksum, Intake, too_long
from kiosk.central.contract import UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.receipts import make_receipt
from kiosk.central.deliveries.upload_records import (
    COMPLETE,
    MISMATCH,
    RECEIVING,
    UNUSABLE_STATES,
    announcement_of,
    check_owner,
    create_uploads,
    record_mismatch,
    record_receipts,
    replace_upload,
    tus_address,
)
from kiosk.central.errors import RefusedError, content_conflict, not_found, wrong_owner
from kiosk.central.http.json_api import BodyStream
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import format_wall

log = logging.getLogger(__name__)
MAX_CONCURRENT_HASHES = 2  # of recordings; as many small files besides, which wait for none
SMALL_BYTES = 4 << 20
OTHER_PROCESS_S = 0.5


class UploadService:
    """The uploads of the server.

    Args:
        database: records announced uploads.
        store: receives complete files.
        intake: where files are that are still arriving.
        signer: signs receipts.
        crash_hook: called at named points (tests).
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        intake: Intake,
        signer: ReceiptSigner,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._database = database
        self._store = store
        self._intake = intake
        self._signer = signer
        self._owners = HearingOwners(database, store)
        self._crash_hook = crash_hook
        self._large_slots = asyncio.Semaphore(MAX_CONCURRENT_HASHES)
        self._small_slots = asyncio.Semaphore(MAX_CONCURRENT_HASHES)
        self._verifying: dict[str, asyncio.Task[None]] = {}
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
                create_uploads(
                    connection,
                    kiosk,
                    announcement.kind,
                    announcement.owner,
                    {upload: announcement},
                )
            elif row.kiosk != kiosk:
                raise wrong_owner()
            elif announcement != announcement_of(row):
                raise content_conflict("this upload was announced differently")

        await self._owners.write(kiosk, announcement.kind, announcement.owner, work)
        return await self.describe(kiosk, upload)

    async def import_file(self, row: Row[Any], blocks: Iterator[bytes]) -> None:
        """Import a whole file from elsewhere (a courier's drive), then verify it.

        Raises:
            RefusedError: 507, the disk is full; nothing is lost.
        """
        await self._intake.write(row, blocks)
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

    async def find_all(self, kiosk: str, uploads: Collection[str]) -> list[Row[Any]]:
        """Return the rows of those uploads that are ``kiosk``'s."""
        return [row for row in await self._load_all(uploads) if row.kiosk == kiosk]

    async def describe(self, kiosk: str, upload: str, wait: float = 0.0) -> dict[str, Any]:
        """Return ``GET /v1/uploads/{id}``, after at most ``wait`` seconds of verifying.

        Raises:
            RefusedError: 404; 503, it cannot be verified now.
        """
        row = await self.find(kiosk, upload)
        is_complete = row.state == RECEIVING and await self._received(row) == row.size
        # The receipt of its owner follows a moment after its own.
        if is_complete or row.id in self._verifying:
            verification = self.verify(row.id)
            await asyncio.wait({verification}, timeout=wait)
            row = await self.find(kiosk, upload)
            is_complete = row.state == RECEIVING and await self._received(row) == row.size
            if is_complete and verification.done():
                raise RefusedError(503, "storage_failed", retry_after=60)  # why, was logged
        offset = await self._received(row)
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

    async def received(self, rows: Sequence[Row[Any]]) -> dict[str, int]:
        """Return, by id, how many bytes of uploads have arrived (durable or about to be)."""
        arriving = [row for row in rows if row.state == RECEIVING and row.id not in self._verifying]
        found = await self._intake.received(arriving) if arriving else {}
        ids = {row.id for row in arriving}
        return {row.id: found.get(row.id, 0) if row.id in ids else row.size for row in rows}

    async def _received(self, row: Row[Any]) -> int:
        return (await self.received([row]))[row.id]

    async def durable_offset(self, row: Row[Any]) -> int:
        """Return the durable offset; a PATCH that is still open on the upload is aborted first."""
        if row.state != RECEIVING or row.id in self._verifying:
            return int(row.size)
        async with self._intake.lock(row) as arrival:
            return await arrival.durable_offset()

    async def discard(self, row: Row[Any]) -> None:
        """Abort the requests on an unusable upload and delete the bytes received for it."""
        async with self._intake.lock(row) as arrival:
            await arrival.drop()
        verification = self._verifying.get(row.id)
        if verification is not None:
            await asyncio.wait({verification})
        await self._intake.forget(row.id)

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
        async with self._intake.lock(row) as arrival:
            now = await self.find(row.kiosk, row.id)
            if now.state in UNUSABLE_STATES:  # meanwhile
                raise RefusedError(410, "upload_dead", "ask the owner for a fresh address")
            is_arriving = now.state == RECEIVING and row.id not in self._verifying
            durable_bytes = await arrival.durable_offset() if is_arriving else row.size
            if durable_bytes != offset:
                raise RefusedError(409, "offset_differs", f"the offset is {durable_bytes}")
            if offset + (content_length or 0) > row.size:
                raise too_long(row.size)
            end = int(row.size)
            if is_arriving:
                end = await arrival.append(offset, body, checksum)
        if end == row.size:
            self.verify(row.id)
        return end

    def verify(self, upload: str) -> asyncio.Task[None]:
        """Start (or join) the verification of a completely received upload."""
        task = self._verifying.get(upload)
        if task is None:
            task = asyncio.create_task(self._verify(upload), name=f"verify-{upload}")
            self._verifying[upload] = task
            task.add_done_callback(partial(self._on_verified, [upload]))
        return task

    async def take_whole(
        self, kiosk: str, contents: Mapping[str, bytes], wait: float
    ) -> dict[str, str]:
        """Store small whole files and record their verdicts together; return their states.

        Args:
            kiosk: whose uploads they are.
            contents: by upload; of the announced size and SHA-256.
            wait: seconds for the verdicts of those that are being verified already.

        Raises:
            RefusedError: 507, the disk is full; 503, it fails; 423, a request holds one of them.
        """
        others = {self._verifying[upload] for upload in contents if upload in self._verifying}
        new = {
            upload: content for upload, content in contents.items() if upload not in self._verifying
        }
        if new:
            task = asyncio.create_task(self._take_whole(new), name="verify-small-files")
            self._verifying |= dict.fromkeys(new, task)
            task.add_done_callback(partial(self._on_verified, list(new)))
            await asyncio.shield(task)
        if others:
            await asyncio.wait(others, timeout=wait)
        return {row.id: row.state for row in await self.find_all(kiosk, list(contents))}

    async def _take_whole(self, contents: Mapping[str, bytes]) -> None:
        async with self._small_slots, self._intake.verification(contents) as claimed:
            rows = [row for row in await self._load_all(claimed) if row.state == RECEIVING]
            wanted = {row.id: contents[row.id] for row in rows}
            self._crash_hook(crash_points.VERIFY_BEFORE_TAKE)
            await self._intake.store_whole(wanted)
            self._crash_hook(crash_points.VERIFY_AFTER_TAKE)
            receipts = await asyncio.to_thread(self._check_stored, rows)
            unused = await self._database.run_write(
                lambda connection: record_receipts(connection, receipts)
            )
        self._crash_hook(crash_points.VERIFY_AFTER_COMMIT)
        for upload in unused:
            await asyncio.to_thread(self._store.remove_file, upload)
        for row in rows:
            await self._intake.forget(row.id)
        for owner in {row.owner for row in rows}:
            await self.on_verified(owner)

    def _on_verified(self, uploads: Collection[str], task: asyncio.Task[None]) -> None:
        for upload in uploads:
            self._verifying.pop(upload, None)
        if not task.cancelled() and task.exception() is not None:
            named = ", ".join(uploads)
            log.error("upload %s could not be verified: %s", named, task.exception())

    async def _verify(self, upload: str) -> None:
        while not await self._try_to_verify(upload):
            await asyncio.sleep(OTHER_PROCESS_S)  # another process is at it
        await self.on_verified((await self._load(upload)).owner)

    async def _try_to_verify(self, upload: str) -> bool:
        """Verify an upload unless another process does; return whether it has its verdict."""
        size = (await self._load(upload)).size
        slots = self._small_slots if size <= SMALL_BYTES else self._large_slots
        async with slots, self._intake.verification([upload]) as claimed:
            row = await self._load(upload)
            if row.state != RECEIVING:
                return True
            if upload not in claimed:
                return False
            digest = await asyncio.to_thread(self._store_and_hash, row)
            state = await self._database.run_write(
                lambda connection: self._record_verdict(connection, row, digest)
            )
        self._crash_hook(crash_points.VERIFY_AFTER_COMMIT)
        if digest != row.sha256:
            log.error("upload %s: SHA-256 differs from what was announced", upload)
        if state != COMPLETE:  # another process may have found it complete
            await asyncio.to_thread(self._store.remove_file, upload)
        await self._intake.forget(upload)
        return True

    def _check_stored(self, rows: Sequence[Row[Any]]) -> dict[str, dict[str, Any]]:
        """Return the receipts, by upload, of what the store gives back as it was announced."""
        receipts = {}
        for row in rows:
            if self._store.read_sha256(row.id) == row.sha256:
                receipts[row.id] = self._receipt(row, row.sha256)
            else:
                log.error("upload %s: the store gives back other bytes than it got", row.id)
                self._store.remove_file(row.id)
        return receipts

    def _receipt(self, row: Row[Any], digest: str) -> dict[str, Any]:
        file = {"path": row.path, "size": row.size, "sha256": digest}
        return make_receipt(self._signer, "file", row.id, row.kiosk, [file])

    async def _load(self, upload: str) -> Row[Any]:
        [row] = await self._load_all([upload])
        return row

    async def _load_all(self, uploads: Collection[str]) -> Sequence[Row[Any]]:
        table = schema.uploads
        return await self._database.run_select(
            lambda connection: connection.execute(
                select(table).where(table.c.id.in_(list(uploads)))
            ).all()
        )

    def _store_and_hash(self, row: Row[Any]) -> str:
        """Move the file into the store and return the SHA-256 of what the store gives back."""
        self._crash_hook(crash_points.VERIFY_BEFORE_TAKE)
        self._intake.move_to_store(row)
        self._crash_hook(crash_points.VERIFY_AFTER_TAKE)
        return self._store.read_sha256(row.id)

    def _record_verdict(self, connection: Connection, row: Row[Any], digest: str) -> str:
        """Record the verdict; after a mismatch the owner's file gets a new upload.

        Returns:
            The state of the upload: it may have been closed meanwhile, or have its verdict.
        """
        matches = digest == row.sha256
        receipt = self._receipt(row, digest) if matches else None
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
        state = connection.execute(select(table.c.state).where(table.c.id == row.id)).scalar_one()
        return str(state)

    async def resume(self) -> int:
        """Verify, after a start, the files that arrived completely; return their number."""
        ready = await self._intake.list_complete()
        for upload in ready:
            self.verify(upload)
        return len(ready)

    async def close(self) -> None:
        """Cancel verifications; they start again at the next start."""
        tasks = list(self._verifying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ignore_verified(_owner: str) -> None:
    """Do nothing; used until the delivery service is connected."""
