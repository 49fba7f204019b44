"""The live picture: one frame in shared memory, protected by a sequence lock.

The camera's child writes and the touch screen reads; neither waits for the other. The layout is a
64-byte header ``<4sIIIQQ`` (magic ``KPV1``, width, height, sequence, recording ns, frame number),
then RGB24 rows. The sequence is odd while a frame is being written.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"KPV1"
HEADER = struct.Struct("<4sIIIQQ")
HEADER_BYTES = 64
_SEQUENCE = struct.Struct("<I")
_SEQUENCE_OFFSET = 12
WIDTH, HEIGHT = 640, 360


@dataclass(frozen=True)
class PreviewFrame:
    """A complete picture.

    Attributes:
        width, height: pixels.
        captured_ns: recording clock of its capture.
        number: frame number of the camera since it was opened.
        rgb: RGB24 rows without padding.
    """

    width: int
    height: int
    captured_ns: int
    number: int
    rgb: bytes


class PreviewWriter:
    """Writes frames of one size to ``path`` (mode 0640; the file stays for the next writer).

    Attributes:
        changes: frames that differ from the one before, of this or an earlier writer.
        repeats: frames that do not differ in any byte. Sensors have noise: while a camera works,
            every frame differs, in a dark room, too.
    """

    def __init__(self, path: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
        self._width, self._height = width, height
        self.changes = self.repeats = 0
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.ftruncate(descriptor, HEADER_BYTES + width * height * 3)
            self._map = mmap.mmap(descriptor, HEADER_BYTES + width * height * 3)
        finally:
            os.close(descriptor)
        (before,) = _SEQUENCE.unpack_from(self._map, _SEQUENCE_OFFSET)
        self._sequence = (before + 1) & ~1 & 0xFFFFFFFF
        self._watched_until = 0.0

    def watch(self, seconds: float) -> None:
        """Note that somebody looks at the picture for so long, outside a recording, too."""
        self._watched_until = time.monotonic() + seconds

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks at it, as a technician at his screen."""
        return time.monotonic() < self._watched_until

    def write(self, rgb: bytes | memoryview, captured_ns: int, number: int) -> None:
        """Publish one frame: ``width * height * 3`` bytes."""
        odd, even = self._sequence | 1, (self._sequence + 2) & 0xFFFFFFFF
        _SEQUENCE.pack_into(self._map, _SEQUENCE_OFFSET, odd)
        rows = bytes(rgb) if isinstance(rgb, memoryview) else rgb
        if self._map[HEADER_BYTES:] == rows:
            self.repeats += 1
        else:
            self.changes += 1
            self._map[HEADER_BYTES:] = rows
        HEADER.pack_into(self._map, 0, MAGIC, self._width, self._height, odd, captured_ns, number)
        _SEQUENCE.pack_into(self._map, _SEQUENCE_OFFSET, even)
        self._sequence = even

    def close(self) -> None:
        """Release the memory; the last frame stays readable."""
        self._map.close()


class PreviewReader:
    """Reads the newest complete frame; the writer may stop and start again."""

    _TRIES = 4

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None
        self._inode = (0, 0, 0)

    def read(self) -> PreviewFrame | None:
        """Return the newest frame, or None if there is none (or it changes too fast)."""
        mapping = self._open()
        if mapping is None:
            return None
        for _ in range(self._TRIES):
            magic, width, height, sequence, captured, number = HEADER.unpack_from(mapping, 0)
            length = HEADER_BYTES + width * height * 3
            if magic != MAGIC or length > len(mapping) or number == 0:
                return None
            if sequence % 2:
                continue
            rgb = mapping[HEADER_BYTES:length]
            if _SEQUENCE.unpack_from(mapping, _SEQUENCE_OFFSET)[0] == sequence:
                return PreviewFrame(width, height, captured, number, rgb)
        return None

    def _open(self) -> mmap.mmap | None:
        """Return the mapped file; map it again if it was replaced or its size changed."""
        try:
            status = self._path.stat()
        except OSError:
            self.close()
            return None
        inode = (status.st_dev, status.st_ino, status.st_size)
        if self._map is None or inode != self._inode:
            self.close()
            if status.st_size <= HEADER_BYTES:
                return None
            with contextlib.suppress(OSError, ValueError), self._path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._inode = inode
        return self._map

    def close(self) -> None:
        """Release the memory."""
        if self._map is not None:
            self._map.close()
            self._map = None
