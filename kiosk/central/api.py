"""The addresses of ``docs/central-api.yaml`` (those of tus and the link check aside)."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, Row, update

import kiosk
from kiosk.central import CONTRACT, REVISION
from kiosk.central.contract import (
    Closures,
    DeviceState,
    Enrolment,
    FilingRegistration,
    Heads,
    HearingManifest,
    Renewal,
    ReportManifest,
    UploadAnnouncement,
)
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.store import Store
from kiosk.central.deliveries import journal
from kiosk.central.deliveries.closures import Closures as ClosedSince
from kiosk.central.deliveries.deliveries import Deliveries, manifest_of
from kiosk.central.deliveries.registry import Registry
from kiosk.central.deliveries.uploads import Uploads
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.link import LinkCheck
from kiosk.central.http.web import Doorkeeper, answer, body_of, peer, uuid_of
from kiosk.central.identity import courts, enrolment
from kiosk.central.identity.authority import Authority, Issued
from kiosk.central.identity.enrolment import Kiosk
from kiosk.clocks import wall_text

HEARTBEAT_SECONDS = 60
LONGEST_WAIT = 30.0
MOST_DAYS = 31


class Api:
    """The contract's addresses.

    Args:
        database: all that is known.
        authority: the court's CA.
        uploads: bytes on their way in.
        deliveries: hearings, filings, reports.
        registry: numbers of filings.
        store: delivered bytes.
        door: says who is calling.
        link: the link check (for its UDP port).
        closures: carries out closings since a moment before.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        uploads: Uploads,
        deliveries: Deliveries,
        registry: Registry,
        store: Store,
        door: Doorkeeper,
        link: LinkCheck,
        closures: ClosedSince,
    ) -> None:
        self._database = database
        self._authority = authority
        self._uploads = uploads
        self._deliveries = deliveries
        self._registry = registry
        self._store = store
        self._door = door
        self._link = link
        self._closures = closures

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses."""
        return [
            _get("/v1/contract", self.contract),
            _get("/v1/ca.crt", self.root),
            _get("/v1/ca.crl", self.revocation_list),
            web.post("/v1/enrol", self.enrol),
            web.post("/v1/renew", self.renew),
            _get("/v1/schedule", self.schedule),
            _get("/v1/staff", self.staff),
            web.put("/v1/filings/{id}", self.put_filing),
            _get("/v1/filings/{id}", self.get_filing),
            web.put("/v1/hearings/{id}", self.put_hearing),
            _get("/v1/hearings/{id}", self.get_hearing),
            web.post("/v1/hearings/{id}/heads", self.post_heads),
            web.post("/v1/hearings/{id}/closures", self.post_closures),
            _get("/v1/hearings/{id}/files/{path:.+}", self.get_file),
            web.put("/v1/reports/{id}", self.put_report),
            _get("/v1/reports/{id}", self.get_report),
            web.put("/v1/uploads/{id}", self.put_upload),
            _get("/v1/uploads/{id}", self.get_upload),
            web.put("/v1/state", self.put_state),
        ]

    # -- contract and identity ---------------------------------------------------------------
    async def contract(self, request: web.Request) -> web.StreamResponse:
        """Say which contract this is, and whom the caller is taken for."""
        caller = await self._door.kiosk(request) if peer(request) is not None else None
        court = caller.court if caller is not None else await self._only_court()
        return answer(
            {
                "contract": CONTRACT,
                "revision": REVISION,
                "server": f"courtroom-kiosk-central {kiosk.__version__}",
                "wall": wall_text(),
                "kiosk": None if caller is None else caller.id,
                "room": None if caller is None else caller.room,
                "court": {"id": court.id, "name": court.name, "timezone": court.zone.key},
                "tus": "1.0.0",
                "udp_port": self._link.udp_port,
            }
        )

    async def _only_court(self) -> courts.Court:
        court = await self._database.reading(courts.only_court)
        if court is None:
            raise RefusedError(401, "certificate_required", "several courts are served here")
        return court

    async def root(self, _request: web.Request) -> web.StreamResponse:
        """Give the root certificate."""
        return _pem(self._authority.root_pem)

    async def revocation_list(self, _request: web.Request) -> web.StreamResponse:
        """Give the revocation list."""
        revoked = await self._database.reading(enrolment.revoked)
        return _pem(await asyncio.to_thread(self._authority.revocation_list, revoked))

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """Exchange a one-time code for a device certificate."""
        body = await body_of(request, Enrolment)
        caller, issued = await self._database.writing(
            lambda connection: enrolment.enrol(connection, self._authority, body.code, body.csr)
        )
        return answer(self._certificate(caller, issued))

    async def renew(self, request: web.Request) -> web.StreamResponse:
        """Issue another certificate to a kiosk that has a good one."""
        caller = await self._door.kiosk(request)
        body = await body_of(request, Renewal)
        issued = await self._database.writing(
            lambda connection: enrolment.renew(connection, self._authority, caller, body.csr)
        )
        return answer(self._certificate(caller, issued))

    def _certificate(self, caller: Kiosk, issued: Issued) -> dict[str, Any]:
        return {
            "kiosk": caller.id,
            "room": caller.room,
            "court": caller.court.name,
            "certificate": issued.pem,
            "chain": self._authority.root_pem,
            "not_after": wall_text(issued.not_after),
            "court_keys": self._authority.court_keys(),
        }

    # -- schedule ----------------------------------------------------------------------------
    async def schedule(self, request: web.Request) -> web.StreamResponse:
        """Give the hearings of the caller's room."""
        caller = await self._door.kiosk(request)
        first, days = _first_day(request), _days(request)
        return answer(
            await self._database.reading(
                lambda connection: courts.schedule_of(
                    connection, caller.court, caller.room, first, days
                )
            )
        )

    async def staff(self, request: web.Request) -> web.StreamResponse:
        """Give the staff of the caller's court."""
        caller = await self._door.kiosk(request)
        return answer(
            await self._database.reading(
                lambda connection: courts.staff_of(connection, caller.court)
            )
        )

    # -- filings -----------------------------------------------------------------------------
    async def put_filing(self, request: web.Request) -> web.StreamResponse:
        """Register a filing."""
        caller, filing = await self._door.kiosk(request), uuid_of(request)
        body = await body_of(request, FilingRegistration)
        return answer(await self._registry.register(caller, filing, body))

    async def get_filing(self, request: web.Request) -> web.StreamResponse:
        """Give a filing's state."""
        caller = await self._door.kiosk(request)
        return answer(await self._registry.describe(caller, uuid_of(request)))

    # -- hearings ----------------------------------------------------------------------------
    async def put_hearing(self, request: web.Request) -> web.StreamResponse:
        """Take a hearing's manifest."""
        caller, hearing = await self._door.kiosk(request), uuid_of(request)
        body = await body_of(request, HearingManifest)
        if body.hearing.id != hearing:
            raise malformed("hearing.id: not the id of the address")
        manifest = manifest_of("hearing", body, body.files, final=body.final)
        return answer(await self._deliveries.put(caller.id, hearing, manifest))

    async def get_hearing(self, request: web.Request) -> web.StreamResponse:
        """Say where a hearing's delivery stands."""
        caller = await self._door.kiosk(request)
        return answer(await self._deliveries.describe(caller.id, "hearing", uuid_of(request)))

    async def post_heads(self, request: web.Request) -> web.StreamResponse:
        """Keep signed heads of a hearing's journal."""
        caller, hearing = await self._door.kiosk(request), uuid_of(request)
        heads = (await body_of(request, Heads)).heads

        def work(connection: Connection) -> int | None:
            conflicts = journal.check_heads(connection, caller.id, hearing, heads)
            if conflicts:
                journal.note_conflict(connection, caller.id, hearing, conflicts)
                return None
            return journal.put_heads(connection, caller.id, hearing, heads)

        stored = await self._database.writing(work)
        if stored is None:
            raise RefusedError(409, "head_conflicts", "another hash is known for this count")
        return answer({"stored": stored, "as_of": wall_text()})

    async def post_closures(self, request: web.Request) -> web.StreamResponse:
        """Delete what was delivered in the clear before its hearing was closed since then."""
        caller, hearing = await self._door.kiosk(request), uuid_of(request)
        closures = (await body_of(request, Closures)).closures
        return answer(await self._closures.take(caller.id, hearing, closures))

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """Give a delivered file back, or a range of it."""
        caller, hearing = await self._door.kiosk(request), uuid_of(request)
        row = await self._deliveries.file(caller.id, hearing, request.match_info["path"])
        return await send_file(request, self._store, row)

    # -- reports and uploads -----------------------------------------------------------------
    async def put_report(self, request: web.Request) -> web.StreamResponse:
        """Take a self-test report's manifest."""
        caller, report = await self._door.kiosk(request), uuid_of(request)
        body = await body_of(request, ReportManifest)
        manifest = manifest_of("report", body, body.files)
        return answer(await self._deliveries.put(caller.id, report, manifest))

    async def get_report(self, request: web.Request) -> web.StreamResponse:
        """Say where a report's delivery stands."""
        caller = await self._door.kiosk(request)
        return answer(await self._deliveries.describe(caller.id, "report", uuid_of(request)))

    async def put_upload(self, request: web.Request) -> web.StreamResponse:
        """Announce one file."""
        caller, upload = await self._door.kiosk(request), uuid_of(request)
        body = await body_of(request, UploadAnnouncement)
        return answer(await self._uploads.announce(caller.id, upload, body))

    async def get_upload(self, request: web.Request) -> web.StreamResponse:
        """Say where an upload stands."""
        caller = await self._door.kiosk(request)
        wait = _number(request, "wait", 0.0, LONGEST_WAIT)
        return answer(await self._uploads.describe(caller.id, uuid_of(request), wait))

    # -- state -------------------------------------------------------------------------------
    async def put_state(self, request: web.Request) -> web.StreamResponse:
        """Keep a heartbeat."""
        caller = await self._door.kiosk(request)
        state = (await body_of(request, DeviceState)).model_dump(mode="json")
        now = wall_text()

        def work(connection: Connection) -> None:
            connection.execute(
                update(schema.kiosks)
                .where(schema.kiosks.c.id == caller.id)
                .values(state=state, state_at=now, last_seen=now)
            )

        await self._database.writing(work)
        return answer({"as_of": now, "next_seconds": HEARTBEAT_SECONDS})


