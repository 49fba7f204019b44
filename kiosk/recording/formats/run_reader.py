"""Reads a run: its init and media files concatenated to one MP4, decoded and counted."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.video.stream import VideoStream

from kiosk.storage.hearing_folder import CLOSED_INIT, CLOSED_SUFFIX, INIT, MEDIA_SUFFIX, name_order


class ConcatenatedReader(io.RawIOBase):
    """Reads several pieces as if they were one file, without copying them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Concatenate pieces of these sizes in bytes."""
        super().__init__()
        self._starts = [0, *accumulate(sizes)]
        self._position = 0

    def _read_piece(self, index: int, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes of one piece."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; see :meth:`io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}
        self._position = max(0, base[whence] + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, at most to the end of the current piece."""
        index = bisect_right(self._starts, self._position) - 1
        if index >= len(self._starts) - 1:
            return b""
        left = self._starts[index + 1] - self._position
        offset = self._position - self._starts[index]
        data = self._read_piece(index, offset, left if size < 0 else min(size, left))
        self._position += len(data)
        return data


class ConcatenatedFiles(ConcatenatedReader):
    """Reads several files as one."""

    def __init__(self, paths: list[Path]) -> None:
        """Concatenate ``paths`` in this order."""
        super().__init__([path.stat().st_size for path in paths])
        self._files = [path.open("rb", buffering=0) for path in paths]

    def _read_piece(self, index: int, offset: int, size: int) -> bytes:
        file = self._files[index]
        file.seek(offset)
        return file.read(size) or b""

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            file.close()
        super().close()


@dataclass
class MediaCounts:
    """Counts of what decodes from a run.

    Attributes:
        frames: decoded pictures.
        packets: coded pictures; ``frames`` should be equal.
        samples: decoded samples of each sound track, in the order of the tracks.
        names: titles of the sound tracks (``""`` for a track without one).
        errors: messages of the decoder.
    """

    frames: int = 0
    packets: int = 0
    samples: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def list_runs(track: Path) -> list[Path]:
    """Return the run folders of a track (``main`` or ``channels``), in order.

    An empty one has nothing of a run: recovery has removed the torn init file.
    """
    runs = (path for path in track.glob("run-*") if path.is_dir() and any(path.iterdir()))
    return sorted(runs, key=lambda path: name_order(path.name))


def media_files(run: Path) -> list[Path]:
    """Return the plain media files of a run, in order."""
    return sorted(run.glob(f"*{MEDIA_SUFFIX}"))


def closed_files(run: Path) -> list[Path]:
    """Return the encrypted media files of a run, in order."""
    return sorted(path for path in run.glob(f"*{CLOSED_SUFFIX}") if path.name != CLOSED_INIT)


def count_run(run: Path) -> MediaCounts:
    """Decode every picture and sample of ``run`` and count them."""
    counts = MediaCounts()
    paths = [run / INIT, *media_files(run)]
    if not paths[0].exists():
        counts.errors.append("the init file is missing")
        return counts
    with ConcatenatedFiles(paths) as joined:
        count_media(joined, counts)
    return counts


def count_media(reader: ConcatenatedReader, counts: MediaCounts) -> None:
    """Decode every picture and sample of a concatenated run into ``counts``."""
    try:
        with av.open(reader, mode="r", format="mp4") as container:
            _count_container(container, counts)
    except (FFmpegError, OSError) as error:
        counts.errors.append(error.strerror or str(error))


def _count_container(container: av.container.InputContainer, counts: MediaCounts) -> None:
    """Decode everything in ``container`` into ``counts``."""
    places = {stream.index: place for place, stream in enumerate(container.streams.audio)}
    counts.samples = [0] * len(places)
    counts.names = [_track_title(stream) for stream in container.streams.audio]
    for packet in container.demux():
        stream = packet.stream
        try:
            frames = packet.decode()
        except (FFmpegError, AttributeError) as error:  # PyAV: a codec it does not know is None
            counts.errors.append(str(error))
            frames = []
        if isinstance(stream, VideoStream):
            counts.packets += 1 if packet.size else 0
            counts.frames += len(frames)
        elif isinstance(stream, AudioStream):
            decoded = (frame.samples for frame in frames if isinstance(frame, AudioFrame))
            counts.samples[places[stream.index]] += sum(decoded)


def _track_title(stream: AudioStream) -> str:
    """Return the track's title, or its handler's name."""
    return stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
