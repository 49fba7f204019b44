"""Handlers of ``docs/central-api.yaml``, without those of tus and of the link check."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import ETag, web
from sqlalchemy import Connection, Row, update

import kiosk
from kiosk.central import CONTRACT, REVISION
from kiosk.central.contract import (
    ClosuresRequest,
    EnrolmentRequest,
    FilingRegistration,
    HeadsRequest,
    HearingManifest,
    Heartbeat,
    LiveRoom,
    RenewalRequest,
    ReportManifest,
    UploadAnnouncement,
)
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries import journal_heads
from kiosk.central.deliveries.deliveries import DeliveryService, make_manifest
from kiosk.central.deliveries.filing_registry import FilingRegistry, list_changes
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.read_back import ReadBackLimit
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import (
    Handler,
    KioskAuthenticator,
    json_response,
    path_uuid,
    peer_certificate,
    read_body,
    tagged_response,
    unless_known,
)
from kiosk.central.http.link_check import LinkCheckApi
from kiosk.central.http.queries import query_count, query_day, query_number
from kiosk.central.http.rate_limit import RateLimit, network_of
from kiosk.central.identity import courts, enrolment, rules_packs
from kiosk.central.identity.authority import CertificateAuthority, IssuedCertificate
from kiosk.central.identity.enrolment import Kiosk
from kiosk.central.identity.revocation_list import RevocationListIssuer
from kiosk.central.identity.staff_lists import StaffListIssuer, list_tag
from kiosk.central.live_rooms import LiveRooms
from kiosk.clocks import format_wall
from kiosk.errors import StorageError

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 60
MAX_WAIT_S = 30.0
MAX_DAYS = 31
MAX_ROWS = 200  # of a page
MAX_ENROLMENT_BYTES = 32 << 10  # a stranger sends it


@dataclass(frozen=True)
class KioskApi:
    """Handlers of the contract's requests.

    Attributes:
        database: where everything is recorded.
        authority: the court's CA.
        uploads: files on their way in.
        deliveries: hearings, filings, reports.
        registry: registration numbers of filings.
        store: delivered files.
        authenticator: identifies the calling kiosk.
        link: the link check (for its UDP port).
        staff_lists: the signed list of staff of each kiosk.
        owners: whose hearing an id is.
        revocations: the signed list of revoked certificates.
        wrong_codes: limits how often a stranger may guess an enrolment code.
        read_back: limits what a kiosk may read back.
        live: levels and proof of the rooms that record now.
    """

    database: Database
    authority: CertificateAuthority
    uploads: UploadService
    deliveries: DeliveryService
    registry: FilingRegistry
    store: ObjectStore
    authenticator: KioskAuthenticator
    link: LinkCheckApi
    staff_lists: StaffListIssuer
    owners: HearingOwners
    revocations: RevocationListIssuer
    wrong_codes: RateLimit
    read_back: ReadBackLimit
    live: LiveRooms

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            _get_route("/v1/contract", self.get_contract),
            _get_route("/v1/ca.crt", self.get_root_certificate),
            _get_route("/v1/ca.crl", self.get_revocation_list),
            web.post("/v1/enrol", self.post_enrolment),
            web.post("/v1/renew", self.post_renewal),
            _get_route("/v1/schedule", self.get_schedule),
            _get_route("/v1/staff", self.get_staff),
            _get_route("/v1/rules-pack", self.get_rules_pack),
            _get_route("/v1/filings", self.get_filing_changes),
            web.put("/v1/filings/{id}", self.put_filing),
            _get_route("/v1/filings/{id}", self.get_filing),
            web.put("/v1/hearings/{id}", self.put_hearing),
            _get_route("/v1/hearings/{id}", self.get_hearing),
            web.post("/v1/hearings/{id}/heads", self.post_heads),
            web.post("/v1/hearings/{id}/closures", self.post_closures),
            _get_route("/v1/hearings/{id}/files/{path:.+}", self.get_file),
            web.put("/v1/reports/{id}", self.put_report),
            _get_route("/v1/reports/{id}", self.get_report),
            web.put("/v1/uploads/{id}", self.put_upload),
            _get_route("/v1/uploads/{id}", self.get_upload),
            web.put("/v1/state", self.put_state),
            web.put("/v1/live", self.put_live),
        ]

    # -- contract and identity ---------------------------------------------------------------
    async def get_contract(self, request: web.Request) -> web.StreamResponse:
        """Return the contract's version and the caller's identity."""
        caller = (
            await self.authenticator.authenticate(request)
            if peer_certificate(request) is not None
            else None
        )
        court = caller.court if caller is not None else await self._only_court()
        return json_response(
            {
                "contract": CONTRACT,
                "revision": REVISION,
                "server": f"courtroom-kiosk-central {kiosk.__version__}",
                "wall": format_wall(),
                "kiosk": None if caller is None else caller.id,
                "room": None if caller is None else caller.room,
                "court": {"id": court.id, "name": court.name, "timezone": court.zone.key},
                "tus": "1.0.0",
                "udp_port": self.link.udp_port,
            }
        )

    async def _only_court(self) -> courts.Court:
        court = await self.database.run_read(courts.find_single_court)
        if court is None:
            raise RefusedError(401, "certificate_required", "several courts are served here")
        return court

    async def get_root_certificate(self, _request: web.Request) -> web.StreamResponse:
        """Return the root certificate."""
        return _pem_response(self.authority.root_pem)

    async def get_revocation_list(self, request: web.Request) -> web.StreamResponse:
        """Return the revocation list; 304 if the caller has it."""
        current = await self.revocations.issue()
        return unless_known(request, ETag(current.tag), lambda: _pem_response(current.pem))

    async def post_enrolment(self, request: web.Request) -> web.StreamResponse:
        """Exchange a one-time code for a device certificate."""
        network = network_of(request)
        body = await read_body(request, EnrolmentRequest, MAX_ENROLMENT_BYTES)
        try:
            await self.database.run_read(
                lambda connection: enrolment.require_code(connection, body.code)
            )
        except RefusedError:  # a right code is never limited: many kiosks may share an address
            self.wrong_codes.check(network)
            self.wrong_codes.count(network)
            raise
        caller, issued = await self.database.run_write(
            lambda connection: enrolment.enrol(connection, self.authority, body.code, body.csr)
        )
        return json_response(self._certificate(caller, issued))

    async def post_renewal(self, request: web.Request) -> web.StreamResponse:
        """Issue another certificate to a kiosk with a valid one."""
        caller = await self.authenticator.authenticate(request)
        body = await read_body(request, RenewalRequest)
        issued = await self.database.run_write(
            lambda connection: enrolment.renew(connection, self.authority, caller, body.csr)
        )
        return json_response(self._certificate(caller, issued))

    def _certificate(self, caller: Kiosk, issued: IssuedCertificate) -> dict[str, Any]:
        return {
            "kiosk": caller.id,
            "room": caller.room,
            "court": caller.court.name,
            "certificate": issued.pem,
            "chain": self.authority.root_pem,
            "not_after": format_wall(issued.not_after),
            "court_keys": self.authority.court_keys(),
        }

    # -- schedule ----------------------------------------------------------------------------
    async def get_schedule(self, request: web.Request) -> web.StreamResponse:
        """Return the hearings of the caller's courtroom; 304 if the caller has them."""
        caller = await self.authenticator.authenticate(request)
        first, days = query_day(request, "from"), query_count(request, "days", 7, MAX_DAYS)
        value = await self.database.run_read(
            lambda connection: courts.read_schedule(
                connection, caller.court, caller.room, first, days
            )
        )
        return tagged_response(request, value)

    async def get_staff(self, request: web.Request) -> web.StreamResponse:
        """Return the signed list of the caller's room; 304 if the caller has it."""
        caller = await self.authenticator.authenticate(request)
        value = await self.staff_lists.issue(caller)
        return unless_known(request, ETag(list_tag(value)), lambda: json_response(value))

    async def get_rules_pack(self, request: web.Request) -> web.StreamResponse:
        """Return the signed rules pack; 304 if the caller has it."""
        await self.authenticator.authenticate(request)
        return tagged_response(
            request, {"pack": await self.database.run_read(rules_packs.read_newest)}
        )

    # -- filings -----------------------------------------------------------------------------
    async def put_filing(self, request: web.Request) -> web.StreamResponse:
        """Register a filing."""
        caller, filing = await self.authenticator.authenticate(request), path_uuid(request)
        body = await read_body(request, FilingRegistration)
        return json_response(await self.registry.register(caller, filing, body))

    async def get_filing_changes(self, request: web.Request) -> web.StreamResponse:
        """Return a page of the caller's filings that have changed after a cursor."""
        caller = await self.authenticator.authenticate(request)
        cursor, limit = request.query.get("after"), query_count(request, "limit", 100, MAX_ROWS)
        value = await self.database.run_read(
            lambda connection: list_changes(connection, caller, cursor, limit)
        )
        return tagged_response(request, value)

    async def get_filing(self, request: web.Request) -> web.StreamResponse:
        """Return a filing's state."""
        caller = await self.authenticator.authenticate(request)
        value = await self.registry.describe(caller, path_uuid(request))
        return tagged_response(request, value)

    # -- hearings ----------------------------------------------------------------------------
    async def put_hearing(self, request: web.Request) -> web.StreamResponse:
        """Register a hearing's manifest."""
        caller, hearing = await self.authenticator.authenticate(request), path_uuid(request)
        body = await read_body(request, HearingManifest)
        if body.hearing.id != hearing:
            raise malformed("hearing.id: not the id of the address")
        manifest = make_manifest("hearing", body, body.files, final=body.final)
        return json_response(await self.deliveries.register(caller.id, hearing, manifest))

    async def get_hearing(self, request: web.Request) -> web.StreamResponse:
        """Return the progress of a hearing's delivery."""
        caller = await self.authenticator.authenticate(request)
        value = await self.deliveries.describe(caller.id, "hearing", path_uuid(request))
        return tagged_response(request, value)

    async def post_heads(self, request: web.Request) -> web.StreamResponse:
        """Store signed heads of a hearing's journal."""
        caller, hearing = await self.authenticator.authenticate(request), path_uuid(request)
        heads = (await read_body(request, HeadsRequest)).heads
        # Signatures are checked before: who writes holds up every other writer of SQLite.
        await self.database.run_select(
            lambda connection: journal_heads.check_signatures(connection, caller.id, hearing, heads)
        )
        conflicts = await self.owners.write(
            caller.id,
            "hearing",
            hearing,
            lambda connection: journal_heads.store_heads(connection, caller.id, hearing, heads),
        )
        if conflicts:
            raise RefusedError(409, "head_conflicts", "another hash is known for this count")
        return json_response({"stored": len(heads), "as_of": format_wall()})

    async def post_closures(self, request: web.Request) -> web.StreamResponse:
        """Withhold delivered plain files that a retroactive closure replaces."""
        caller, hearing = await self.authenticator.authenticate(request), path_uuid(request)
        closures = (await read_body(request, ClosuresRequest)).closures
        return json_response(await self.deliveries.closures.apply(caller.id, hearing, closures))

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """Return a delivered file, or a range of it."""
        caller, hearing = await self.authenticator.authenticate(request), path_uuid(request)
        row = await self.deliveries.find_file(caller.id, hearing, request.match_info["path"])
        await self.read_back.check(caller.id, row.owner)
        return await send_file(request, self.store, row)

    # -- reports and uploads -----------------------------------------------------------------
    async def put_report(self, request: web.Request) -> web.StreamResponse:
        """Register a self-test report's manifest."""
        caller, report = await self.authenticator.authenticate(request), path_uuid(request)
        body = await read_body(request, ReportManifest)
        manifest = make_manifest("report", body, body.files)
        return json_response(await self.deliveries.register(caller.id, report, manifest))

    async def get_report(self, request: web.Request) -> web.StreamResponse:
        """Return the progress of a report's delivery."""
        caller = await self.authenticator.authenticate(request)
        value = await self.deliveries.describe(caller.id, "report", path_uuid(request))
        return tagged_response(request, value)

    async def put_upload(self, request: web.Request) -> web.StreamResponse:
        """Announce one file."""
        caller, upload = await self.authenticator.authenticate(request), path_uuid(request)
        body = await read_body(request, UploadAnnouncement)
        return json_response(await self.uploads.announce(caller.id, upload, body))

    async def get_upload(self, request: web.Request) -> web.StreamResponse:
        """Return the progress of an upload."""
        caller = await self.authenticator.authenticate(request)
        wait = query_number(request, "wait", 0.0, MAX_WAIT_S)
        return json_response(await self.uploads.describe(caller.id, path_uuid(request), wait))

    # -- state -------------------------------------------------------------------------------
    async def put_state(self, request: web.Request) -> web.StreamResponse:
        """Store a heartbeat."""
        caller = await self.authenticator.authenticate(request)
        state = (await read_body(request, Heartbeat)).model_dump(mode="json")
        now = format_wall()

        def work(connection: Connection) -> None:
            connection.execute(
                update(schema.kiosks)
                .where(schema.kiosks.c.id == caller.id)
                .values(state=state, state_at=now, last_seen=now)
            )

        await self.database.run_write(work)
        self.live.note_alarms(caller.id, state["alarms"])
        return json_response({"as_of": now, "next_seconds": HEARTBEAT_SECONDS})

    async def put_live(self, request: web.Request) -> web.StreamResponse:
        """Take what a room that records says now; it is not stored."""
        caller = await self.authenticator.authenticate(request)
        self.live.put(caller.id, await read_body(request, LiveRoom))
        return json_response({})


