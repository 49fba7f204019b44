"""Whose hearing an id is: bound to a kiosk, by the schedule and the kiosk's courtroom.

Ids of scheduled hearings follow from public data, so the first who asks is not the owner. The id
of a hearing on the schedule belongs to the kiosks of its courtroom; of these, and of hearings that
are on no schedule, to the kiosk that announced it first. Any other kiosk is refused, and court IT
sees it. What somebody else has put under an id before the schedule named its room is set aside
under another id: nothing of it is lost, and the right courtroom can always deliver.

A kiosk that has announced a hearing keeps it, whatever becomes of the schedule: it may have
recorded it. Court IT reassigns a hearing with ``kiosk central reassign`` or on its page.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, literal, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.deliveries.upload_records import COMPLETE
from kiosk.central.errors import RefusedError, content_conflict, wrong_owner
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import format_wall


@dataclass(frozen=True)
class Owner:
    """The kiosk to which an id is bound, its courtroom then, and whether court IT decided it."""

    kiosk: str
    court: str
    room: str
    is_decided: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Court and courtroom."""
        return self.court, self.room


class HearingOwners:
    """Binds ids of hearings to kiosks.

    Args:
        database: the schedule and who owns what.
        store: published hearings.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def claim(self, kiosk: Kiosk, kind: str, owner: str) -> None:
        """Bind the id of a hearing to the kiosk that announces something under it.

        Raises:
            RefusedError: 403 ``other_room``, the schedule has it in another courtroom; 403
                ``foreign``, another kiosk of the courtroom has it; 409, the id of a hearing for
                something else.
        """
        is_free = await self._database.run_read(
            lambda connection: _needs_no_claim(connection, kiosk, kind, owner)
        )
        if is_free:
            return
        refusal = await self._database.run_write(
            lambda connection: claim_hearing(connection, kiosk, owner)
        )
        if refusal is not None:
            raise refusal
        await self.resume()

    async def reassign(self, hearing: str, kiosk: str, reason: str) -> None:
        """Give the id of a hearing to ``kiosk``; what another one has put there is set aside.

        Raises:
            RefusedError: 404, no such kiosk.
        """
        await self._database.run_write(
            lambda connection: reassign_hearing(connection, hearing, kiosk, reason)
        )
        await self.resume()

    async def resume(self) -> None:
        """Publish set-aside hearings under their new ids; also after a crash."""
        table = schema.set_aside
        rows = await self._database.run_read(
            lambda connection: connection.execute(
                select(table).where(table.c.moved_at.is_(None)).order_by(table.c.is_back)
            ).all()
        )
        for row in rows:
            await self._move_published(row)

    async def _move_published(self, row: Row[Any]) -> None:
        former, current = (row.id, row.hearing) if row.is_back else (row.hearing, row.id)
        kind, keys = await self._database.run_read(
            lambda connection: _published_files(connection, current)
        )
        if keys:
            await asyncio.to_thread(self._store.publish_delivery, kind, current, keys)
        for path, key in keys.items():
            await asyncio.to_thread(self._store.unpublish_file, kind, former, path, key)
        table = schema.set_aside
        await self._database.run_write(
            lambda connection: connection.execute(
                update(table).where(table.c.id == row.id).values(moved_at=format_wall())
            )
        )


def _needs_no_claim(connection: Connection, kiosk: Kiosk, kind: str, owner: str) -> bool:
    """Return whether a request on an id concerns no hearing, or one that the kiosk has.

    Raises:
        RefusedError: 409, a filing or report under the id of a scheduled hearing.
    """
    if kind == "hearing":
        table = schema.owners
        found = connection.execute(select(table.c.kiosk).where(table.c.hearing == owner))
        return found.scalar_one_or_none() == kiosk.id
    if _scheduled_place(connection, owner) is not None:
        raise content_conflict("this id is a hearing")
    return True


def _scheduled_place(connection: Connection, hearing: str) -> tuple[str, str] | None:
    """Return court and courtroom of a hearing on the schedule."""
    table = schema.schedule
    row = connection.execute(
        select(table.c.court, table.c.room).where(table.c.id == hearing)
    ).one_or_none()
    return None if row is None else (row.court, row.room)


def _find_owner(connection: Connection, hearing: str) -> Owner | None:
    """Return to whom an id is bound, or who has used it before ids were bound."""
    table, kiosks = schema.owners, schema.kiosks
    row = connection.execute(
        select(table).where(table.c.hearing == hearing).with_for_update()
    ).one_or_none()
    if row is not None:
        return Owner(row.kiosk, row.court, row.room, row.decided_at is not None)
    for used, key in (
        (schema.deliveries, "id"),
        (schema.uploads, "owner"),
        (schema.heads, "hearing"),
    ):
        row = connection.execute(
            select(kiosks)
            .join(used, used.c.kiosk == kiosks.c.id)
            .where(used.c[key] == hearing)
            .limit(1)
        ).one_or_none()
        if row is not None:
            return Owner(row.id, row.court, row.room)
    return None


def claim_hearing(connection: Connection, kiosk: Kiosk, hearing: str) -> RefusedError | None:
    """Bind a hearing to ``kiosk``, or return why not; court IT's incident is recorded with it."""
    place = (kiosk.court.id, kiosk.room)
    scheduled = _scheduled_place(connection, hearing)
    owner = _find_owner(connection, hearing)
    if owner is None or owner.kiosk == kiosk.id:
        if owner is None and scheduled not in (None, place):
            return _refuse(connection, kiosk, hearing, "other_room", f"{scheduled[1]}")
        _bind(connection, hearing, owner or Owner(kiosk.id, *place))
        return None
    if scheduled == place != owner.place and not owner.is_decided:
        _set_aside(connection, hearing, owner.kiosk)
        _bind(connection, hearing, Owner(kiosk.id, *place))
        record_incident(connection, owner.kiosk, "hearing_set_aside", hearing, kiosk.id)
        return None
    code = "foreign" if scheduled in (None, place) else "other_room"
    return _refuse(connection, kiosk, hearing, code, owner.kiosk)


