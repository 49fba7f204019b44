"""The local API of ``kiosk sync``: one handler for each call of :mod:`kiosk.api.sync`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial

from aiohttp import web

import kiosk.api.sync as calls
from kiosk.api.base import Model
from kiosk.api.enrolment import ENROL, Enrol, Enrolled
from kiosk.api.operations import NoBody
from kiosk.api.published import Schedule, pulled
from kiosk.clocks import format_wall
from kiosk.errors import KioskError
from kiosk.ipc import EventStream, errors_as_json
from kiosk.services.alarm_log import AlarmLogService
from kiosk.services.local_api import Call, Route, add_routes
from kiosk.services.peers import check_peer
from kiosk.services.recorder_sign_in import RecorderSignIn
from kiosk.services.service_life import ServiceLife
from kiosk.services.sync_core import SyncCore
from kiosk.services.upkeep import RestartRefusedError, UpkeepService, refuse_in_hearing
from kiosk.sync.enrolment import enrol
from kiosk.sync.link_check.link_check import ProgressCallback
from kiosk.sync.outbox.manifest import UUID
from kiosk.sync.polling.metrics import CONTENT_TYPE, metrics_text

log = logging.getLogger(__name__)


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
        life: of this process.
        stop: ends it in order.
    """

    def __init__(
        self,
        core: SyncCore,
        events: EventStream,
        publish_check: ProgressCallback,
        life: ServiceLife,
        stop: Callable[[], None],
    ) -> None:
        self._core = core
        self._sign_in = RecorderSignIn(core.paths)
        self._upkeep = UpkeepService(life, self._check_restart, stop)
        self._registering = 0
        self._enrolling = asyncio.Lock()
        self.alarm_log = AlarmLogService(core.paths.sync_alarm_log)
        self._events = events
        self._publish_check = publish_check

    def application(self) -> web.Application:
        """Return the application of the local socket."""
        app = web.Application(middlewares=[errors_as_json, check_peer])
        routes: list[Route] = [
            (calls.GET_STATE, self._get_state),
            (calls.GET_EVENTS, self._get_events),
            (calls.GET_SCHEDULE, self._get_schedule),
            (calls.REGISTER_FILING, self._register),
            (calls.GET_FILING, self._get_filing),
            (calls.FIND_CASE, self._find_case),
            (calls.GET_HEARING_DELIVERY, self._get_delivery),
            (calls.GET_REPORT_DELIVERY, self._get_delivery),
            (calls.CHECK_LINK, self._check_link),
            (calls.CANCEL_LINK_CHECK, self._cancel_check),
            (calls.DELIVER, self._deliver),
            (calls.GET_METRICS, self._metrics),
            (ENROL, self._enrol),
            *self._upkeep.routes(),
            *self.alarm_log.routes(),
        ]
        add_routes(app, calls.SYNC_OPERATIONS, routes, self._sign_in.authorize)
        return app

    async def _get_state(self, _call: Call) -> Model:
        return await asyncio.to_thread(self._core.state)

    async def _get_events(self, call: Call) -> web.StreamResponse:
        return await self._events.handle(call.http)

    async def _get_schedule(self, call: Call) -> Model:
        schedule = self._core.poller.schedule
        hearings = schedule.read.rows
        if (wanted := call.http.query.get("date")) is not None:
            day = _parse_day(wanted)
            hearings = tuple(h for h in hearings if h.may_be_on(day, self._core.zone))
        return Schedule(**pulled(schedule.value), hearings=hearings)

    async def _register(self, call: Call) -> Model:
        self._registering += 1
        try:
            known = await self._core.registration.register(_item_id(call))
        finally:
            self._registering -= 1
        self._core.urgent.deliver_now(is_manual=False)
        return known.answer()

    async def _get_filing(self, call: Call) -> Model:
        state = await asyncio.to_thread(self._core.filing_state, _item_id(call))
        if state is None:
            raise NotFoundError("no such filing")
        return state

    async def _find_case(self, call: Call) -> Model:
        # POST: what a person typed has no place in addresses, which get logged
        query = await call.read(calls.CaseQuery)
        return await self._core.registration.find_case(query.number)

    async def _get_delivery(self, call: Call) -> Model:
        context = self._core.context
        item = await asyncio.to_thread(context.outbox.item, _item_id(call))
        if item is None:
            raise NotFoundError("not in the outbox (not sealed yet, or unknown)")
        return item.delivery(context.progress.current_bytes(item.id))

    async def _check_link(self, _call: Call) -> Model:
        check = self._core.link_check.run
        result = await asyncio.to_thread(check, self._publish_check)
        await asyncio.to_thread(self._core.scheduled_checks.publish, result)
        return result

    async def _cancel_check(self, _call: Call) -> Model:
        self._core.link_check.cancel()
        return NoBody()

    async def _deliver(self, _call: Call) -> Model:
        self._core.poller.wake()
        self._core.deliver_now(is_manual=True)
        return NoBody()

    async def _enrol(self, call: Call) -> Model:
        """Enrol with the code that was typed, which is written down nowhere.

        A certificate that looks valid here counts only if the central system takes it.
        """
        code = (await call.read(Enrol)).code
        settings, paths = self._core.settings, self._core.paths
        async with self._enrolling:
            is_refused = self._core.context.link.current().problem == "certificate_invalid"
            work = partial(enrol, ca=None, force=is_refused)
            kiosk, url = settings.kiosk.id, settings.central.url
            done = await asyncio.to_thread(work, paths, kiosk, code, url)
        log.info("%s enrols this kiosk; new: %s", call.person.id, done.is_new)
        self._core.poller.wake()
        self._core.deliver_now(is_manual=True)
        return Enrolled(
            kiosk=done.kiosk_id, not_after=format_wall(done.not_after), is_new=done.is_new
        )

    async def _check_restart(self, _call: Call) -> None:
        """Check that sync may end now; what it sends is resumed afterwards.

        Raises:
            RestartRefusedError: a hearing is open, a visitor waits for a number, or the link is
                being checked.
            KioskError: the recorder does not answer.
        """
        if await self._sign_in.is_hearing_open():
            raise refuse_in_hearing()
        if self._registering or self._core.link_check.is_running:
            raise RestartRefusedError("it registers a filing or checks the link")

    async def _metrics(self, _call: Call) -> web.StreamResponse:
        text = await asyncio.to_thread(metrics_text, self._core.context)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


def _item_id(call: Call) -> str:
    value = call.http.match_info["id"]
    if not UUID.match(value):
        raise NotFoundError("not an id")
    return value


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise web.HTTPBadRequest(reason="date must be YYYY-MM-DD") from error
