"""Writes the fragments of a track into files, hashes them, and reports them once durable.

Records are reported in order. While a disk is full or gone, fragments wait in memory, up to a
limit; nothing else is lost.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.recording.capture.part_config import PartOutput
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Track
from kiosk.storage.hearing_folder import INIT, MEDIA_SUFFIX
from kiosk.storage.store import WriteTicket

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
    """Count, length and joined SHA-256 of the plain fragments in an encrypted file."""

    def __init__(self) -> None:
        self.count = self.length = 0
        self.digest = hashlib.sha256()

    def add(self, plain: bytes) -> None:
        """Add a plain fragment."""
        self.count += 1
        self.length += len(plain)
        self.digest.update(plain)


class _OpenFile:
    """The current file, as it will be when everything is on the disk."""

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
        self.end_ns = max(self.end_ns, end_ns)  # the rest of a source that is away comes late
        self.digest.update(data)
        return offset


class TrackWriter:
    """Writes the files of ``main/`` or ``channels/``.

    Fragments go to the store at once and are reported, in order, when they are durable.

    Args:
        output: destination of the part.
        track: which of its tracks.
        on_durable: called with each fragment after the sink has accepted it.

    Attributes:
        lost_ns: media lost because too much waits for the disk.
    """

    def __init__(
        self,
        output: PartOutput,
        track: Track,
        on_durable: Callable[[FragmentRecord], None] = lambda _record: None,
    ) -> None:
        self._track = track
        self._part, self._codec, self._sink = output.folder, output.codec, output.sink
        self._on_durable = on_durable
        self.store, self._pulse = output.store, output.pulse
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
        data = codec.encode(INIT, init, start_ns, start_ns, ()) + codec.file_trailer
        file.add(data, start_ns)
        if codec.is_encrypted:
            file.plain.add(init)
        ticket = self.store.append(file.path, 0, data)
        record = self._file_record(file, "init")
        self._when_durable(ticket, lambda: self._sink.add_file(record))
        return name

    def append(
        self,
        fragment: Fragment,
        on_durable: Callable[[FragmentRecord], None] | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> bool:
        """Append a fragment; ``on_durable`` is called when it is durable.

        Args:
            before: called just before the fragment is reported, so that the journal knows what is
                missing before it no later than the fragment; also if it is lost.

        Returns:
            whether there is room for it; otherwise it is lost.
        """
        size = len(fragment.data)
        if (
            self._waiting_bytes + size > MAX_BACKLOG_BYTES
            or self.store.unwritten_bytes > MAX_BACKLOG_BYTES
        ):
            self.lost_ns += fragment.end_ns - fragment.start_ns
            self._queue.append(before)
            return False
        record, ticket = self._write(fragment)
        self._waiting_bytes += size

        def report() -> None:
            self._sink.add_fragment(record)
            self._on_durable(record)
            if on_durable is not None:
                on_durable(record)
            self._waiting_bytes -= size

        self._when_durable(ticket, before)
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
            self._when_durable(ticket, lambda: self._sink.add_file(record))
            return
        record = self._file_record(file, "media")
        self._queue.append(lambda: self._sink.add_file(record))

    def enqueue(self, action: Callable[[], None]) -> None:
        """Queue ``action`` after what is queued already; repeat it while it raises OSError."""
        self._queue.append(action)

    def flush(self, wait_s: float = 0.0) -> bool:
        """Report what has become durable; return whether that is all.

        Args:
            wait_s: maximum wait for the disk.

        Raises:
            OSError, StorageError: the disk refuses; the next call tries again.
        """
        deadline = time.monotonic() + wait_s
        while self._queue:
            self._wait_s = max(0.0, deadline - time.monotonic())
            try:
                self._queue[0]()
            except BlockingIOError:  # not durable yet
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
        is_encrypted = self._codec.is_encrypted
        if is_encrypted:
            file.plain.add(fragment.data)
        self._pulse.hand_over(data, fragment.end_ns)
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
        name = f"{file.path.stem}-{file.plain.count + 1:04d}{MEDIA_SUFFIX}"
        return self._codec.encode(
            name, fragment.data, fragment.start_ns, fragment.end_ns, fragment.sources
        )

    def _file_record(self, file: _OpenFile, kind: Literal["init", "media"]) -> FileRecord:
        """Return the record of a file that will not change any more."""
        is_encrypted = self._codec.is_encrypted
        return FileRecord(
            file=self._relative_name(file.path),
            kind=kind,
            length=file.length,
            sha256=file.digest.hexdigest(),
            start_ns=file.start_ns,
            end_ns=file.end_ns,
            plain_length=file.plain.length if is_encrypted else 0,
            plain_sha256=file.plain.digest.hexdigest() if is_encrypted else "",
        )
