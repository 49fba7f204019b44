"""Seals parts and hearings in the background, because reading every byte takes time.

One thread. The jobs of one hearing run in order. A job that fails (disk full, a file that cannot be
read) sets only its own hearing aside: the others are sealed meanwhile, and it is tried again until
it succeeds. Only the shutdown of the kiosk waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.errors import KioskError
from kiosk.logs import job_of_hearing

log = logging.getLogger(__name__)
RETRY_S = 5.0
Job = tuple[str, Callable[[], None]]


@dataclass
class _HearingJobs:
    """Jobs of one hearing; they wait until ``due`` (monotonic seconds) after a failure."""

    jobs: deque[Job] = field(default_factory=deque)
    due: float = 0.0
    is_failing: bool = False


class SealQueue:
    """Runs the jobs of each hearing one after the other, each until it succeeds.

    Attributes:
        retry_s: how long to wait before a failed job is run again.
    """

    def __init__(self) -> None:
        self.retry_s = RETRY_S
        self._changed = threading.Condition()
        self._hearings: dict[str, _HearingJobs] = {}
        self._running = ""
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        self._thread.start()

    @property
    def failing_hearings(self) -> tuple[str, ...]:
        """Ids of the hearings that cannot be sealed now."""
        with self._changed:
            return tuple(name for name, waiting in self._hearings.items() if waiting.is_failing)

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Queue ``job``.

        Args:
            name: id of the hearing, or ``<id>/<part>``.
        """
        with self._changed:
            hearing = self._hearings.setdefault(name.partition("/")[0], _HearingJobs())
            hearing.jobs.append((name, job))
            self._changed.notify_all()

    def withdraw(self, name: str) -> None:
        """Drop the jobs that were submitted as ``name``; wait for one that is running."""
        hearing = name.partition("/")[0]
        with self._changed:
            self._changed.wait_for(lambda: self._running != name)
            waiting = self._hearings.pop(hearing, _HearingJobs())
            waiting.jobs = deque(job for job in waiting.jobs if job[0] != name)
            if waiting.jobs:
                self._hearings[hearing] = waiting
            self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until all jobs are done; return whether they are."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(hearing.jobs for hearing in self._hearings.values()), seconds
            )

    def close(self, seconds: float) -> bool:
        """Stop, after the submitted jobs if they take no longer than ``seconds``."""
        done = self.wait_idle(seconds)
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=1)
        return done

    def _run(self) -> None:
        while (found := self._next_job()) is not None:
            hearing, (name, job) = found
            with job_of_hearing(name):
                again, failed = _run_job(name, job)
            with self._changed:
                self._running = ""
                self._record_result(hearing, again=again, failed=failed)
                self._changed.notify_all()

    def _record_result(self, hearing: str, *, again: bool, failed: bool) -> None:
        waiting = self._hearings.pop(hearing)
        waiting.is_failing = failed
        if again:
            waiting.due = time.monotonic() + self.retry_s
        else:
            waiting.jobs.popleft()
        if waiting.jobs or failed:
            self._hearings[hearing] = waiting  # at the end: every hearing gets its turn

    def _next_job(self) -> tuple[str, Job] | None:
        """Wait for the next job that is due; return its hearing and the job, None at the stop."""
        with self._changed:
            while not self._is_stopped:
                now = time.monotonic()
                waiting = [(key, row) for key, row in self._hearings.items() if row.jobs]
                for hearing, row in waiting:
                    if row.due <= now:
                        self._running = row.jobs[0][0]
                        return hearing, row.jobs[0]
                dues = [row.due - now for _, row in waiting]
                self._changed.wait(timeout=min(dues, default=None))
            return None


def _run_job(name: str, job: Callable[[], None]) -> tuple[bool, bool]:
    """Run ``job``; return whether it is to be run again, and whether it has failed."""
    try:
        job()
    except (KioskError, OSError):
        log.exception("%s cannot be sealed now", name)
        return True, True
    except Exception:  # a bug in one job is not cured by another try
        log.exception("%s cannot be sealed", name)
        return False, True
    return False, False
