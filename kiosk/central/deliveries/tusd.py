"""tusd as the receiver of uploads at scale: its HTTP hooks, and creating uploads on it.

tusd (https://github.com/tus/tusd) runs behind a proxy that requires device certificates. The
central system creates each announced upload on tusd and gives the kiosk its address there; a hook
reports when all bytes have arrived. The file is then moved into the store, read back, hashed and
receipted like any other. A secret in the URL authenticates the hooks:
``tusd -hooks-http http://CENTRAL:PORT/tusd/SECRET -hooks-enabled-events pre-create,post-finish``.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, select

from kiosk.central.contract import parse
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.deliveries.upload_records import RECEIVING
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import json_response

log = logging.getLogger(__name__)
MAX_CONCURRENT_CREATES = 16
CREATE_TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class TusdSettings:
    """Addresses of tusd.

    Attributes:
        public: its base URL as kiosks reach it.
        internal: its base URL as the central system reaches it.
        secret: part of the hooks' URL.
    """

    public: str
    internal: str
    secret: str


class _Hook(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Upload(_Hook):
    """``Event.Upload`` of a hook request."""

    ID: str | None = None
    Size: int | None = None
    Offset: int = 0
    MetaData: dict[str, str] = {}
    Storage: dict[str, str] | None = None


class Event(_Hook):
    """``Event`` of a hook request."""

    Upload: Upload


class HookRequest(_Hook):
    """Body of a hook request (tusd 2, docs/_advanced-topics/hooks.md)."""

    Type: str
    Event: Event


class TusdServer:
    """tusd as an :class:`.uploads.ExternalUploadServer`, and its hooks."""

    def __init__(self, settings: TusdSettings, database: Database, uploads: UploadService) -> None:
        self._settings = settings
        self._database = database
        self._uploads = uploads
        self._create_slots = asyncio.Semaphore(MAX_CONCURRENT_CREATES)

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the hooks; serve it where tusd reaches it and kiosks do not."""
        return [web.post("/tusd/{secret}", self.hook)]

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """Answer a hook."""
        given = request.match_info["secret"].encode("utf-8")
        if not hmac.compare_digest(given, self._settings.secret.encode("utf-8")):
            raise RefusedError(403, "foreign")
        hook = parse(HookRequest, await request.read())
        upload = hook.Event.Upload
        if hook.Type == "pre-create":
            return json_response(await self._approve_creation(upload))
        if hook.Type == "post-finish":
            await self._import_finished(upload)
        return json_response({})

    async def _approve_creation(self, upload: Upload) -> dict[str, Any]:
        """Approve only announced uploads, under their own ids."""
        upload_id = upload.MetaData.get("upload", "")
        row = await self._find(upload_id)
        if row is None or row.state != RECEIVING or row.size != upload.Size:
            return {
                "RejectUpload": True,
                "HTTPResponse": {"StatusCode": 403, "Body": '{"code":"not_announced"}'},
            }
        return {"ChangeFileInfo": {"ID": upload_id}}

    async def _import_finished(self, upload: Upload) -> None:
        """Import an upload that tusd has received completely; the hook may come twice."""
        # The id of an S3 upload has a suffix of tusd's after a plus sign.
        row = await self._find((upload.ID or "").split("+", 1)[0])
        if row is None or upload.Storage is None:
            raise malformed("Upload: not one of ours")
        if upload.Offset != row.size:
            raise malformed("Upload: not complete")
        if row.state == RECEIVING:
            await self._uploads.import_external(row, upload.Storage)

    async def _find(self, upload: str) -> Row[Any] | None:
        table = schema.uploads
        return await self._database.run_read(
            lambda connection: connection.execute(
                select(table).where(table.c.id == upload)
            ).one_or_none()
        )

    async def create(self, uploads: Sequence[Row[Any]]) -> dict[str, str]:
        """Create uploads on tusd; return the address of each created one by its id.

        The central system itself receives the uploads that tusd refuses.
        """
        async with aiohttp.ClientSession(timeout=CREATE_TIMEOUT) as http:
            created = await asyncio.gather(*(self._create_upload(http, row) for row in uploads))
        return {row.id: address for row, address in zip(uploads, created, strict=True) if address}

    async def _create_upload(self, http: aiohttp.ClientSession, row: Row[Any]) -> str | None:
        name = base64.b64encode(row.id.encode("ascii")).decode("ascii")
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(row.size),
            "Upload-Metadata": f"upload {name}",
        }
        try:
            async with (
                self._create_slots,
                http.post(f"{self._settings.internal.rstrip('/')}/", headers=headers) as created,
            ):
                if created.status == 201:
                    tail = created.headers["Location"].rstrip("/").rsplit("/", 1)[1]
                    return f"{self._settings.public.rstrip('/')}/{tail}"
                log.error("tusd refuses upload %s: %s", row.id, created.status)
        except (aiohttp.ClientError, TimeoutError, KeyError, IndexError) as error:
            log.error("tusd did not create upload %s: %r", row.id, error)
        return None
