"""Makes the morning check when it is due, outside hearings, and keeps what it found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.alarms import device_of, is_known
from kiosk.api.recorder import AlarmKey
from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.wall_clock import is_clock_trusted
from kiosk.hearing.room.noise_baseline import load_noise_floors
from kiosk.selftest.morning_check import is_due, judge_noise, run_morning_check
from kiosk.selftest.sweep_verdict import SWEEP_CODES
from kiosk.storage.atomic_io import read_json_or_none, write_json
from kiosk.storage.paths import Paths
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
LOOK_S, YIELD_S = 10.0, 0.1
"""Seconds between two looks at the clock, and at the room while a check runs."""
RETRY_S = 3600.0
"""After a check that failed by a fault of its own."""


class MorningCheckService:
    """Compares the devices with commissioning each morning.

    Args:
        is_busy: whether a hearing is open, or a device is tested; any thread asks.
        on_change: called when what has changed is another thing than before.

    Attributes:
        is_minute_kept: whether the minute before a hearing is kept: it holds no sweep.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        sources: Sources,
        is_busy: Callable[[], bool],
        on_change: Callable[[], None],
        wall: Callable[[], datetime] = wall_time,
        is_trusted: Callable[[], bool] = is_clock_trusted,
    ) -> None:
        self._settings, self._paths, self._sources = settings, paths, sources
        self._is_busy, self._on_change = is_busy, on_change
        self._wall, self._is_trusted = wall, is_trusted
        self.is_minute_kept: Callable[[], bool] = lambda: False
        self._zone = ZoneInfo(settings.kiosk.timezone)
        self._is_done = False
        self._check: asyncio.Task[list[AlarmKey]] | None = None
        self._done_on, self._found = _read(paths)

    def make_way(self) -> None:
        """End a check that runs, now and not at the next look: a hearing begins."""
        if self._check is not None:
            self._check.cancel()

    def alarms(self) -> list[AlarmKey]:
        """Return what had changed at the last check; nothing in a hearing, which has its own."""
        return [] if self._is_busy() else list(self._found)

    async def forget_mended(self, check: str, measured: Mapping[str, Any]) -> None:
        """Forget what a test of the technician that has passed shows to be mended.

        Args:
            check: ``camera``, ``microphones`` or ``speech_transmission``; others change nothing.
            measured: what it measured; of microphones the noise counts, of a sweep the index.
        """
        if check == "camera":
            left = [row for row in self._found if row[1] != "camera"]
        elif check == "speech_transmission":
            # One that was switched off, or lost, has shown nothing.
            heard = {"loudspeaker", *(name for name, row in measured.items() if _has_index(row))}
            left = [
                row
                for row in self._found
                if row[0] not in SWEEP_CODES or device_of(row[1]) not in heard
            ]
        elif check == "microphones":
            baseline = await asyncio.to_thread(load_noise_floors, self._paths)
            noise = {
                name: float(row["noise_db"])
                for name, row in measured.items()
                if isinstance(row, Mapping) and "noise_db" in row
            }
            judged = judge_noise(noise, baseline, is_occupied=False)
            still = {(code, device_of(source)) for code, source in judged}
            left = [
                (code, source)
                for code, source in self._found
                if source == "camera" or code in SWEEP_CODES or (code, device_of(source)) in still
            ]
        else:
            return
        if left != self._found:
            await self._keep(left, "")

    async def run(self, look_s: float = LOOK_S) -> None:
        """Check when it is due, until cancelled; nothing where no time is set."""
        if not self._settings.morning_check.at:
            return
        at = time.fromisoformat(self._settings.morning_check.at)
        while True:
            await asyncio.sleep(look_s)  # at a start the devices come up first
            try:
                await self._check_if_due(at)
            except Exception:  # not at the next look: the sweep would sound all day
                log.exception("the morning check failed")
                await asyncio.sleep(RETRY_S)

    async def _check_if_due(self, at: time) -> None:
        """Make the check, unless the room is busy; a hearing that begins ends it at once."""
        now, is_trusted = self._wall().astimezone(self._zone), self._is_trusted()
        if self._is_awaited() or not is_due(
            at, now, self._done_on, is_clock_trusted=is_trusted, done=self._is_done
        ):
            return
        baseline = await asyncio.to_thread(load_noise_floors, self._paths)
        check = self._check = asyncio.create_task(
            run_morning_check(self._settings, self._sources, self._paths, baseline)
        )
        try:
            while not check.done():
                await asyncio.wait({check}, timeout=YIELD_S)
                if self._is_awaited() or check.cancelled():
                    log.info("the morning check makes way for a hearing")
                    return
        finally:
            self._check = None
            check.cancel()
            await asyncio.gather(check, return_exceptions=True)
        await self._keep(check.result(), now.date().isoformat() if is_trusted else "")

    def _is_awaited(self) -> bool:
        return self._is_busy() or self.is_minute_kept()

    async def _keep(self, found: list[AlarmKey], day: str) -> None:
        changed, self._found = found != self._found, found
        self._is_done, self._done_on = True, day or self._done_on
        log.info("morning check: %s", ", ".join(f"{c} {s}" for c, s in found) or "as before")
        try:
            value = {"day": self._done_on, "found": found}
            await asyncio.to_thread(write_json, self._paths.morning_check, value, 0o640)
        except STORAGE_ERRORS as error:
            log.warning("the morning check cannot be kept: %s", error)
        if changed:
            self._on_change()


def _has_index(measured: object) -> bool:
    """Return whether a sweep has measured this microphone."""
    return isinstance(measured, Mapping) and measured.get("index") is not None


def _read(paths: Paths) -> tuple[str, list[AlarmKey]]:
    """Return day and findings of the last check; none where nothing can be read."""
    value = read_json_or_none(paths.morning_check) or {}
    try:
        found = [(str(code), str(source)) for code, source in value["found"]]
        return str(value["day"]), [(code, source) for code, source in found if is_known(code)]
    except (KeyError, TypeError, ValueError):
        return "", []
