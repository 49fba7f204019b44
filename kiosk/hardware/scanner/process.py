"""Our side of the scanning process: its events, its stop, its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import Any, Self

from kiosk.hardware.scanner.child import Job
from kiosk.hardware.scanner.overhead_job import OverheadJob

#: Seconds that a child asked to stop may still take before it is killed.
STOP_SECONDS = 0.5
#: Seconds more than usual that a child may take until its first word.
_START_SECONDS = 20.0


class ScannerProcess:
    """One run of ``scanner_child`` or ``overhead_child``: its events, its stop, its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading: asyncio.Task[bytes] | None = None
        self._starting = _START_SECONDS

    @classmethod
    async def start(cls, job: Job | OverheadJob) -> Self:
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

    async def next(
        self, patience: float, leave: asyncio.Event | None = None
    ) -> dict[str, Any] | None:
        """Return the child's next event; None when it ended, or when ``leave`` was set first.

        Raises:
            TimeoutError: nothing moved for ``patience`` seconds (longer for the first event:
                a busy machine takes its time to start a process).
        """
        assert self._process.stdout is not None
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._process.stdout.readline())
        leaving = asyncio.ensure_future(leave.wait()) if leave is not None else None
        awaited = {self._reading} if leaving is None else {self._reading, leaving}
        try:
            await asyncio.wait(
                awaited, timeout=patience + self._starting, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            if leaving is not None:
                leaving.cancel()
        if not self._reading.done():
            if leave is not None and leave.is_set():
                return None
            raise TimeoutError
        line = self._reading.result()
        self._reading = None
        self._starting = 0.0
        if not line:
            return None
        value = json.loads(line)
        assert isinstance(value, dict)
        return value

    def ask_to_stop(self) -> None:
        """Ask the child to end between two pages."""
        self._starting = 0.0
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    async def end(self) -> int:
        """Return the exit status; kill the child when it does not end by itself at once."""
        self.ask_to_stop()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """Kill the child at once; return its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        status = await self._process.wait()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        return status
