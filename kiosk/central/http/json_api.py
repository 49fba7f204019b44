"""Helpers of all handlers: JSON errors, contract header, authentication of kiosks."""

from __future__ import annotations

import asyncio
import hashlib
import http
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

from aiohttp import ETag, web
from pydantic import BaseModel

from kiosk.central import CONTRACT
from kiosk.central.contract import Id, parse
from kiosk.central.data.database import Database
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.identity import enrolment
from kiosk.central.identity.enrolment import Kiosk
from kiosk.errors import StorageError
from kiosk.evidence.chain import canonical_json

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Model = TypeVar("Model", bound=BaseModel)
MAX_JSON_BYTES = 32 << 20
BODY_IDLE_S = 20.0
SLOWEST_BYTES_S = 1000.0  # of a body, on average
PROBLEM_TYPE = "application/problem+json"
KNOWN_STATUSES = frozenset(map(int, http.HTTPStatus))
HEX = frozenset("0123456789abcdef")
UNMARKED = (
    "foreign"  # set on a response that pretends not to be from this server (fault_injection.py)
)
UUID_GROUPS = (8, 4, 4, 4, 12)


class BodyStream(Protocol):
    """The body of a PATCH: aiohttp's stream, or one with a fault in it (tests of clients)."""

    async def readany(self) -> bytes:
        """Return what has arrived, waiting for something; empty at the end."""


BODY_KEY: web.RequestKey[BodyStream] = web.RequestKey("body", object)  # type: ignore[arg-type]


def request_body(request: web.Request) -> BodyStream:
    """Return the stream to read the body of ``request`` from."""
    body: BodyStream = request.get(BODY_KEY, request.content)
    return body


def json_response(value: object, status: int = 200) -> web.Response:
    """Return ``value`` as a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def unless_known(
    request: web.Request, tag: ETag, make: Callable[[], web.Response]
) -> web.StreamResponse:
    """Return the answer with its entity tag, or 304 if the caller has it (RFC 9110, 13.1.2)."""
    known = request.if_none_match or ()
    anything = request.headers.get("If-None-Match", "").strip() == "*"  # "*" in quotes is a tag
    is_known = anything or any(other.value == tag.value for other in known)
    response = web.Response(status=304) if is_known else make()
    response.etag = tag
    response.headers["Cache-Control"] = "private, no-cache"  # another kiosk's answer differs
    return response


def tagged_response(request: web.Request, value: dict[str, object]) -> web.StreamResponse:
    """Return ``value`` as a JSON answer, or 304 if the caller has all of it but ``as_of``.

    The tag follows from the content alone: every server gives the same one, also after a restart.
    """
    content = {key: item for key, item in value.items() if key != "as_of"}
    digest = hashlib.sha256(canonical_json(content)).hexdigest()
    return unless_known(request, ETag(digest[:32], is_weak=True), lambda: json_response(value))


def error_response(error: RefusedError) -> web.Response:
    """Return a refusal in the form of the contract: a problem of RFC 9457 with its code."""
    value: dict[str, object] = {
        "type": "about:blank",
        "title": http.HTTPStatus(error.status).phrase if error.status in KNOWN_STATUSES else "",
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "message": str(error),  # as before revision 4
    }
    response = json_response(value, error.status)
    response.content_type = PROBLEM_TYPE
    response.headers["Court-Error"] = error.code
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into ``{"code", "message"}``; no traceback ever leaves the server."""
    try:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise RefusedError(415, "malformed", "no Content-Encoding is understood")
        return await handler(request)
    except RefusedError as error:
        return error_response(error)
    except web.HTTPException as error:
        response = error_response(RefusedError(error.status, "http", error.reason))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except StorageError as error:
        log.error("storage: %s", error)
        return error_response(RefusedError(503, "storage_failed", retry_after=60))
    except (ConnectionError, web.RequestPayloadError):  # disconnected, or chunks that are none
        return error_response(malformed("the body broke off"))
    except Exception:
        log.exception("%s %s", request.method, request.match_info.route.resource)
        return error_response(RefusedError(500, "internal"))


async def add_contract_header(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Mark the response as the central system's (``on_response_prepare``)."""
    if not response.get(UNMARKED):
        response.headers["Court-Contract"] = str(CONTRACT)


def path_uuid(request: web.Request) -> Id:
    """Return the ``{id}`` of the path.

    Raises:
        RefusedError: 400, not a UUID in lower case.
    """
    text = request.match_info["id"]
    groups = text.split("-")
    if tuple(map(len, groups)) != UUID_GROUPS or not HEX.issuperset("".join(groups)):
        raise malformed("id: not a UUID in lower case")
    return text


async def timed_blocks(body: BodyStream) -> AsyncIterator[bytes]:
    """Yield a body block by block as it comes.

    Raises:
        RefusedError: 408, it does not come or only drips.
    """
    clock, read = asyncio.get_running_loop().time, 0
    begun = clock()
    while True:
        # A silent line ends it, and one that brings a byte now and then does so as soon.
        end = min(clock(), begun + read / SLOWEST_BYTES_S) + BODY_IDLE_S
        try:
            async with asyncio.timeout_at(end):
                block = await body.readany()
        except TimeoutError as error:
            raise RefusedError(408, "line_silent", "the body does not go on") from error
        if not block:
            return
        read += len(block)
        yield block


async def read_body(
    request: web.Request, model: type[Model], max_bytes: int = MAX_JSON_BYTES
) -> Model:
    """Return the request's JSON body as ``model``; not more than ``max_bytes`` are ever in memory.

    Raises:
        RefusedError: 400, 408 when it does not come or only drips, 413 when it is too long, 415
            when it is not JSON.
    """
    if request.content_type != "application/json":
        raise RefusedError(415, "malformed", "the body is to be application/json")
    body = bytearray()
    if (request.content_length or 0) <= max_bytes:
        async for block in timed_blocks(request.content):
            body += block
            if len(body) > max_bytes:
                break
    if (request.content_length or len(body)) > max_bytes:
        raise RefusedError(413, "too_long", f"the body has more than {max_bytes} bytes")
    return parse(model, bytes(body))


def peer_certificate(request: web.Request) -> tuple[str, str] | None:
    """Return common name and serial (lower-case hex) of the TLS client certificate, or None."""
    certificate = request.get_extra_info("peercert")
    if not certificate:
        return None
    names = [value for part in certificate["subject"] for key, value in part if key == "commonName"]
    if len(names) != 1:
        return None
    return names[0], f"{int(certificate['serialNumber'], 16):x}"


class KioskAuthenticator:
    """Identifies the kiosk that sends a request.

    Args:
        database: where issued and revoked certificates are recorded.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: set[str] = set()
        self._recorded_at = float("-inf")

    async def authenticate(self, request: web.Request) -> Kiosk:
        """Return the kiosk that calls.

        Raises:
            RefusedError: 401 no certificate; 403 unknown or revoked.
        """
        known = peer_certificate(request)
        if known is None:
            raise RefusedError(401, "certificate_required", "no client certificate")
        kiosk = await self._database.run_select(
            lambda connection: enrolment.identify_kiosk(connection, *known)
        )
        self._seen.add(kiosk.id)
        now = time.monotonic()
        if now - self._recorded_at >= enrolment.SEEN_INTERVAL_S:  # one write for all of them
            seen, self._seen, self._recorded_at = self._seen, set(), now
            await self._database.run_write(
                lambda connection: enrolment.record_seen(connection, seen)
            )
        return kiosk
