"""``kiosk sync`` as a process: threads, local API and their life. Wiring only."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from kiosk.config import Settings
from kiosk.errors import CentralError, KioskError, StorageError
from kiosk.ipc import (
    EventStream,
    LocalClient,
    ServiceDownError,
    errors_as_json,
    read_json,
    serve_unix,
)
from kiosk.rules.load import load_rules
from kiosk.rules.rules import Rules
from kiosk.services.watchdog import feed_watchdog, notify
from kiosk.storage.durable import make_folder
from kiosk.storage.layout import Layout
from kiosk.sync.client import CentralClient
from kiosk.sync.connector import Connector
from kiosk.sync.courier import Courier
from kiosk.sync.device_state import queue_of
from kiosk.sync.lanes import Lane
from kiosk.sync.link_check import Limits, LinkCheck, LinkCheckRunningError
from kiosk.sync.manifest import UUID, ManifestError
from kiosk.sync.metrics import CONTENT_TYPE, metrics_text
from kiosk.sync.pacing import pacing_rate
from kiosk.sync.poller import Poller
from kiosk.sync.registrar import (
    reconcile_filings,
    register_filing,
    registration_body,
    send_heads,
)
from kiosk.sync.registrations import PROVISIONAL, Registration
from kiosk.sync.retention import Housekeeper, receipted
from kiosk.sync.room import SyncRoom

log = logging.getLogger(__name__)

REGISTER_SECONDS = 3.0
REGISTER_TIMEOUT = (2.0, 10.0)  # the request may still succeed after the visitor's answer
RECORDER_SECONDS = 2.0
REGISTRARS = 4


class AlreadyRunningError(KioskError):
    """Another ``kiosk sync`` owns this kiosk's database."""

    code = "already_running"


class NotFoundError(KioskError):
    """No such item."""

    code = "not_found"
    status = 404


class FilingRefusedError(KioskError):
    """The filing's folder cannot be registered as it is."""

    code = "filing_failed"
    status = 409


