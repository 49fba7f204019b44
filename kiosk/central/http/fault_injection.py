"""Fault injection for tests of clients (``kiosk central --faults FILE``).

A development option. FILE is JSON and is read again after each change::

    [{"fault": "status", "status": 503, "match": "PUT /v1/filings/", "times": 2},
     {"fault": "die", "step": "register-after-commit"}]

``match`` is the beginning of ``METHOD /path`` (default: everything), ``times`` how often the fault
happens (default: always); the count restarts when FILE changes.

==========  ==========================================================================
``status``   answers ``status`` (default 500) and ``code`` without doing anything
``forget``   does the work, then cuts the connection without an answer
``cut``      cuts the connection after ``after`` bytes of a PATCH body (default 0)
``drip``     reads a PATCH body at ``rate`` bytes a second (default 1024)
``hang``     does not answer for ``seconds`` (default 3600)
``captive``  answers 200 with HTML, without the contract's header
``answer``   puts ``value`` into the JSON object of the answer, after doing the work
``corrupt``  flips a bit in a PATCH body, so that the hash differs
``full``     answers 507 as if the disk were full
``die``      SIGKILL at a ``step`` (:mod:`kiosk.central.crash_points`), instead of ``match``
==========  ==========================================================================
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kiosk.central.errors import RefusedError
from kiosk.central.http.json_api import BODY_KEY, UNMARKED, Handler, error_response, json_response

log = logging.getLogger(__name__)
DRIP_SECONDS = 0.1
CAPTIVE_PAGE = "<!doctype html><title>Wi-Fi</title><h1>Please accept the terms</h1>"


class InjectedFault(BaseModel):
    """One fault of the file."""

    model_config = ConfigDict(extra="forbid")

    fault: Literal[
        "status",
        "forget",
        "cut",
        "drip",
        "hang",
        "captive",
        "answer",
        "corrupt",
        "full",
        "die",
    ]
    match: str = ""
    times: Annotated[int, Field(ge=1)] | None = None
    status: int = 500
    code: str = "fault"
    after: int = 0
    rate: Annotated[int, Field(ge=1)] = 1024
    seconds: float = 3600
    value: dict[str, Any] = Field(default_factory=dict)
    step: str = ""


_FAULT_LIST = TypeAdapter(list[InjectedFault])


class FaultInjector:
    """The faults of ``file``; an absent file means none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._faults: list[InjectedFault] = []

    def crash_at(self, name: str) -> None:
        """Kill the process at the crash point ``name`` if the file says so."""
        fault = self._next_fault(lambda fault: fault.fault == "die" and fault.step == name)
        if fault is not None:
            os.kill(os.getpid(), signal.SIGKILL)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Inject the faults of the file into a request."""
        line = f"{request.method} {request.path}"
        fault = self._next_fault(
            lambda fault: fault.fault != "die" and line.startswith(fault.match)
        )
        if fault is None:
            return await handler(request)
        return await self._inject(fault, request, handler)

    async def _inject(
        self, fault: InjectedFault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        match fault.fault:
            case "status":
                return error_response(RefusedError(fault.status, fault.code, "on demand"))
            case "full":
                return error_response(RefusedError(507, "storage_full", retry_after=1))
            case "captive":
                page = web.Response(text=CAPTIVE_PAGE, content_type="text/html")
                page[UNMARKED] = True
                return page
            case "answer":
                return _with_value(await handler(request), fault.value)
            case "hang":
                await asyncio.sleep(fault.seconds)
            case "forget":
                await handler(request)
                _abort_connection(request)
            case "cut" | "corrupt" | "drip":
                request[BODY_KEY] = _FaultyBody(request, fault)
        return await handler(request)

    def _next_fault(self, matches: Callable[[InjectedFault], bool]) -> InjectedFault | None:
        self._reload()
        for fault in self._faults:
            if matches(fault) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def _reload(self) -> None:
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._faults = _FAULT_LIST.validate_json(self._file.read_bytes())
                self._stamp = stamp
        except FileNotFoundError:
            self._faults, self._stamp = [], None
        except (ValidationError, json.JSONDecodeError) as error:
            log.error("%s: %s", self._file, error)


def _with_value(response: web.StreamResponse, value: dict[str, Any]) -> web.StreamResponse:
    """Return the response with other values in it."""
    if isinstance(response, web.Response) and response.text is not None:
        return json_response(json.loads(response.text) | value)
    return response


def _abort_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class _FaultyBody:
    """A PATCH body with a fault.

    Args:
        request: request of the body.
        fault: the fault.
    """

    def __init__(self, request: web.Request, fault: InjectedFault) -> None:
        self._request = request
        self._fault = fault
        self._bytes_read = 0

    async def readany(self) -> bytes:
        """Return the next block as the fault changes it."""
        match self._fault.fault:
            case "drip":
                await asyncio.sleep(DRIP_SECONDS)
                return await self._read_at_most(max(1, int(self._fault.rate * DRIP_SECONDS)))
            case "cut":
                return await self._read_until_cut()
        block = await self._request.content.readany()
        if block and self._bytes_read == 0:
            block = bytes([block[0] ^ 1]) + block[1:]
        self._bytes_read += len(block)
        return block

    async def _read_until_cut(self) -> bytes:
        left = self._fault.after - self._bytes_read
        block = await self._read_at_most(left) if left > 0 else b""
        self._bytes_read += len(block)
        if self._bytes_read >= self._fault.after:
            _abort_connection(self._request)
            if not block:
                raise ConnectionResetError
        return block

    async def _read_at_most(self, most: int) -> bytes:
        return await self._request.content.read(most)
