"""``kiosk sync`` as a process: local API, events and life around :class:`SyncCore`."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

from pydantic import ValidationError

from kiosk.api.base import read_leniently
from kiosk.api.recorder import RecorderState
from kiosk.api.states import Phase
from kiosk.api.sync import LinkCheckStep
from kiosk.config import Settings
from kiosk.errors import KioskError, StorageError
from kiosk.ipc import EventStream, LocalClient, serve_unix
from kiosk.services.alarm_log import AlarmLogService
from kiosk.services.service_life import ServiceLife
from kiosk.services.sync_api import SyncApi
from kiosk.services.sync_core import SyncCore
from kiosk.services.sync_lock import acquire_lock
from kiosk.services.watchdog import ping_watchdog
from kiosk.storage.paths import Paths
from kiosk.sync.link_check.line_publisher import EVERY_S
from kiosk.systemd import notify

log = logging.getLogger(__name__)

RECORDER_POLL_S = 2.0
PUBLISH_INTERVAL_S = 0.5  # the state costs 10 ms of a processor: as little as a person notices


class SyncService:
    """The process; :meth:`run` lives until :meth:`stop`."""

    def __init__(self, settings: Settings) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dirty = threading.Event()
        self._changed = asyncio.Event()
        self._line_watched = asyncio.Event()
        self._stop = asyncio.Event()
        self._events = EventStream()
        self.core = SyncCore(settings, self._mark_changed)

    async def run(self) -> None:
        """Serve until :meth:`stop`; then end cleanly."""
        self._loop = asyncio.get_running_loop()
        core = self.core
        life = ServiceLife(core.paths.sync_socket.parent)
        api = SyncApi(core, self._events, self._publish_check, life, self._stop.set)
        runner = await serve_unix(api.application(), core.paths.sync_socket)
        core.start()
        life.begin()
        tasks = [
            asyncio.create_task(self._publish_states(api.alarm_log)),
            asyncio.create_task(api.alarm_log.run()),
            asyncio.create_task(self._poll_recorder()),
            asyncio.create_task(self._run_due_checks()),
            asyncio.create_task(self._watch_line()),
            asyncio.create_task(ping_watchdog(core.is_healthy)),
        ]
        notify("READY=1")
        log.info("sync of %s runs", core.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.close()
        await asyncio.to_thread(core.stop)
        await runner.cleanup()
        with suppress(FileNotFoundError):
            core.paths.sync_socket.unlink()
        core.context.close()
        await asyncio.to_thread(api.alarm_log.keep)
        life.end()

    def stop(self) -> None:
        """End :meth:`run`; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _mark_changed(self) -> None:
        """Publish the state again, soon; called from any thread."""
        if self._loop is not None and not self._dirty.is_set():
            self._dirty.set()
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    async def _publish_states(self, alarm_log: AlarmLogService) -> None:
        """Send the state to the listeners when it has changed, at most twice a second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._dirty.clear()
            if self.core.poller.link_came_up.is_set():
                self.core.poller.link_came_up.clear()
                self.core.deliver_now(is_manual=False)
            with suppress(StorageError):
                state = await asyncio.to_thread(self.core.state)
                alarm_log.update(state.alarms, is_clock_trusted=self.core.is_clock_trusted)
                self._events.send("state", state.to_json())
            await asyncio.sleep(PUBLISH_INTERVAL_S)

    async def _poll_recorder(self) -> None:
        """Poll the recorder's state; it may be absent, and never waits for sync."""
        client = LocalClient(self.core.paths.recorder_socket)
        try:
            while True:
                state = await self._read_recorder(client)
                with suppress(StorageError):
                    self.core.set_recorder_state(state)
                if self.core.is_line_watched:
                    self._line_watched.set()
                if state is not None:
                    self.core.set_live(state, await self._read_levels(client, state))
                await asyncio.sleep(RECORDER_POLL_S)
        finally:
            await client.close()

    async def _read_recorder(self, client: LocalClient) -> RecorderState | None:
        """Return the recorder's state; the last known one where it cannot be read."""
        try:
            value = await client.get("/v1/state", timeout=RECORDER_POLL_S)
            return read_leniently(RecorderState, value)[0]
        except KioskError:
            return None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            log.error("state of the recorder: %s: %s", first["loc"], first["msg"])
            return self.core.poller.recorder_state

    async def _read_levels(self, client: LocalClient, state: RecorderState) -> Mapping[str, Any]:
        """Return the newest levels while a part is recorded: a new listener gets them first."""
        if state.phase is not Phase.RECORDING:
            return {}
        with suppress(KioskError, TimeoutError, ValueError):
            async with asyncio.timeout(RECORDER_POLL_S), aclosing(client.events()) as events:
                async for name, value in events:
                    if name == "levels" and isinstance(value, dict):
                        return value
        return {}

    async def _run_due_checks(self) -> None:
        """Check the link shortly before each hearing of the list, unless one is open."""
        while True:
            try:
                await asyncio.to_thread(self.core.run_due_check, self._publish_check)
            except Exception:  # no error may end the scheduled checks
                log.exception("link check before a hearing")
            await asyncio.sleep(RECORDER_POLL_S)

    async def _watch_line(self) -> None:
        """Watch the line during a hearing; at rest nothing wakes up."""
        while True:
            await self._line_watched.wait()
            try:
                await asyncio.to_thread(self.core.watch_line)
            except Exception:  # no error may end the watch
                log.exception("watch of the line")
            if not self.core.is_line_watched:
                self._line_watched.clear()
            await asyncio.sleep(EVERY_S)

    def _publish_check(self, step: LinkCheckStep) -> None:
        """Send a step of a link check to the listeners; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._events.send, "link-check", step.to_json())


def serve(settings: Settings) -> None:
    """Run ``kiosk sync`` until SIGTERM or SIGINT.

    Raises:
        AlreadyRunningError: another process owns the database.
    """
    lock = acquire_lock(Paths.from_settings(settings.paths))
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
