"""Whose hearing an id is: bound to a kiosk, by the schedule and the kiosk's courtroom.

Ids of scheduled hearings follow from public data, so the first who asks is not the owner. The id
of a hearing on the schedule belongs to the kiosks of its courtroom; of these, and of hearings that
are on no schedule, to the kiosk that announced it first. Any other kiosk is refused, and court IT
sees it. What somebody else has put under an id before the schedule named its room is set aside
under another id: nothing of it is lost, and the right courtroom can always deliver.

A kiosk to whose courtroom the schedule gave a hearing when it delivered keeps it, whatever becomes
of the schedule later: it may have recorded it. A revoked kiosk keeps what has a receipt; the rest
is free for the other kiosks of the courtroom. Court IT reassigns a hearing with ``kiosk central
reassign`` or on its page.

Claiming an id and what is then written under it are one transaction (:meth:`HearingOwners.write`),
on every server: nothing comes in between.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, literal, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.incidents import record_decision, record_incident
from kiosk.central.deliveries.published import publish
from kiosk.central.errors import RefusedError, content_conflict, wrong_owner
from kiosk.central.identity.enrolment import has_certificate
from kiosk.clocks import format_wall

Result = TypeVar("Result")
Place = tuple[str, str]
#: Where the id of a hearing stands beside the kiosk that sent something under it.
BY_KIOSK = (schema.uploads.c.owner, schema.heads.c.hearing, schema.closures.c.hearing)
BY_DELIVERY = (
    schema.filings.c.id,
    schema.files.c.delivery,
    schema.searchable.c.delivery,
    schema.problems.c.delivery,
)


@dataclass(frozen=True)
class Owner:
    """The kiosk to which an id is bound.

    Attributes:
        kiosk: its id.
        place: its court and courtroom when it was bound.
        is_fixed: the schedule has named that courtroom since, or court IT has decided it.
    """

    kiosk: str
    place: Place
    is_fixed: bool = False


@dataclass(frozen=True)
class Claim:
    """What became of a claim: why it is refused, or whether something was set aside."""

    refusal: RefusedError | None = None
    is_moved: bool = False


class HearingOwners:
    """Binds ids of hearings to kiosks.

    Args:
        database: the schedule and who owns what.
        store: published hearings.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def write(
        self, kiosk: str, kind: str, owner: str, work: Callable[[Connection], Result]
    ) -> Result:
        """Bind the id ``owner`` to ``kiosk`` and run ``work``, in one transaction.

        Raises:
            RefusedError: 403 ``other_room``, the schedule has the hearing in another courtroom; 403
                ``foreign``, another kiosk of the courtroom has it; 409, the id of a hearing for
                something else; and those of ``work``, after which the id is bound no more than
                before.
        """

        def claim_and_work(connection: Connection) -> tuple[Claim, Result | None]:
            claim = _claim(connection, kiosk, kind, owner)
            return claim, None if claim.refusal is not None else work(connection)

        claim, result = await self._database.run_write(claim_and_work)
        if claim.refusal is not None:
            raise claim.refusal
        if claim.is_moved:
            await self.resume()
        return result  # type: ignore[return-value]  # of work, unless the claim was refused

    async def reassign(self, hearing: str, kiosk: str, reason: str, seen: str = "") -> None:
        """Give the id of a hearing to ``kiosk``; what another one has put there is set aside.

        For arguments and errors see :func:`reassign_hearing`.
        """
        await self._database.run_write(
            lambda connection: reassign_hearing(connection, hearing, kiosk, reason, seen)
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
        table, deliveries = schema.set_aside, schema.deliveries
        kind = await self._database.run_read(
            lambda connection: connection.execute(
                select(deliveries.c.kind).where(deliveries.c.id == current)
            ).scalar_one_or_none()
        )
        for delivery in (current, former):
            await self._database.run_write(
                partial(publish, store=self._store, kind=kind or "hearing", delivery=delivery)
            )
        await self._database.run_write(
            lambda connection: connection.execute(
                update(table).where(table.c.id == row.id).values(moved_at=format_wall())
            )
        )


def _claim(connection: Connection, kiosk: str, kind: str, owner: str) -> Claim:
    """Claim an id for what a request is about.

    Raises:
        RefusedError: 409, a filing or report under the id of a scheduled hearing.
    """
    if kind == "hearing":
        return _claim_hearing(connection, kiosk, owner)
    if _scheduled_place(connection, owner) is not None:
        raise content_conflict("this id is a hearing")
    return Claim()


def _claim_hearing(connection: Connection, kiosk: str, hearing: str) -> Claim:
    """Bind a hearing to ``kiosk``, or say why not; court IT's incident is recorded with it."""
    owner = _lock_owner(connection, hearing)
    if owner is not None and owner.kiosk == kiosk and owner.is_fixed:
        return Claim()
    scheduled = _scheduled_place(connection, hearing)
    if owner is not None and owner.kiosk == kiosk:
        if scheduled == owner.place:
            _fix(connection, hearing)
        return Claim()
    place = _place_of(connection, kiosk)
    former = owner or _find_user(connection, hearing)
    if former is None and scheduled not in (None, place):
        return _refuse(connection, kiosk, hearing, "other_room", scheduled[1])
    if former is None or former.kiosk == kiosk:  # two that come first: the second finds the first
        new = Owner(kiosk, place if former is None else former.place)
        connection.execute(schema.owners.insert().values(hearing=hearing, **_values(new)))
        if scheduled == new.place:
            _fix(connection, hearing)
        return Claim()
    if scheduled == place != former.place and not former.is_fixed:
        code = "hearing_set_aside"
    elif place == (scheduled or former.place) and _is_free(connection, hearing, former.kiosk):
        code = "hearing_freed"
    else:
        code = "foreign" if scheduled in (None, place) else "other_room"
        return _refuse(connection, kiosk, hearing, code, former.kiosk)
    _set_aside(connection, hearing, former.kiosk)
    _bind(connection, hearing, _values(Owner(kiosk, place)))
    if scheduled == place:
        _fix(connection, hearing)
    record_incident(connection, former.kiosk, code, hearing, kiosk)
    return Claim(is_moved=True)


def _lock_owner(connection: Connection, hearing: str) -> Owner | None:
    """Return to whom an id is bound; nobody else binds it before this transaction ends."""
    table = schema.owners
    row = connection.execute(
        select(table).where(table.c.hearing == hearing).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    return Owner(row.kiosk, (row.court, row.room), bool(row.scheduled_at or row.decided_at))


def _scheduled_place(connection: Connection, hearing: str) -> Place | None:
    """Return court and courtroom of a hearing on the schedule."""
    table = schema.schedule
    row = connection.execute(
        select(table.c.court, table.c.room).where(table.c.id == hearing)
    ).one_or_none()
    return None if row is None else (row.court, row.room)


def _place_of(connection: Connection, kiosk: str) -> Place:
    table = schema.kiosks
    row = connection.execute(select(table).where(table.c.id == kiosk)).one()
    return row.court, row.room


def _list_users(connection: Connection, hearing: str) -> list[str]:
    """Return the kiosks that have put something under an id, who delivers it first."""
    found: list[str] = []
    for used in (schema.deliveries.c.id, *BY_KIOSK):
        kiosks = used.table.c.kiosk
        rows = connection.execute(select(kiosks).where(used == hearing).distinct()).scalars()
        found += (kiosk for kiosk in rows if kiosk not in found)
    return found


def _find_user(connection: Connection, hearing: str) -> Owner | None:
    """Return who has used an id before ids were bound."""
    users = _list_users(connection, hearing)
    return Owner(users[0], _place_of(connection, users[0])) if users else None


def _is_free(connection: Connection, hearing: str, kiosk: str) -> bool:
    """Return whether a hearing's owner is revoked and has no receipt of it."""
    table = schema.deliveries
    receipted = select(table.c.id).where(table.c.id == hearing, table.c.completed_at.is_not(None))
    if connection.execute(receipted).first() is not None:
        return False
    return not has_certificate(connection, kiosk)


def count_freed(connection: Connection, kiosk: str) -> int:
    """Return how many hearings of a revoked kiosk the others of its courtroom can deliver."""
    table, deliveries = schema.owners, schema.deliveries
    receipted = select(deliveries.c.id).where(deliveries.c.completed_at.is_not(None))
    return connection.execute(
        select(func.count()).where(table.c.kiosk == kiosk, table.c.hearing.not_in(receipted))
    ).scalar_one()


def _refuse(connection: Connection, kiosk: str, hearing: str, code: str, detail: str) -> Claim:
    record_incident(connection, kiosk, f"hearing_{code}", hearing, detail)
    if code == "foreign":
        return Claim(wrong_owner())
    return Claim(RefusedError(403, code, "the schedule has this hearing in another courtroom"))


def _values(owner: Owner) -> dict[str, Any]:
    court, room = owner.place
    values = {"kiosk": owner.kiosk, "court": court, "room": room, "at": format_wall()}
    return values | {"scheduled_at": None, "decided_at": None, "reason": None}


def _bind(connection: Connection, hearing: str, values: dict[str, Any]) -> None:
    statement = insert(connection, schema.owners).values(hearing=hearing, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["hearing"], set_=values))


def _fix(connection: Connection, hearing: str) -> None:
    """Record that the schedule names the owner's courtroom: it cannot take the hearing back."""
    table = schema.owners
    connection.execute(
        update(table).where(table.c.hearing == hearing).values(scheduled_at=format_wall())
    )


def read_owners(connection: Connection, hearings: Collection[str]) -> dict[str, str]:
    """Return to which kiosk hearings are bound, as far as they are."""
    table = schema.owners
    rows = connection.execute(
        select(table.c.hearing, table.c.kiosk).where(table.c.hearing.in_(hearings))
    )
    return {row.hearing: row.kiosk for row in rows}


def reassign_hearing(
    connection: Connection, hearing: str, kiosk: str, reason: str, seen: str = ""
) -> None:
    """Bind a hearing to ``kiosk`` because court IT says so; set aside what is not this kiosk's.

    Args:
        connection: a writing transaction.
        hearing: its id.
        kiosk: whose it is to be.
        reason: who decided, and why.
        seen: whose it was when that was decided; empty: whosever it is.

    Raises:
        RefusedError: 404, no such kiosk, or nothing is known of the hearing; 409
            ``problem_changed``, it is another kiosk's meanwhile.
    """
    kiosks, table = schema.kiosks, schema.set_aside
    row = connection.execute(select(kiosks).where(kiosks.c.id == kiosk)).one_or_none()
    if row is None:
        raise RefusedError(404, "kiosk_unknown", f"{kiosk} is not known")
    former = _lock_owner(connection, hearing)
    if seen and former is not None and former.kiosk != seen:
        raise RefusedError(409, "problem_changed", f"it is the hearing of {former.kiosk} now")
    decided = {"decided_at": format_wall(), "reason": reason}
    _bind(connection, hearing, _values(Owner(kiosk, (row.court, row.room))) | decided)
    # Whoever was about to write under the id has done so now.
    users = _list_users(connection, hearing)  # the owner need not be among them
    earlier = find_set_aside(connection, kiosk, hearing)
    if not (former or users or earlier or _scheduled_place(connection, hearing)):
        raise RefusedError(404, "hearing_unknown", f"no hearing {hearing} is known")
    for user in users:
        if user != kiosk:
            _set_aside(connection, hearing, user)
    if earlier is not None and kiosk not in users:
        _rename(connection, earlier, hearing, kiosk)
        connection.execute(
            update(table).where(table.c.id == earlier).values(is_back=True, moved_at=None)
        )
    before = ", ".join(users) or (former.kiosk if former is not None else "-")
    record_decision(connection, kiosk, "hearing_reassigned", hearing, f"{before}: {reason}")


def _set_aside(connection: Connection, hearing: str, kiosk: str) -> None:
    """Keep under another id what ``kiosk`` has delivered of a hearing."""
    other = str(uuid.uuid4())
    _rename(connection, hearing, other, kiosk)
    connection.execute(
        schema.set_aside.insert().values(
            id=other, hearing=hearing, kiosk=kiosk, at=format_wall(), is_back=False
        )
    )


def find_set_aside(connection: Connection, kiosk: str, hearing: str) -> str | None:
    """Return the id under which the last that ``kiosk`` had delivered of a hearing is now."""
    table = schema.set_aside
    return connection.execute(
        select(table.c.id)
        .where(table.c.hearing == hearing, table.c.kiosk == kiosk, table.c.is_back.is_(False))
        .order_by(table.c.at.desc())
        .limit(1)
    ).scalar_one_or_none()


def _rename(connection: Connection, former: str, current: str, kiosk: str) -> None:
    """Give everything of ``kiosk`` under an id another one."""
    table, uploads, quarantine = schema.deliveries, schema.uploads, schema.quarantine
    own = select(uploads.c.id).where(uploads.c.owner == former, uploads.c.kiosk == kiosk)
    connection.execute(
        update(quarantine).where(quarantine.c.upload.in_(own)).values(hearing=current)
    )
    for column in BY_KIOSK:
        connection.execute(
            update(column.table)
            .where(column == former, column.table.c.kiosk == kiosk)
            .values({column.name: current})
        )
    others = [column for column in table.c if column is not table.c.id]
    is_own = (table.c.id == former) & (table.c.kiosk == kiosk)
    copy = select(literal(current), *others).where(is_own)
    names = ["id", *(column.name for column in others)]
    if not connection.execute(table.insert().from_select(names, copy)).rowcount:
        return
    for column in BY_DELIVERY:
        connection.execute(
            update(column.table).where(column == former).values({column.name: current})
        )
    connection.execute(table.delete().where(is_own))