def take_lock(layout: Layout) -> IO[str]:
    """Take the lock that keeps a second process off the database; held until closed.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    path = layout.database.parent / "lock"
    make_folder(path.parent)
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "?"
        file.close()
        raise AlreadyRunningError(
            f"another kiosk process ({owner}) is using {layout.database}; only one may. "
            "Stop it first: systemctl stop kiosk-sync"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


class SyncService:
    """Everything of ``kiosk sync``; :meth:`run` lives until :meth:`stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.layout = Layout.of(settings.paths)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dirty = threading.Event()
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self.room = SyncRoom(settings, self._mark_changed)
        self.poller = Poller(self.room)
        self.urgent = Courier(self.room, "urgent", ("filing",), (Lane.URGENT,), self._small_things)
        self.bulk = Courier(
            self.room,
            "bulk",
            ("hearing", "report"),
            (Lane.RECORD, Lane.VIDEO),
            tidy=Housekeeper(self.room).tidy,
        )
        self.link_check = LinkCheck(
            self.room,
            Connector(self.layout, settings.central.url),
            Connector(self.layout, settings.central.url),
            _link_limits(load_rules()),
        )
        self._registrars = ThreadPoolExecutor(REGISTRARS, thread_name_prefix="registrar")
        self._own = threading.local()
        self._connectors: list[Connector] = []
        self._events = EventStream()

    # -- life --------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve until :meth:`stop`; then end cleanly (what is being sent is resumed later)."""
        self._loop = asyncio.get_running_loop()
        runner = await serve_unix(self._app(), self.layout.sync_socket)
        for worker in (self.poller, self.urgent, self.bulk):
            worker.start()
        tasks = [
            asyncio.create_task(self._tell()),
            asyncio.create_task(self._watch_recorder()),
            asyncio.create_task(feed_watchdog(self._well)),
        ]
        notify("READY=1")
        log.info("sync of %s runs", self.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.close()
        await asyncio.to_thread(self._end_threads)
        await runner.cleanup()
        with suppress(FileNotFoundError):
            self.layout.sync_socket.unlink()
        self.room.close()

    def stop(self) -> None:
        """End :meth:`run`; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _end_threads(self) -> None:
        self.link_check.cancel()
        for connector in self._connectors:
            connector.break_off()
        for worker in (self.bulk, self.urgent, self.poller):
            worker.stop()
        self._registrars.shutdown(wait=False, cancel_futures=True)

    def _well(self) -> bool:
        return self.poller.alive and self.urgent.alive and self.bulk.alive

    def _mark_changed(self) -> None:
        """Called from any thread: have the state told once more, soon."""
        if self._loop is not None and not self._dirty.is_set():
            self._dirty.set()
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    async def _tell(self) -> None:
        """Send the state to the listeners when it has changed, at most five times a second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._dirty.clear()
            if self.poller.link_came_up.is_set():
                self.poller.link_came_up.clear()
                self._deliver_now(asked=False)
            with suppress(StorageError):
                self._events.send("state", await asyncio.to_thread(self.state))
            await asyncio.sleep(0.2)

    async def _watch_recorder(self) -> None:
        """Know what the recorder does; it may be absent, and never waits for sync."""
        client = LocalClient(self.layout.recorder_socket)
        try:
            while True:
                try:
                    state = await client.get("/v1/state", timeout=RECORDER_SECONDS)
                except (ServiceDownError, KioskError):
                    state = None
                before, self.poller.recorder = self.poller.recorder, state
                if (before or {}).get("phase") == "sealing" and (state or {}).get(
                    "phase"
                ) != "sealing":
                    self.bulk.wake()
                with suppress(StorageError):
                    rate = pacing_rate(state, self.room.last_link_check())
                    self.bulk.connector.pace(rate)
                await asyncio.sleep(RECORDER_SECONDS)
        finally:
            await client.close()

    def _deliver_now(self, *, asked: bool) -> None:
        self.urgent.deliver_now(asked=asked)
        self.bulk.deliver_now(asked=asked)

    def _small_things(self, client: CentralClient) -> None:
        send_heads(self.room, client)
        reconcile_filings(self.room, client)

    # -- API ---------------------------------------------------------------------------------
    def _app(self) -> web.Application:
        app = web.Application(middlewares=[errors_as_json])
        app.add_routes(
            [
                web.get("/v1/state", self._get_state),
                web.get("/v1/events", self._events.handle),
                web.get("/v1/schedule", self._get_schedule),
                web.post("/v1/filings/{id}/register", self._register),
                web.get("/v1/filings/{id}", self._get_filing),
                web.get("/v1/hearings/{id}", self._get_delivery),
                web.get("/v1/reports/{id}", self._get_delivery),
                web.post("/v1/link-check", self._check_link),
                web.delete("/v1/link-check", self._cancel_check),
                web.post("/v1/deliver", self._deliver),
                web.get("/metrics", self._metrics),
            ]
        )
        return app

    def state(self) -> dict[str, Any]:
        """Return ``State`` (see docs/interfaces.md)."""
        return {
            "contract": 1,
            "kiosk": self.settings.kiosk.id,
            "link": self.room.link.listed(),
            "queue": queue_of(self.room),
            "schedule": {"pulled_at": self.poller.schedule.value.get("pulled_at")},
            "delivering": self.room.progress.listed(),
            "database": "rebuilt" if self.room.rebuilt else "ok",
            "link_check": {
                "running": self.link_check.running,
                "last": self.room.last_link_check(),
            },
            "alarms": self.room.alarms.listed(),
        }

    async def _get_state(self, _: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(self.state))

    async def _get_schedule(self, request: web.Request) -> web.Response:
        schedule = self.poller.schedule.value
        hearings = list(schedule.get("hearings", ()))
        wanted = request.query.get("date")
        if wanted is not None:
            day, zone = _day(wanted), ZoneInfo(self.settings.kiosk.timezone)
            hearings = [one for one in hearings if _day_of(one, zone) == day]
        return web.json_response({"pulled_at": schedule.get("pulled_at"), "hearings": hearings})

    async def _register(self, request: web.Request) -> web.Response:
        filing_id = _id(request)
        known = self.room.registrations.get(filing_id)
        if known is None or known.number is None:
            known = await self._try_to_register(filing_id)
        self.urgent.deliver_now(asked=False)
        return web.json_response(known.answer())

    async def _try_to_register(self, filing_id: str) -> Registration:
        """Return the number, real within 3 s or else provisional."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REGISTER_SECONDS
        try:
            body = await asyncio.to_thread(registration_body, self.room, filing_id)
        except ManifestError as error:
            raise FilingRefusedError(str(error)) from error
        request = loop.run_in_executor(self._registrars, self._register_now, filing_id, body)
        request.add_done_callback(_swallow)
        found: Registration | None = None
        try:
            left = deadline - loop.time() - 0.1
            found = await asyncio.wait_for(asyncio.shield(request), max(0.1, left))
        except TimeoutError:
            log.info("registration of %s takes too long: provisional number", filing_id)
        except CentralError as error:
            log.info("registration of %s: %s: %s", filing_id, error.code, error)
        if found is None:
            found = await asyncio.to_thread(self.room.registrations.give_provisional, filing_id)
        self._mark_changed()
        return found

    def _register_now(self, filing_id: str, body: dict[str, Any]) -> Registration | None:
        """Register in one of the registrars' threads, each with a connection of its own."""
        if not hasattr(self._own, "connector"):
            self._own.connector = Connector(self.layout, self.settings.central.url)
            self._connectors.append(self._own.connector)
        client = self._own.connector.client()
        return register_filing(self.room, client, filing_id, body, REGISTER_TIMEOUT)

    async def _get_filing(self, request: web.Request) -> web.Response:
        filing_id = _id(request)
        return web.json_response(await asyncio.to_thread(self._filing, filing_id))

    def _filing(self, filing_id: str) -> dict[str, Any]:
        known = self.room.registrations.get(filing_id)
        item = self.room.outbox.item(filing_id)
        if known is None and item is None:
            raise NotFoundError(f"no filing {filing_id}")
        delivered = (
            item is not None
            and item.state == "delivered"
            and bool(receipted(self.layout, self.room.receipts, "filing", filing_id))
        )
        sent = "sent" if delivered else "queued"
        return {
            "state": sent if known is None or known.state == PROVISIONAL else known.state,
            "number": None if known is None else known.number,
            "provisional": None if known is None else known.provisional,
            "as_of": None if known is None else known.as_of,
            "delivered": delivered,
        }

    async def _get_delivery(self, request: web.Request) -> web.Response:
        item = await asyncio.to_thread(self.room.outbox.item, _id(request))
        if item is None:
            raise NotFoundError("not in the outbox (not sealed yet, or unknown)")
        answer = item.answer()
        live = self.room.progress.live_bytes(item.id)
        if live is not None:
            answer["bytes_done"] = max(item.bytes_done, live)
        return web.json_response(answer)

    async def _check_link(self, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        quick = bool((await read_json(request)).get("quick"))

        def tell(step: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._events.send, "link-check", step)

        try:
            result = await asyncio.to_thread(self.link_check.run, tell, quick=quick)
            return web.json_response(result)
        except LinkCheckRunningError as error:
            body = {"code": error.code, "message": str(error)}
            return web.json_response(body, status=409)

    async def _cancel_check(self, _: web.Request) -> web.Response:
        self.link_check.cancel()
        return web.json_response({})

    async def _deliver(self, _: web.Request) -> web.Response:
        self.poller.wake()
        self._deliver_now(asked=True)
        return web.json_response({})

    async def _metrics(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(metrics_text, self.room)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


def _swallow(future: asyncio.Future[Any]) -> None:
    """Fetch a late failure, so that it is not reported as forgotten."""
    if not future.cancelled():
        future.exception()


def _id(request: web.Request) -> str:
    value = request.match_info["id"]
    if not UUID.match(value):
        raise NotFoundError("not an id")
    return value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise web.HTTPBadRequest(reason="date must be YYYY-MM-DD") from error


def _day_of(hearing: dict[str, Any], zone: ZoneInfo) -> date | None:
    """Return the court's day on which a hearing is scheduled."""
    try:
        return datetime.fromisoformat(str(hearing["scheduled_at"])).astimezone(zone).date()
    except (KeyError, ValueError):
        return None


def _link_limits(rules: Rules) -> Limits:
    least = rules.limit("net_min_mbit")
    percent = rules.limit("net_borderline_percent")
    return Limits(float(least), float(percent) / 100)


def serve(settings: Settings) -> None:
    """Run ``kiosk sync`` until SIGTERM or SIGINT.

    Raises:
        AlreadyRunningError: another process owns the database.
    """
    layout = Layout.of(settings.paths)
    lock = take_lock(layout)
    try:
        asyncio.run(_serve(settings))
    finally:
        lock.close()


async def _serve(settings: Settings) -> None:
    service = SyncService(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()
