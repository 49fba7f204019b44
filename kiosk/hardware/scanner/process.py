"""The parent's side of a scanning process: starts it, reads its events, stops it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import Any, Self

from kiosk.hardware.scanner.jobs import ScanJob

#: Seconds that a child asked to stop may still take before it is killed.
STOP_TIMEOUT_S = 0.5
#: Additional seconds that a child may take until its first event.
_START_ALLOWANCE_S = 20.0


class ScannerProcess:
    """One run of ``sane_child`` or ``overhead_child``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._line_task: asyncio.Task[bytes] | None = None
        self._start_allowance_s = _START_ALLOWANCE_S

    @classmethod
    async def start(cls, job: ScanJob) -> Self:
        """Start the child and give it its job."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            job.module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(job.to_line().encode())
        return cls(process)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def read_event(
        self, timeout_s: float, interrupted: asyncio.Event | None = None
    ) -> dict[str, Any] | None:
        """Return the child's next event, or None if it ended or ``interrupted`` was set first.

        Raises:
            TimeoutError: no event within ``timeout_s`` seconds (longer for the first event: a busy
                machine starts a process slowly).
        """
        assert self._process.stdout is not None
        if self._line_task is None:
            self._line_task = asyncio.ensure_future(self._process.stdout.readline())
        interruption = (
            asyncio.ensure_future(interrupted.wait()) if interrupted is not None else None
        )
        awaited = {self._line_task} if interruption is None else {self._line_task, interruption}
        try:
            await asyncio.wait(
                awaited,
                timeout=timeout_s + self._start_allowance_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            if interruption is not None:
                interruption.cancel()
        if not self._line_task.done():
            if interrupted is not None and interrupted.is_set():
                return None
            raise TimeoutError
        line = self._line_task.result()
        self._line_task = None
        self._start_allowance_s = 0.0
        if not line:
            return None
        value = json.loads(line)
        assert isinstance(value, dict)
        return value

    def request_stop(self) -> None:
        """Ask the child to end between two pages."""
        self._start_allowance_s = 0.0
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    async def end(self) -> int:
        """Stop the child and return its exit status; kill it if it does not end in time."""
        self.request_stop()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                return await self._process.wait()
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """Kill the child at once; return its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        status = await self._process.wait()
        if self._line_task is not None:
            self._line_task.cancel()
            self._line_task = None
        return status


def opened_options(event: dict[str, Any]) -> dict[str, Any]:
    """Return the scanner's options from the event ``opened``."""
    return {key: value for key, value in event.items() if key != "event"}
