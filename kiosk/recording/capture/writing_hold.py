"""Keeps what is captured in memory while the court closes or opens the hearing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WritingHold:
    """Counts the requests for which captured media wait in memory; one for each courtroom.

    Nested and concurrent requests never release each other, and a part that starts meanwhile waits
    as well: only then can the moment of a later request still divide it. Any thread may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._taps_ns: list[int] = []

    @contextmanager
    def held(self, tap_ns: int) -> Iterator[None]:
        """Let nothing that is not with its writer yet pass on; nothing is lost meanwhile.

        Args:
            tap_ns: recording clock of the request.
        """
        with self._lock:
            self._taps_ns.append(tap_ns)
        try:
            yield
        finally:
            with self._lock:
                self._taps_ns.remove(tap_ns)

    @property
    def since_ns(self) -> int | None:
        """The earliest moment of the present requests; None without one."""
        with self._lock:
            return min(self._taps_ns, default=None)

    @contextmanager
    def passing(self) -> Iterator[bool]:
        """Return whether media may pass to the writer; no request begins while they do."""
        with self._lock:
            yield not self._taps_ns
