"""Serves operations of :mod:`kiosk.api` on a local socket: routes, sign-in, requests, answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from kiosk.api.base import Model
from kiosk.api.operations import NoBody, Operation
from kiosk.auth.person import Person, TokenError
from kiosk.clocks import recording_ns
from kiosk.errors import KioskError, RequestError
from kiosk.ipc import parse_query, parse_request

M = TypeVar("M", bound=Model)
NOBODY = Person("", "", ())
BODY_TIMEOUT_S = 3.0
"""The body of a request is complete within this time: some hold up what others wait for."""
MOST_BYTES = 1 << 20
"""Of a request's body, unless it is a document: what is said of a hearing is in every State."""


class NotServedError(KioskError):
    """An operation has no handler, or nobody checks who calls: a mistake in the program."""


@dataclass(frozen=True)
class Call:
    """One call of an operation.

    Attributes:
        person: who calls; nobody where the operation needs no sign-in.
        received_ns: recording clock at which the call arrived, before its body was read.
    """

    http: web.Request
    person: Person
    received_ns: int

    async def read(self, model: type[M], most: int = MOST_BYTES) -> M:
        """Return the body.

        Raises:
            RequestError: it does not fit ``model`` (the message names the field), it has more than
                ``most`` bytes, or it is not complete in time.
        """
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await self.http.read()
        except TimeoutError:
            raise RequestError(f"body: not complete within {BODY_TIMEOUT_S:.0f} s") from None
        if len(body) > most:
            raise RequestError(f"body: more than {most} bytes")
        return parse_request(model, body)

    def read_query(self, model: type[M]) -> M:
        """Return the query.

        Raises:
            RequestError: it does not fit ``model``; the message names the field.
        """
        return parse_query(model, self.http.query)


Handler = Callable[[Call], Awaitable[Model | web.StreamResponse]]
Route = tuple[Operation, Handler]
Authorize = Callable[[web.Request, tuple[str, ...]], Awaitable[Person]]


def bearer_token(request: web.Request) -> str:
    """Return the token of who calls (RFC 6750).

    Raises:
        TokenError: there is none.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise TokenError("not signed in")
    return token


def add_routes(
    app: web.Application,
    operations: Iterable[Operation],
    routes: Sequence[Route],
    authorize: Authorize | None = None,
) -> None:
    """Add a handler for each of ``operations``.

    Args:
        authorize: returns who calls, or raises; needed where operations name roles.

    Raises:
        NotServedError: an operation has no handler, or names roles that nobody checks.
    """
    unguarded = [operation.name for operation, _ in routes if operation.roles and not authorize]
    if unguarded:
        raise NotServedError(f"nobody checks who calls: {', '.join(unguarded)}")
    paths = {operation.path for operation, _ in routes}
    for operation, handler in routes:
        app.router.add_route(
            operation.method,
            _route_path(operation.path, paths),
            _respond(operation, handler, authorize),
        )
    served = {operation.name for operation, _ in routes}
    if missing := {operation.name for operation in operations} - served:
        raise NotServedError(f"no handler: {', '.join(sorted(missing))}")


def _route_path(path: str, paths: set[str]) -> str:
    """Return ``path`` for the router; its last parameter matches no literal path beside it.

    Without this, ``DELETE /v1/exports/media`` would reach ``/v1/exports/{id}``.
    """
    folder, _, last = path.rpartition("/")
    beside = {other.rpartition("/")[2] for other in paths if other.rpartition("/")[0] == folder}
    literals = sorted(re.escape(name) for name in beside if not name.startswith("{"))
    if not last.startswith("{") or not literals:
        return path
    return f"{folder}/{{{last[1:-1]}:(?!(?:{'|'.join(literals)})$)[^{{}}/]+}}"


def _respond(
    operation: Operation, handler: Handler, authorize: Authorize | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def respond(request: web.Request) -> web.StreamResponse:
        received_ns = recording_ns()  # before anything else: a step counts from the tap
        person = NOBODY
        if operation.roles and authorize is not None:
            person = await authorize(request, operation.roles)
        call = Call(request, person, received_ns)
        if operation.request is NoBody:
            await call.read(NoBody)
        answer = await handler(call)
        if isinstance(answer, Model):
            return web.json_response(answer.to_json(), status=operation.status)
        return answer

    return respond
