"""Retroactive closures: plain files of a closed period are withheld at once and refused later.

A judge may close a hearing from a moment in the past. The kiosk then encrypts what it has recorded
since and names the replaced files. What has arrived of them completely goes into quarantine:
nobody reads it, and only court IT erases or releases it (:mod:`.quarantine`). What is still
arriving is aborted and dropped, and later announcements are refused.

Nothing that has a receipt is deleted because a kiosk says so. Before the receipt of the hearing a
kiosk's word is enough to withhold a file, but there is no receipt before the delivered journal
proves it (:mod:`.left_out`). After it, the delivered journal has to prove the closing and its
replacements have to be complete; otherwise the request is refused and court IT sees it.

Every step is repeatable: the closure is durable before bytes move, and a restarted server
continues.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from kiosk.central.contract import Closure
from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.closure_proof import (
    ClosureProof,
    Replacement,
    find_unreplaced,
    replacement_of,
)
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.deliveries.published import publish
from kiosk.central.deliveries.quarantine import settle_withheld
from kiosk.central.deliveries.upload_records import CLOSED, COMPLETE, RECEIVING, check_owner
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall
from kiosk.storage.hearing_folder import CLOSED_SUFFIX, INIT, MEDIA_SUFFIX, PLAYLIST, TRACKS

log = logging.getLogger(__name__)
BATCH_SIZE = 400  # pairs in one query
_NAME = r"[A-Za-z0-9_-]{1,80}"
PLAIN_MEDIA = re.compile(
    rf"part-[0-9]{{2,4}}/(?:{'|'.join(TRACKS)})/(?:{re.escape(PLAYLIST)}"
    rf"|run-[0-9]+/(?:{re.escape(INIT)}|{_NAME}{re.escape(MEDIA_SUFFIX)}))"
)
REPLACING_MEDIA = re.compile(
    rf"part-[0-9]{{2,4}}/(?:{_NAME}/){{0,2}}(?:{re.escape(PLAYLIST)}"
    rf"|{_NAME}(?:{re.escape(MEDIA_SUFFIX)}|{re.escape(CLOSED_SUFFIX)}))"
)


@dataclass(frozen=True)
class RecordedClosures:
    """What a request changed: uploads to settle, or that nothing did because proof is missing."""

    rows: Sequence[Row[Any]] = ()
    withheld: int = 0
    unproven: int = 0
    needs_proof: bool = False


class ClosureService:
    """Records closures; withholds or drops the files that they name.

    Args:
        database: records closures.
        store: delivered files.
        uploads: unfinished uploads.
    """

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadService) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._owners = HearingOwners(database, store)
        self._proof = ClosureProof(database, store)

    async def apply(
        self, kiosk: str, hearing: str, closures: Sequence[Closure]
    ) -> dict[str, int | str]:
        """Withhold replaced files; return how many are closed, withheld and dropped.

        Raises:
            RefusedError: 403, another kiosk's hearing; 409 ``closure_unproven``, the hearing has
                its receipt, and its journal does not say so; 422 ``not_media``.
        """
        recorded = await self._record(kiosk, hearing, closures, None)
        if recorded.needs_proof:
            proven = await self._proof.find(hearing)
            recorded = await self._record(kiosk, hearing, closures, proven)
        if recorded.unproven:
            log.error("hearing %s: a closing after the receipt without proof", hearing)
            raise RefusedError(409, "closure_unproven", "the delivered journal does not say so")
        if recorded.rows:
            await self._publish(hearing)
        for row in recorded.rows:
            await self._settle(row)
        return {
            "closed": len(closures),
            "withheld": recorded.withheld,
            "deleted": len(recorded.rows) - recorded.withheld,
            "as_of": format_wall(),
        }

    async def prove(self, hearing: str) -> Collection[Replacement]:
        """Return what the delivered journal of a hearing says of replaced files."""
        return await self._proof.find(hearing)

    async def _record(
        self,
        kiosk: str,
        hearing: str,
        closures: Sequence[Closure],
        proven: Collection[Replacement] | None,
    ) -> RecordedClosures:
        def work(connection: Connection) -> RecordedClosures:
            for number, closure in enumerate(closures):
                _require_media(number, closure)
            return record_closures(connection, kiosk, hearing, closures, proven)

        return await self._owners.write(kiosk, "hearing", hearing, work)

    async def resume(self) -> None:
        """Move or drop, after a start, the files that a crash has left."""
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(schema.uploads)
                .where(schema.uploads.c.state == CLOSED)
                .where(schema.uploads.c.ended_at.is_(None))
            ).all()
        )
        published: set[str] = set()
        for row in rows:
            try:
                if row.owner not in published:
                    await self._publish(row.owner)
                    published.add(row.owner)
                await self._settle(row)
            except Exception:  # one file holds up no other, and no start of the server
                log.exception("hearing %s: a closed file is left for later", row.owner)

    async def _publish(self, hearing: str) -> None:
        """Take closed files out of what is published, before their bytes go to quarantine."""
        await self._database.run_write(
            partial(publish, store=self._store, kind="hearing", delivery=hearing)
        )

    async def _settle(self, row: Row[Any]) -> None:
        """Bring the bytes of a closed upload to where they belong.

        ``row`` may be old: another server may have settled it, and court IT released it since.
        """
        settle = partial(settle_withheld, store=self._store, upload=row.id)
        if await self._database.run_write(settle):
            return
        await self._uploads.discard(row)  # it never became complete
        await asyncio.to_thread(self._store.remove_file, row.id)
        table = schema.uploads
        await self._database.run_write(
            lambda connection: connection.execute(
                update(table)
                .where(table.c.id == row.id, table.c.state == CLOSED)
                .values(ended_at=format_wall())
            )
        )
        log.info("hearing %s: a plain file was dropped", row.owner)


def _require_media(number: int, closure: Closure) -> None:
    """Refuse to close anything but plain media, and media by nothing.

    Raises:
        RefusedError: 422 ``not_media``.
    """
    if not PLAIN_MEDIA.fullmatch(closure.path):
        raise RefusedError(422, "not_media", f"closures.{number}.path: not plain media")
    if closure.by is None and closure.path.endswith(f"/{PLAYLIST}"):
        return  # nothing of the part is left in the clear
    if closure.by is None or closure.by_sha256 is None:
        raise RefusedError(422, "not_media", f"closures.{number}.by: nothing replaces it")
    is_same = (closure.by, closure.by_sha256) == (closure.path, closure.sha256)
    if is_same or not REPLACING_MEDIA.fullmatch(closure.by):
        raise RefusedError(422, "not_media", f"closures.{number}.by: not media in its place")


def record_closures(
    connection: Connection,
    kiosk: str,
    hearing: str,
    closures: Sequence[Closure],
    proven: Collection[Replacement] | None,
) -> RecordedClosures:
    """Record closures.

    Args:
        connection: a writing transaction.
        kiosk: its sender.
        hearing: id of the hearing.
        closures: what it names.
        proven: what the delivered journal proves; None: it was not read yet.

    Raises:
        RefusedError: 403, another kiosk's; 409, the id belongs to something else.
    """
    check_owner(connection, kiosk, "hearing", hearing)
    deliveries = schema.deliveries
    is_receipted = connection.execute(
        select(deliveries.c.completed_at).where(deliveries.c.id == hearing).with_for_update()
    ).scalar_one_or_none()
    if is_receipted is not None:
        if proven is None:
            return RecordedClosures(needs_proof=True)
        keys = {(closure.path, closure.sha256) for closure in closures}
        unreplaced = find_unreplaced(connection, hearing, keys, proven)
        unproven = [
            closure
            for closure in closures
            if replacement_of(closure) not in proven or (closure.path, closure.sha256) in unreplaced
        ]
        if unproven:
            detail = str(len(unproven))
            record_incident(connection, kiosk, "closure_unproven", hearing, detail)
            return RecordedClosures(unproven=len(unproven))
    rows: list[Row[Any]] = []
    for start in range(0, len(closures), BATCH_SIZE):
        batch = closures[start : start + BATCH_SIZE]
        rows += _record_batch(connection, kiosk, hearing, batch, is_listed=is_receipted is not None)
    return RecordedClosures(rows, sum(row.state == COMPLETE for row in rows))


def _record_batch(
    connection: Connection,
    kiosk: str,
    hearing: str,
    closures: Sequence[Closure],
    *,
    is_listed: bool,
) -> Sequence[Row[Any]]:
    """Record some closures; return the uploads that were usable until now.

    Args:
        is_listed: a receipt names the files of the hearing: its list stays as it is.
    """
    now, table = format_wall(), schema.uploads
    values = [
        closure.model_dump() | {"hearing": hearing, "kiosk": kiosk, "at": now}
        for closure in closures
    ]
    connection.execute(insert(connection, schema.closures).on_conflict_do_nothing(), values)
    pairs = [(closure.path, closure.sha256) for closure in closures]
    rows = connection.execute(
        select(table)
        .where(table.c.owner == hearing, tuple_(table.c.path, table.c.sha256).in_(pairs))
        .where(table.c.state.in_((COMPLETE, RECEIVING)))
        .with_for_update()  # a verdict of another server comes before this or after it
    ).all()
    ids = [row.id for row in rows]
    connection.execute(update(table).where(table.c.id.in_(ids)).values(state=CLOSED, ended_at=None))
    if not is_listed:
        connection.execute(schema.files.delete().where(schema.files.c.upload.in_(ids)))
    withheld = [
        {"upload": row.id, "hearing": hearing, "at": now} for row in rows if row.state == COMPLETE
    ]
    if withheld:
        connection.execute(schema.quarantine.insert(), withheld)
    return rows
