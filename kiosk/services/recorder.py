"""``kiosk recorder`` as a process: its life, its threads, its events."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal

from kiosk.api.states import ClockState
from kiosk.hardware.virtual.panel import press_mock_button
from kiosk.hearing.monitoring.monitor import POLL_S
from kiosk.ipc import EventStream, serve_unix
from kiosk.services.hall import HallService
from kiosk.services.recorder_api import RecorderApi
from kiosk.services.recorder_core import RecorderCore
from kiosk.services.service_life import ServiceLife
from kiosk.services.step_runner import StepRunner
from kiosk.services.watchdog import ping_watchdog
from kiosk.systemd import notify

log = logging.getLogger(__name__)
STATE_INTERVAL_S, LEVELS_INTERVAL_S = 1.0, 0.1
UNWATCHED_INTERVAL_S, UNWATCHED_LEVELS = 0.25, 4
"""While no screen shows levels: seconds between two looks, and one in so many is published."""
IDLE_POLL_S = 0.5
"""Between two polls of a courtroom without an open hearing."""
SHUTDOWN_S = 15.0
"""For the seals that are due. With the step that ends the running part it stays below the unit's
``TimeoutStopSec``."""


class RecorderService:
    """Everything of ``kiosk recorder``; :meth:`run` lives until SIGTERM or SIGINT.

    Args:
        core: its courtroom has recovered.
    """

    def __init__(self, core: RecorderCore) -> None:
        self._core = core
        core.on_change, core.on_button_press = self._mark_changed, self._on_button_press
        core.on_call_press = self._on_call_press
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._events = EventStream()
        self._steps = StepRunner()
        core.courtroom.invariants.step_seconds = lambda: self._steps.seconds
        self._hall = HallService(core.courtroom.hall_view, core.paths.hall_socket)
        self._life = ServiceLife(core.paths.recorder_run)
        self._api = RecorderApi(
            core, self._steps, self._events, self._mark_changed, self._life, self._stop.set
        )

    # -- life ----------------------------------------------------------------------------------
    async def run(self) -> None:
        """Serve until a signal comes; then close and seal what runs, so that it can go on."""
        core = self._core
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        panel = core.settings.panel
        for number, pin in ((signal.SIGUSR1, panel.button_pin), (signal.SIGRTMIN, panel.call_pin)):
            self._loop.add_signal_handler(number, press_mock_button, panel, pin)
        runner = await serve_unix(self._api.application(), core.paths.recorder_socket)
        await self._hall.start()
        tasks = [
            asyncio.create_task(self._publish_states()),
            asyncio.create_task(self._publish_levels()),
            asyncio.create_task(self._poll_courtroom()),
            asyncio.create_task(self._api.filing_keys.run()),
            asyncio.create_task(self._api.machine.run()),
            asyncio.create_task(self._api.room.run()),
            asyncio.create_task(self._api.alarm_log.run()),
            asyncio.create_task(self._api.morning_check.run()),
            asyncio.create_task(self._api.watch_staff()),
            asyncio.create_task(self._api.headset_signals.run()),
            asyncio.create_task(ping_watchdog(lambda: not self._steps.is_hung)),
        ]
        core.courtroom.invariants.start()
        self._life.begin()
        notify("READY=1")
        log.info("recorder of %s runs", core.settings.kiosk.id)
        await self._stop.wait()
        notify("STOPPING=1")
        await asyncio.to_thread(core.courtroom.invariants.stop)
        await self._api.exports.close()
        await self._api.room.close()
        await self._steps.run(lambda: core.courtroom.shutdown(SHUTDOWN_S))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.close()
        await self._hall.close()
        await runner.cleanup()
        with contextlib.suppress(FileNotFoundError):
            core.paths.recorder_socket.unlink()
        await asyncio.to_thread(core.sources.close)
        core.panel.close()
        self._steps.close()
        await asyncio.to_thread(self._api.alarm_log.keep)
        self._life.end()

    def _mark_changed(self) -> None:
        """Publish the state again, now; called from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._changed.set)

    def _on_button_press(self) -> None:
        """Add a mark to the running hearing (in gpiozero's thread)."""
        if not self._api.is_testing_device:
            with contextlib.suppress(RuntimeError):  # the service is ending
                self._steps.submit(self._core.courtroom.mark_from_button)

    def _on_call_press(self) -> None:
        """Call the secretary (in gpiozero's thread)."""
        if self._loop is not None and not self._api.is_testing_device:
            self._api.secretary_call.press(self._loop.call_soon_threadsafe)

    async def _publish_states(self) -> None:
        while True:
            self._changed.clear()
            try:
                state = self._core.courtroom.state()
                is_trusted = state.clock.state is ClockState.OK
                self._api.alarm_log.update(state.alarms, is_clock_trusted=is_trusted)
                self._api.headset_signals.follow(state)
                self._events.send("state", state.to_json())
            except Exception:  # a state that cannot be serialised must not stop the publisher
                log.exception("the state cannot be published")
            self._hall.publish()
            # not wait_for: in Python 3.11 it loses a cancellation that comes with the event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATE_INTERVAL_S):
                    await self._changed.wait()

    async def _poll_courtroom(self) -> None:
        while True:
            try:
                await self._steps.run(self._core.courtroom.poll)
            except Exception:  # the next poll tries again
                log.exception("the watch failed")
            await asyncio.sleep(POLL_S if self._core.courtroom.open_hearing_id else IDLE_POLL_S)

    async def _publish_levels(self) -> None:
        for number in itertools.count():
            is_watched = self._api.is_testing_device or self._api.room.is_surveying
            is_shown = self._core.courtroom.open_hearing_id or is_watched
            if is_shown or number % UNWATCHED_LEVELS == 0:
                levels = {**self._core.sources.levels(), **self._api.room.levels()}
                data = {name: row.to_json() for name, row in levels.items()}
                self._events.send("levels", data)
            await asyncio.sleep(LEVELS_INTERVAL_S if is_shown else UNWATCHED_INTERVAL_S)
