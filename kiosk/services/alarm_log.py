"""The last alarms of a service, kept over restarts: what was, when, and how long.

Their order is the order in which they came, since a wall clock may be set meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from kiosk.api.base import Model, read_leniently
from kiosk.api.recorder import Alarm, AlarmKey
from kiosk.api.upkeep import GET_ALARM_LOG, AlarmLog, LoggedAlarm
from kiosk.clocks import format_wall
from kiosk.services.local_api import Call, Route
from kiosk.storage.atomic_io import make_folder, read_json_or_none, write_json
from kiosk.storage.volume import STORAGE_ERRORS

log = logging.getLogger(__name__)
LONGEST = 200
WRITE_INTERVAL_S = 10.0
"""An alarm that comes and goes wears no disk."""


class AlarmLogService:
    """The log of one service; any thread updates it.

    Args:
        file: where it is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._active: set[AlarmKey] = set()
        self._rows = _read(file)
        self._is_changed = False

    def routes(self) -> list[Route]:
        """Return the operation with its handler."""
        return [(GET_ALARM_LOG, self._get_alarm_log)]

    async def run(self) -> None:
        """Keep what has changed, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_INTERVAL_S)
            await asyncio.to_thread(self.keep)

    def update(self, alarms: Iterable[Alarm], *, is_clock_trusted: bool) -> None:
        """Note which alarms have begun and ended; no disk is asked."""
        found = {(alarm.code, alarm.source or ""): alarm for alarm in alarms}
        if found.keys() == self._active:
            return
        with self._lock:
            now = format_wall()
            ended = self._active - found.keys()
            rows = [
                row.model_copy(update={"ended": now, "lasts": False})
                if row.lasts and (row.code, row.source or "") in ended
                else row
                for row in self._rows
            ]
            begun = [
                LoggedAlarm(
                    code=code,
                    source=source or None,
                    began=alarm.since or now,
                    lasts=True,
                    is_clock_trusted=is_clock_trusted,
                )
                for (code, source), alarm in found.items()
                if (code, source) not in self._active
            ]
            self._rows = (rows + begun)[-LONGEST:]
            self._active, self._is_changed = set(found), True

    def rows(self) -> tuple[LoggedAlarm, ...]:
        """Return the alarms, the newest first."""
        with self._lock:
            return tuple(reversed(self._rows))

    def keep(self) -> None:
        """Write the log if it has changed; a disk that refuses is asked again later."""
        with self._lock:
            if not self._is_changed:
                return
            rows, self._is_changed = [row.to_json() for row in self._rows], False
        try:
            make_folder(self._file.parent)
            write_json(self._file, {"alarms": rows}, 0o640)
        except STORAGE_ERRORS as error:
            self._is_changed = True
            log.warning("the log of alarms cannot be kept: %s", error)

    async def _get_alarm_log(self, _call: Call) -> Model:
        return AlarmLog(alarms=self.rows())


def _read(file: Path) -> list[LoggedAlarm]:
    """Return what was kept; nothing of it lasts, since the service that saw it has ended."""
    kept, problems = read_leniently(AlarmLog, read_json_or_none(file) or {})
    if problems:
        log.warning("the log of alarms is damaged: %d faults", len(problems))
    return [row.model_copy(update={"lasts": False}) for row in kept.alarms][-LONGEST:]
