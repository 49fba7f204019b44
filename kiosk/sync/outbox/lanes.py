"""Lanes: urgent transfers go first, bulk transfers yield even in the middle of a request.

Waiting for the end of a recording's PATCH keeps a filing waiting for 6-32 s on a court's line;
sending both at once takes 6-18 s; breaking the PATCH off and resuming it later costs half a
second. So bulk transfers call :meth:`Lanes.raise_if_preempted` before every block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from kiosk.errors import KioskError

PAUSE_SECONDS = 0.3  # after urgent work: a filing's documents follow its registration


class Lane(IntEnum):
    """Order of delivery: lower first."""

    URGENT = 0  # filings; journal heads
    RECORD = 1  # journals, channels, everything small of a hearing; self-test reports
    VIDEO = 2  # the picture


class PreemptedError(KioskError):
    """A bulk transfer was interrupted because something urgent goes first."""

    code = "preempted"


class Lanes:
    """Keeps count of urgent work; bulk work waits for it and gives way to it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent_count = 0
        self._free_at = 0.0
        self._is_stopping = False
        self.preemption_count = 0

    @contextmanager
    def urgent_work(self) -> Iterator[None]:
        """Reserve the link for urgent work; running bulk transfers are interrupted."""
        with self._changed:
            self._urgent_count += 1
        try:
            yield
        finally:
            with self._changed:
                self._urgent_count -= 1
                self._free_at = time.monotonic() + PAUSE_SECONDS
                self._changed.notify_all()

    def raise_if_preempted(self) -> None:
        """Return at once while bulk work may go on.

        Raises:
            PreemptedError: something urgent waits, or the service stops.
        """
        if self._urgent_count or self._is_stopping:
            with self._changed:
                self.preemption_count += 1
            raise PreemptedError("something urgent goes first")

    def raise_if_stopping(self) -> None:
        """Return at once unless the service stops (for urgent transfers).

        Raises:
            PreemptedError: the service stops.
        """
        if self._is_stopping:
            raise PreemptedError("the service stops")

    def wait_until_free(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until urgent work has ended for a moment; return whether it has.

        Else bulk work would send between two pieces of urgent work, and be interrupted again.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while not self._is_stopping:
                now = time.monotonic()
                free_at = end if self._urgent_count else self._free_at
                if now >= free_at and not self._urgent_count:
                    break
                if now >= end:
                    return False
                self._changed.wait(min(free_at, end) - now)
            return True

    def stop(self) -> None:
        """Interrupt every transfer, now and from now on."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
