"""Fragments into files: handed to the store, hashed, and reported once they are durable.

Everything is reported in order, so that a disk that is full or gone for a while costs nothing but
memory, up to a limit.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Track
from kiosk.storage.store import DIRECT, Store, Ticket

LARGEST_BACKLOG = 96 << 20
"""Bytes of fragments that wait for a disk; beyond it new ones are lost (and reported)."""


@dataclass(frozen=True)
class Fragment:
    """One fragment on its way to the disk."""

    data: bytes
    start_ns: int
    end_ns: int
    sources: tuple[str, ...]


class _Pieces:
    """The plain pieces that went into a file: how many, and all of them joined."""

    def __init__(self) -> None:
        self.count = self.length = 0
        self.digest = hashlib.sha256()

    def add(self, plain: bytes) -> None:
        """Count one in."""
        self.count += 1
        self.length += len(plain)
        self.digest.update(plain)


class _OpenFile:
    """The file that is being appended to, as it will be once everything is on the disk."""

    def __init__(self, path: Path, start_ns: int) -> None:
        self.path = path
        self.length = 0
        self.start_ns = self.end_ns = start_ns
        self.digest = hashlib.sha256()
        self.pieces = _Pieces()

    def add(self, data: bytes, end_ns: int) -> int:
        """Take ``data`` in; return where it begins."""
        offset = self.length
        self.length += len(data)
        self.end_ns = end_ns
        self.digest.update(data)
        return offset


class TrackFiles:
    """The files of ``main/`` or ``channels/``.

    What is handed in goes to the store at once; it is reported, in order, when it is durable.

    Args:
        part: the part's folder.
        track: which.
        on_fragment, on_file_closed: see :class:`kiosk.recording.capture.part_recorder.PartRecorder`.
        envelope: how fragments lie on the disk.
        store: where the bytes go.
    """

    def __init__(
        self,
        part: Path,
        track: Track,
        on_fragment: Callable[[FragmentRecord], None],
        on_file_closed: Callable[[FileRecord], None],
        envelope: Envelope = PLAIN,
        store: Store = DIRECT,
    ) -> None:
        self._envelope = envelope
        self._part = part
        self._track = track
        self._on_fragment = on_fragment
        self._on_file_closed = on_file_closed
        self.store = store
        self._steps: deque[Callable[[], None]] = deque()
        self._waiting = 0
        self._wait_s = 0.0
        self._run = 0
        self._number = 0
        self._file: _OpenFile | None = None
        self.lost_ns = 0

    @property
    def folder(self) -> Path:
        """``main/`` or ``channels/``."""
        return self._part / self._track

    # -- what is to be done --------------------------------------------------------------------
    def begin_run(self, init: bytes, start_ns: int) -> str:
        """Begin a run of files with this initialisation segment; return the init file's name."""
        self.roll()
        self._run += 1
        self._number = 0
        envelope = self._envelope
        name = f"run-{self._run:02d}/{envelope.init}"
        file = _OpenFile(self.folder / name, start_ns)
        data = envelope.wrap("init.mp4", init, start_ns, start_ns, ()) + envelope.end
        file.add(data, start_ns)
        file.pieces.add(init)
        ticket = self.store.append(file.path, 0, data)
        record = self._file_record(file, "init")
        self._when_durable(ticket, lambda: self._on_file_closed(record))
        return name

    def append(
        self, fragment: Fragment, then: Callable[[FragmentRecord], None] | None = None
    ) -> bool:
        """Append a fragment; ``then`` is called when it is durable. False: no room, it is lost."""
        size = len(fragment.data)
        if self._waiting + size > LARGEST_BACKLOG or self.store.waiting_bytes > LARGEST_BACKLOG:
            self.lost_ns += fragment.end_ns - fragment.start_ns
            return False
        record, ticket = self._write(fragment)
        self._waiting += size

        def report() -> None:
            self._on_fragment(record)
            if then is not None:
                then(record)
            self._waiting -= size

        self._when_durable(ticket, report)
        return True

    def roll(self) -> None:
        """Close the file; the next fragment begins another."""
        file, self._file = self._file, None
        if file is None:
            return
        if self._envelope.end:
            offset = file.add(self._envelope.end, file.end_ns)
            end = self.store.append(file.path, offset, self._envelope.end)
            record = self._file_record(file, "media")
            self._when_durable(end, lambda: self._on_file_closed(record))
            return
        record = self._file_record(file, "media")
        self._steps.append(lambda: self._on_file_closed(record))

    def step(self, action: Callable[[], None]) -> None:
        """Have ``action`` done in order with the rest; it is repeated while it raises OSError."""
        self._steps.append(action)

    def work(self, wait_s: float = 0.0) -> bool:
        """Report what has become durable; say whether that is all.

        Args:
            wait_s: so long the disk is waited for.

        Raises:
            OSError, StorageError: the disk refuses; what is left is tried again with the next
                call.
        """
        deadline = time.monotonic() + wait_s
        while self._steps:
            self._wait_s = max(0.0, deadline - time.monotonic())
            try:
                self._steps[0]()
            except BlockingIOError:  # on its way
                return False
            self._steps.popleft()
        return True

    # -- doing it ------------------------------------------------------------------------------
    def _when_durable(self, ticket: Ticket, report: Callable[[], None]) -> None:
        def step() -> None:  # repeated until it has succeeded once
            if not ticket.done(self._wait_s):
                raise BlockingIOError
            report()

        self._steps.append(step)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._part).as_posix()

    def _write(self, fragment: Fragment) -> tuple[FragmentRecord, Ticket]:
        """Hand a fragment to the store; return what will be reported of it."""
        if self._file is None:
            self._number += 1
            path = (
                self.folder / f"run-{self._run:02d}" / f"{self._number:06d}{self._envelope.suffix}"
            )
            self._file = _OpenFile(path, fragment.start_ns)
        file = self._file
        data = self._wrapped(file, fragment)
        offset = file.add(data, fragment.end_ns)
        file.pieces.add(fragment.data)
        closed = self._envelope.encrypted
        ticket = self.store.append(file.path, offset, data)
        record = FragmentRecord(
            file=self._name(file.path),
            offset=offset,
            length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            start_ns=fragment.start_ns,
            end_ns=fragment.end_ns,
            sources=fragment.sources,
            track=self._track,
            plain_length=len(fragment.data) if closed else 0,
            plain_sha256=hashlib.sha256(fragment.data).hexdigest() if closed else "",
        )
        return record, ticket

    def _wrapped(self, file: _OpenFile, fragment: Fragment) -> bytes:
        """Return the fragment as it lies on the disk."""
        name = f"{file.path.stem}-{file.pieces.count + 1:04d}.m4s"
        return self._envelope.wrap(
            name, fragment.data, fragment.start_ns, fragment.end_ns, fragment.sources
        )

    def _file_record(self, file: _OpenFile, kind: Literal["init", "media"]) -> FileRecord:
        """Return what will be reported of a file that does not change any more."""
        plain = 0, ""  # of closed files: length and hash of the plain pieces in it
        if self._envelope.encrypted:
            plain = file.pieces.length, file.pieces.digest.hexdigest()
        name, digest = self._name(file.path), file.digest.hexdigest()
        return FileRecord(
            name, kind, file.length, digest, file.start_ns, file.end_ns, plain[0], plain[1]
        )
