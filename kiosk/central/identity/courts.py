"""Courts, kiosks, staff and schedule, and the seed file that defines them.

The seed file is TOML (or JSON of the same shape)::

    [court]
    id = "7514"
    name = {kk = "…", ru = "…", en = "…"}
    timezone = "Asia/Almaty"

    [[kiosks]]
    id = "kiosk-0001"
    room = "1"

    [[staff]]
    person = "p-1"
    name = "…"
    roles = ["secretary"]
    badge = "…"          # kept only as a salted hash
    pin = "…"            # likewise; may be left out

    [[hearings]]
    room = "1"
    case_number = "…"
    time = "09:30"       # today; day = 1 for tomorrow; or scheduled_at = RFC 3339
    …                    # all else as in docs/interfaces.md, Hearing

Reading the same file twice changes nothing. Hearings without an id get one from room, case and day.
A schedule from the court's own system arrives in the same form.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tomllib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, select

from kiosk.central.contract import Id, Participant
from kiosk.central.data import schema
from kiosk.central.data.database import insert
from kiosk.clocks import format_wall, wall_time
from kiosk.errors import ConfigError

SCRYPT = {"n": 16384, "r": 8, "p": 1, "dklen": 32}
HEARING_NAMESPACE = uuid.UUID("5b0f0f0e-6f0c-5d5c-9a54-2f6b6c1b7a11")
Role = Literal["secretary", "judge", "technician"]


class SeedModel(BaseModel):
    """A table of the seed file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedCourt(SeedModel):
    """``[court]``."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}$")]
    name: dict[Literal["kk", "ru", "en"], str]
    timezone: str = "Asia/Almaty"


class SeedKiosk(SeedModel):
    """``[[kiosks]]``."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")]
    room: Annotated[str, Field(min_length=1, max_length=100)]


class SeedPerson(SeedModel):
    """``[[staff]]``."""

    person: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=300)]
    roles: list[Role]
    badge: Annotated[str, Field(min_length=1, max_length=200)]
    pin: Annotated[str, Field(min_length=4, max_length=20)] | None = None


class SeedHearing(SeedModel):
    """``[[hearings]]``."""

    id: Id | None = None
    room: str
    time: Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$")] | None = None
    day: int = 0
    scheduled_at: AwareDatetime | None = None
    case_number: str
    title: str
    kind: str = "civil"
    duration_minutes: int = 60
    format: str = "offline"
    publicity: str = "open"
    judge: str = ""
    participants: list[Participant] = []


class Seed(SeedModel):
    """The whole file."""

    court: SeedCourt
    kiosks: list[SeedKiosk] = []
    staff: list[SeedPerson] = []
    hearings: list[SeedHearing] = []


@dataclass(frozen=True)
class Court:
    """A court: ``salt`` is hex, for badge and PIN hashes; ``zone`` is its time zone."""

    id: str
    name: dict[str, str]
    zone: ZoneInfo
    salt: str

    def year(self, moment: datetime) -> int:
        """Return the year of ``moment`` in the court's time zone."""
        return moment.astimezone(self.zone).year


def load_seed(path: Path) -> Seed:
    """Read a seed file.

    Raises:
        ConfigError: it cannot be read, or a key or value is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        seed = Seed.model_validate(data)
        ZoneInfo(seed.court.timezone)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(str(key) for key in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False)
        ]
        raise ConfigError("\n".join(lines)) from error
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return seed


def apply_seed(connection: Connection, seed: Seed) -> None:
    """Write the seed: update what exists, remove nothing."""
    court = put_court(connection, seed.court)
    for kiosk in seed.kiosks:
        put_kiosk(connection, court.id, kiosk.id, kiosk.room)
    for person in seed.staff:
        put_person(connection, court, person)
    for hearing in seed.hearings:
        _put_hearing(connection, court, hearing)


def put_court(connection: Connection, seed: SeedCourt) -> Court:
    """Create or update a court; its salt stays."""
    statement = insert(connection, schema.courts).values(
        id=seed.id, name=seed.name, timezone=seed.timezone, salt=secrets.token_hex(16)
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


def put_person(connection: Connection, court: Court, person: SeedPerson) -> None:
    """Create or update a member of staff; store badge and PIN as hashes only."""
    salt = bytes.fromhex(court.salt)
    values: dict[str, Any] = {
        "name": person.name,
        "roles": list(person.roles),
        "badge_sha256": hashlib.sha256(salt + person.badge.encode("utf-8")).hexdigest(),
        "pin_scrypt": None if person.pin is None else hash_pin(salt, person.pin),
    }
    statement = insert(connection, schema.staff).values(
        court=court.id, person=person.person, **values
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["court", "person"], set_=values)
    )


def hash_pin(salt: bytes, pin: str) -> str:
    """Return hex scrypt of ``pin`` (docs/interfaces.md, ``published/staff.json``)."""
    return hashlib.scrypt(pin.encode("utf-8"), salt=salt, **SCRYPT).hex()


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
    row = connection.execute(select(schema.courts).where(schema.courts.c.id == court)).one()
    return Court(row.id, dict(row.name), ZoneInfo(row.timezone), row.salt)


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
    )
    return {
        "as_of": format_wall(now),
        "from": start.isoformat(),
        "days": days,
        "room": room,
        "hearings": [row.hearing for row in rows],
    }


def read_staff(connection: Connection, court: Court) -> dict[str, Any]:
    """Return ``GET /v1/staff``: the file ``published/staff.json``."""
    table = schema.staff
    rows = connection.execute(select(table).where(table.c.court == court.id).order_by("person"))
    people = []
    for row in rows:
        person = {
            "person": row.person,
            "name": row.name,
            "roles": row.roles,
            "badge_sha256": row.badge_sha256,
        }
        if row.pin_scrypt is not None:
            person["pin_scrypt"] = row.pin_scrypt
        people.append(person)
    return {"pulled_at": format_wall(), "salt": court.salt, "staff": people}
