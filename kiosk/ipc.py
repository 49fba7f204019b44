"""Local interfaces: small HTTP/JSON services with server-sent events on Unix sockets.

``kiosk state`` and ``kiosk watch`` debug them. Errors are JSON ``{"code": ..., "message": ...}``
with a fitting status; the code is stable, the message is for the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from pydantic import ValidationError
from pydantic_core import from_json

from kiosk.api.base import Model
from kiosk.errors import KioskError, RequestError

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ServiceDownError(KioskError):
    """The local service does not answer on its socket."""

    code = "service_down"


class ServiceForbiddenError(ServiceDownError):
    """The local service may answer others; this user has no right to its socket."""


class ServiceRefusedError(KioskError):
    """The local service refused; ``code`` says why, ``status`` is the HTTP status."""

    def __init__(self, message: str, *, code: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.body = body


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn :class:`KioskError` into JSON: code, message, its ``fields``; ``status`` (else 409)."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        body = {"code": "http", "message": error.reason}
        return web.json_response(body, status=error.status, headers=headers)
    except KioskError as error:
        body = {"code": error.code, "message": str(error), **getattr(error, "fields", {})}
        return web.json_response(body, status=getattr(error, "status", 409))


def parse_request(model: type[M], body: bytes) -> M:
    """Return the JSON ``body`` of a request as ``model``; an empty body is ``{}``.

    Raises:
        RequestError: it does not fit; the message names the first field, never its value.
    """
    body = body or b"{}"
    try:
        request = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _request_error(error) from None
    try:
        from_json(body, allow_inf_nan=False)  # a field of any type has let it through
    except ValueError:
        raise RequestError("body: NaN and Infinity are no JSON (RFC 8259)") from None
    return request


def parse_query(model: type[M], query: Mapping[str, str]) -> M:
    """Return the ``query`` of a request as ``model``.

    Raises:
        RequestError: it does not fit; the message names the first field, never its value.
    """
    try:
        return model.model_validate_strings(dict(query))
    except ValidationError as error:
        raise _request_error(error) from None


def _request_error(error: ValidationError) -> RequestError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(place) for place in first["loc"]) or "body"
    return RequestError(f"{field}: {first['msg']}")


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the request's JSON object (empty body: ``{}``); 400 when it is anything else."""
    text = await request.text()
    if not text:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise web.HTTPBadRequest(reason="body is not JSON") from error
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(reason="body is not a JSON object")
    return value


async def serve_unix(app: web.Application, socket: Path, mode: int = 0o660) -> web.AppRunner:
    """Serve ``app`` on the Unix socket ``socket`` (a stale one is replaced); return its runner."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        socket.unlink()
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    os.chmod(socket, mode)  # noqa: PTH101 - Path.chmod follows links the same way
    return runner


class EventStream:
    """Server-sent events to any number of listeners; a slow listener drops old events.

    New listeners first get the newest event of each name, so that each knows the current state.
    """

    def __init__(self, backlog: int = 64) -> None:
        self._backlog = backlog
        self._queues: set[asyncio.Queue[tuple[str, str] | None]] = set()
        self._newest: dict[str, str] = {}

    def send(self, name: str, value: object) -> None:
        """Send event ``name`` with ``value`` as JSON. Call from the event loop's thread."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self._newest[name] = text
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((name, text))

    def close(self) -> None:
        """End every listener's stream."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one listener (``GET /v1/events``) until it leaves."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        queue: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue(self._backlog)
        for item in self._newest.items():
            queue.put_nowait(item)
        self._queues.add(queue)
        try:
            while (event := await queue.get()) is not None:
                await response.write(
                    f"event: {event[0]}\ndata: {event[1]}\n\n".encode("utf-8", "backslashreplace")
                )
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._queues.discard(queue)
        return response


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _read_json(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON of ``text``; a number that is none (NaN, infinite) is null.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("nested too deeply") from None


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[str]:
    """Yield lines of any length; iterating over ``content`` itself refuses those above 128 KiB."""
    rest = bytearray()
    async for chunk in content.iter_any():
        rest += chunk
        *lines, rest = rest.split(b"\n") if b"\n" in chunk else [rest]
        for line in lines:
            yield line.decode("utf-8")


class LocalClient:
    """Asyncio client of a local service.

    Args:
        socket: Unix socket of the service.
        token: sign-in token, sent as ``Authorization: Bearer``; may be set later.
    """

    quiet_seconds: float | None = None
    """A stream of events that says nothing for so long has ended; None: it may be silent."""

    def __init__(self, socket: Path, token: str | None = None) -> None:
        self._socket = socket
        self.token = token
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path=str(self._socket)), base_url="http://kiosk"
            )
        return self._session

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float = 10.0,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Call the service and return its JSON object.

        Args:
            token: of another sign-in than the client's.

        Raises:
            ServiceDownError: nobody answers within ``timeout`` seconds.
            ServiceForbiddenError: this user has no right to the socket.
            ServiceRefusedError: the service refused.
        """
        token = token or self.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._open().request(
                method, path, json=body, headers=headers, timeout=limit
            ) as response:
                value = await response.json(loads=_read_json)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._down(error) from error
        answer = value if isinstance(value, dict) else {"value": value}
        if response.status >= 400:
            raise ServiceRefusedError(
                str(answer.get("message", "")),
                code=str(answer.get("code", "http")),
                status=response.status,
                body=answer,
            )
        return answer

    async def get(self, path: str, timeout: float = 10.0) -> dict[str, Any]:
        """``GET path``; see :meth:`call`."""
        return await self.call("GET", path, timeout=timeout)

    async def post(self, path: str, body: object = None, timeout: float = 10.0) -> dict[str, Any]:
        """``POST path`` with a JSON body; see :meth:`call`."""
        return await self.call("POST", path, body or {}, timeout)

    async def events(self, path: str = "/v1/events") -> AsyncGenerator[tuple[str, Any], None]:
        """Yield ``(name, value)`` of the service's events until it goes away.

        Raises:
            ServiceDownError: it cannot be reached, or the stream ended.
            ValueError: an event cannot be read.
        """
        limit = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=self.quiet_seconds)
        try:
            async with self._open().get(path, timeout=limit) as response:
                name = "message"
                async for line in _lines(response.content):
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        yield name, _read_json(line[6:])
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._down(error) from error
        raise ServiceDownError(f"{self._socket.name}: the stream ended")

    def _down(self, error: Exception) -> ServiceDownError:
        reason = getattr(error, "os_error", error)
        if isinstance(reason, PermissionError):
            return ServiceForbiddenError(f"{self._socket}: {reason.strerror}")
        said = reason.strerror if isinstance(reason, OSError) else str(error)
        return ServiceDownError(f"{self._socket.name}: {said or type(error).__name__}")

    async def close(self) -> None:
        """Close the connection; the client may be used again."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class RemoteClient(LocalClient):
    """Client of the same calls and events over the network.

    Args:
        address: ``http://HOST:PORT``.
        quiet_seconds: a stream that says nothing for so long has ended: a network says nothing
            of a peer that is gone.
    """

    def __init__(self, address: str, quiet_seconds: float) -> None:
        super().__init__(Path(address))
        self._address, self.quiet_seconds = address, quiet_seconds

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(base_url=self._address)
        return self._session
