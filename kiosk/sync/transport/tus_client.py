"""A thin tus 1.0 client (https://tus.io/protocols/resumable-upload, core protocol).

Only what the kiosk needs: ask how far the server is (HEAD), send the rest (PATCH). Creating the
upload is the contract's business: the server hands out one address per registered file, always
the same, because a tus ``POST`` is not idempotent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import requests

from kiosk.errors import CentralError, CentralUnreachableError, StorageError
from kiosk.sync.transport.central_session import (
    CentralSession,
    ForeignAnswerError,
    RefusedError,
    check_response,
)
from kiosk.sync.transport.patch_limit import PatchLimit, smaller_than
from kiosk.sync.transport.send_blocks import SendBlocks

TUS_VERSION = "1.0.0"
OFFSET_CONFLICT = 409
TOO_LARGE = 413
GONE = frozenset({404, 410})
MAX_STALLS = 3
CUTS = frozenset({"central_unreachable", "central_timeout"})
MAX_CUTS = 2  # without progress, before a smaller one is tried


class UploadGoneError(CentralError):
    """The server does not know the upload's address (any more): ask for a new one."""

    code = "upload_gone"


class UploadLengthError(CentralError):
    """The server holds more bytes than the file has, or another length: restart the upload."""

    code = "upload_length"


class FileSlice:
    """A slice of a file as a request body, read block by block.

    Args:
        file: opened for reading in binary.
        start: first byte.
        length: number of bytes.
        blocks: of the session that sends it.
        raise_if_preempted: called before each block; raises to interrupt the transfer.
        report_progress: called with the number of bytes handed to the kernel so far.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int,
        length: int,
        blocks: SendBlocks,
        raise_if_preempted: Callable[[], None],
        report_progress: Callable[[int], None],
    ) -> None:
        self._file = file
        self._length = length
        self._done = 0
        self._blocks = blocks
        self._raise_if_preempted = raise_if_preempted
        self._report_progress = report_progress
        blocks.begin()
        file.seek(start)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Return the next block, of at most ``size`` bytes.

        Raises:
            StorageError: the disk fails, or the file has become shorter.
        """
        self._raise_if_preempted()
        left = self._length - self._done
        if left == 0:
            return b""
        try:
            size = left if size < 0 else min(size, left, self._blocks.next_size())
            block = self._file.read(size)
        except OSError as error:
            raise StorageError(f"{self._file.name}: {error.strerror}") from error
        if not block:
            raise StorageError(f"{self._file.name}: shorter than it was", code="file_changed")
        self._done += len(block)
        self._report_progress(self._done)
        return block


def _noop(*_: object) -> None:
    """Do nothing (default of the call-backs)."""


class TusClient:
    """Sends files to tus upload addresses.

    Args:
        session: session to the central system.
        limit: of a PATCH; the server decides what it keeps of an interrupted one.
    """

    def __init__(self, session: CentralSession, limit: PatchLimit) -> None:
        self._session = session
        self._limit = limit

    def offset(self, url: str, size: int) -> int:
        """Ask how many bytes of the upload the server holds durably.

        Raises:
            UploadGoneError: the address is unknown.
            UploadLengthError: the upload has another length than ``size``.
            CentralError: see :func:`kiosk.sync.transport.central_session.check_response`.
        """
        response = self._session.request("HEAD", url, headers={"Tus-Resumable": TUS_VERSION})
        if response.status_code in GONE:
            raise UploadGoneError(f"HEAD: {response.status_code}")
        check_response(response)
        length = response.headers.get("Upload-Length")
        offset = _upload_offset(response)
        if offset > size or (length is not None and length != str(size)):
            raise UploadLengthError(f"server has {offset} of {length} bytes, the file {size}")
        return offset

    def upload(
        self,
        path: Path,
        url: str,
        size: int,
        *,
        offset: int | None = None,
        raise_if_preempted: Callable[[], None] = _noop,
        report_progress: Callable[[int], None] = _noop,
    ) -> None:
        """Send what the server does not have yet; return when it has every byte.

        Args:
            path: the file.
            url: its upload address.
            size: its length in bytes.
            offset: how many bytes the server has, if it has just said so; None: it is asked.
            raise_if_preempted: called before each block; raises to interrupt (call again to
                resume).
            report_progress: called with the number of bytes that the server has or is being sent.

        Raises:
            CentralError: no success; calling again later resumes.
            StorageError: the file cannot be read.
        """
        if offset is None or offset > size:
            offset = self.offset(url, size)
        report_progress(offset)
        stalls = cuts = 0
        limit, is_limited = self._limit.size, False
        with open_binary(path) as file:
            while offset < size:
                previous, length = offset, min(limit, size - offset)
                body = FileSlice(
                    file,
                    offset,
                    length,
                    self._session.send_blocks,
                    raise_if_preempted,
                    partial(_report_from, offset, report_progress),
                )
                try:
                    offset = self._patch(url, offset, size, body)
                    cuts = 0
                    self._limit.learn(limit, url, is_certain=is_limited)
                except (CentralUnreachableError, RefusedError) as error:
                    is_limited = _is_too_large(error)
                    raise_if_preempted()
                    offset = self.offset(url, size)
                    report_progress(offset)
                    cuts = cuts + 1 if offset <= previous else 0  # progress is no sign of a limit
                    if is_limited or cuts >= MAX_CUTS:
                        smaller = smaller_than(length)
                        if smaller is None:
                            raise
                        limit = smaller
                stalls = stalls + 1 if offset <= previous and not cuts else 0
                if stalls >= MAX_STALLS:
                    raise CentralUnreachableError("upload does not advance", code="central_fault")

    def _patch(self, url: str, offset: int, size: int, body: FileSlice) -> int:
        """Send one PATCH from ``offset``; return the server's offset after it."""
        headers = {
            "Tus-Resumable": TUS_VERSION,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        response = self._session.request("PATCH", url, headers=headers, data=body)
        if (
            response.status_code == OFFSET_CONFLICT
        ):  # an earlier interrupted PATCH arrived after all
            return self.offset(url, size)
        if response.status_code in GONE:
            raise UploadGoneError(f"PATCH: {response.status_code}")
        check_response(response)
        return _upload_offset(response)


def _is_too_large(error: CentralUnreachableError | RefusedError) -> bool:
    """Return whether a body was refused for its size; False: it was cut.

    Raises:
        CentralError: ``error``, which is neither.
    """
    if isinstance(error, ForeignAnswerError | RefusedError):
        if error.http_status == TOO_LARGE:
            return True
    elif error.code in CUTS:
        return False
    raise error


def _report_from(offset: int, report_progress: Callable[[int], None], done: int) -> None:
    """Report the progress of the whole file by that of a slice of it."""
    report_progress(offset + done)


def open_binary(path: Path) -> BufferedReader:
    """Open ``path`` for reading.

    Raises:
        StorageError: it is not there or cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise StorageError(f"{path.name}: {error.strerror}", code="file_unreadable") from error


def _upload_offset(response: requests.Response) -> int:
    value = response.headers.get("Upload-Offset", "")
    if not value.isdecimal():  # a captive portal, or not a tus server
        raise CentralUnreachableError("answer without Upload-Offset", code="captive_portal")
    return int(value)