def _refuse(
    connection: Connection, kiosk: Kiosk, hearing: str, code: str, detail: str
) -> RefusedError:
    record_incident(connection, kiosk.id, f"hearing_{code}", hearing, detail)
    if code == "foreign":
        return wrong_owner()
    return RefusedError(403, code, "the schedule has this hearing in another courtroom")


def _bind(connection: Connection, hearing: str, owner: Owner, reason: str | None = None) -> None:
    now = format_wall()
    values = {
        "kiosk": owner.kiosk,
        "court": owner.court,
        "room": owner.room,
        "at": now,
        "decided_at": now if owner.is_decided else None,
        "reason": reason,
    }
    statement = insert(connection, schema.owners).values(hearing=hearing, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["hearing"], set_=values))


def reassign_hearing(connection: Connection, hearing: str, kiosk: str, reason: str) -> None:
    """Bind a hearing to ``kiosk`` because court IT says so.

    Raises:
        RefusedError: 404, no such kiosk.
    """
    kiosks, table = schema.kiosks, schema.set_aside
    row = connection.execute(select(kiosks).where(kiosks.c.id == kiosk)).one_or_none()
    if row is None:
        raise RefusedError(404, "kiosk_unknown", f"{kiosk} is not known")
    owner = _find_owner(connection, hearing)
    if owner is not None and owner.kiosk != kiosk:
        _set_aside(connection, hearing, owner.kiosk)
    _bind(connection, hearing, Owner(kiosk, row.court, row.room, is_decided=True), reason)
    earlier = connection.execute(
        select(table.c.id)
        .where(table.c.hearing == hearing, table.c.kiosk == kiosk, table.c.is_back.is_(False))
        .order_by(table.c.at.desc())
        .limit(1)
    ).scalar_one_or_none()
    if earlier is not None:
        _rename(connection, earlier, hearing)
        connection.execute(
            update(table).where(table.c.id == earlier).values(is_back=True, moved_at=None)
        )


def _set_aside(connection: Connection, hearing: str, kiosk: str) -> None:
    """Keep under another id what ``kiosk`` has delivered of a hearing."""
    other = str(uuid.uuid4())
    _rename(connection, hearing, other)
    connection.execute(
        schema.set_aside.insert().values(
            id=other, hearing=hearing, kiosk=kiosk, at=format_wall(), is_back=False
        )
    )


def _rename(connection: Connection, former: str, current: str) -> None:
    """Give everything under an id another one."""
    table = schema.deliveries
    others = [column for column in table.c if column is not table.c.id]
    copy = select(literal(current), *others).where(table.c.id == former)
    connection.execute(table.insert().from_select(["id", *(c.name for c in others)], copy))
    for column in (
        schema.filings.c.id,
        schema.files.c.delivery,
        schema.searchable.c.delivery,
        schema.uploads.c.owner,
        schema.heads.c.hearing,
        schema.closures.c.hearing,
        schema.quarantine.c.hearing,
        schema.problems.c.delivery,
    ):
        connection.execute(
            update(column.table).where(column == former).values({column.name: current})
        )
    connection.execute(table.delete().where(table.c.id == former))


def _published_files(connection: Connection, delivery: str) -> tuple[str, dict[str, str]]:
    """Return kind and files of a delivery with a receipt; no files for any other."""
    deliveries, files, uploads = schema.deliveries, schema.files, schema.uploads
    rows = connection.execute(
        select(deliveries.c.kind, files.c.path, files.c.upload)
        .join(files, files.c.delivery == deliveries.c.id)
        .join(uploads, uploads.c.id == files.c.upload)
        .where(deliveries.c.id == delivery, deliveries.c.completed_at.is_not(None))
        .where(uploads.c.state == COMPLETE)
    ).all()
    return (rows[0].kind if rows else "hearing"), {row.path: row.upload for row in rows}
