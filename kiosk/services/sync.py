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
from kiosk.services.registration import RegistrationService
from kiosk.services.sync_api import SyncApi
from kiosk.services.sync_lock import acquire_lock
from kiosk.services.watchdog import notify, ping_watchdog
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext
from kiosk.sync.courier.receipts import CourierReceipts
from kiosk.sync.delivery.registrar import register_unnumbered_filings, send_journal_heads
from kiosk.sync.delivery.retention import Retention
from kiosk.sync.delivery.timestamps import TimestampWorker
from kiosk.sync.delivery.worker import DeliveryWorker
from kiosk.sync.link_check.link_check import LinkCheck, LinkLimits
from kiosk.sync.link_check.scheduled_checks import ScheduledLinkChecks
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.polling.heartbeat import forecast_state, queue_state, uploads_state
from kiosk.sync.polling.poller import Poller
from kiosk.sync.state.upload_policy import current_upload_policy
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.connection import Connection

log = logging.getLogger(__name__)

RECORDER_POLL_S = 2.0
PUBLISH_INTERVAL_S = 0.5  # the state costs 10 ms of a processor: as little as a person notices


class SyncService:
    """Everything of ``kiosk sync``; :meth:`run` lives until :meth:`stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.paths = Paths.from_settings(settings.paths)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dirty = threading.Event()
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self.context = SyncContext(settings, self._mark_changed)
        self.stamper = TimestampWorker(self.paths, settings.recording.timestamp_url)
        self.poller = Poller(self.context)
        urgent = (Lane.URGENT,)
        self.urgent = DeliveryWorker(
            self.context,
            "urgent",
            ("filing",),
            urgent,
            self._send_pending,
            CourierReceipts(self.context).apply,
        )
        self.bulk = DeliveryWorker(
            self.context,
            "bulk",
            ("hearing", "report"),
            (Lane.RECORD, Lane.VIDEO),
            clean_up=Retention(self.context).apply,
        )
        self.link_check = LinkCheck(
            self.context,
            Connection(self.paths, settings.central.url),
            Connection(self.paths, settings.central.url),
            _link_limits(load_rules()),
        )
        before = timedelta(minutes=settings.sync.link_check_minutes)
        self.scheduled_checks = ScheduledLinkChecks(self.link_check, self.paths.link_checks, before)
        self.registration = RegistrationService(self.context)
        self.events = EventStream()

    # -- life --------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve until :meth:`stop`; then end cleanly (what is being sent is resumed later)."""
        self._loop = asyncio.get_running_loop()
        runner = await serve_unix(SyncApi(self).application(), self.paths.sync_socket)
        for worker in (self.poller, self.urgent, self.bulk, self.stamper):
            worker.start()
        tasks = [
            asyncio.create_task(self._publish_states()),
            asyncio.create_task(self._poll_recorder()),
            asyncio.create_task(self._run_due_checks()),
            asyncio.create_task(ping_watchdog(self._is_healthy)),
        ]
        notify("READY=1")
        log.info("sync of %s runs", self.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.events.close()
        await asyncio.to_thread(self._stop_threads)
        await runner.cleanup()
        with suppress(FileNotFoundError):
            self.paths.sync_socket.unlink()
        self.context.close()

    def stop(self) -> None:
        """End :meth:`run`; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _stop_threads(self) -> None:
        self.link_check.cancel()
        for worker in (self.bulk, self.urgent, self.poller, self.stamper):
            worker.stop()
        self.registration.close()

    def _is_healthy(self) -> bool:
        return self.poller.is_alive and self.urgent.is_alive and self.bulk.is_alive

    def _mark_changed(self) -> None:
        """Publish the state again, soon; called from any thread."""
        if self._loop is not None and not self._dirty.is_set():
            self._dirty.set()
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    async def _publish_states(self) -> None:
        """Send the state to the listeners when it has changed, at most twice a second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._dirty.clear()
            if self.poller.link_came_up.is_set():
                self.poller.link_came_up.clear()
                self.deliver_now(is_manual=False)
            with suppress(StorageError):
                self.events.send("state", await asyncio.to_thread(self.state))
            await asyncio.sleep(PUBLISH_INTERVAL_S)

    async def _poll_recorder(self) -> None:
        """Poll the recorder's state; it may be absent, and never waits for sync."""
        client = LocalClient(self.paths.recorder_socket)
        try:
            while True:
                try:
                    state = await client.get("/v1/state", timeout=RECORDER_POLL_S)
                except (ServiceDownError, KioskError):
                    state = None
                before, self.poller.recorder_state = self.poller.recorder_state, state
                if (before or {}).get("phase") == "sealing" and (state or {}).get(
                    "phase"
                ) != "sealing":
                    self.bulk.wake()
                with suppress(StorageError):
                    self._update_upload_policy(state)
                await asyncio.sleep(RECORDER_POLL_S)
        finally:
            await client.close()

    async def _run_due_checks(self) -> None:
        """Measure the line shortly before each hearing of the list, unless one is running."""
        while True:
            hearings = self.poller.schedule.value.get("hearings", ())
            recorder = self.poller.recorder_state
            try:
                await asyncio.to_thread(
                    self.scheduled_checks.run_if_due, hearings, recorder, self.publish_check
                )
            except Exception:  # the list comes from outside: no surprise may end the watch
                log.exception("link check before a hearing")
            await asyncio.sleep(RECORDER_POLL_S)

    def publish_check(self, step: dict[str, Any]) -> None:
        """Send a step of a link check to the listeners; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.events.send, "link-check", step)

    def _update_upload_policy(self, recorder: dict[str, Any] | None) -> None:
        """Update the upload policy: windows, caps, a running hearing."""
        before, check = self.context.upload_policy, self.context.last_link_check()
        local = wall_time().astimezone(ZoneInfo(self.settings.kiosk.timezone))
        self.context.upload_policy = current_upload_policy(
            self.settings.sync, local, recorder, check
        )
        self.bulk.connection.set_rate(self.context.upload_policy.rate)
        if before.state != self.context.upload_policy.state:
            self.bulk.wake()
            self._mark_changed()

    def deliver_now(self, *, is_manual: bool) -> None:
        """Wake the delivery; see :meth:`DeliveryWorker.deliver_now`."""
        self.urgent.deliver_now(is_manual=is_manual)
        self.bulk.deliver_now(is_manual=is_manual)

    def _send_pending(self, client: CentralClient) -> None:
        send_journal_heads(self.context, client)
        register_unnumbered_filings(self.context, client)

    def state(self) -> dict[str, Any]:
        """Return ``State`` (see docs/interfaces.md)."""
        return {
            "contract": 1,
            "kiosk": self.settings.kiosk.id,
            "link": self.context.link.as_json(),
            "queue": queue_state(self.context),
            "schedule": {"pulled_at": self.poller.schedule.value.get("pulled_at")},
            "delivering": self.context.progress.as_json(),
            "uploads": uploads_state(self.context),
            "forecast": forecast_state(self.context),
            "database": "rebuilt" if self.context.is_rebuilt else "ok",
            "link_check": {
                "running": self.link_check.is_running,
                "last": self.context.last_link_check(),
                "next": self.scheduled_checks.next_as_json(
                    self.poller.schedule.value.get("hearings", ())
                ),
            },
            "stamps": self.stamper.as_json(),
            "alarms": self.context.alarms.as_json(),
        }


def _link_limits(rules: Rules) -> LinkLimits:
    least = rules.limit("net_min_mbit")
    percent = rules.limit("net_borderline_percent")
    sentences = {row.id: row.label.as_map() for row in rules.link_verdicts.values()}
    return LinkLimits(float(least), float(percent) / 100, sentences)


def serve(settings: Settings) -> None:
    """Run ``kiosk sync`` until SIGTERM or SIGINT.

    Raises:
        AlreadyRunningError: another process owns the database.
    """
    paths = Paths.from_settings(settings.paths)
    lock = acquire_lock(paths)
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
