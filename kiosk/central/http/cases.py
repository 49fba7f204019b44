"""Is there such a case? Number, kind and court; nothing about anybody, and not too often."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, select

from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.web import Doorkeeper, answer
from kiosk.central.identity.courts import Court
from kiosk.clocks import wall_text
from kiosk.rules import case_number_key

MOST = 30
WINDOW_S = 60.0
LONGEST = 200


class Cases:
    """``GET /v1/cases``.

    Args:
        database: the schedule is asked; a court's own register belongs here.
        door: says who is calling.
        clock: seconds that never jump.
    """

    def __init__(
        self, database: Database, door: Doorkeeper, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._door = door
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the address."""
        return [web.get("/v1/cases", self.find, allow_head=False)]

    async def find(self, request: web.Request) -> web.StreamResponse:
        """Say whether there is such a case in the caller's court."""
        caller = await self._door.kiosk(request)
        number = request.query.get("number", "")
        if not 1 <= len(number) <= LONGEST:
            raise malformed(f"number: 1 to {LONGEST} characters")
        self._count(caller.id)
        hearing = await self._database.reading(
            lambda connection: _hearing_of(connection, caller.court, number)
        )
        return answer(
            {
                "number": number if hearing is None else str(hearing["case_number"]),
                "exists": hearing is not None,
                "kind": None if hearing is None else hearing.get("kind") or None,
                "court": None if hearing is None else caller.court.name,
                "as_of": wall_text(),
            }
        )

    def _count(self, kiosk: str) -> None:
        """Refuse a kiosk that tries numbers out."""
        now, asked = self._clock(), self._asked.setdefault(kiosk, deque())
        while asked and now - asked[0] >= WINDOW_S:
            asked.popleft()
        if len(asked) >= MOST:
            raise RefusedError(429, "too_many", retry_after=int(WINDOW_S))
        asked.append(now)


def _hearing_of(connection: Connection, court: Court, number: str) -> dict[str, Any] | None:
    """Return a hearing of the case; look-alike letters do not count."""
    key = case_number_key(number)
    table = schema.schedule
    rows = connection.execute(
        select(table.c.hearing)
        .where(table.c.court == court.id)
        .order_by(table.c.scheduled_at.desc())
    )
    for row in rows:
        hearing: dict[str, Any] = row.hearing
        if key and case_number_key(str(hearing.get("case_number") or "")) == key:
            return hearing
    return None
