"""Fragments into files: appended, fsynced, hashed, reported; what cannot be written waits.

Every step is queued and done in order, so that a disk that is full or gone for a while costs
nothing but memory, up to a limit.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.recording.envelope import PLAIN, Envelope
from kiosk.recording.fragments import FileRecord, FragmentRecord, Track
from kiosk.storage.durable import sync_folder

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
    """The file that is being appended to."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self.path = path
        self._descriptor = os.open(path, flags, 0o640)
        sync_folder(path.parent)
        self.length = 0
        self.start_ns = self.end_ns = 0
        self.digest = hashlib.sha256()
        self.pieces = _Pieces()
        self.ended = False

    def append(self, data: bytes) -> int:
        """Append ``data`` durably; return where it begins. A failure leaves no trace."""
        offset = self.length
        try:
            view = memoryview(data)
            done = 0
            while done < len(data):
                done += os.pwrite(self._descriptor, view[done:], offset + done)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, offset)
            raise
        self.length += len(data)
        self.digest.update(data)
        return offset

    def close(self) -> None:
        """Close it; a second time does nothing (the number may be another file's by then)."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class TrackFiles:
    """The files of ``main/`` or ``channels/``.

    Args:
        part: the part's folder.
        track: which.
        on_fragment, on_file_closed: see :class:`kiosk.recording.part.PartRecorder`.
        envelope: how fragments lie on the disk.
    """

    def __init__(
        self,
        part: Path,
        track: Track,
        on_fragment: Callable[[FragmentRecord], None],
        on_file_closed: Callable[[FileRecord], None],
        envelope: Envelope = PLAIN,
    ) -> None:
        self._envelope = envelope
        self._part = part
        self._track = track
        self._on_fragment = on_fragment
        self._on_file_closed = on_file_closed
        self._steps: deque[tuple[Callable[[], None], int]] = deque()
        self._waiting = 0
        self._run = 0
        self._number = 0
        self._file: _OpenFile | None = None

    @property
    def folder(self) -> Path:
        """``main/`` or ``channels/``."""
        return self._part / self._track

    # -- what is to be done --------------------------------------------------------------------
    def begin_run(self, init: bytes, start_ns: int) -> str:
        """Begin a run of files with this initialisation segment; return the init file's name."""
        self.roll()
        self._run += 1
        run = self._run
        self._steps.append((lambda: self._write_init(run, init, start_ns), 0))
        return f"run-{run:02d}/{self._envelope.init}"

    def append(
        self, fragment: Fragment, then: Callable[[FragmentRecord], None] | None = None
    ) -> bool:
        """Append a fragment; ``then`` is called when it is durable. False: no room, it is lost."""
        size = len(fragment.data)
        if self._waiting + size > LARGEST_BACKLOG:
            return False
        self._waiting += size
        run = self._run
        written: list[FragmentRecord] = []

        def write_and_report() -> None:  # each is repeated only until it has succeeded once
            if not written:
                written.append(self._write(run, fragment))
            self._on_fragment(written[0])
            if then is not None:
                then(written[0])

        self._steps.append((write_and_report, size))
        return True

    def roll(self) -> None:
        """Close the file; the next fragment begins another."""
        self._steps.append((self._close_file, 0))

    def step(self, action: Callable[[], None]) -> None:
        """Have ``action`` done in order with the rest; it is repeated while it raises OSError."""
        self._steps.append((action, 0))

    def work(self) -> None:
        """Do all that is queued.

        Raises:
            OSError, StorageError: the disk refuses; what is left is tried again with the next
                call.
        """
        while self._steps:
            action, size = self._steps[0]
            action()
            self._steps.popleft()
            self._waiting -= size

    # -- doing it ------------------------------------------------------------------------------
    def _name(self, path: Path) -> str:
        return path.relative_to(self._part).as_posix()

    def _write_init(self, run: int, init: bytes, start_ns: int) -> None:
        folder = self.folder / f"run-{run:02d}"
        for path in (self.folder, folder):
            path.mkdir(mode=0o750, exist_ok=True)
            sync_folder(path.parent)
        envelope = self._envelope
        data = envelope.wrap("init.mp4", init, start_ns, start_ns, ()) + envelope.end
        file = _OpenFile(folder / envelope.init)
        try:
            file.append(data)
        finally:
            file.close()
        digest = hashlib.sha256(data).hexdigest()
        file.pieces.add(init)
        record = FileRecord(
            self._name(file.path), "init", len(data), digest, start_ns, start_ns, *self._plain(file)
        )
        self._number = 0
        self._on_file_closed(record)

    def _write(self, run: int, fragment: Fragment) -> FragmentRecord:
        if self._file is None:
            path = self.folder / f"run-{run:02d}" / f"{self._number + 1:06d}{self._envelope.suffix}"
            self._file = _OpenFile(path)
            self._file.start_ns = fragment.start_ns
            self._number += 1
        file = self._file
        data = self._wrapped(file, fragment)
        offset = file.append(data)
        file.end_ns = fragment.end_ns
        file.pieces.add(fragment.data)
        closed = self._envelope.encrypted
        return FragmentRecord(
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

    def _wrapped(self, file: _OpenFile, fragment: Fragment) -> bytes:
        """Return the fragment as it lies on the disk."""
        name = f"{file.path.stem}-{file.pieces.count + 1:04d}.m4s"
        return self._envelope.wrap(
            name, fragment.data, fragment.start_ns, fragment.end_ns, fragment.sources
        )

    def _plain(self, file: _OpenFile) -> tuple[int, str]:
        """Return length and hash of the plain pieces in ``file``, where they lie there closed."""
        if not self._envelope.encrypted:
            return 0, ""
        return file.pieces.length, file.pieces.digest.hexdigest()

    def _close_file(self) -> None:
        file = self._file
        if file is None:
            return
        if self._envelope.end and not file.ended:
            file.append(self._envelope.end)
            file.ended = True
        digest = file.digest.hexdigest()
        name = self._name(file.path)
        times = file.start_ns, file.end_ns
        self._on_file_closed(
            FileRecord(name, "media", file.length, digest, *times, *self._plain(file))
        )
        file.close()
        self._file = None
