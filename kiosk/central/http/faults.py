"""Faults on demand (``kiosk central --faults FILE``), so that clients can be tested against them.

A development option: FILE is JSON and is read again whenever it has changed::

    [{"fault": "status", "status": 503, "match": "PUT /v1/filings/", "times": 2},
     {"fault": "die", "step": "register-after-commit"}]

``match`` is the beginning of ``METHOD /path`` (default: everything); ``times`` how often the fault
happens (default: always), counted anew when FILE changes.

==========  ==========================================================================
``status``   answers ``status`` (default 500) without doing anything
``forget``   does the work, then cuts the connection: the answer is lost
``cut``      cuts the connection after ``after`` bytes of a PATCH body (default 0)
``drip``     takes a PATCH body at ``rate`` bytes a second (default 1024)
``hang``     says nothing for ``seconds`` (default 3600)
``captive``  answers 200 with HTML, without the contract's header
``contract`` answers with contract number ``contract`` (default 99)
``corrupt``  flips a bit in a PATCH body, so that the hash differs
``full``     answers 507 as if the disk were full
``die``      SIGKILL at a named step (:mod:`kiosk.central.steps`); ``step`` instead of ``match``
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
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kiosk.central.errors import RefusedError
from kiosk.central.http.web import BODY, FOREIGN, Handler, answer, refusal

log = logging.getLogger(__name__)
DRIP_SECONDS = 0.1
CAPTIVE_PAGE = "<!doctype html><title>Wi-Fi</title><h1>Please accept the terms</h1>"


class Fault(BaseModel):
    """One fault of the file."""

    model_config = ConfigDict(extra="forbid")

    fault: Literal[
        "status",
        "forget",
        "cut",
        "drip",
        "hang",
        "captive",
        "contract",
        "corrupt",
        "full",
        "die",
    ]
    match: str = ""
    times: Annotated[int, Field(ge=1)] | None = None
    status: int = 500
    after: int = 0
    rate: Annotated[int, Field(ge=1)] = 1024
    seconds: float = 3600
    contract: int = 99
    step: str = ""


Rules = TypeAdapter(list[Fault])


class Faults:
    """The faults of ``file``; an absent file means none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._rules: list[Fault] = []

    def step(self, name: str) -> None:
        """Die here if the file says so."""
        rule = self._take(lambda rule: rule.fault == "die" and rule.step == name)
        if rule is not None:
            os.kill(os.getpid(), signal.SIGKILL)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Do to a request what the file says."""
        line = f"{request.method} {request.path}"
        rule = self._take(lambda rule: rule.fault != "die" and line.startswith(rule.match))
        if rule is None:
            return await handler(request)
        return await self._act(rule, request, handler)

    async def _act(self, rule: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        match rule.fault:
            case "status":
                return refusal(RefusedError(rule.status, "fault", "on demand"))
            case "full":
                return refusal(RefusedError(507, "storage_full", retry_after=1))
            case "captive":
                page = web.Response(text=CAPTIVE_PAGE, content_type="text/html")
                page[FOREIGN] = True
                return page
            case "contract":
                return _other_contract(await handler(request), rule.contract)
            case "hang":
                await asyncio.sleep(rule.seconds)
            case "forget":
                await handler(request)
                _hang_up(request)
            case "cut" | "corrupt" | "drip":
                request[BODY] = _FaultyBody(request, rule)
        return await handler(request)

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        self._read()
        for rule in self._rules:
            if fits(rule) and rule.times != 0:
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def _read(self) -> None:
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._rules = Rules.validate_json(self._file.read_bytes())
                self._stamp = stamp
        except FileNotFoundError:
            self._rules, self._stamp = [], None
        except (ValidationError, json.JSONDecodeError) as error:
            log.error("%s: %s", self._file, error)


def _other_contract(response: web.StreamResponse, number: int) -> web.StreamResponse:
    """Return a contract that the client cannot know."""
    if isinstance(response, web.Response) and response.text is not None:
        return answer(json.loads(response.text) | {"contract": number})
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class _FaultyBody:
    """A PATCH body with something wrong.

    Args:
        request: whose body it is.
        rule: what is wrong with it.
    """

    def __init__(self, request: web.Request, rule: Fault) -> None:
        self._request = request
        self._rule = rule
        self._seen = 0

    async def readany(self) -> bytes:
        """Return the next block, or what the fault makes of it."""
        match self._rule.fault:
            case "drip":
                await asyncio.sleep(DRIP_SECONDS)
                return await self._some(max(1, int(self._rule.rate * DRIP_SECONDS)))
            case "cut":
                return await self._until_cut()
        block = await self._request.content.readany()
        if block and self._seen == 0:
            block = bytes([block[0] ^ 1]) + block[1:]
        self._seen += len(block)
        return block

    async def _until_cut(self) -> bytes:
        left = self._rule.after - self._seen
        block = await self._some(left) if left > 0 else b""
        self._seen += len(block)
        if self._seen >= self._rule.after:
            _hang_up(self._request)
            if not block:
                raise ConnectionResetError
        return block

    async def _some(self, most: int) -> bytes:
        return await self._request.content.read(most)
