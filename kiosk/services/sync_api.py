"""The local API of ``kiosk sync``: one handler for each call of :mod:`kiosk.api.sync`."""

from __future__ import annotations

import asyncio
from datetime import date

from aiohttp import web
from pydantic import ValidationError

from kiosk.api.base import Model
from kiosk.api.published import Schedule, pulled_at
from kiosk.api.sync import CaseQuery, LinkCheckRequest
from kiosk.errors import KioskError
from kiosk.ipc import EventStream, errors_as_json, read_json
from kiosk.services.sync_core import SyncCore
from kiosk.sync.link_check.link_check import ProgressCallback
from kiosk.sync.outbox.manifest import UUID
from kiosk.sync.polling.metrics import CONTENT_TYPE, metrics_text


class NotFoundError(KioskError):
    """No such item."""

    code = "not_found"
    status = 404


class SyncApi:
    """The handlers.

    Args:
        core: what they ask.
        events: served at ``/v1/events``.
        publish_check: publishes a step of a link check; from any thread.
    """

    def __init__(
        self, core: SyncCore, events: EventStream, publish_check: ProgressCallback
    ) -> None:
        self._core = core
        self._events = events
        self._publish_check = publish_check

    def application(self) -> web.Application:
        """Return the application of the local socket."""
        app = web.Application(middlewares=[errors_as_json])
        app.add_routes(
            [
                web.get("/v1/state", self._get_state),
                web.get("/v1/events", self._events.handle),
                web.get("/v1/schedule", self._get_schedule),
                web.post("/v1/filings/{id}/register", self._register),
                web.get("/v1/filings/{id}", self._get_filing),
                web.post("/v1/cases", self._find_case),
                web.get("/v1/hearings/{id}", self._get_delivery),
                web.get("/v1/reports/{id}", self._get_delivery),
                web.post("/v1/link-check", self._check_link),
                web.delete("/v1/link-check", self._cancel_check),
                web.post("/v1/deliver", self._deliver),
                web.get("/metrics", self._metrics),
            ]
        )
        return app

    async def _get_state(self, _: web.Request) -> web.Response:
        return _json(await asyncio.to_thread(self._core.state))

    async def _get_schedule(self, request: web.Request) -> web.Response:
        schedule = self._core.poller.schedule
        hearings = schedule.read.rows
        if (wanted := request.query.get("date")) is not None:
            day = _parse_day(wanted)
            hearings = tuple(h for h in hearings if h.may_be_on(day, self._core.zone))
        return _json(Schedule(pulled_at=pulled_at(schedule.value), hearings=hearings))

    async def _register(self, request: web.Request) -> web.Response:
        filing_id = _item_id(request)
        known = await self._core.registration.register(filing_id)
        self._core.urgent.deliver_now(is_manual=False)
        return _json(known.answer())

    async def _get_filing(self, request: web.Request) -> web.Response:
        filing_id = _item_id(request)
        state = await asyncio.to_thread(self._core.filing_state, filing_id)
        if state is None:
            raise NotFoundError(f"no filing {filing_id}")
        return _json(state)

    async def _find_case(self, request: web.Request) -> web.Response:
        # POST: what a person typed has no place in addresses, which get logged
        body = await read_json(request)
        try:
            query = CaseQuery(number=str(body.get("number") or "").strip())
        except ValidationError as error:
            raise web.HTTPBadRequest(reason="number: 1 to 200 characters") from error
        return _json(await self._core.registration.find_case(query.number))

    async def _get_delivery(self, request: web.Request) -> web.Response:
        context = self._core.context
        item = await asyncio.to_thread(context.outbox.item, _item_id(request))
        if item is None:
            raise NotFoundError("not in the outbox (not sealed yet, or unknown)")
        return _json(item.delivery(context.progress.current_bytes(item.id)))

    async def _check_link(self, request: web.Request) -> web.Response:
        quick = LinkCheckRequest(quick=bool((await read_json(request)).get("quick"))).quick
        result = await asyncio.to_thread(
            self._core.link_check.run, self._publish_check, quick=quick
        )
        await asyncio.to_thread(self._core.scheduled_checks.publish, result)
        return _json(result)

    async def _cancel_check(self, _: web.Request) -> web.Response:
        self._core.link_check.cancel()
        return web.json_response({})

    async def _deliver(self, _: web.Request) -> web.Response:
        self._core.poller.wake()
        self._core.deliver_now(is_manual=True)
        return web.json_response({})

    async def _metrics(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(metrics_text, self._core.context)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


def _json(answer: Model) -> web.Response:
    return web.json_response(answer.to_json())


def _item_id(request: web.Request) -> str:
    value = request.match_info["id"]
    if not UUID.match(value):
        raise NotFoundError("not an id")
    return value


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise web.HTTPBadRequest(reason="date must be YYYY-MM-DD") from error
