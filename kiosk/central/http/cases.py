"""Case look-up with a rate limit: number, kind and court, no personal data."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, select

from kiosk.central.contract import MAX_NUMBER_LENGTH, CaseQuery
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.errors import malformed
from kiosk.central.http.json_api import KioskAuthenticator, json_response, read_body
from kiosk.central.http.rate_limit import RateLimit
from kiosk.central.identity.courts import Court
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import format_wall
from kiosk.rules import case_number_key

MAX_REQUESTS = 30
WINDOW_S = 60.0


class CaseApi:
    """Handlers of ``/v1/cases``.

    Args:
        database: its schedule stands in for a court's case register.
        authenticator: identifies the calling kiosk.
    """

    def __init__(self, database: Database, authenticator: KioskAuthenticator) -> None:
        self._database = database
        self._authenticator = authenticator
        self._limit = RateLimit(MAX_REQUESTS, WINDOW_S)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/v1/cases", self.find),
            web.get("/v1/cases", self.find_by_address, allow_head=False),
        ]

    async def find(self, request: web.Request) -> web.StreamResponse:
        """Return the case of the caller's court, if there is one."""
        caller = await self._authenticator.authenticate(request)
        return await self._answer(caller, (await read_body(request, CaseQuery)).number)

    async def find_by_address(self, request: web.Request) -> web.StreamResponse:
        """Do the same for kiosks of an earlier release; addresses stand in the logs of proxies."""
        caller = await self._authenticator.authenticate(request)
        number = request.query.get("number", "")
        if not 1 <= len(number) <= MAX_NUMBER_LENGTH:
            raise malformed(f"number: 1 to {MAX_NUMBER_LENGTH} characters")
        return await self._answer(caller, number)

    async def _answer(self, caller: Kiosk, number: str) -> web.StreamResponse:
        self._limit.check(caller.id)
        self._limit.count(caller.id)
        hearing = await self._database.run_read(
            lambda connection: _find_hearing(connection, caller.court, number)
        )
        return json_response(
            {
                "number": number if hearing is None else str(hearing["case_number"]),
                "exists": hearing is not None,
                "kind": None if hearing is None else hearing.get("kind") or None,
                "court": None if hearing is None else caller.court.name,
                "as_of": format_wall(),
            }
        )


def _find_hearing(connection: Connection, court: Court, number: str) -> dict[str, Any] | None:
    """Return a hearing of the case; look-alike letters are equal."""
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
