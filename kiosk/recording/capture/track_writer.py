"""Writes the fragments of a track into files, hashes them, and reports them once durable.

Everything is reported in order, so that a disk that is full or gone for a while costs only memory,
up to a limit.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Track
from kiosk.storage.store import DIRECT, Store, WriteTicket

MAX_BACKLOG_BYTES = 96 << 20
"""Bytes of fragments that wait for a disk; beyond it new ones are lost (and reported)."""


@dataclass(frozen=True)
class Fragment:
    """One fragment on its way to the disk."""

    data: bytes
    start_ns: int
    end_ns: int
    sources: tuple[str, ...]


class _PlainDigest:
    """Count, length and joined SHA-256 of the plain fragments in a file."""

    def __init__(self) -> None:
        self.count = self.length = 0
        self.digest = hashlib.sha256()

    def add(self, plain: bytes) -> None:
        """Add a plain fragment."""
        self.count += 1
        self.length += len(plain)
        self.digest.update(plain)


class _OpenFile:
    """The file being written, as it will be once everything is on the disk."""

    def __init__(self, path: Path, start_ns: int) -> None:
        self.path = path
        self.length = 0
        self.start_ns = self.end_ns = start_ns
        self.digest = hashlib.sha256()
        self.plain = _PlainDigest()

    def add(self, data: bytes, end_ns: int) -> int:
        """Add ``data``; return its offset."""
        offset = self.length
        self.length += len(data)
        self.end_ns = end_ns
        self.digest.update(data)
        return offset


class TrackWriter:
    """The files of ``main/`` or ``channels/``.

    Fragments go to the store at once and are reported, in order, when they are durable.

    Args:
        part: the part's folder.
        track: which.
        on_fragment, on_file_closed: as of the part recorder.
        codec: how fragments are stored.
        store: where the bytes go.
    """

    def __init__(
        self,
        part: Path,
        track: Track,
        on_fragment: Callable[[FragmentRecord], None],
        on_file_closed: Callable[[FileRecord], None],
        codec: FragmentCodec = PLAIN_CODEC,
        store: Store = DIRECT,
    ) -> None:
        self._codec = codec
        self._part = part
        self._track = track
        self._on_fragment = on_fragment
        self._on_file_closed = on_file_closed
        self.store = store
        self._queue: deque[Callable[[], None]] = deque()
        self._waiting_bytes = 0
        self._wait_s = 0.0
        self._run_number = 0
        self._file_number = 0
        self._file: _OpenFile | None = None
        self.lost_ns = 0

    @property
    def folder(self) -> Path:
        """``main/`` or ``channels/``."""
        return self._part / self._track

    # -- queueing ------------------------------------------------------------------------------
    def start_run(self, init: bytes, start_ns: int) -> str:
        """Start a run of files with this initialisation segment; return the init file's name."""
        self.rotate()
        self._run_number += 1
        self._file_number = 0
        codec = self._codec
        name = f"run-{self._run_number:02d}/{codec.init_name}"
        file = _OpenFile(self.folder / name, start_ns)
        data = codec.encode("init.mp4", init, start_ns, start_ns, ()) + codec.file_trailer
        file.add(data, start_ns)
        file.plain.add(init)
        ticket = self.store.append(file.path, 0, data)
        record = self._file_record(file, "init")
        self._when_durable(ticket, lambda: self._on_file_closed(record))
        return name

    def append(
        self, fragment: Fragment, on_durable: Callable[[FragmentRecord], None] | None = None
    ) -> bool:
        """Append a fragment; ``then`` is called when it is durable. False: no room, it is lost."""
        size = len(fragment.data)
        if (
            self._waiting_bytes + size > MAX_BACKLOG_BYTES
            or self.store.unwritten_bytes > MAX_BACKLOG_BYTES
        ):
            self.lost_ns += fragment.end_ns - fragment.start_ns
            return False
        record, ticket = self._write(fragment)
        self._waiting_bytes += size

        def report() -> None:
            self._on_fragment(record)
            if on_durable is not None:
                on_durable(record)
            self._waiting_bytes -= size

        self._when_durable(ticket, report)
        return True

    def rotate(self) -> None:
        """Close the file; the next fragment begins another."""
        file, self._file = self._file, None
        if file is None:
            return
        if self._codec.file_trailer:
            offset = file.add(self._codec.file_trailer, file.end_ns)
            ticket = self.store.append(file.path, offset, self._codec.file_trailer)
            record = self._file_record(file, "media")
            self._when_durable(ticket, lambda: self._on_file_closed(record))
            return
        record = self._file_record(file, "media")
        self._queue.append(lambda: self._on_file_closed(record))

    def enqueue(self, action: Callable[[], None]) -> None:
        """Queue ``action`` in order with the rest; it is repeated while it raises OSError."""
        self._queue.append(action)

    def flush(self, wait_s: float = 0.0) -> bool:
        """Report what has become durable; return whether that is all.

        Args:
            wait_s: maximum wait for the disk.

        Raises:
            OSError, StorageError: the disk refuses; what is left is tried again with the next
                call.
        """
        deadline = time.monotonic() + wait_s
        while self._queue:
            self._wait_s = max(0.0, deadline - time.monotonic())
            try:
                self._queue[0]()
            except BlockingIOError:  # on its way
                return False
            self._queue.popleft()
        return True

    # -- writing -------------------------------------------------------------------------------
    def _when_durable(self, ticket: WriteTicket, report: Callable[[], None]) -> None:
        def step() -> None:  # repeated until it has succeeded once
            if not ticket.is_durable(self._wait_s):
                raise BlockingIOError
            report()

        self._queue.append(step)

    def _relative_name(self, path: Path) -> str:
        return path.relative_to(self._part).as_posix()

    def _write(self, fragment: Fragment) -> tuple[FragmentRecord, WriteTicket]:
        """Hand a fragment to the store; return its record and its ticket."""
        if self._file is None:
            self._file_number += 1
            path = (
                self.folder
                / f"run-{self._run_number:02d}"
                / f"{self._file_number:06d}{self._codec.media_suffix}"
            )
            self._file = _OpenFile(path, fragment.start_ns)
        file = self._file
        data = self._encode(file, fragment)
        offset = file.add(data, fragment.end_ns)
        file.plain.add(fragment.data)
        is_encrypted = self._codec.is_encrypted
        ticket = self.store.append(file.path, offset, data)
        record = FragmentRecord(
            file=self._relative_name(file.path),
            offset=offset,
            length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            start_ns=fragment.start_ns,
            end_ns=fragment.end_ns,
            sources=fragment.sources,
            track=self._track,
            plain_length=len(fragment.data) if is_encrypted else 0,
            plain_sha256=hashlib.sha256(fragment.data).hexdigest() if is_encrypted else "",
        )
        return record, ticket

    def _encode(self, file: _OpenFile, fragment: Fragment) -> bytes:
        """Return the fragment as it is stored."""
        name = f"{file.path.stem}-{file.plain.count + 1:04d}.m4s"
        return self._codec.encode(
            name, fragment.data, fragment.start_ns, fragment.end_ns, fragment.sources
        )

    def _file_record(self, file: _OpenFile, kind: Literal["init", "media"]) -> FileRecord:
        """Return the record of a file that will not change any more."""
        plain = 0, ""  # of closed files: length and hash of the plain pieces in it
        if self._codec.is_encrypted:
            plain = file.plain.length, file.plain.digest.hexdigest()
        name, digest = self._relative_name(file.path), file.digest.hexdigest()
        return FileRecord(
            name, kind, file.length, digest, file.start_ns, file.end_ns, plain[0], plain[1]
        )
