"""Seals parts and hearings in the background, because reading every byte takes time.

One thread, in order. What cannot be written (disk full) is retried until it can; only the
shutdown of the kiosk waits for it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from kiosk.errors import KioskError
from kiosk.logs import job_of_hearing

log = logging.getLogger(__name__)
RETRY_S = 5.0


class SealQueue:
    """Runs jobs one after the other, each until it succeeds.

    Attributes:
        retry_s: how long to wait before a failed job is run again.
    """

    def __init__(self) -> None:
        self.retry_s = RETRY_S
        self._jobs: queue.Queue[tuple[str, Callable[[], None]] | None] = queue.Queue()
        self._stop = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._failing_job = ""
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        self._thread.start()

    @property
    def failing_job(self) -> str:
        """Name of the job that cannot be done now, or ``""``."""
        return self._failing_job

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Queue ``job``."""
        self._idle.clear()
        self._jobs.put((name, job))

    def wait_idle(self, seconds: float) -> bool:
        """Wait until all jobs are done; return whether they are."""
        return self._idle.wait(seconds)

    def close(self, seconds: float) -> bool:
        """Stop, after the submitted jobs if they take no longer than ``seconds``."""
        done = self.wait_idle(seconds)
        self._stop.set()
        self._jobs.put(None)
        self._thread.join(timeout=1)
        return done

    def _run(self) -> None:
        while (item := self._jobs.get()) is not None and not self._stop.is_set():
            with job_of_hearing(item[0]):
                self._run_until_done(*item)
            if self._jobs.empty():
                self._idle.set()

    def _run_until_done(self, name: str, job: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                job()
            except (KioskError, OSError):
                self._failing_job = name
                log.exception("%s cannot be sealed now", name)
                self._stop.wait(self.retry_s)
            except Exception:  # a bug in one job must not keep later hearings unsealed
                self._failing_job = name
                log.exception("%s cannot be sealed", name)
                return
            else:
                self._failing_job = ""
                return
