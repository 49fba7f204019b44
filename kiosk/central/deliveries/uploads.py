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

from kiosk.central import steps
from kiosk.central.contract import File, UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.store import Store
from kiosk.central.deliveries.receipts import make_receipt
from kiosk.central.errors import RefusedError, content_differs, foreign, malformed, not_found
from kiosk.central.http.web import Body
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.clocks import wall_text
from kiosk.storage.atomic_io import make_folder, sync_folder

log = logging.getLogger(__name__)

RECEIVING, COMPLETE, MISMATCH, CLOSED = "receiving", "complete", "mismatch", "closed"
DEAD = frozenset({MISMATCH, CLOSED})
IDLE_SECONDS = 60.0
HANDOVER_SECONDS = 10.0
SYNC_EVERY = 8 << 20
HASHERS = 2


class TakenOverError(Exception):
    """Another request on the same upload has come; the older one ends here."""


@dataclass(frozen=True)
class Checksum:
    """``Upload-Checksum``: the SHA-256 of one PATCH body."""

    sha256: bytes


class Placement(Protocol):
    """Something that takes bytes instead of this server."""

    async def create(self, uploads: Sequence[Row[Any]]) -> dict[str, str]:
        """Make uploads there; return the address of each that was made, by id."""


def check_owner(connection: Connection, kiosk: str, kind: str, owner: str) -> None:
    """See that ``owner`` is not something else already.

    Raises:
        RefusedError: 403, another kiosk's; 409, of another kind.
    """
    for table, key in ((schema.deliveries, "id"), (schema.uploads, "owner")):
        row = connection.execute(
            select(table.c.kiosk, table.c.kind).where(table.c[key] == owner).limit(1)
        ).one_or_none()
        if row is not None and row.kiosk != kiosk:
            raise foreign()
        if row is not None and row.kind != kind:
            raise content_differs(f"this id is a {row.kind}")


def upload_for(connection: Connection, kiosk: str, kind: str, owner: str, file: File) -> str:
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
    return _new_upload(connection, str(uuid.uuid4()), kiosk, kind, owner, file)


def _new_upload(
    connection: Connection, upload: str, kiosk: str, kind: str, owner: str, file: File
) -> str:
    _check_open(connection, owner, file)
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
            created_at=wall_text(),
        )
    )
    return upload


