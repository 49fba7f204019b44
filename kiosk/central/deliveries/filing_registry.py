"""Registration numbers and the state of filings (R4-R6: registered at once, then to the judge).

Numbers are sequential per court and year of the court's time zone and are never reused: counter
and filing are written in one transaction. Their form, ``<court>-<year>-<six digits>``, belongs
to this reference system.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from kiosk.central import crash_points
from kiosk.central.contract import REVISION_2_KEYS, FilingRegistration
from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.deliveries.deliveries import (
    DeliveryService,
    Manifest,
    make_manifest,
    store_manifest,
)
from kiosk.central.deliveries.searchable import searchable_versions
from kiosk.central.errors import RefusedError, not_found
from kiosk.central.http.queries import make_cursor, read_cursor
from kiosk.central.identity.courts import Court
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import format_wall, wall_time

CHANGES = 0
"""The year of the counter of a court's changes of filings."""
FilingState = Literal["registered", "accepted", "returned", "passed_to_judge"]
NEXT_STATES: dict[str, tuple[str, ...]] = {
    "registered": ("accepted", "returned"),
    "accepted": ("passed_to_judge", "returned"),
    "returned": (),
    "passed_to_judge": (),
}


class FilingRegistry:
    """The registry of filings."""

    def __init__(
        self,
        database: Database,
        deliveries: DeliveryService,
        crash_hook: crash_points.CrashHook = crash_points.no_crash,
    ) -> None:
        self._database = database
        self._deliveries = deliveries
        self._crash_hook = crash_hook

    async def register(
        self, kiosk: Kiosk, filing: str, request: FilingRegistration
    ) -> dict[str, Any]:
        """Register a filing, once; return ``Filing`` of the contract.

        Raises:
            RefusedError: 403, another kiosk's; 409, registered with other content.
        """
        manifest = make_manifest(
            "filing", request, request.documents, ignored_keys=REVISION_2_KEYS | {"provisional"}
        )

        def work(connection: Connection) -> None:
            self._register(connection, kiosk, filing, manifest, request.provisional)

        await self._deliveries.owners.write(kiosk.id, "filing", filing, work)
        self._crash_hook(crash_points.REGISTER_AFTER_COMMIT)
        await self._deliveries.check_completion(filing)
        return await self.describe(kiosk, filing)

    def _register(
        self,
        connection: Connection,
        kiosk: Kiosk,
        filing: str,
        manifest: Manifest,
        provisional: str | None,
    ) -> None:
        table = schema.filings
        if store_manifest(connection, kiosk.id, filing, manifest):
            now = wall_time()
            year, sequence = next_number(connection, kiosk.court)
            connection.execute(
                table.insert().values(
                    id=filing,
                    court=kiosk.court.id,
                    year=year,
                    sequence=sequence,
                    number=f"{kiosk.court.id}-{year}-{sequence:06d}",
                    provisional=provisional,
                    registered_at=format_wall(now),
                    state="registered",
                    state_since=format_wall(now),
                    change=_count(connection, kiosk.court.id, CHANGES),
                )
            )
        elif provisional is not None:  # the first answer was lost; the receipt shows this number
            connection.execute(
                update(table)
                .where(table.c.id == filing, table.c.provisional.is_(None))
                .values(provisional=provisional)
            )
        self._crash_hook(crash_points.REGISTER_BEFORE_COMMIT)

    async def describe(self, kiosk: Kiosk, filing: str) -> dict[str, Any]:
        """Return ``Filing`` of the contract.

        Raises:
            RefusedError: 404.
        """
        delivery = await self._deliveries.find(kiosk.id, "filing", filing)
        progress = await self._deliveries.progress(delivery)

        def work(connection: Connection) -> tuple[Row[Any], Sequence[Row[Any]]]:
            table = schema.filings
            row = connection.execute(select(table).where(table.c.id == filing)).one()
            return row, searchable_versions(connection, filing)

        row, searchable = await self._database.run_read(work)
        return {
            **_state_of(row),
            "as_of": format_wall(),
            "delivered": delivery.receipt is not None,
            "missing": progress["missing"],
            "receipt": delivery.receipt,
            "searchable": [
                {
                    "path": version.path,
                    "size": version.size,
                    "sha256": version.sha256,
                    "made_at": version.made_at,
                }
                for version in searchable
                if version.state == "done"
            ],
        }


def _state_of(row: Row[Any]) -> dict[str, Any]:
    """Return what the contract says of a filing wherever it stands."""
    return {
        "filing": row.id,
        "state": row.state,
        "number": row.number,
        "provisional": row.provisional,
        "registered_at": row.registered_at,
        "state_since": row.state_since,
        "reason": row.reason,
    }


def list_changes(
    connection: Connection, kiosk: Kiosk, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Return ``FilingChanges`` of the contract: filings of ``kiosk`` changed after ``cursor``.

    Raises:
        RefusedError: 400 ``cursor_unknown``.
    """
    table, deliveries, counters = schema.filings, schema.deliveries, schema.counters
    court = kiosk.court.id
    newest = connection.execute(
        select(counters.c.last).where(counters.c.court == court, counters.c.year == CHANGES)
    ).scalar_one_or_none()
    after = read_cursor(cursor, court, newest or 0)
    rows = connection.execute(
        select(table)
        .join(deliveries, deliveries.c.id == table.c.id)
        .where(table.c.court == court, table.c.change > after, deliveries.c.kiosk == kiosk.id)
        .order_by(table.c.change)
        .limit(limit + 1)
    ).all()
    has_more, rows = len(rows) > limit, rows[:limit]
    return {
        "filings": [_state_of(row) for row in rows],
        "next": make_cursor(court, rows[-1].change if has_more else newest or 0),
        "more": has_more,
        "as_of": format_wall(),
    }


def next_number(connection: Connection, court: Court) -> tuple[int, int]:
    """Return the year and the court's next number in it; used up only if the caller commits."""
    year = court.year(wall_time())
    return year, _count(connection, court.id, year)


def _count(connection: Connection, court: str, year: int) -> int:
    """Return the next number of a court's counter, which is locked until the transaction ends."""
    table = schema.counters
    statement = insert(connection, table).values(court=court, year=year, last=1)
    last = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["court", "year"], set_={"last": table.c.last + 1}
        ).returning(table.c.last)
    ).scalar_one()
    return int(last)


def set_state(
    connection: Connection, number: str, state: FilingState, reason: str | None = None
) -> None:
    """Write the registry's decision on a filing.

    Args:
        connection: a writing transaction.
        number: registration number.
        state: what was decided.
        reason: why it is returned; given for ``returned`` only.

    Raises:
        RefusedError: 404 unknown number; 409 no step from the current state; 400 reason.
    """
    table = schema.filings
    row = connection.execute(
        select(table).where(table.c.number == number).with_for_update()
    ).one_or_none()
    if row is None:
        raise not_found()
    if (state == "returned") != bool(reason):
        raise RefusedError(400, "malformed", "a reason is given when, and only when, returning")
    if row.state == state and row.reason == reason:
        return
    if state not in NEXT_STATES[row.state]:
        raise RefusedError(409, "step_refused", f"{row.state} cannot become {state}")
    connection.execute(
        update(table)
        .where(table.c.id == row.id)
        .values(
            state=state,
            state_since=format_wall(),
            reason=reason,
            change=_count(connection, row.court, CHANGES),
        )
    )
