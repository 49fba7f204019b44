"""Gives the devices to one test or rehearsal at a time, and takes them back for a hearing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from kiosk.errors import RequestError
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.services.local_api import Call

T = TypeVar("T")
YIELD_S = 0.2
"""Work ends so soon after a hearing has begun, or after nobody waits for it."""


class AbandonedTestError(RequestError):
    """Who asked for a device's test has gone, or it made way for a hearing."""

    code = "cancelled"


class DeviceTurn:
    """Whose turn it is with the devices, outside hearings.

    Args:
        open_hearing_id: of the courtroom; None: no hearing is open.
    """

    def __init__(self, open_hearing_id: Callable[[], str | None]) -> None:
        self._open_hearing_id = open_hearing_id
        self._lock = asyncio.Lock()
        self._running: asyncio.Future[Any] | None = None

    def make_way(self) -> None:
        """End the work that runs, now and not at the next look: a hearing begins."""
        if self._running is not None:
            self._running.cancel()

    @property
    def is_taken(self) -> bool:
        """Whether a device is being tested or rehearsed with."""
        return self._lock.locked()

    async def run(self, call: Call, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do ``work`` when it is its turn; return its result.

        Raises:
            AlreadyRecordingError: a hearing is open, or began meanwhile.
            AbandonedTestError: the caller has gone, or a hearing begins.
        """
        self._refuse(call)
        async with self._lock:
            self._refuse(call)  # it may have waited for another one's end
            running = asyncio.ensure_future(work())
            self._running = running
            try:
                while not (await asyncio.wait({running}, timeout=YIELD_S))[0]:
                    self._refuse(call)
                if running.cancelled():
                    self._refuse(call)
                    raise AbandonedTestError("a hearing begins")
                return running.result()
            finally:
                self._running = None
                running.cancel()  # a hearing or the next test needs the device
                await asyncio.wait({running}, timeout=YIELD_S)

    def _refuse(self, call: Call) -> None:
        if (open_hearing := self._open_hearing_id()) is not None:
            raise AlreadyRecordingError(open_hearing)
        if call.http.transport is None or call.http.transport.is_closing():
            raise AbandonedTestError("nobody waits for the result")
