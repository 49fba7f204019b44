"""The local API of ``kiosk sync``: the calls of docs/interfaces.md, one handler each."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from kiosk.errors import KioskError
from kiosk.ipc import errors_as_json, read_json
from kiosk.sync.delivery.retention import receipted_hashes
from kiosk.sync.link_check.link_check import LinkCheckRunningError
from kiosk.sync.outbox.manifest import UUID
from kiosk.sync.outbox.registrations import PROVISIONAL
from kiosk.sync.polling.metrics import CONTENT_TYPE, metrics_text

if TYPE_CHECKING:
    from kiosk.services.sync import SyncService


MAX_CASE_NUMBER_LENGTH = 200


class NotFoundError(KioskError):
    """No such item."""

    code = "not_found"
    status = 404


class SyncApi:
    """The handlers.

    Args:
        service: what they ask.
    """

    def __init__(self, service: SyncService) -> None:
        self._service = service

    def application(self) -> web.Application:
        """Return the application of the local socket."""
        app = web.Application(middlewares=[errors_as_json])
        app.add_routes(
            [
                web.get("/v1/state", self._get_state),
                web.get("/v1/events", self._service.events.handle),
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
        return web.json_response(await asyncio.to_thread(self._service.state))

    async def _get_schedule(self, request: web.Request) -> web.Response:
        schedule = self._service.poller.schedule.value
        hearings = list(schedule.get("hearings", ()))
        wanted = request.query.get("date")
        if wanted is not None:
            day, zone = _parse_day(wanted), ZoneInfo(self._service.settings.kiosk.timezone)
            hearings = [hearing for hearing in hearings if _court_day(hearing, zone) == day]
        return web.json_response({"pulled_at": schedule.get("pulled_at"), "hearings": hearings})

    async def _register(self, request: web.Request) -> web.Response:
        filing_id = _item_id(request)
        known = await self._service.registration.register(filing_id)
        self._service.urgent.deliver_now(is_manual=False)
        return web.json_response(known.as_json())

    async def _get_filing(self, request: web.Request) -> web.Response:
        filing_id = _item_id(request)
        return web.json_response(await asyncio.to_thread(self._filing_state, filing_id))

    def _filing_state(self, filing_id: str) -> dict[str, Any]:
        known = self._service.context.registrations.get(filing_id)
        item = self._service.context.outbox.item(filing_id)
        if known is None and item is None:
            raise NotFoundError(f"no filing {filing_id}")
        delivered = (
            item is not None
            and item.state == "delivered"
            and bool(
                receipted_hashes(
                    self._service.paths, self._service.context.receipts, "filing", filing_id
                )
            )
        )
        sent = "sent" if delivered else "queued"
        return {
            "state": sent if known is None or known.state == PROVISIONAL else known.state,
            "number": None if known is None else known.number,
            "provisional": None if known is None else known.provisional,
            "as_of": None if known is None else known.as_of,
            "reason": None if known is None else known.reason,
            "delivered": delivered,
        }

    async def _find_case(self, request: web.Request) -> web.Response:
        # POST: what a person typed has no place in addresses, which get logged
        number = str((await read_json(request)).get("number") or "").strip()
        if not 1 <= len(number) <= MAX_CASE_NUMBER_LENGTH:
            raise web.HTTPBadRequest(reason="number: 1 to 200 characters")
        return web.json_response(await self._service.registration.find_case(number))

    async def _get_delivery(self, request: web.Request) -> web.Response:
        item = await asyncio.to_thread(self._service.context.outbox.item, _item_id(request))
        if item is None:
            raise NotFoundError("not in the outbox (not sealed yet, or unknown)")
        answer = item.as_json()
        live = self._service.context.progress.current_bytes(item.id)
        if live is not None:
            answer["bytes_done"] = max(item.bytes_done, live)
        return web.json_response(answer)

    async def _check_link(self, request: web.Request) -> web.Response:
        quick = bool((await read_json(request)).get("quick"))
        service = self._service
        try:
            result = await asyncio.to_thread(
                service.link_check.run, service.publish_check, quick=quick
            )
        except LinkCheckRunningError as error:
            body = {"code": error.code, "message": str(error)}
            return web.json_response(body, status=409)
        await asyncio.to_thread(service.scheduled_checks.publish, result)
        return web.json_response(result)

    async def _cancel_check(self, _: web.Request) -> web.Response:
        self._service.link_check.cancel()
        return web.json_response({})

    async def _deliver(self, _: web.Request) -> web.Response:
        self._service.poller.wake()
        self._service.deliver_now(is_manual=True)
        return web.json_response({})

    async def _metrics(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(metrics_text, self._service.context)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


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


def _court_day(hearing: dict[str, Any], zone: ZoneInfo) -> date | None:
    """Return the court's day on which a hearing is scheduled."""
    try:
        return datetime.fromisoformat(str(hearing["scheduled_at"])).astimezone(zone).date()
    except (KeyError, ValueError):
        return None
