"""Files that are still arriving, in an S3 store, for any number of servers over one database.

Nothing of an upload is in a process. Its bytes are parts and a tail in the S3 store; the table
``arrivals`` says how far they reach. Each request that may write takes the row over under a name
of its own, and every later change asks for that name. So whoever was there before, in whatever
process, half-open or stopped, cannot change the row any more: it ends with 423, and its bytes
since the last change are sent again (at most a part).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kiosk.central import crash_points
from kiosk.central.arrival.intake import Checksum, broken_body_refused, checked_blocks
from kiosk.central.arrival.upload_lock import UploadLock, UploadLocks
from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.s3_parts import LostPartsError, S3Parts, part_bytes
from kiosk.central.data.s3_store import S3Store
from kiosk.central.errors import RefusedError
from kiosk.central.http.json_api import BodyStream
from kiosk.clocks import wall_time

log = logging.getLogger(__name__)
ROWS = schema.arrivals
WHOLE_AT_ONCE = 8  # small files on their way to the store
STALE_AFTER = timedelta(days=2)  # far longer than from the begin of an upload to its row


@dataclass(frozen=True)
class Progress:
    """How far an upload has arrived: whole parts, and a tail after them.

    Attributes:
        received: durable bytes.
        multipart: the S3 store's id of the upload in parts; None before the first part.
        tail: name of the object with the bytes after the last whole part.
    """

    received: int = 0
    multipart: str | None = None
    tail: str | None = None


class SharedIntake:
    """The :class:`.intake.Intake` of several servers.

    Args:
        database: shared by all of them.
        store: shared by all of them.
        crash_hook: called at named points (tests).
    """

    def __init__(
        self,
        database: Database,
        store: S3Store,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._database = database
        self._store = store
        self._parts = store.parts
        self._crash_hook = crash_hook
        self._locks = UploadLocks()

    @contextlib.asynccontextmanager
    async def lock(self, upload: Row[Any]) -> AsyncIterator[SharedArrival]:
        """See :class:`.intake.Intake`."""
        async with self._locks.hold(upload.id) as lock:
            arrival = SharedArrival(self._database, self._parts, upload, lock, self._crash_hook)
            await arrival.take_over()
            yield arrival

    async def received(self, uploads: Sequence[Row[Any]]) -> Mapping[str, int]:
        """See :class:`.intake.Intake`."""
        query = select(ROWS.c.upload, ROWS.c.received)
        if len(uploads) == 1:  # asked after each file: not of all files of its delivery
            query = query.where(ROWS.c.upload == uploads[0].id)
        else:
            owners = {upload.owner for upload in uploads}
            query = query.join(schema.uploads, schema.uploads.c.id == ROWS.c.upload).where(
                schema.uploads.c.owner.in_(owners)
            )
        rows = await self._database.run_select(lambda connection: connection.execute(query).all())
        return {row.upload: row.received for row in rows}

    async def write(self, upload: Row[Any], blocks: Iterator[bytes]) -> None:
        """See :class:`.intake.Intake`."""
        async with self.lock(upload) as arrival:
            await arrival.drop()
            await arrival.take_over()
            await arrival.append(0, _IteratedBody(blocks), None)

    async def store_whole(self, contents: Mapping[str, bytes]) -> None:
        """See :class:`.intake.Intake`: whole objects, without a row of their progress."""

        async def put(upload: str, content: bytes) -> None:
            async with slots:
                await asyncio.to_thread(self._parts.put_whole, upload, content)

        slots = asyncio.Semaphore(WHOLE_AT_ONCE)
        await asyncio.gather(*(put(upload, content) for upload, content in contents.items()))

    @contextlib.asynccontextmanager
    async def verification(self, uploads: Collection[str]) -> AsyncIterator[Collection[str]]:
        """See :class:`.intake.Intake`."""
        names = {f"verification of {upload}": upload for upload in uploads}
        async with self._database.claim(names) as claimed:
            yield [names[name] for name in claimed]

    def move_to_store(self, upload: Row[Any]) -> None:
        """See :class:`.intake.Intake`."""
        if self._store.has(upload.id):
            return
        with self._database.read() as connection:
            row = connection.execute(select(ROWS).where(ROWS.c.upload == upload.id)).one_or_none()
        progress = Progress() if row is None else Progress(row.received, row.multipart, row.tail)
        if progress.received != upload.size:
            raise RefusedError(503, "busy", "not complete any more", retry_after=2)
        try:
            if progress.multipart is not None:
                self._parts.complete(upload.id, progress.multipart)
            elif progress.tail is not None:
                self._parts.tail_to_object(upload.id, progress.tail)
            else:
                self._parts.put_whole(upload.id, b"")
        except LostPartsError:
            if self._store.has(upload.id):  # another process was faster
                return
            log.error("upload %s: its parts are gone from the S3 store; it starts again", upload.id)
            with self._database.write() as connection:
                connection.execute(
                    update(ROWS)
                    .where(ROWS.c.upload == upload.id, ROWS.c.received == upload.size)
                    .values(received=0, multipart=None, tail=None)
                )
            raise

    async def forget(self, upload: str) -> None:
        """See :class:`.intake.Intake`."""
        await self._database.run_write(
            lambda connection: connection.execute(ROWS.delete().where(ROWS.c.upload == upload))
        )
        await asyncio.to_thread(self._parts.remove_tails, upload)

    async def abort_stale(self, age: timedelta = STALE_AFTER) -> int:
        """Abort parts in the S3 store that no upload names and that are older than ``age``.

        Nothing is lost: what no row names, the kiosk sends again.
        """
        older_than = wall_time() - age
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(ROWS.c.multipart).where(ROWS.c.multipart.is_not(None))
            ).all()
        )
        named = {row.multipart for row in rows}
        return await asyncio.to_thread(self._parts.abort_stale, named, older_than)

    async def list_complete(self) -> Sequence[str]:
        """See :class:`.intake.Intake`: from the few that are arriving, not from all announced."""
        table = schema.uploads
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(table.c.id)
                .join(ROWS, ROWS.c.upload == table.c.id)
                .where(table.c.state == schema.RECEIVING, ROWS.c.received == table.c.size)
            ).all()
        )
        return [row.id for row in rows]


class SharedArrival:
    """The :class:`.intake.Arrival` of an upload in the S3 store.

    Args:
        database: where its progress is.
        parts: where its bytes are.
        upload: its row.
        lock: held for this request in this process.
        crash_hook: called at named points (tests).
    """

    def __init__(
        self,
        database: Database,
        parts: S3Parts,
        upload: Row[Any],
        lock: UploadLock,
        crash_hook: crash_points.CrashHook,
    ) -> None:
        self._database = database
        self._parts = parts
        self._id: str = upload.id
        self._size: int = upload.size
        self._part_bytes = part_bytes(upload.size)
        self._lock = lock
        self._crash_hook = crash_hook
        self._holder = str(uuid.uuid4())
        self._progress = Progress()
        self._is_held = True

    async def take_over(self) -> None:
        """Take the upload over from whoever holds it, in whatever process."""

        def work(connection: Connection) -> Row[Any]:
            connection.execute(
                insert(connection, ROWS)
                .values(upload=self._id, holder=self._holder, received=0)
                .on_conflict_do_update(
                    index_elements=[ROWS.c.upload], set_={"holder": self._holder}
                )
            )
            return connection.execute(select(ROWS).where(ROWS.c.upload == self._id)).one()

        row = await self._database.run_write(work)
        self._progress = Progress(row.received, row.multipart, row.tail)

    async def durable_offset(self) -> int:
        """See :class:`.intake.Arrival`."""
        return self._progress.received

    async def drop(self) -> None:
        """See :class:`.intake.Arrival`."""
        dropped = self._progress
        await self._save(Progress())
        if dropped.multipart is not None:
            await asyncio.to_thread(self._parts.abort, self._id, dropped.multipart)
        await asyncio.to_thread(self._parts.remove_tails, self._id)

    async def append(self, offset: int, body: BodyStream, checksum: Checksum | None) -> int:
        """See :class:`.intake.Arrival`: a part is saved when it is full, the rest at the end."""
        room = self._size - offset
        blocks = checked_blocks(self._lock.blocks(body), room, self._size, checksum)
        try:
            return await self._append(offset, blocks, saves=checksum is None)
        except LostPartsError as error:
            log.error("upload %s: its parts are gone from the S3 store; it starts again", self._id)
            await self._save(Progress())
            raise RefusedError(409, "offset_differs", "the offset is 0") from error

    async def _append(self, offset: int, blocks: AsyncIterator[bytes], *, saves: bool) -> int:
        progress, buffer = self._progress, bytearray()
        if progress.tail is not None:
            buffer += await asyncio.to_thread(self._parts.read_tail, self._id, progress.tail)
        is_complete = False
        try:
            with broken_body_refused():
                async for block in blocks:
                    buffer += block
                    offset += len(block)
                    while len(buffer) >= self._part_bytes:
                        progress = await self._put_part(progress, offset - len(buffer), buffer)
                        if saves:
                            await self._save(progress)
            is_complete = True
        finally:
            if self._is_held and (saves or is_complete):
                progress = await self._put_rest(progress, offset, buffer)
                self._crash_hook(crash_points.PATCH_BEFORE_SYNC)
                await self._save(progress)
        self._crash_hook(crash_points.PATCH_AFTER_SYNC)
        return offset

    async def _put_part(self, progress: Progress, start: int, buffer: bytearray) -> Progress:
        """Store the part at ``start`` and take it out of ``buffer``; return the new progress."""
        multipart = progress.multipart
        if multipart is None:
            multipart = await asyncio.to_thread(self._parts.begin, self._id)
        content = bytes(buffer[: self._part_bytes])
        number = start // self._part_bytes + 1
        await asyncio.to_thread(self._parts.put, self._id, multipart, number, content)
        del buffer[: self._part_bytes]
        return Progress(start + len(content), multipart)

    async def _put_rest(self, progress: Progress, offset: int, buffer: bytearray) -> Progress:
        """Store what fills no part: as the last one, or as a tail until more comes."""
        if offset == progress.received:
            return progress
        if offset == self._size and progress.multipart is not None:
            return await self._put_part(progress, offset - len(buffer), buffer)
        tail = await asyncio.to_thread(self._parts.put_tail, self._id, bytes(buffer))
        return replace(progress, received=offset, tail=tail)

    async def _save(self, progress: Progress) -> None:
        """Make the progress the upload's.

        Raises:
            RefusedError: 423, another request has taken over.
        """
        former = self._progress
        if progress == former:
            return
        updated = await self._database.run_write(
            lambda connection: (
                connection.execute(
                    update(ROWS)
                    .where(ROWS.c.upload == self._id, ROWS.c.holder == self._holder)
                    .values(
                        received=progress.received, multipart=progress.multipart, tail=progress.tail
                    )
                ).rowcount
            )
        )
        if not updated:
            self._is_held = False
            raise RefusedError(423, "busy", "another request has taken over")
        self._progress = progress
        if former.tail not in (None, progress.tail):
            await asyncio.to_thread(self._parts.remove_tail, self._id, str(former.tail))


class _IteratedBody:
    """Blocks of a file as the body of a request."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    async def readany(self) -> bytes:
        """Return the next block; empty at the end."""
        return await asyncio.to_thread(next, self._blocks, b"")
