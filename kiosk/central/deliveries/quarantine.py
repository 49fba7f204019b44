"""Quarantine: complete plain files that a retroactive closing replaced, until court IT decides.

Nobody reads them: not the kiosk, not who reads the folder of the hearing. Erasing asks for proof:
the delivered journal names the file, a signed head covers that line, and what replaces the file
is complete. Whatever is erased or released, the reason is stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Exists, Row, Select, func, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.closure_proof import ClosureProof, find_unreplaced
from kiosk.central.deliveries.incidents import record_decision
from kiosk.central.deliveries.published import publish
from kiosk.central.deliveries.upload_records import CLOSED, COMPLETE
from kiosk.central.errors import RefusedError, not_found
from kiosk.clocks import format_wall
from kiosk.errors import StorageError

log = logging.getLogger(__name__)
ERASED, RELEASED = "erased", "released"


@dataclass(frozen=True)
class QuarantinedHearing:
    """What is in quarantine of one hearing: number of files and bytes, since when until when."""

    hearing: str
    kiosk: str
    files: int
    bytes: int
    since: str
    last: str

    @property
    def seen(self) -> str:
        """Return what a decision on it is for; what is withheld later needs another one."""
        return f"{self.files}: {self.bytes}: {self.last}"


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
            func.max(table.c.at).label("last"),
        )
        .join(uploads, uploads.c.id == table.c.upload)
        .where(table.c.decided_at.is_(None))
        .group_by(table.c.hearing)
        .order_by(func.min(table.c.at))
    )
    return [
        QuarantinedHearing(row.hearing, row.kiosk, row.files, int(row.bytes), row.since, row.last)
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

    async def erase(
        self, hearing: str, reason: str, seen: str = "", *, without_proof: bool = False
    ) -> int:
        """Erase the withheld files of a hearing; return how many.

        Args:
            hearing: its id.
            reason: who decided, and why.
            seen: :attr:`QuarantinedHearing.seen` of what was decided on; empty: whatever is there.
            without_proof: also what nothing proves.

        Raises:
            RefusedError: 404, there are none (any more); 409 ``problem_changed``, others are there;
                409 ``closure_unproven``, the delivered journal does not prove it of all of them, or
                a replacement is missing: nothing is erased.
        """
        rows = await self._open_files(hearing)
        if not rows:
            raise not_found()
        if not without_proof:
            await self._require_proof(hearing, rows)
        decide = partial(_decide, hearing=hearing, files=rows, seen=seen)
        ids = await self._database.run_write(
            lambda connection: decide(connection, decision=ERASED, reason=reason)
        )
        if not ids:
            raise not_found()
        await self._database.run_write(
            partial(publish, store=self._store, kind="hearing", delivery=hearing)
        )
        await self._settle(ids)
        return len(ids)

    async def release(self, hearing: str, reason: str, seen: str = "") -> int:
        """Make the withheld files of a hearing readable again; return how many.

        What the kiosk said of closings counts no more. The reason is recorded as an incident, for
        the files are no longer in quarantine. For arguments see :meth:`erase`.

        Raises:
            RefusedError: 404, there is nothing to release (any more); 409 ``problem_changed``,
                others are there; 409 ``quarantine_damaged``, files are not what had arrived:
                nothing is released, and court IT sees it.
        """
        rows = await self._open_files(hearing)
        await self._require_undamaged(hearing, rows)

        def decide(connection: Connection) -> Sequence[str]:
            ids = _decide(connection, hearing, rows, seen, RELEASED, reason)
            forgotten = _forget_closings(connection, hearing)
            if not ids and not forgotten:
                raise not_found()
            kiosk = rows[0].kiosk if rows else ""
            detail = f"{len(ids)}: {reason}"
            record_decision(connection, kiosk, "quarantine_released", hearing, detail)
            return ids

        ids = await self._database.run_write(decide)
        await self._settle(ids)
        return len(ids)

    async def _settle(self, uploads: Sequence[str]) -> None:
        """Carry out what was decided; a server that starts goes on, if this process is killed."""
        for upload in uploads:
            await self._database.run_write(
                partial(settle_withheld, store=self._store, upload=upload)
            )

    async def _require_undamaged(self, hearing: str, rows: Sequence[Row[Any]]) -> None:
        """Read the files again; refuse to release any if one is not what had arrived."""
        damaged = {
            row.id: row.path
            for row in rows
            if await asyncio.to_thread(self._read_sha256, row.id) != row.sha256
        }
        if damaged:  # what was decided on meanwhile is not
            damaged = {
                row.id: row.path for row in await self._open_files(hearing) if row.id in damaged
            }
        if not damaged:
            return
        detail = f"{len(damaged)}: {', '.join(damaged.values())}"
        await self._database.run_write(
            lambda connection: record_decision(
                connection, rows[0].kiosk, "quarantine_damaged", hearing, detail
            )
        )
        raise RefusedError(409, "quarantine_damaged", f"not what had arrived: {detail}")

    def _read_sha256(self, upload: str) -> str | None:
        try:
            return self._store.read_withheld_sha256(upload)
        except (OSError, StorageError):
            log.exception("upload %s cannot be read in quarantine", upload)
            return None

    async def _open_files(self, hearing: str) -> Sequence[Row[Any]]:
        return await self._database.run_read(
            lambda connection: connection.execute(_open_files(hearing)).all()
        )

    async def _require_proof(self, hearing: str, rows: Sequence[Row[Any]]) -> None:
        proven = await self._proof.find(hearing)
        keys = {(row.path, row.sha256) for row in rows}
        unproven = await self._database.run_read(
            lambda connection: find_unreplaced(connection, hearing, keys, proven)
        )
        if unproven:
            message = (
                f"of {len(unproven)} of {len(keys)} files the delivered journal proves nothing"
            )
            raise RefusedError(409, "closure_unproven", message)


def _open_files(hearing: str) -> Select[Any]:
    """Return the query of the withheld files of a hearing that nobody has decided on."""
    table, uploads = schema.quarantine, schema.uploads
    return (
        select(uploads, table.c.at.label("withheld_at"))
        .join(table, table.c.upload == uploads.c.id)
        .where(table.c.hearing == hearing, table.c.decided_at.is_(None))
        .where(uploads.c.state == CLOSED)
        .order_by(uploads.c.id)  # all decisions lock them in one order
    )


def _decide(
    connection: Connection,
    hearing: str,
    files: Sequence[Row[Any]],
    seen: str,
    decision: str,
    reason: str,
) -> Sequence[str]:
    """Record a decision on those of ``files`` that are still open; return their ids.

    They stay locked until the transaction ends: of two decisions, one finds nothing to decide.

    Raises:
        RefusedError: 409 ``problem_changed``, what is open is not what was ``seen``.
    """
    rows = connection.execute(_open_files(hearing).with_for_update()).all()
    if seen and rows:
        last, size = max(row.withheld_at for row in rows), sum(row.size for row in rows)
        if seen != QuarantinedHearing(hearing, "", len(rows), size, "", last).seen:
            raise RefusedError(409, "problem_changed", "other files are withheld now")
    known = {row.id for row in files}
    ids = [row.id for row in rows if row.id in known]
    table, uploads = schema.quarantine, schema.uploads
    connection.execute(
        update(table)
        .where(table.c.upload.in_(ids))
        .values(decision=decision, decided_at=format_wall(), reason=reason)
    )
    connection.execute(update(uploads).where(uploads.c.id.in_(ids)).values(ended_at=None))
    return ids


def settle_withheld(connection: Connection, store: ObjectStore, upload: str) -> bool:
    """Bring the bytes of a closed upload to where they belong; return whether that is done now.

    Nobody reads them as published any more: :func:`publish` came before, once for all its files.

    The row stays locked meanwhile: a decision of court IT comes before this or after it. What has a
    receipt is in quarantine, however it was closed. What never became complete is not settled here.
    """
    uploads, quarantine = schema.uploads, schema.quarantine
    row = _lock_closed(connection, upload)
    if row is None or row.ended_at is not None:
        return True  # another server, or court IT, was faster
    if row.receipt is not None:
        connection.execute(
            insert(connection, quarantine)
            .values(upload=upload, hearing=row.owner, at=format_wall())
            .on_conflict_do_nothing()
        )
    kept = connection.execute(
        select(quarantine.c.decision).where(quarantine.c.upload == upload)
    ).one_or_none()
    if kept is None:
        return False
    if kept.decision == RELEASED:
        _restore(connection, store, row)
        return True
    store.withhold_file(upload)
    if kept.decision == ERASED:
        store.erase_withheld(upload)
    connection.execute(update(uploads).where(uploads.c.id == upload).values(ended_at=format_wall()))
    log.info("hearing %s: a plain file was %s", row.owner, kept.decision or "withheld")
    return True


def _restore(connection: Connection, store: ObjectStore, row: Row[Any]) -> None:
    """Make a file readable that court IT has released."""
    uploads, quarantine = schema.uploads, schema.quarantine
    store.restore_file(row.id)
    connection.execute(quarantine.delete().where(quarantine.c.upload == row.id))
    connection.execute(
        update(uploads).where(uploads.c.id == row.id).values(state=COMPLETE, ended_at=format_wall())
    )
    publish(connection, store, row.kind, row.owner)


def _lock_closed(connection: Connection, upload: str) -> Row[Any] | None:
    """Return the row of an upload if it is closed, locked until the transaction ends."""
    table = schema.uploads
    row = connection.execute(select(table).where(table.c.id == upload).with_for_update()).one()
    return row if row.state == CLOSED else None


def _forget_closings(connection: Connection, hearing: str) -> int:
    """Forget what kiosks said of closings, but for what was erased; return how many there were."""
    table = schema.closures
    undecided = table.delete().where(table.c.hearing == hearing, ~is_erased(hearing))
    return connection.execute(undecided).rowcount


def is_erased(hearing: str) -> Exists:
    """Return the condition that court IT has erased the file of a row in ``closures``."""
    table, uploads, quarantine = schema.closures, schema.uploads, schema.quarantine
    return (
        select(uploads.c.id)
        .join(quarantine, quarantine.c.upload == uploads.c.id)
        .where(uploads.c.owner == hearing, quarantine.c.decision == ERASED)
        .where(uploads.c.path == table.c.path, uploads.c.sha256 == table.c.sha256)
        .exists()
    )
