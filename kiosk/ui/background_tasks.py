"""Steps that run in the background; their errors are shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from kiosk.errors import KioskError

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Runs steps in the background.

    Args:
        on_error: called with the code of an error; ``error`` for one that is no
            :class:`KioskError`.
    """

    def __init__(self, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, step: Coroutine[Any, Any, Any]) -> None:
        """Run ``step`` in the background."""
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, KioskError):
            log.warning("step failed: %s", error)
            self._on_error(error.code)
        elif error is not None:
            log.error("step failed", exc_info=error)
            self._on_error("error")

    async def close(self) -> None:
        """Cancel all steps and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
