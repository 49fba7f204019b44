"""Seals parts and hearings beside the hearing: reading every byte takes its time.

One thread, in order. What cannot be written (disk full) is tried again until it can; nothing
waits for it but the end of the kiosk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from kiosk.errors import KioskError

log = logging.getLogger(__name__)
RETRY_S = 5.0
Submit = Callable[[str, Callable[[], None]], None]
"""Hands a named job to the sealer: :meth:`Sealer.submit`."""


class Sealer:
    """Runs jobs one after the other, each until it succeeds."""

    def __init__(self, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._jobs: queue.Queue[tuple[str, Callable[[], None]] | None] = queue.Queue()
        self._stop = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        self._thread.start()

    @property
    def failing(self) -> str:
        """Name of the job that cannot be done now, or ``""``."""
        return self._failing

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Do ``job`` after those before it."""
        self._idle.clear()
        self._jobs.put((name, job))

    def wait(self, seconds: float) -> bool:
        """Wait until all is done; say whether it is."""
        return self._idle.wait(seconds)

    def close(self, seconds: float) -> bool:
        """End, after what was submitted if that takes no longer than ``seconds``."""
        done = self.wait(seconds)
        self._stop.set()
        self._jobs.put(None)
        self._thread.join(timeout=1)
        return done

    def _run(self) -> None:
        while (item := self._jobs.get()) is not None and not self._stop.is_set():
            self._until_done(*item)
            if self._jobs.empty():
                self._idle.set()

    def _until_done(self, name: str, job: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                job()
            except (KioskError, OSError):
                self._failing = name
                log.exception("%s cannot be sealed now", name)
                self._stop.wait(self._retry_s)
            except Exception:  # a fault of ours must not keep later hearings unsealed
                self._failing = name
                log.exception("%s cannot be sealed", name)
                return
            else:
                self._failing = ""
                return
