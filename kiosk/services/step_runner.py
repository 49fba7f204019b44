"""Runs the steps of a hearing in one thread, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
LONGEST_STEP_S = 2.0
"""No step waits for a disk longer than this."""
HUNG_STEP_S = 44.0
"""A step that takes longer counts as hung (watchdog); a kill loses what waits in memory."""


class StepRunner:
    """The hearing thread; the event loop never waits for a step."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="hearing")
        self._started_at: float | None = None

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step after those before it; it ends even if the caller is cancelled."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._executor, self._run_timed, step))

    def submit(self, step: Callable[[], object]) -> None:
        """Run one step in the background; from any thread.

        Raises:
            RuntimeError: the runner is closed.
        """
        self._executor.submit(self._run_timed, step)

    def _run_timed(self, step: Callable[[], T]) -> T:
        self._started_at = time.monotonic()
        try:
            return step()
        finally:
            self._started_at = None

    @property
    def seconds(self) -> float:
        """How long the running step has taken; 0: none runs."""
        started_at = self._started_at
        return 0.0 if started_at is None else max(1e-6, time.monotonic() - started_at)

    @property
    def is_hung(self) -> bool:
        """Whether the running step takes too long."""
        return self.seconds >= HUNG_STEP_S

    def close(self) -> None:
        """Take no further steps."""
        self._executor.shutdown(wait=False)
