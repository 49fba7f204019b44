"""tusd takes the bytes at scale: its HTTP hooks, and creating uploads on it.

tusd (https://github.com/tus/tusd) stands behind a proxy that asks for device certificates; the
central system creates each announced upload on it, gives the kiosk its address there, and hears
by hook when all bytes are in. Then everything is as with bytes of its own: taken into the store,
read back, hashed, receipt. Hooks are known by a secret in their URL:
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
from kiosk.central.deliveries.uploads import RECEIVING, Uploads
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.web import answer

log = logging.getLogger(__name__)
AT_ONCE = 16
LIMIT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class TusdSettings:
    """Where tusd is.

    Attributes:
        public: its base URL as kiosks reach it.
        internal: its base URL as the central system reaches it.
        secret: what its hooks carry in their URL.
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
    """What tusd posts (tusd 2, docs/_advanced-topics/hooks.md)."""

    Type: str
    Event: Event


class Tusd:
    """tusd's side of the uploads."""

    def __init__(self, settings: TusdSettings, database: Database, uploads: Uploads) -> None:
        self._settings = settings
        self._database = database
        self._uploads = uploads
        self._create = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """Return the address of the hooks (to be served where tusd reaches it, kiosks do not)."""
        return [web.post("/tusd/{secret}", self.hook)]

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """Answer a hook."""
        given = request.match_info["secret"].encode("utf-8")
        if not hmac.compare_digest(given, self._settings.secret.encode("utf-8")):
            raise RefusedError(403, "foreign")
        hook = parse(HookRequest, await request.read())
        upload = hook.Event.Upload
        if hook.Type == "pre-create":
            return answer(await self._before_creation(upload))
        if hook.Type == "post-finish":
            await self._finished(upload)
        return answer({})

    async def _before_creation(self, upload: Upload) -> dict[str, Any]:
        """Let only announced uploads be made, under their own ids."""
        wanted = upload.MetaData.get("upload", "")
        row = await self._find(wanted)
        if row is None or row.state != RECEIVING or row.size != upload.Size:
            return {
                "RejectUpload": True,
                "HTTPResponse": {"StatusCode": 403, "Body": '{"code":"not_announced"}'},
            }
        return {"ChangeFileInfo": {"ID": wanted}}

    async def _finished(self, upload: Upload) -> None:
        """Take over what tusd holds completely; the hook may come twice."""
        # An S3 upload's id has tusd's own part behind a plus sign.
        found = await self._find((upload.ID or "").split("+", 1)[0])
        if found is None or upload.Storage is None:
            raise malformed("Upload: not one of ours")
        if upload.Offset != found.size:
            raise malformed("Upload: not complete")
        if found.state == RECEIVING:
            await self._uploads.adopt(found, upload.Storage)

    async def _find(self, upload: str) -> Row[Any] | None:
        table = schema.uploads
        return await self._database.reading(
            lambda connection: connection.execute(
                select(table).where(table.c.id == upload)
            ).one_or_none()
        )

    async def create(self, uploads: Sequence[Row[Any]]) -> dict[str, str]:
        """Make uploads on tusd; return the address of each that was made, by id.

        Those that tusd does not take go to the central system itself.
        """
        async with aiohttp.ClientSession(timeout=LIMIT) as http:
            made = await asyncio.gather(*(self._create_one(http, row) for row in uploads))
        return {row.id: address for row, address in zip(uploads, made, strict=True) if address}

    async def _create_one(self, http: aiohttp.ClientSession, row: Row[Any]) -> str | None:
        name = base64.b64encode(row.id.encode("ascii")).decode("ascii")
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(row.size),
            "Upload-Metadata": f"upload {name}",
        }
        try:
            async with (
                self._create,
                http.post(f"{self._settings.internal.rstrip('/')}/", headers=headers) as made,
            ):
                if made.status == 201:
                    tail = made.headers["Location"].rstrip("/").rsplit("/", 1)[1]
                    return f"{self._settings.public.rstrip('/')}/{tail}"
                log.error("tusd refuses upload %s: %s", row.id, made.status)
        except (aiohttp.ClientError, TimeoutError, KeyError, IndexError) as error:
            log.error("tusd does not take upload %s: %r", row.id, error)
        return None
