"""Limits what a kiosk may read back of what it has delivered; court IT sees each hearing.

A kiosk needs it for a permitted copy, some days after a hearing. Whoever has stolen one has its
certificate until it is revoked: a few hearings a day, none of long ago, and a line on court IT's
page for each are what is left to him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.deliveries.incidents import record_incident
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall, wall_time

DEFAULT_DAYS = 90
DEFAULT_HEARINGS = 5
WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class ReadBackLimit:
    """Which hearings a kiosk may read back.

    Attributes:
        database: what was read back, and receipts.
        days: none whose receipt is older.
        hearings: so many in a day; each as often as the line needs.
    """

    database: Database
    days: int = DEFAULT_DAYS
    hearings: int = DEFAULT_HEARINGS

    async def check(self, kiosk: str, hearing: str) -> None:
        """Return if ``kiosk`` may read a hearing of its own now.

        Raises:
            RefusedError: 403 ``read_back_ended``, its receipt is too old; 429 ``too_many``, it has
                read others back today. Court IT sees it.
        """
        if await self.database.run_read(lambda connection: _is_begun(connection, kiosk, hearing)):
            return
        refusal = await self.database.run_write(
            lambda connection: self._begin(connection, kiosk, hearing)
        )
        if refusal is not None:
            raise refusal

    def _begin(self, connection: Connection, kiosk: str, hearing: str) -> RefusedError | None:
        """Record that a kiosk begins to read a hearing, or return why it may not."""
        table, deliveries, kiosks = schema.read_backs, schema.deliveries, schema.kiosks
        connection.execute(select(kiosks.c.id).where(kiosks.c.id == kiosk).with_for_update())
        if _is_begun(connection, kiosk, hearing):
            return None
        receipted = connection.execute(
            select(deliveries.c.completed_at).where(deliveries.c.id == hearing)
        ).scalar_one_or_none()
        now = wall_time()
        if receipted and now - datetime.fromisoformat(receipted) > timedelta(days=self.days):
            record_incident(connection, kiosk, "read_back_refused", hearing, f"> {self.days} d")
            return RefusedError(
                403, "read_back_ended", f"delivered more than {self.days} days ago: ask court IT"
            )
        begun = connection.execute(
            select(func.count()).where(
                table.c.kiosk == kiosk, table.c.at > format_wall(now - WINDOW)
            )
        ).scalar_one()
        if begun >= self.hearings:
            record_incident(connection, kiosk, "read_back_refused", hearing, f"> {begun}")
            return RefusedError(
                429,
                "too_many",
                f"{begun} other hearings were read back in a day",
                retry_after=3600,
            )
        statement = insert(connection, table).values(
            kiosk=kiosk, hearing=hearing, at=format_wall(now)
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["kiosk", "hearing"], set_={"at": format_wall(now)}
            )
        )
        record_incident(connection, kiosk, "read_back", hearing, "")
        return None


def _is_begun(connection: Connection, kiosk: str, hearing: str) -> bool:
    """Return whether a kiosk has begun to read a hearing within a day: it may go on."""
    table = schema.read_backs
    earliest = format_wall(wall_time() - WINDOW)
    found = connection.execute(
        select(table.c.at).where(
            table.c.kiosk == kiosk, table.c.hearing == hearing, table.c.at > earliest
        )
    )
    return found.one_or_none() is not None
