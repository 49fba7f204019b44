"""HTTP API of tus 1.0 (https://tus.io/protocols/resumable-upload): core and checksum."""

from __future__ import annotations

import base64
import binascii

from aiohttp import web

from kiosk.central.arrival.intake import Checksum
from kiosk.central.deliveries.upload_records import UNUSABLE_STATES
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import KioskAuthenticator, error_response, path_uuid, request_body

VERSION = "1.0.0"
PREFIX = "/v1/tus/"
ADDRESS = f"{PREFIX}{{id}}"
MAX_BYTES = 1 << 40  # as ``Size`` of the contract
CONTENT_TYPE = "application/offset+octet-stream"
SHA256_BYTES = 32


class TusApi:
    """Handlers of ``/v1/tus/{id}``."""

    def __init__(self, uploads: UploadService, authenticator: KioskAuthenticator) -> None:
        self._uploads = uploads
        self._authenticator = authenticator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.options(ADDRESS, self.options),
            web.head(ADDRESS, self.head),
            web.patch(ADDRESS, self.patch),
            web.post(ADDRESS, self.post),
        ]

    async def options(self, request: web.Request) -> web.StreamResponse:
        """Return the supported version and extensions."""
        path_uuid(request)
        return web.Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": "checksum",
                "Tus-Max-Size": str(MAX_BYTES),
                "Tus-Checksum-Algorithm": "sha256",
            },
        )

    async def head(self, request: web.Request) -> web.StreamResponse:
        """Return the durable offset."""
        kiosk = await self._authenticator.authenticate(request)
        _check_version(request)
        row = await self._uploads.find(kiosk.id, path_uuid(request))
        if row.state in UNUSABLE_STATES:
            return error_response(RefusedError(410, "upload_dead"))
        return web.Response(
            headers={
                "Upload-Offset": str(await self._uploads.durable_offset(row)),
                "Upload-Length": str(row.size),
                "Cache-Control": "no-store",
            }
        )

    async def patch(self, request: web.Request) -> web.StreamResponse:
        """Append bytes."""
        kiosk = await self._authenticator.authenticate(request)
        _check_version(request)
        if request.content_type != CONTENT_TYPE:
            raise RefusedError(415, "malformed", f"the body is to be {CONTENT_TYPE}")
        offset = _upload_offset(request)
        checksum = _upload_checksum(request)
        row = await self._uploads.find(kiosk.id, path_uuid(request))
        if row.state in UNUSABLE_STATES:
            raise RefusedError(410, "upload_dead", "ask the owner for a fresh address")
        end = await self._uploads.append(
            row, offset, request_body(request), checksum, request.content_length
        )
        return web.Response(status=204, headers={"Upload-Offset": str(end)})

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Do what ``X-HTTP-Method-Override`` says, for lines that let no PATCH through."""
        method = request.headers.get("X-HTTP-Method-Override", "").upper()
        handlers = {"PATCH": self.patch, "HEAD": self.head}
        if method not in handlers:
            raise RefusedError(405, "http", "X-HTTP-Method-Override: PATCH or HEAD")
        return await handlers[method](request)


async def add_tus_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add what every answer of tus carries, errors too (``on_response_prepare``)."""
    if request.path.startswith(PREFIX):
        response.headers["Tus-Resumable"] = VERSION
        if response.status == 412:
            response.headers["Tus-Version"] = VERSION


def _check_version(request: web.Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise RefusedError(412, "tus_version", f"this server speaks tus {VERSION}")


def _upload_offset(request: web.Request) -> int:
    text = request.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise malformed("Upload-Offset: not a number of bytes")
    return int(text)


def _upload_checksum(request: web.Request) -> Checksum | None:
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed("Upload-Checksum: not base64") from error
    if algorithm != "sha256" or len(digest) != SHA256_BYTES:
        raise malformed("Upload-Checksum: sha256 only")
    return Checksum(digest)
