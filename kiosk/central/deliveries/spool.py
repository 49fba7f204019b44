"""The spool: files that are still arriving, one per upload, in a folder of this machine.

The length of a spool file after fsync says how far its upload is. A request about an upload aborts
a PATCH that is still open on it: on a half-open connection the old one would hold the upload until
its time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientPayloadError

from kiosk.central import crash_points
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import BodyStream
from kiosk.storage.atomic_io import make_folder, sync_folder

log = logging.getLogger(__name__)
IDLE_TIMEOUT_S = 60.0
HANDOVER_TIMEOUT_S = 10.0
SYNC_EVERY_BYTES = 8 << 20


class UploadTakenOverError(Exception):
    """A newer request on the same upload ends this one."""


@dataclass(frozen=True)
class Checksum:
    """``Upload-Checksum``: the SHA-256 of one PATCH body."""

    sha256: bytes


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


class Spool:
    """The folder of files that are still arriving; a file is named after its upload's id."""

    def __init__(self, folder: Path, crash_hook: crash_points.CrashHook) -> None:
        self._folder = make_folder(folder)
        self._crash_hook = crash_hook
        self._locks: dict[str, UploadLock] = {}

    def path(self, upload: str) -> Path:
        """Return the file of ``upload``; it may be absent."""
        return self._folder / upload

    def sync(self, upload: str) -> None:
        """Make everything durable that was written for ``upload``."""
        with contextlib.suppress(FileNotFoundError):
            _sync_and_close(os.open(self.path(upload), os.O_RDONLY | os.O_CLOEXEC))

    @contextlib.asynccontextmanager
    async def lock(self, upload: str) -> AsyncIterator[UploadLock]:
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

    def write(self, upload: str, blocks: Iterator[bytes]) -> None:
        """Write a whole file, durably.

        Raises:
            RefusedError: 507, the disk is full; 503, it fails.
        """
        try:
            with self.path(upload).open("wb") as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _storage_error(error) from error

    async def append(
        self,
        upload: str,
        offset: int,
        size: int,
        blocks: AsyncIterator[bytes],
        checksum: Checksum | None,
    ) -> int:
        """Append ``blocks`` to a locked upload of ``size`` bytes; return the new, durable offset.

        Raises:
            RefusedError: 413 too long, 460 wrong checksum, 423 taken over, 408 line silent,
                507 disk full. What has arrived is kept, except with a checksum.
        """
        descriptor = os.open(
            self.path(upload), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640
        )
        is_complete = False
        try:
            sync_folder(self._folder)
            end = await _copy_blocks(blocks, descriptor, offset, size, checksum)
            is_complete = True
        except (ClientPayloadError, ConnectionError) as error:
            raise malformed("the body broke off") from error
        except UploadTakenOverError as error:
            raise RefusedError(423, "busy", "another request has taken over") from error
        except TimeoutError as error:
            raise RefusedError(408, "too_slow", "the line was silent for too long") from error
        except OSError as error:
            raise _storage_error(error) from error
        finally:
            if checksum is not None and not is_complete:
                os.ftruncate(descriptor, offset)
            self._crash_hook(crash_points.PATCH_BEFORE_SYNC)
            await asyncio.to_thread(_sync_and_close, descriptor)
        self._crash_hook(crash_points.PATCH_AFTER_SYNC)
        return end


async def _copy_blocks(
    blocks: AsyncIterator[bytes],
    descriptor: int,
    offset: int,
    size: int,
    checksum: Checksum | None,
) -> int:
    """Write ``blocks`` as they come; return the offset after the last one.

    Every block is handed to the kernel at once, so that a killed process loses none of them.
    """
    digest = hashlib.sha256() if checksum is not None else None
    end, unsynced = offset, 0
    async for block in blocks:
        if end + len(block) > size:
            raise too_long(size)
        _write_all(descriptor, block)
        end += len(block)
        unsynced += len(block)
        if digest is not None:
            digest.update(block)
        if unsynced >= SYNC_EVERY_BYTES:
            await asyncio.to_thread(os.fdatasync, descriptor)
            unsynced = 0
    if checksum is not None and digest is not None and digest.digest() != checksum.sha256:
        raise RefusedError(460, "checksum_differs")
    return end


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def too_long(size: int) -> RefusedError:
    """Return 413: more bytes than the file was announced with."""
    return RefusedError(413, "too_long", f"the file has {size} bytes")


def _storage_error(error: OSError) -> RefusedError:
    """Return the refusal for a failing disk: the kiosk keeps the file and tries again later."""
    log.error("spool cannot be written: %s", error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusedError(507, "storage_full", retry_after=60)
    return RefusedError(503, "storage_failed", retry_after=60)
