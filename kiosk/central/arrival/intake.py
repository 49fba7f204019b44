"""What a place of arriving files offers, and what both places share."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import ClientPayloadError
from sqlalchemy import Row

from kiosk.central.arrival.upload_lock import UploadTakenOverError
from kiosk.central.errors import RefusedError, malformed
from kiosk.central.http.json_api import BodyStream


@dataclass(frozen=True)
class Checksum:
    """``Upload-Checksum``: the SHA-256 of one PATCH body."""

    sha256: bytes


class Arrival(Protocol):
    """One upload, locked: a newer request on it ends this one, in whatever process it comes."""

    async def durable_offset(self) -> int:
        """Return how many bytes are durable."""

    async def append(self, offset: int, body: BodyStream, checksum: Checksum | None) -> int:
        """Append ``body`` at the durable ``offset``; return the new one, which is durable.

        Raises:
            RefusedError: 413 too long, 460 wrong checksum, 423 taken over, 408 line silent,
                507 disk full. What has arrived is kept, except with a checksum.
        """

    async def drop(self) -> None:
        """Remove the bytes that have arrived."""


class Intake(Protocol):
    """Where files are kept that are still arriving, one for each upload."""

    def lock(self, upload: Row[Any]) -> AbstractAsyncContextManager[Arrival]:
        """Lock an upload; the request that held it is aborted.

        Raises:
            RefusedError: 423, that request did not end in time.
        """

    async def received(self, uploads: Sequence[Row[Any]]) -> Mapping[str, int]:
        """Return, by id, how many bytes have arrived of uploads that have no verdict."""

    async def write(self, upload: Row[Any], blocks: Iterator[bytes]) -> None:
        """Take a whole file from elsewhere, durably.

        Raises:
            RefusedError: 507, the disk is full; 503, it fails.
        """

    async def store_whole(self, contents: Mapping[str, bytes]) -> None:
        """Put small whole files into the store, durably, by upload. Repeatable.

        Raises:
            RefusedError: 507, the disk is full; 503, it fails; 423, a request holds one of them.
        """

    def verification(
        self, uploads: Collection[str]
    ) -> AbstractAsyncContextManager[Collection[str]]:
        """Claim the verification of uploads; without those that another process is at."""

    def move_to_store(self, upload: Row[Any]) -> None:
        """Move a complete file into the store. Repeatable."""

    async def forget(self, upload: str) -> None:
        """Remove what is left here of an upload that has its verdict."""

    async def abort_stale(self) -> int:
        """Remove what killed processes left that belongs to no upload; return the number."""

    async def list_complete(self) -> Sequence[str]:
        """Return the uploads that have arrived completely and have no verdict."""


def too_long(size: int) -> RefusedError:
    """Return 413: more bytes than the file was announced with."""
    return RefusedError(413, "too_long", f"the file has {size} bytes")


@contextlib.contextmanager
def broken_body_refused() -> Iterator[None]:
    """Turn what may happen to a body on its way into the contract's refusals."""
    try:
        yield
    except (ClientPayloadError, ConnectionError) as error:
        raise malformed("the body broke off") from error
    except UploadTakenOverError as error:
        raise RefusedError(423, "busy", "another request has taken over") from error
    except TimeoutError as error:
        raise RefusedError(408, "too_slow", "the line was silent for too long") from error


async def checked_blocks(
    blocks: AsyncIterator[bytes], room: int, size: int, checksum: Checksum | None
) -> AsyncIterator[bytes]:
    """Yield ``blocks`` unless there are more than ``room`` bytes or the checksum differs.

    Raises:
        RefusedError: 413 too long, 460 wrong checksum (after the last block).
    """
    digest = hashlib.sha256() if checksum is not None else None
    async for block in blocks:
        room -= len(block)
        if room < 0:
            raise too_long(size)
        if digest is not None:
            digest.update(block)
        yield block
    if checksum is not None and digest is not None and digest.digest() != checksum.sha256:
        raise RefusedError(460, "checksum_differs")
