"""Lanes: what is urgent goes first, and what is not urgent gives way in the middle of a request.

Waiting for the end of a recording's PATCH keeps a filing waiting for 6-32 s on a court's line;
sending both at once takes 6-18 s; breaking the PATCH off and resuming it later costs half a
second. So bulk transfers ask :meth:`Lanes.bulk_must_yield` at every block that they send.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from kiosk.errors import KioskError


class Lane(IntEnum):
    """Order of delivery: lower first."""

    URGENT = 0  # filings; journal heads
    RECORD = 1  # journals, channels, everything small of a hearing; self-test reports
    VIDEO = 2  # the picture


class PreemptedError(KioskError):
    """A bulk transfer was broken off because something urgent wants the line."""

    code = "preempted"


class Lanes:
    """Keeps count of urgent work; bulk work waits for it and gives way to it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent = 0
        self._stopping = False
        self.preemptions = 0

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Hold the line for urgent work; running bulk transfers break off."""
        with self._changed:
            self._urgent += 1
        try:
            yield
        finally:
            with self._changed:
                self._urgent -= 1
                self._changed.notify_all()

    def bulk_must_yield(self) -> None:
        """Return at once while bulk work may go on.

        Raises:
            PreemptedError: something urgent waits, or the service stops.
        """
        if self._urgent or self._stopping:
            with self._changed:
                self.preemptions += 1
            raise PreemptedError("something urgent goes first")

    def must_stop(self) -> None:
        """Return at once unless the service stops (for urgent transfers).

        Raises:
            PreemptedError: the service stops.
        """
        if self._stopping:
            raise PreemptedError("the service stops")

    def wait_for_bulk(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until nothing urgent holds the line; say whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._urgent or self._stopping, seconds)

    def stop(self) -> None:
        """Break every transfer off for good."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