async def send_file(request: web.Request, store: Store, row: Row[Any]) -> web.StreamResponse:
    """Send a complete upload, or the byte range that was asked for (RFC 9110, 14)."""
    start, stop = _range(request, row.size)
    partial = "Range" in request.headers
    response = web.StreamResponse(status=206 if partial else 200)
    response.content_type = "application/octet-stream"
    response.content_length = stop - start
    response.headers["ETag"] = f'"{row.server_sha256}"'
    response.headers["Accept-Ranges"] = "bytes"
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{row.size}"
    await response.prepare(request)
    blocks = store.read(row.id, start, stop - start)
    while block := await asyncio.to_thread(next, blocks, b""):
        await response.write(block)
    await response.write_eof()
    return response


def _range(request: web.Request, size: int) -> tuple[int, int]:
    try:
        asked = request.http_range
        start, stop, _ = slice(asked.start, asked.stop).indices(size)
    except ValueError as error:
        raise malformed("Range: not a byte range") from error
    if "Range" in request.headers and start >= stop:
        raise RefusedError(416, "range_outside", f"the file has {size} bytes")
    return start, stop


def _get(path: str, handler: Any) -> web.RouteDef:
    return web.get(path, handler, allow_head=False)


def _pem(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/x-pem-file")


def _first_day(request: web.Request) -> date | None:
    text = request.query.get("from")
    if text is None:
        return None
    try:
        if len(text) != len("2000-01-01"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise malformed("from: not a day as YYYY-MM-DD") from error


def _days(request: web.Request) -> int:
    text = request.query.get("days", "7")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DAYS):
        raise malformed(f"days: 1 to {MOST_DAYS}")
    return int(text)


def _number(request: web.Request, name: str, default: float, most: float) -> float:
    try:
        value = float(request.query.get(name, default))
    except ValueError as error:
        raise malformed(f"{name}: not a number") from error
    if not 0 <= value <= most:
        raise malformed(f"{name}: 0 to {most:g}")
    return value
