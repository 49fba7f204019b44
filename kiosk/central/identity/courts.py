"""Courts, kiosks and schedule; what the seed file says of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as day_time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.identity import staff
from kiosk.central.identity.seed import Seed, SeedCourt, SeedHearing
from kiosk.clocks import format_wall, wall_time
from kiosk.errors import ConfigError

HEARING_NAMESPACE = uuid.UUID("5b0f0f0e-6f0c-5d5c-9a54-2f6b6c1b7a11")
MAX_HEARINGS = 2000
"""Of an answer; more in 31 days of one courtroom are a mistake, not a schedule."""


@dataclass(frozen=True)
class Court:
    """A court: ``zone`` is its time zone."""

    id: str
    name: dict[str, str]
    zone: ZoneInfo

    def year(self, moment: datetime) -> int:
        """Return the year of ``moment`` in the court's time zone."""
        return moment.astimezone(self.zone).year


def apply_seed(database: Database, seed: Seed) -> list[str]:
    """Write the seed: update what exists, remove nothing.

    Hashing takes up to a tenth of a second for each PIN: no transaction is open meanwhile.

    Returns:
        People (ids) whose PIN or badge in the file was not taken: a revoked kiosk held it.
    """
    with database.write() as connection:
        court = put_court(connection, seed.court)
        for kiosk in seed.kiosks:
            put_kiosk(connection, court.id, kiosk.id, kiosk.room)
        for hearing in seed.hearings:
            _put_hearing(connection, court, hearing)
    return staff.apply_seed(database, court.id, seed.staff)


def put_court(connection: Connection, seed: SeedCourt) -> Court:
    """Create or update a court."""
    statement = insert(connection, schema.courts).values(
        id=seed.id, name=seed.name, timezone=seed.timezone
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"name": seed.name, "timezone": seed.timezone}
        )
    )
    return load_court(connection, seed.id)


def put_kiosk(connection: Connection, court: str, kiosk: str, room: str) -> None:
    """Register a kiosk, or move it to another courtroom."""
    statement = insert(connection, schema.kiosks).values(id=kiosk, court=court, room=room)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"court": court, "room": room})
    )


def _put_hearing(connection: Connection, court: Court, seed: SeedHearing) -> None:
    scheduled_at = _scheduled_at(court, seed)
    day = scheduled_at.astimezone(court.zone).date().isoformat()
    name = f"{court.id}\n{seed.room}\n{seed.case_number}\n{day}"
    hearing_id = seed.id or str(uuid.uuid5(HEARING_NAMESPACE, name))
    hearing = seed.model_dump(mode="json", exclude={"room", "time", "day"})
    hearing |= {"id": hearing_id, "scheduled_at": format_wall(scheduled_at), "adhoc": False}
    values = {
        "court": court.id,
        "room": seed.room,
        "scheduled_at": format_wall(scheduled_at),
        "hearing": hearing,
    }
    statement = insert(connection, schema.schedule).values(id=hearing_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _scheduled_at(court: Court, seed: SeedHearing) -> datetime:
    if seed.scheduled_at is not None:
        return seed.scheduled_at
    if seed.time is None:
        raise ConfigError(f"hearing {seed.case_number}: either time or scheduled_at is needed")
    day = wall_time().astimezone(court.zone).date() + timedelta(days=seed.day)
    return datetime.combine(day, day_time.fromisoformat(seed.time), tzinfo=court.zone)


def load_court(connection: Connection, court: str) -> Court:
    """Return a known court."""
    return make_court(
        connection.execute(select(schema.courts).where(schema.courts.c.id == court)).one()
    )


def make_court(row: Row[Any]) -> Court:
    """Return the court in the columns of a row."""
    return Court(row.id, dict(row.name), ZoneInfo(row.timezone))


def find_single_court(connection: Connection) -> Court | None:
    """Return the court if there is exactly one, else None."""
    rows = connection.execute(select(schema.courts.c.id).limit(2)).all()
    return load_court(connection, rows[0].id) if len(rows) == 1 else None


def read_schedule(
    connection: Connection, court: Court, room: str, first: date | None, days: int
) -> dict[str, Any]:
    """Return ``GET /v1/schedule``: ``days`` days of ``room`` from ``first`` (default today)."""
    now = wall_time()
    start = first or now.astimezone(court.zone).date()
    begin = datetime.combine(start, day_time(), tzinfo=court.zone)
    table = schema.schedule
    rows = connection.execute(
        select(table.c.hearing)
        .where(table.c.court == court.id, table.c.room == room)
        .where(table.c.scheduled_at >= format_wall(begin))
        .where(table.c.scheduled_at < format_wall(begin + timedelta(days=days)))
        .order_by(table.c.scheduled_at, table.c.id)
        .limit(MAX_HEARINGS)
    )
    return {
        "as_of": format_wall(now),
        "from": start.isoformat(),
        "days": days,
        "room": room,
        "hearings": [row.hearing for row in rows],
    }
