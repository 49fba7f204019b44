"""Writes a part as plain MP4 files with every source as a track, for any player.

Nothing is encoded again: picture, mix and the lossless sound of each source are copied packet by
packet from ``main`` and ``channels`` into one file, on the part's own time line (0 is the tap), so
that gaps stay gaps. FAT32 holds no file of 4 GiB: a larger part continues in another file, which
begins with a key frame.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition

from kiosk.errors import RecordingError
from kiosk.recording.formats.run_reader import ConcatenatedFiles, list_runs, media_files
from kiosk.storage.hearing_folder import INIT

MAX_FILE_BYTES = 4 * 1024**3 - 1
"""Bytes of the largest file on FAT32 (its size field has 32 bits)."""
_INDEX_BYTES = 24
"""Maximum size of a packet's entry in the index at the end of the file."""
_MAX_RESERVE_BYTES = 32 * 1024**2
"""Room for the packets between two key frames, and for headers."""
_ORDER_S = 2
"""Within our fragments, packets of two tracks are at most this far out of order."""


class VideoTarget(Protocol):
    """An open file that the MP4 is written to."""

    def write(self, data: bytes) -> int:
        """Write ``data`` at the position."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the position."""

    def tell(self) -> int:
        """Return the position."""

    def close(self) -> None:
        """Close the file; everything is on the drive then."""


@dataclass(frozen=True)
class VideoFile:
    """One MP4 file of a part.

    Attributes:
        name: as given to ``open_target``.
        offset: seconds of the part before this file begins.
        seconds: length.
        tracks: titles of the tracks that have media in it, in order.
    """

    name: str
    offset: float
    seconds: float
    tracks: tuple[str, ...]


@dataclass
class _TimedPacket:
    """A packet with its place on the part's time line, in seconds."""

    at: Fraction
    order: int
    run: int
    source: Any
    packet: Packet[Any]

    def __lt__(self, other: _TimedPacket) -> bool:
        return (self.at, self.order) < (other.at, other.order)


@dataclass
class _SourceTrack:
    """One track of ``main`` or ``channels`` while it is read."""

    stream: Any
    title: str
    default: bool


@dataclass
class _OpenRuns:
    """The open runs of a part: those of ``main`` one after the other, all of ``channels``."""

    main: list[tuple[Any, list[_SourceTrack]]] = field(default_factory=list)
    channels: list[tuple[Any, list[_SourceTrack]]] = field(default_factory=list)


class PartVideoExport:
    """Writes the MP4 files of one part.

    Args:
        part: folder of the part, plain (not closed).
        titles: title of each track, by source (``camera``, ``mix``, microphones).
        open_target: makes the file number ``n`` (from 1); returns its name and the open file.
        progress: called with the bytes of media copied so far; may raise to cancel.
        largest: bytes of the largest file.
        left_out: stretches of the part that are not copied, in seconds; after one of them another
            file begins.
    """

    def __init__(
        self,
        part: Path,
        titles: Mapping[str, str],
        open_target: Callable[[int], tuple[str, VideoTarget]],
        progress: Callable[[int], None] = lambda _: None,
        largest: int = MAX_FILE_BYTES,
        left_out: Sequence[tuple[float, float]] = (),
    ) -> None:
        self._left_out = left_out
        self._part = part
        self._titles = titles
        self._open_target = open_target
        self._progress = progress
        self._largest = largest
        self._moved = 0
        self._files: list[VideoFile] = []

    def write(self) -> list[VideoFile]:
        """Write all files; a part without media has none.

        Raises:
            RecordingError: the media cannot be read.
            OSError: a target refuses.
        """
        try:
            with ExitStack() as stack:
                inputs = self._open_runs(stack)
                self._write(inputs)
        except FFmpegError as error:
            raise RecordingError(f"{self._part}: {error}", code="media_unreadable") from error
        return self._files

    def _open_runs(self, stack: ExitStack) -> _OpenRuns:
        inputs = _OpenRuns()
        for track, opened in (("main", inputs.main), ("channels", inputs.channels)):
            for run in list_runs(self._part / track):
                media = media_files(run)
                if not media or not (run / INIT).exists():
                    continue
                joined = stack.enter_context(ConcatenatedFiles([run / INIT, *media]))
                container = stack.enter_context(av.open(joined, mode="r", format="mp4"))
                sources = [
                    self._source_track(stream, track)
                    for stream in container.streams
                    if stream.type in ("video", "audio")
                ]
                opened.append((container, sources))
        return inputs

    def _source_track(self, stream: Any, track: str) -> _SourceTrack:
        handler = stream.metadata.get("handler_name") or ""
        source = ("camera" if stream.type == "video" else "mix") if track == "main" else handler
        return _SourceTrack(stream, self._titles.get(source, source), default=track == "main")

    def _packets(self, inputs: _OpenRuns) -> Iterator[_TimedPacket]:
        """Yield every packet in the order of its time."""

        def packets_of(run: int, pair: tuple[Any, list[_SourceTrack]]) -> Iterator[_TimedPacket]:
            return _in_time_order(_timed_packets(run, *pair))

        def main_packets() -> Iterator[_TimedPacket]:
            for run, pair in enumerate(inputs.main):
                yield from packets_of(run, pair)

        yield from heapq.merge(main_packets(), *(packets_of(-1, pair) for pair in inputs.channels))

    def _write(self, inputs: _OpenRuns) -> None:
        lossless = [source for _, sources in inputs.channels for source in sources]
        current: _VideoFileWriter | None = None
        run = 0
        was_cut = needs_key = False
        try:
            for item in self._packets(inputs):
                changed = item.run >= 0 and item.run != run
                run = item.run if item.run >= 0 else run
                if self._is_left_out(item):
                    was_cut = needs_key = True
                    if current is not None:
                        self._files.append(current.close())
                        current = None
                    continue
                if needs_key and item.packet.stream.type == "video":
                    if not item.packet.is_keyframe:
                        continue  # it builds upon pictures that are left out
                    needs_key = False
                if current is None or changed or self._needs_new_file(current, item):
                    if current is not None:
                        self._files.append(current.close())
                    main_sources = inputs.main[run][1] if inputs.main else []
                    base = item.at if self._files or was_cut else Fraction(0)
                    name, target = self._open_target(len(self._files) + 1)
                    current = _VideoFileWriter(name, target, [*main_sources, *lossless], base)
                current.mux(item)
                self._moved += item.packet.size
                self._progress(self._moved)
            if current is not None:
                self._files.append(current.close())
                current = None
        finally:
            if current is not None:
                current.discard()

    def _is_left_out(self, item: _TimedPacket) -> bool:
        """Return whether any of a packet is in a stretch that is not copied."""
        end = item.at + (item.packet.duration or 0) * item.packet.time_base
        return any(item.at < last and end > first for first, last in self._left_out)

    def _needs_new_file(self, file: _VideoFileWriter, item: _TimedPacket) -> bool:
        """Return whether a new file must begin with ``item`` (only at a key frame)."""
        if item.packet.stream.type != "video" and file.has_video:
            return False
        return (
            item.packet.is_keyframe
            and file.expected_bytes + _reserve_bytes(self._largest) > self._largest
        )


