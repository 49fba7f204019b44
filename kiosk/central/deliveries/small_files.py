"""Several small files in one request (``POST /v1/uploads``, :mod:`kiosk.exchange.small_files`).

What has arrived whole counts, also when the body breaks off after it; the rest is as if it had
never come. All that are right are stored, read back and confirmed together, in one commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from aiohttp import ClientPayloadError, web
from pydantic import Field
from sqlalchemy import Row

from kiosk.central.contract import Id, RequestModel, Sha256, WholeNumber, parse
from kiosk.central.deliveries.upload_records import COMPLETE, UNUSABLE_STATES
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import (
    BodyStream,
    KioskAuthenticator,
    json_response,
    request_body,
    timed_blocks,
)
from kiosk.clocks import format_wall
from kiosk.exchange.small_files import (
    CONTENT_TYPE,
    MAX_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_LIST_BYTES,
    Result,
)

ANSWER_S = 20.0  # then a file that is not confirmed yet is left to its own request


class SmallFile(RequestModel):
    """A file of the list."""

    upload: Id
    size: Annotated[WholeNumber, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Sha256


class SmallFileList(RequestModel):
    """The first line of the body."""

    files: Annotated[list[SmallFile], Field(min_length=1, max_length=MAX_FILES)]


class SmallFilesApi:
    """Handler of ``POST /v1/uploads``."""

    def __init__(self, uploads: UploadService, authenticator: KioskAuthenticator) -> None:
        self._uploads = uploads
        self._authenticator = authenticator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post("/v1/uploads", self.post)]

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Take small files; say what became of each."""
        kiosk = await self._authenticator.authenticate(request)
        length = _checked_length(request)
        body = _Body(request_body(request))
        line = await body.read_line()
        files = parse(SmallFileList, line).files
        if len(line) + 1 + sum(file.size for file in files) != length:
            raise malformed("the list does not name the bytes that follow")
        if len({file.upload for file in files}) < len(files):
            raise malformed("files: an upload is named twice")
        rows = {row.id: row for row in await self._uploads.find_all(kiosk.id, _ids(files))}
        codes = {file.upload: _refusal(file, rows.get(file.upload)) for file in files}
        right: dict[str, bytes] = {}
        wrong: set[str] = set()
        try:
            for file in files:
                content = await body.read(file.size)
                if hashlib.sha256(content).hexdigest() != file.sha256:
                    wrong.add(file.upload)
                elif codes[file.upload] is None and rows[file.upload].state != COMPLETE:
                    right[file.upload] = content
        finally:  # of a body that breaks off, too
            states = await self._uploads.take_whole(kiosk.id, right, ANSWER_S) if right else {}
        return json_response(
            {
                "files": [
                    _described(file, file.upload in wrong, codes, rows, states) for file in files
                ],
                "as_of": format_wall(),
            }
        )


def _checked_length(request: web.Request) -> int:
    """Return the length of the body, before any of it is read.

    Raises:
        RefusedError: 411, it is not said; 413, it is too long; 415, it is something else.
    """
    if request.content_type != CONTENT_TYPE:
        raise RefusedError(415, "malformed", f"the body is to be {CONTENT_TYPE}")
    if request.content_length is None:
        raise RefusedError(411, "malformed", "the body's length is not said")
    if request.content_length > MAX_BYTES:
        raise RefusedError(413, "too_long", f"the body has more than {MAX_BYTES} bytes")
    return request.content_length


def _ids(files: Sequence[SmallFile]) -> list[str]:
    return [file.upload for file in files]


def _refusal(file: SmallFile, row: Row[Any] | None) -> str | None:
    """Return why a file cannot be taken, as its own upload would say; None: it can."""
    if row is None:
        return "not_found"
    if (row.size, row.sha256) != (file.size, file.sha256):
        return "content_differs"
    return "upload_dead" if row.state in UNUSABLE_STATES else None


def _described(
    file: SmallFile,
    is_wrong: bool,
    codes: dict[str, str | None],
    rows: dict[str, Row[Any]],
    states: dict[str, str],
) -> dict[str, str | None]:
    code = codes[file.upload]
    if code is None and rows[file.upload].state == COMPLETE:
        result = Result.PRESENT
    elif code is None and is_wrong:
        result = Result.WRONG_HASH
    elif code is None and states.get(file.upload) == COMPLETE:
        result = Result.TAKEN
    else:
        result = Result.REFUSED
        dead = states.get(file.upload) in UNUSABLE_STATES
        code = code or ("upload_dead" if dead else "busy")
    return {"upload": file.upload, "result": result, "code": code}


class _Body:
    """The body of a request, in pieces that its list names."""

    def __init__(self, body: BodyStream) -> None:
        self._blocks: AsyncIterator[bytes] = timed_blocks(body)
        self._buffer = bytearray()

    async def read_line(self) -> bytes:
        """Return the first line, without its end.

        Raises:
            RefusedError: 400, it does not end in time.
        """
        while (end := self._buffer.find(b"\n", 0, MAX_LIST_BYTES + 1)) < 0:
            if len(self._buffer) > MAX_LIST_BYTES:
                raise malformed(f"the list has more than {MAX_LIST_BYTES} bytes")
            await self._read_block()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    async def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes.

        Raises:
            RefusedError: 400 or 408, they do not come.
        """
        while len(self._buffer) < size:
            await self._read_block()
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content

    async def _read_block(self) -> None:
        try:
            self._buffer += await anext(self._blocks)
        except (StopAsyncIteration, ClientPayloadError, ConnectionError) as error:
            raise malformed("the body broke off") from error
