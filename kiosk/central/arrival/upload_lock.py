"""Locks of uploads within one process: a newer request aborts the one that holds an upload.

On a half-open connection the old request would hold the upload until its time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from kiosk.central.errors import RefusedError
from kiosk.central.http.json_api import BodyStream

IDLE_TIMEOUT_S = 60.0
HANDOVER_TIMEOUT_S = 10.0


class UploadTakenOverError(Exception):
    """A newer request on the same upload ends this one."""


class UploadLock:
    """Lock of one upload: a newer request aborts the one that holds it."""

    def __init__(self) -> None:
        self.mutex = asyncio.Lock()
        self.users = 0
        self._read_timeout: asyncio.Timeout | None = None

    def interrupt(self) -> None:
        """Abort the body that is being received, if there is one."""
        if self._read_timeout is not None:
            self._read_timeout.reschedule(0)

    async def blocks(self, body: BodyStream) -> AsyncIterator[bytes]:
        """Yield ``body`` block by block as it comes.

        Raises:
            TimeoutError: nothing came for :data:`IDLE_TIMEOUT_S`.
            UploadTakenOverError: another request on the upload has come.
        """
        while block := await self._next_block(body):
            yield block

    async def _next_block(self, body: BodyStream) -> bytes:
        if self.users > 1:
            raise UploadTakenOverError
        try:
            async with asyncio.timeout(IDLE_TIMEOUT_S) as self._read_timeout:
                return await body.readany()
        except TimeoutError as error:
            if self.users > 1:
                raise UploadTakenOverError from error
            raise
        finally:
            self._read_timeout = None


class UploadLocks:
    """The locks of all uploads that requests of this process are about."""

    def __init__(self) -> None:
        self._locks: dict[str, UploadLock] = {}

    @contextlib.asynccontextmanager
    async def hold(self, upload: str) -> AsyncIterator[UploadLock]:
        """Lock an upload; the request that held it is aborted.

        Raises:
            RefusedError: 423, that request did not end in time.
        """
        lock = self._locks.setdefault(upload, UploadLock())
        lock.users += 1
        try:
            lock.interrupt()
            try:
                await asyncio.wait_for(lock.mutex.acquire(), HANDOVER_TIMEOUT_S)
            except TimeoutError as error:
                raise RefusedError(423, "busy", retry_after=2) from error
            try:
                yield lock
            finally:
                lock.mutex.release()
        finally:
            lock.users -= 1
            if lock.users == 0:
                self._locks.pop(upload, None)