def _reserve_bytes(largest: int) -> int:
    return min(_MAX_RESERVE_BYTES, largest // 4)


def _timed_packets(run: int, container: Any, sources: list[_SourceTrack]) -> Iterator[_TimedPacket]:
    """Yield the packets of one run, each with its time."""
    by_index = {source.stream.index: source for source in sources}
    for order, packet in enumerate(container.demux([source.stream for source in sources])):
        if packet.dts is not None and packet.size:
            source = by_index[packet.stream.index]
            yield _TimedPacket(packet.dts * packet.time_base, order, run, source, packet)


def _in_time_order(packets: Iterable[_TimedPacket]) -> Iterator[_TimedPacket]:
    """Yield nearly ordered packets in the order of their time."""
    waiting: list[_TimedPacket] = []
    for packet in packets:
        heapq.heappush(waiting, packet)
        while waiting[0].at < packet.at - _ORDER_S:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


class _VideoFileWriter:
    """One MP4 file while it is written."""

    def __init__(
        self, name: str, target: VideoTarget, sources: list[_SourceTrack], base: Fraction
    ) -> None:
        self._name = name
        self._target = target
        self._base = base
        self._end = base
        self._bytes = self._count = 0
        self._container: Any = av.open(target, "w", format="mp4")
        self.has_video = any(source.stream.type == "video" for source in sources)
        self._streams: dict[int, Any] = {}
        self._used_sources: set[int] = set()
        self._sources = sources
        for source in sources:
            self._streams[id(source)] = self._add_stream(source)

    def _add_stream(self, source: _SourceTrack) -> Any:
        stream = self._container.add_stream_from_template(source.stream)
        stream.metadata["title"] = stream.metadata["handler_name"] = source.title
        stream.disposition = Disposition.default if source.default else Disposition(0)
        return stream

    @property
    def expected_bytes(self) -> int:
        """Size in bytes of the file if it ended now."""
        return self._bytes + self._count * _INDEX_BYTES

    def mux(self, item: _TimedPacket) -> None:
        """Write one packet at its time in this file."""
        packet, source = item.packet, item.source
        self._end = max(self._end, item.at + (packet.duration or 0) * packet.time_base)
        self._bytes += packet.size
        self._count += 1
        self._used_sources.add(id(source))
        base = round(self._base / packet.time_base)
        place = 0 if packet.dts is None else packet.dts
        packet.pts = (place if packet.pts is None else packet.pts) - base
        packet.dts = place - base
        packet.stream = self._streams[id(source)]
        self._container.mux_one(packet)

    def close(self) -> VideoFile:
        """Write the index and close; return the finished file."""
        self._container.close()
        self._target.close()
        tracks = tuple(source.title for source in self._sources if id(source) in self._used_sources)
        return VideoFile(self._name, float(self._base), float(self._end - self._base), tracks)

    def discard(self) -> None:
        """Close a file that cannot be finished."""
        try:
            self._container.close()
        except (FFmpegError, OSError):
            return
        finally:
            self._target.close()
