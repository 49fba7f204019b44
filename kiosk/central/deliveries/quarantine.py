"""Quarantine: complete plain files that a retroactive closing replaced, until court IT decides.

Nobody reads them: not the kiosk, not who reads the folder of the hearing. Erasing asks for proof:
the delivered journal names the file, a signed head covers that line, and what replaces the file
is complete. Whatever is erased or released, the reason is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.closure_proof import ClosureProof, Replacement
from kiosk.central.deliveries.incidents import record_decision
from kiosk.central.deliveries.upload_records import CLOSED, COMPLETE
from kiosk.central.errors import RefusedError, not_found
from kiosk.clocks import format_wall
from kiosk.storage.hearing_folder import PLAYLIST

ERASED = "erased"


@dataclass(frozen=True)
class QuarantinedHearing:
    """What is in quarantine of one hearing: number of files and bytes, and since when."""

    hearing: str
    kiosk: str
    files: int
    bytes: int
    since: str


def list_quarantined(connection: Connection) -> list[QuarantinedHearing]:
    """Return the hearings of which court IT has to decide, the oldest first."""
    table, uploads = schema.quarantine, schema.uploads
    rows = connection.execute(
        select(
            table.c.hearing,
            func.min(uploads.c.kiosk).label("kiosk"),
            func.count().label("files"),
            func.sum(uploads.c.size).label("bytes"),
            func.min(table.c.at).label("since"),
        )
        .join(uploads, uploads.c.id == table.c.upload)
        .where(table.c.decided_at.is_(None))
        .group_by(table.c.hearing)
        .order_by(func.min(table.c.at))
    )
    return [
        QuarantinedHearing(row.hearing, row.kiosk, row.files, int(row.bytes), row.since)
        for row in rows
    ]


class Quarantine:
    """Court IT's decisions on what is in quarantine.

    Args:
        database: what was withheld, and why.
        store: the bytes.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._proof = ClosureProof(database, store)

    async def erase(self, hearing: str, reason: str, *, without_proof: bool = False) -> int:
        """Erase the withheld files of a hearing; return how many.

        Raises:
            RefusedError: 404, there are none; 409 ``closure_unproven``, the delivered journal does
                not prove it of all of them, or a replacement is missing: nothing is erased.
        """
        rows = await self._open_files(hearing)
        if not without_proof:
            await self._require_proof(hearing, rows)
        ids = [row.id for row in rows]

        def decide(connection: Connection) -> None:
            table = schema.quarantine
            connection.execute(
                update(table)
                .where(table.c.upload.in_(ids))
                .values(decision=ERASED, decided_at=format_wall(), reason=reason)
            )
            uploads = schema.uploads
            connection.execute(update(uploads).where(uploads.c.id.in_(ids)).values(ended_at=None))

        await self._database.run_write(decide)
        for upload in ids:
            await asyncio.to_thread(self._store.erase_withheld, upload)
        await self._database.run_write(
            lambda connection: connection.execute(
                update(schema.uploads)
                .where(schema.uploads.c.id.in_(ids))
                .values(ended_at=format_wall())
            )
        )
        return len(ids)

    async def release(self, hearing: str, reason: str) -> int:
        """Make the withheld files of a hearing readable again; return how many.

        The reason is recorded as an incident, for the files are no longer in quarantine.

        Raises:
            RefusedError: 404, there are none.
        """
        rows = await self._open_files(hearing)
        ids = [row.id for row in rows]
        for upload in ids:
            await asyncio.to_thread(self._store.restore_file, upload)

        def decide(connection: Connection) -> dict[str, str]:
            table, uploads, closures = schema.quarantine, schema.uploads, schema.closures
            connection.execute(table.delete().where(table.c.upload.in_(ids)))
            connection.execute(
                update(uploads)
                .where(uploads.c.id.in_(ids))
                .values(state=COMPLETE, ended_at=format_wall())
            )
            pairs = [(row.path, row.sha256) for row in rows]
            connection.execute(
                closures.delete()
                .where(closures.c.hearing == hearing)
                .where(tuple_(closures.c.path, closures.c.sha256).in_(pairs))
            )
            detail = f"{len(ids)}: {reason}"
            record_decision(connection, rows[0].kiosk, "quarantine_released", hearing, detail)
            files, deliveries = schema.files, schema.deliveries
            listed = connection.execute(
                select(files.c.path, files.c.upload)
                .join(deliveries, deliveries.c.id == files.c.delivery)
                .where(files.c.upload.in_(ids), deliveries.c.completed_at.is_not(None))
            )
            return {row.path: row.upload for row in listed}

        keys = await self._database.run_write(decide)
        if keys:
            await asyncio.to_thread(self._store.publish_files, "hearing", hearing, keys)
        return len(ids)

    async def _open_files(self, hearing: str) -> Sequence[Row[Any]]:
        table, uploads = schema.quarantine, schema.uploads
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(uploads)
                .join(table, table.c.upload == uploads.c.id)
                .where(table.c.hearing == hearing, table.c.decided_at.is_(None))
                .where(uploads.c.state == CLOSED)
            ).all()
        )
        if not rows:
            raise not_found()
        return rows

    async def _require_proof(self, hearing: str, rows: Sequence[Row[Any]]) -> None:
        proven = await self._proof.find(hearing)
        replaced: dict[tuple[str, str], list[Replacement]] = {}
        for replacement in proven:
            replaced.setdefault((replacement.path, replacement.sha256), []).append(replacement)

        def count_unproven(connection: Connection) -> int:
            return sum(
                not (found := replaced.get((row.path, row.sha256)))
                or not all(is_replacement_complete(connection, hearing, one) for one in found)
                for row in rows
            )

        unproven = await self._database.run_read(count_unproven)
        if unproven:
            message = f"of {unproven} of {len(rows)} files the delivered journal proves no closing"
            raise RefusedError(409, "closure_unproven", message)


def is_replacement_complete(connection: Connection, hearing: str, replacement: Replacement) -> bool:
    """Return whether what replaces a file has arrived and has the announced hash.

    A playlist alone may have no replacement: its tracks may be closed as a whole.
    """
    if replacement.by is None:
        return replacement.path.endswith(f"/{PLAYLIST}")
    table = schema.uploads
    found = connection.execute(
        select(table.c.id)
        .where(table.c.owner == hearing, table.c.path == replacement.by)
        .where(table.c.sha256 == replacement.by_sha256, table.c.state == COMPLETE)
        .limit(1)
    )
    return found.one_or_none() is not None