async def send_file(request: web.Request, store: ObjectStore, row: Row[Any]) -> web.StreamResponse:
    """Send a complete upload, or the requested byte range (RFC 9110, 14)."""
    start, stop = _byte_range(request, row.size)
    partial = "Range" in request.headers
    response = web.StreamResponse(status=206 if partial else 200)
    response.content_type = "application/octet-stream"
    response.content_length = stop - start
    response.headers["ETag"] = f'"{row.server_sha256}"'
    response.headers["Accept-Ranges"] = "bytes"
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{row.size}"
    blocks = _read_whole(store, row.id, start, stop - start)
    block = await asyncio.to_thread(next, blocks, b"")  # what cannot be read at all is 503
    await response.prepare(request)
    try:
        while block:
            await response.write(block)
            block = await asyncio.to_thread(next, blocks, b"")
    except StorageError as error:  # an answer that says so would stand in the file
        log.error("upload %s breaks off while it is read back: %s", row.id, error)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def _read_whole(store: ObjectStore, key: str, start: int, length: int) -> Iterator[bytes]:
    """Yield ``length`` bytes of a delivered file.

    Raises:
        StorageError: it cannot be read, or has fewer.
    """
    try:
        for block in store.read(key, start, length):
            length -= len(block)
            yield block
    except OSError as error:
        raise StorageError(f"{key}: {error.strerror}") from error
    if length:
        raise StorageError(f"{key}: {length} bytes are missing")


def _byte_range(request: web.Request, size: int) -> tuple[int, int]:
    try:
        requested = request.http_range
        start, stop, _ = slice(requested.start, requested.stop).indices(size)
    except ValueError as error:
        raise malformed("Range: not a byte range") from error
    if "Range" in request.headers and start >= stop:
        raise RefusedError(416, "range_outside", f"the file has {size} bytes")
    return start, stop


def _get_route(path: str, handler: Handler) -> web.RouteDef:
    return web.get(path, handler, allow_head=False)


def _pem_response(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/x-pem-file")