def _check_open(connection: Connection, owner: str, file: File) -> None:
    """See that a file in the clear was not replaced by an encrypted one.

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


class Uploads:
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
        store: Store,
        spool: Path,
        signer: ReceiptSigner,
        step: steps.Step = steps.no_step,
    ) -> None:
        self._database = database
        self._store = store
        self._spool = make_folder(spool)
        self._signer = signer
        self._step = step
        self._slots: dict[str, _Slot] = {}
        self._hashers = asyncio.Semaphore(HASHERS)
        self._verifying: dict[str, asyncio.Task[None]] = {}
        self.placement: Placement | None = None
        self.settle: Callable[[str], Awaitable[None]] = _settle_nothing

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
                _new_upload(
                    connection, upload, kiosk, announcement.kind, announcement.owner, announcement
                )
            elif row.kiosk != kiosk:
                raise foreign()
            elif announcement != _announcement(row):
                raise content_differs("this upload was announced differently")

        await self._database.writing(work)
        await self.place([await self.find(kiosk, upload)])
        return await self.describe(kiosk, upload)

    async def place(self, rows: Sequence[Row[Any]]) -> None:
        """Decide, once for each upload, where its bytes go: here, or where the placement says."""
        fresh = [row for row in rows if row.address is None and row.state == RECEIVING and row.size]
        if self.placement is None or not fresh:
            return
        elsewhere = await self.placement.create(fresh)
        places = [
            {"key": row.id, "place": elsewhere.get(row.id, own_address(row.id))} for row in fresh
        ]
        table = schema.uploads
        statement = (
            update(table).where(table.c.id == bindparam("key")).values(address=bindparam("place"))
        )
        await self._database.writing(lambda connection: connection.execute(statement, places))

    async def adopt(self, row: Row[Any], location: Mapping[str, str]) -> None:
        """Take bytes that came in elsewhere (:mod:`kiosk.central.deliveries.tusd`), then verify them.

        Raises:
            RefusedError: 400, a place that this store cannot take from.
            StorageError: it could not be taken.
        """
        await asyncio.to_thread(self._store.adopt, location, row.id)
        self.verify(row.id)

    async def bring(self, row: Row[Any], blocks: Iterator[bytes]) -> None:
        """Take a whole file from elsewhere (a courier's medium); its hash decides.

        Raises:
            RefusedError: 507, the disk is full; nothing is lost.
        """

        def write() -> None:
            try:
                with self._path(row.id).open("wb") as file:
                    for block in blocks:
                        file.write(block)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise _storage_refusal(error) from error

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

        row = await self._database.reading(work)
        if row is None:
            raise not_found()
        return row

    async def describe(self, kiosk: str, upload: str, wait: float = 0.0) -> dict[str, Any]:
        """Return ``GET /v1/uploads/{id}``, after at most ``wait`` seconds of verifying."""
        row = await self.find(kiosk, upload)
        whole = row.state == RECEIVING and self.arrived(row) == row.size
        if whole or row.id in self._verifying:  # its owner's receipt comes a moment after its own
            await asyncio.wait({self.verify(row.id)}, timeout=wait)
            row = await self.find(kiosk, upload)
        offset = self.arrived(row)
        verifying = row.state == RECEIVING and offset == row.size
        return {
            "upload": row.id,
            "kind": row.kind,
            "owner": row.owner,
            "path": row.path,
            "size": row.size,
            "sha256": row.sha256,
            "address": address(row),
            "offset": offset,
            "state": "verifying" if verifying else row.state,
            "server_sha256": row.server_sha256,
            "receipt": row.receipt,
        }

    def arrived(self, row: Row[Any]) -> int:
        """Return how many bytes of an upload have arrived (durable or about to be)."""
        if row.state != RECEIVING:
            return int(row.size)
        try:
            return self._path(row.id).stat().st_size
        except FileNotFoundError:
            return int(row.size) if row.id in self._verifying else 0

    async def offset(self, row: Row[Any]) -> int:
        """Return the durable offset; a PATCH still open on the upload is broken off first."""
        async with self._slot(row.id):
            return await asyncio.to_thread(self._durable, row)

    async def discard(self, upload: str) -> None:
        """Break off whatever is at work on a dead upload and delete what has arrived of it."""
        async with self._slot(upload):
            self._path(upload).unlink(missing_ok=True)
        running = self._verifying.get(upload)
        if running is not None:
            await asyncio.wait({running})

    async def append(
        self,
        row: Row[Any],
        offset: int,
        body: Body,
        checksum: Checksum | None = None,
        declared: int | None = None,
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
        async with self._slot(row.id) as slot:
            if (await self.find(row.kiosk, row.id)).state in DEAD:  # meanwhile
                raise RefusedError(410, "upload_dead", "ask the owner for a fresh address")
            have = await asyncio.to_thread(self._durable, row)
            if have != offset:
                raise RefusedError(409, "offset_differs", f"the offset is {have}")
            if offset + (declared or 0) > row.size:
                raise _too_long(row.size)
            end = await self._receive(row, offset, slot.blocks(body), checksum)
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
        path = self._path(row.id)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        whole = False
        try:
            sync_folder(self._spool)
            end = await _copy(blocks, descriptor, offset, row.size, checksum)
            whole = True
        except (ClientPayloadError, ConnectionError) as error:
            raise malformed("the body broke off") from error
        except TakenOverError as error:
            raise RefusedError(423, "busy", "another request has taken over") from error
        except TimeoutError as error:
            raise RefusedError(408, "too_slow", "the line was silent for too long") from error
        except OSError as error:
            raise _storage_refusal(error) from error
        finally:
            if checksum is not None and not whole:
                os.ftruncate(descriptor, offset)
            self._step(steps.PATCH_BEFORE_SYNC)
            await asyncio.to_thread(_sync_and_close, descriptor)
        self._step(steps.PATCH_AFTER_SYNC)
        return end

    def verify(self, upload: str) -> asyncio.Task[None]:
        """Begin (or join) the verification of an upload all of whose bytes are there."""
        task = self._verifying.get(upload)
        if task is None:
            task = asyncio.create_task(self._verify(upload), name=f"verify-{upload}")
            self._verifying[upload] = task
            task.add_done_callback(lambda done: self._verified(upload, done))
        return task

    def _verified(self, upload: str, task: asyncio.Task[None]) -> None:
        self._verifying.pop(upload, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("upload %s could not be verified: %s", upload, task.exception())

    async def _verify(self, upload: str) -> None:
        async with self._hashers:
            row = await self._database.reading(
                lambda connection: connection.execute(
                    select(schema.uploads).where(schema.uploads.c.id == upload)
                ).one()
            )
            if row.state == RECEIVING:
                digest = await asyncio.to_thread(self._take_and_hash, row)
                ended = await self._database.writing(
                    lambda connection: self._end(connection, row, digest)
                )
                self._step(steps.VERIFY_AFTER_COMMIT)
                if digest != row.sha256:
                    log.error("upload %s: SHA-256 differs from what was announced", upload)
                if digest != row.sha256 or not ended:
                    await asyncio.to_thread(self._store.remove, upload)
        await self.settle(row.owner)

    def _take_and_hash(self, row: Row[Any]) -> str:
        """Move the file into the store and return the SHA-256 of what the store gives back."""
        spooled = self._path(row.id)
        self._step(steps.VERIFY_BEFORE_TAKE)
        if not self._store.has(row.id):
            if row.size == 0:
                spooled.touch()
            self._store.take(spooled, row.id)
        self._step(steps.VERIFY_AFTER_TAKE)
        digest = self._store.sha256(row.id)
        spooled.unlink(missing_ok=True)
        return digest

    def _end(self, connection: Connection, row: Row[Any], digest: str) -> bool:
        """Write down the verdict; after a mismatch the owner's file gets a fresh upload.

        Returns:
            False when the file has been closed meanwhile: its bytes are to go.
        """
        matches = digest == row.sha256
        receipt = None
        if matches:
            file = {"path": row.path, "size": row.size, "sha256": digest}
            receipt = make_receipt(self._signer, "file", row.id, row.kiosk, [file])
        table = schema.uploads
        ended = connection.execute(
            update(table)
            .where(table.c.id == row.id, table.c.state == RECEIVING)
            .values(
                state=COMPLETE if matches else MISMATCH,
                server_sha256=digest,
                receipt=receipt,
                ended_at=wall_text(),
            )
        )
        if ended.rowcount and not matches:
            _note_mismatch(connection, row)
            _readdress(connection, row)
        return bool(ended.rowcount)

    async def resume(self) -> int:
        """After a start: verify what was fully received before; return how many there are."""
        rows = await self._database.reading(
            lambda connection: connection.execute(
                select(schema.uploads).where(schema.uploads.c.state == RECEIVING)
            ).all()
        )
        ready = await asyncio.to_thread(
            lambda: [row.id for row in rows if self.arrived(row) == row.size or self._taken(row)]
        )
        for upload in ready:
            self.verify(upload)
        return len(ready)

    async def close(self) -> None:
        """Leave verifications; they begin again at the next start."""
        tasks = list(self._verifying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _taken(self, row: Row[Any]) -> bool:
        """Say whether the store has taken the file although nobody wrote that down."""
        return not self._path(row.id).exists() and self._store.has(row.id)

    def _path(self, upload: str) -> Path:
        return self._spool / upload

    def _durable(self, row: Row[Any]) -> int:
        """Return the offset after making everything that was written durable."""
        if row.state == RECEIVING:
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(self._path(row.id), os.O_RDONLY | os.O_CLOEXEC)
                _sync_and_close(descriptor)
        return self.arrived(row)

    @contextlib.asynccontextmanager
    async def _slot(self, upload: str) -> AsyncIterator[_Slot]:
        """Hold an upload; whoever held it is broken off."""
        slot = self._slots.setdefault(upload, _Slot())
        slot.users += 1
        try:
            slot.interrupt()
            try:
                await asyncio.wait_for(slot.lock.acquire(), HANDOVER_SECONDS)
            except TimeoutError as error:
                raise RefusedError(423, "busy", retry_after=2) from error
            try:
                yield slot
            finally:
                slot.lock.release()
        finally:
            slot.users -= 1
            if slot.users == 0:
                self._slots.pop(upload, None)


class _Slot:
    """Who is at work on an upload: one request; any further one makes it give way."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
        self._reading: asyncio.Timeout | None = None

    def interrupt(self) -> None:
        """Break off the body that is being received, if there is one."""
        if self._reading is not None:
            self._reading.reschedule(0)

    async def blocks(self, body: Body) -> AsyncIterator[bytes]:
        """Yield ``body`` block by block as it comes.

        Raises:
            TimeoutError: nothing came for :data:`IDLE_SECONDS`.
            TakenOverError: another request on the upload has come.
        """
        while block := await self._next(body):
            yield block

    async def _next(self, body: Body) -> bytes:
        if self.users > 1:
            raise TakenOverError
        try:
            async with asyncio.timeout(IDLE_SECONDS) as self._reading:
                return await body.readany()
        except TimeoutError as error:
            if self.users > 1:
                raise TakenOverError from error
            raise
        finally:
            self._reading = None


async def _copy(
    blocks: AsyncIterator[bytes],
    descriptor: int,
    offset: int,
    size: int,
    checksum: Checksum | None,
) -> int:
    """Write ``blocks`` as they come; return the offset behind it.

    Every block is handed to the kernel at once, so that a killed process loses none of them.
    """
    running = hashlib.sha256() if checksum is not None else None
    end, unsynced = offset, 0
    async for block in blocks:
        if end + len(block) > size:
            raise _too_long(size)
        _write_all(descriptor, block)
        end += len(block)
        unsynced += len(block)
        if running is not None:
            running.update(block)
        if unsynced >= SYNC_EVERY:
            await asyncio.to_thread(os.fdatasync, descriptor)
            unsynced = 0
    if checksum is not None and running is not None and running.digest() != checksum.sha256:
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


def _storage_refusal(error: OSError) -> RefusedError:
    """Return what a failing disk means for the kiosk: keep it and try again later."""
    log.error("spool cannot be written: %s", error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusedError(507, "storage_full", retry_after=60)
    return RefusedError(503, "storage_failed", retry_after=60)


def _announcement(row: Row[Any]) -> UploadAnnouncement:
    return UploadAnnouncement(
        kind=row.kind, owner=row.owner, path=row.path, size=row.size, sha256=row.sha256
    )


def _note_mismatch(connection: Connection, row: Row[Any]) -> None:
    connection.execute(
        schema.incidents.insert().values(
            at=wall_text(),
            kiosk=row.kiosk,
            code="hash_mismatch",
            subject=row.owner,
            detail=row.path,
        )
    )


def _readdress(connection: Connection, row: Row[Any]) -> None:
    """Give the file of a dead upload a fresh one, where a manifest names it."""
    table = schema.files
    wanted = connection.execute(select(table.c.path).where(table.c.upload == row.id)).one_or_none()
    if wanted is None:
        return
    file = File(path=row.path, size=row.size, sha256=row.sha256)
    fresh = upload_for(connection, row.kiosk, row.kind, row.owner, file)
    connection.execute(update(table).where(table.c.upload == row.id).values(upload=fresh))


def address(row: Row[Any]) -> str:
    """Return the tus address of an upload: a path on this server, or a whole URL."""
    return str(row.address or own_address(row.id))


def own_address(upload: str) -> str:
    """Return the path of an upload's tus address on this server."""
    return f"/v1/tus/{upload}"


async def _settle_nothing(_owner: str) -> None:
    """Stand in until the deliveries are wired."""
