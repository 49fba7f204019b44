"""Retroactive closures: delivered plain files of a closed period are deleted and refused later.

A judge may close a hearing from a moment in the past. The kiosk then encrypts what it has recorded
since and names the replaced files. Their plain versions here are deleted, unfinished uploads of
them are aborted, and later announcements are refused. Every step is repeatable: the closure is
durable before bytes are deleted, and a restarted server continues.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from kiosk.central.contract import Closure
from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.upload_records import CLOSED, check_owner
from kiosk.central.deliveries.uploads import UploadService
from kiosk.clocks import format_wall

log = logging.getLogger(__name__)
BATCH_SIZE = 400  # pairs in one query


class ClosureService:
    """Records closures and deletes the files that they name.

    Args:
        database: records closures.
        store: delivered files.
        uploads: unfinished uploads.
    """

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadService) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads

    async def apply(
        self, kiosk: str, hearing: str, closures: Sequence[Closure]
    ) -> dict[str, int | str]:
        """Delete replaced files; return how many files are closed and how many were deleted.

        Raises:
            RefusedError: 403, another kiosk's hearing.
        """
        rows = await self._database.run_write(
            lambda connection: record_closures(connection, kiosk, hearing, closures)
        )
        for row in rows:
            await self._delete_upload(row)
        return {"closed": len(closures), "deleted": len(rows), "as_of": format_wall()}

    async def resume(self) -> None:
        """Delete, after a start, the files that a crash has left."""
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(schema.uploads)
                .where(schema.uploads.c.state == CLOSED)
                .where(schema.uploads.c.ended_at.is_(None))
            ).all()
        )
        for row in rows:
            await self._delete_upload(row)

    async def _delete_upload(self, row: Row[Any]) -> None:
        await self._uploads.discard(row.id)
        await asyncio.to_thread(self._store.unpublish_file, row.kind, row.owner, row.path)
        await asyncio.to_thread(self._store.remove_file, row.id)
        table = schema.uploads
        await self._database.run_write(
            lambda connection: connection.execute(
                update(table).where(table.c.id == row.id).values(ended_at=format_wall())
            )
        )
        log.info("hearing %s: a plain file was deleted", row.owner)


def record_closures(
    connection: Connection, kiosk: str, hearing: str, closures: Sequence[Closure]
) -> Sequence[Row[Any]]:
    """Record closures; return the uploads whose bytes are to be deleted.

    Raises:
        RefusedError: 403, another kiosk's; 409, the id belongs to something else.
    """
    check_owner(connection, kiosk, "hearing", hearing)
    found: list[Row[Any]] = []
    for start in range(0, len(closures), BATCH_SIZE):
        found += _record_batch(connection, kiosk, hearing, closures[start : start + BATCH_SIZE])
    return found


def _record_batch(
    connection: Connection, kiosk: str, hearing: str, closures: Sequence[Closure]
) -> Sequence[Row[Any]]:
    now, table = format_wall(), schema.uploads
    values = [
        {
            "hearing": hearing,
            "path": closure.path,
            "sha256": closure.sha256,
            "by": closure.by,
            "by_sha256": closure.by_sha256,
            "kiosk": kiosk,
            "at": now,
        }
        for closure in closures
    ]
    connection.execute(insert(connection, schema.closures).on_conflict_do_nothing(), values)
    pairs = [(closure.path, closure.sha256) for closure in closures]
    chosen = (
        (table.c.owner == hearing)
        & tuple_(table.c.path, table.c.sha256).in_(pairs)
        & ((table.c.state != CLOSED) | table.c.ended_at.is_(None))
    )
    rows = connection.execute(select(table).where(chosen)).all()
    ids = [row.id for row in rows]
    connection.execute(
        update(table)
        .where(table.c.id.in_(ids))
        .values(state=CLOSED, server_sha256=None, receipt=None, ended_at=None)
    )
    connection.execute(schema.files.delete().where(schema.files.c.upload.in_(ids)))
    final = select(schema.deliveries.c.id).where(
        schema.deliveries.c.id == hearing, schema.deliveries.c.completed_at.is_not(None)
    )
    if ids and connection.execute(final).one_or_none() is not None:
        detail = f"{len(ids)} files"
        connection.execute(
            schema.incidents.insert().values(
                at=now, kiosk=kiosk, code="closed_after_receipt", subject=hearing, detail=detail
            )
        )
    return rows
