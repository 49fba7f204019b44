"""``kiosk sync`` as a process: threads, local API and their life. Wiring only."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.errors import KioskError, StorageError
from kiosk.ipc import EventStream, LocalClient, ServiceDownError, serve_unix
from kiosk.rules.load import load_rules
from kiosk.rules.rules import Rules
from kiosk.services.registration import FilingNumbers
from kiosk.services.sync_api import SyncApi
from kiosk.services.sync_lock import take_lock
from kiosk.services.watchdog import feed_watchdog, notify
from kiosk.storage.paths import Layout
from kiosk.sync.context import SyncRoom
from kiosk.sync.courier.receipts import Returns
from kiosk.sync.delivery.registrar import reconcile_filings, send_heads
from kiosk.sync.delivery.retention import Housekeeper
from kiosk.sync.delivery.timestamps import Stamper
from kiosk.sync.delivery.worker import Deliverer
from kiosk.sync.link_check.link_check import Limits, LinkCheck
from kiosk.sync.link_check.scheduled_checks import HearingChecks
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.polling.heartbeat import forecast_of, queue_of, uploads_of
from kiosk.sync.polling.poller import Poller
from kiosk.sync.state.upload_policy import permit
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.connection import Connector

log = logging.getLogger(__name__)

RECORDER_SECONDS = 2.0
TELL_SECONDS = 0.5  # the state costs 10 ms of a processor: as little as a person notices


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
        self.stamper = Stamper(self.layout, settings.recording.timestamp_url)
        self.poller = Poller(self.room)
        urgent = (Lane.URGENT,)
        self.urgent = Deliverer(
            self.room, "urgent", ("filing",), urgent, self._small_things, Returns(self.room).take
        )
        self.bulk = Deliverer(
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
        before = timedelta(minutes=settings.sync.link_check_minutes)
        self.checks = HearingChecks(self.link_check, self.layout.link_checks, before)
        self.numbers = FilingNumbers(self.room)
        self.events = EventStream()

    # -- life --------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve until :meth:`stop`; then end cleanly (what is being sent is resumed later)."""
        self._loop = asyncio.get_running_loop()
        runner = await serve_unix(SyncApi(self).application(), self.layout.sync_socket)
        for worker in (self.poller, self.urgent, self.bulk, self.stamper):
            worker.start()
        tasks = [
            asyncio.create_task(self._tell()),
            asyncio.create_task(self._watch_recorder()),
            asyncio.create_task(self._check_before_hearings()),
            asyncio.create_task(feed_watchdog(self._well)),
        ]
        notify("READY=1")
        log.info("sync of %s runs", self.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.events.close()
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
        for worker in (self.bulk, self.urgent, self.poller, self.stamper):
            worker.stop()
        self.numbers.close()

    def _well(self) -> bool:
        return self.poller.alive and self.urgent.alive and self.bulk.alive

    def _mark_changed(self) -> None:
        """Called from any thread: have the state told once more, soon."""
        if self._loop is not None and not self._dirty.is_set():
            self._dirty.set()
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    async def _tell(self) -> None:
        """Send the state to the listeners when it has changed, at most twice a second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._dirty.clear()
            if self.poller.link_came_up.is_set():
                self.poller.link_came_up.clear()
                self.deliver_now(asked=False)
            with suppress(StorageError):
                self.events.send("state", await asyncio.to_thread(self.state))
            await asyncio.sleep(TELL_SECONDS)

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
                    self._permit(state)
                await asyncio.sleep(RECORDER_SECONDS)
        finally:
            await client.close()

    async def _check_before_hearings(self) -> None:
        """Measure the line shortly before each hearing of the list, unless one is running."""
        while True:
            hearings = self.poller.schedule.value.get("hearings", ())
            recorder = self.poller.recorder
            try:
                await asyncio.to_thread(self.checks.run_if_due, hearings, recorder, self.tell_check)
            except Exception:  # the list comes from outside: no surprise may end the watch
                log.exception("link check before a hearing")
            await asyncio.sleep(RECORDER_SECONDS)

    def tell_check(self, step: dict[str, Any]) -> None:
        """Send a step of a link check to the listeners; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.events.send, "link-check", step)

    def _permit(self, recorder: dict[str, Any] | None) -> None:
        """Say what recordings may do now: windows, caps, a running hearing."""
        before, check = self.room.permit, self.room.last_link_check()
        local = wall_time().astimezone(ZoneInfo(self.settings.kiosk.timezone))
        self.room.permit = permit(self.settings.sync, local, recorder, check)
        self.bulk.connector.pace(self.room.permit.rate)
        if before.state != self.room.permit.state:
            self.bulk.wake()
            self._mark_changed()

    def deliver_now(self, *, asked: bool) -> None:
        """Wake the delivery; see :meth:`Deliverer.deliver_now`."""
        self.urgent.deliver_now(asked=asked)
        self.bulk.deliver_now(asked=asked)

    def _small_things(self, client: CentralClient) -> None:
        send_heads(self.room, client)
        reconcile_filings(self.room, client)

    def state(self) -> dict[str, Any]:
        """Return ``State`` (see docs/interfaces.md)."""
        return {
            "contract": 1,
            "kiosk": self.settings.kiosk.id,
            "link": self.room.link.listed(),
            "queue": queue_of(self.room),
            "schedule": {"pulled_at": self.poller.schedule.value.get("pulled_at")},
            "delivering": self.room.progress.listed(),
            "uploads": uploads_of(self.room),
            "forecast": forecast_of(self.room),
            "database": "rebuilt" if self.room.rebuilt else "ok",
            "link_check": {
                "running": self.link_check.running,
                "last": self.room.last_link_check(),
                "next": self.checks.next(self.poller.schedule.value.get("hearings", ())),
            },
            "stamps": self.stamper.listed(),
            "alarms": self.room.alarms.listed(),
        }


def _link_limits(rules: Rules) -> Limits:
    least = rules.limit("net_min_mbit")
    percent = rules.limit("net_borderline_percent")
    sentences = {row.id: row.label.as_map() for row in rules.link_verdicts.values()}
    return Limits(float(least), float(percent) / 100, sentences)


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
