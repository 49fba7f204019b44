"""The signed list of staff that a kiosk gets: its room's people, for a limited time.

A list is stored and given again until its content changes or it is a day old, so that a kiosk that
asks every half minute gets the same bytes (304) and writes nothing to its card. Which hashes it
holds is recorded before the kiosk sees them: revoking the kiosk makes them invalid.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.identity.enrolment import Kiosk
from kiosk.central.identity.former_hashes import is_valid_form
from kiosk.central.identity.staff import KINDS
from kiosk.clocks import format_wall, wall_time
from kiosk.evidence.chain import canonical_json
from kiosk.exchange.staff_list import sign_staff_list

DEFAULT_DAYS = 30
MAX_DAYS = 366
REISSUE_AFTER = timedelta(days=1)
Json = dict[str, Any]


@dataclass(frozen=True)
class StaffListIssuer:
    """Issues the lists.

    Attributes:
        database: staff, and what was issued to whom.
        signer: the court's key for receipts.
        days: a list ends so long after it was issued, 1 to 366.
    """

    database: Database
    signer: ReceiptSigner
    days: int = DEFAULT_DAYS

    async def issue(self, kiosk: Kiosk) -> Json:
        """Return the signed list of ``kiosk``; a new one only when it is due."""
        found = await self.database.run_read(lambda connection: self._current(connection, kiosk))
        if found is not None:
            return found
        return await self.database.run_write(lambda connection: self._issue(connection, kiosk))

    def _current(self, connection: Connection, kiosk: Kiosk) -> Json | None:
        """Return the stored list unless its content has changed or it is a day old."""
        table = schema.staff_lists
        row = connection.execute(select(table).where(table.c.kiosk == kiosk.id)).one_or_none()
        if row is None or row.digest != self._digest(read_people(connection, kiosk)):
            return None
        age = wall_time() - datetime.fromisoformat(row.issued_at)
        is_fresh = timedelta(0) <= age < REISSUE_AFTER
        return dict(row.value) if is_fresh else None

    def _issue(self, connection: Connection, kiosk: Kiosk) -> Json:
        found = self._current(connection, kiosk)
        if found is not None:
            return found
        people, now = read_people(connection, kiosk), wall_time()
        value = sign_staff_list(
            kiosk.id,
            people,
            now,
            now + timedelta(days=self.days),
            sign=self.signer.sign,
            certificate=self.signer.certificate,
        )
        row = {"digest": self._digest(people), "issued_at": format_wall(now), "value": value}
        statement = insert(connection, schema.staff_lists).values(kiosk=kiosk.id, **row)
        connection.execute(statement.on_conflict_do_update(index_elements=["kiosk"], set_=row))
        _record_issued(connection, kiosk, people)
        return value

    def _digest(self, people: list[Json]) -> str:
        """Return the hash of all that makes a list, but its time."""
        content = {"staff": people, "days": self.days, "certificate": self.signer.certificate}
        return hashlib.sha256(canonical_json(content)).hexdigest()


def list_tag(value: Json) -> str:
    """Return the entity tag (RFC 9110, 8.8.3) of a signed list, without its quotes."""
    return hashlib.sha256(str(value["signature"]).encode("ascii")).hexdigest()[:32]


def read_people(connection: Connection, kiosk: Kiosk) -> list[Json]:
    """Return the rows of a kiosk's list: who may sign in in its room, or in the whole court.

    A person without a valid PIN and badge is in it too: the kiosk can say what is missing.
    """
    table = schema.staff
    rows = connection.execute(
        select(table).where(table.c.court == kiosk.court.id).order_by(table.c.person)
    )
    return [
        {
            "person": row.person,
            "name": row.name,
            "roles": row.roles,
            "pin": row.pin if is_valid_form(row.pin) else None,
            "badge": row.badge if is_valid_form(row.badge) else None,
        }
        for row in rows
        if row.roles and (row.rooms is None or kiosk.room in row.rooms)
    ]


def _record_issued(connection: Connection, kiosk: Kiosk, people: list[Json]) -> None:
    table = schema.issued_credentials
    for person in people:
        for kind in KINDS:
            if person[kind] is None:
                continue
            statement = insert(connection, table).values(
                kiosk=kiosk.id,
                court=kiosk.court.id,
                person=person["person"],
                kind=kind,
                hash=person[kind],
            )
            connection.execute(statement.on_conflict_do_nothing())
