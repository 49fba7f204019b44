"""``main``: picture and mix in fragmented MP4, with an HLS playlist.

A fragment covers the same interval of the recording clock in both tracks. It is at most half a
second long and may begin with any picture; only a segment of the playlist begins with a key frame.
The first fragment holds the first picture and the first sound alone, so that a recording is soon
known to work.
A new run (with its own initialisation file) begins when the picture's codec data changes or the
picture first appears.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kiosk.clocks import NS_PER_S
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.mixer import MixChunk
from kiosk.recording.capture.part_config import PartLayout, PartTimes
from kiosk.recording.capture.track_writer import Fragment, TrackWriter
from kiosk.recording.formats.codecs import AAC_FRAME, MIX_RATE, AacEncoder, AacPacket
from kiosk.recording.formats.fmp4 import (
    VIDEO_TIMESCALE,
    H264Config,
    Sample,
    TrackRun,
    aac_track,
    fragment,
    h264_sample,
    init_segment,
    video_track,
)
from kiosk.recording.formats.hls_playlist import Playlist
from kiosk.recording.formats.records import CAMERA, FragmentRecord

VIDEO, AUDIO = 1, 2
MAX_PICTURE_WAIT_NS = 700_000_000
"""Maximum wait for the first picture before a run without picture starts."""
MAX_AUDIO_WAIT_NS = 600_000_000
SEGMENT_NS = 4 * NS_PER_S
MAX_SEGMENT_NS = 2 * SEGMENT_NS
_NEAR_NS = 100_000_000
_SLACK_NS = 100_000_000
"""Pictures jitter: a segment may be this much shorter than four seconds."""
_MIN_STEP_NS = 1_000_000


@dataclass(frozen=True)
class _Picture:
    at_ns: int  # since the start of the part
    key: bool
    data: bytes
    config: H264Config | None
    session: int


@dataclass(frozen=True)
class _MixPacket:
    packet: AacPacket
    sources: frozenset[str]

    @property
    def at_ns(self) -> int:
        return self.packet.pts * NS_PER_S // MIX_RATE


def _ticks(at_ns: int) -> int:
    return (at_ns * VIDEO_TIMESCALE + NS_PER_S // 2) // NS_PER_S


class MainTrack:
    """Turns pictures and mix packets into fragments, segments and files.

    Args:
        writer: writes them.
        times: start of the part; lengths of fragments and files.
        layout: sources and picture format. The first picture is waited for only if the camera
            is expected.
        mix_bitrate: bit/s of the mix.
        has_playlist: False for a closed part, which cannot be played on the kiosk.
        on_pictures: called with recording clock and session of pictures that have become durable
            (or whose loss the storage has reported), in order.
    """

    def __init__(
        self,
        writer: TrackWriter,
        times: PartTimes,
        layout: PartLayout,
        mix_bitrate: int,
        has_playlist: bool,
        on_pictures: Callable[[list[tuple[int, int]]], None] = lambda _pictures: None,
    ) -> None:
        self._on_pictures = on_pictures
        self._writer = writer
        self._times, self._start_ns = times, times.start_ns
        self._size = layout.size
        self._period_ns = NS_PER_S // layout.fps
        self._mix_encoder = AacEncoder(mix_bitrate)
        self._audio_header = aac_track(
            AUDIO, "mix", MIX_RATE, self._mix_encoder.config, mix_bitrate
        )
        self._is_picture_expected = CAMERA in layout.expected_sources
        longest_s = MAX_SEGMENT_NS / NS_PER_S + 1
        self._playlist = Playlist(writer.folder, longest_s, writer.store) if has_playlist else None
        self._pictures: deque[_Picture] = deque()
        self._mix_packets: deque[_MixPacket] = deque()
        self._session = -1
        self._last_picture_ns = -1
        self._run_config: H264Config | None = None
        self._is_running = False
        self._sequence = 0
        self._from_ns = 0  # everything before it is in fragments
        self._segment_from_ns = self._file_from_ns = 0
        self._segment: list[FragmentRecord] = []
        self.video_frames = 0

    # -- in ------------------------------------------------------------------------------------
    def add_video(self, packet: VideoPacket) -> None:
        """Add a picture; after a change of session pictures are dropped until a key frame.

        A picture keeps its time, also when the sound around it is written already: a fragment may
        begin earlier in one track than in the other.
        """
        at_ns = max(0, packet.captured_ns - self._start_ns)
        if packet.session != self._session:
            if not packet.key:
                return
            self._session = packet.session
        at_ns = max(at_ns, self._last_picture_ns + _MIN_STEP_NS)
        data, config = h264_sample(packet.data)
        self._last_picture_ns = at_ns
        self._pictures.append(_Picture(at_ns, packet.key, data, config, packet.session))

    def add_mix(self, chunk: MixChunk) -> None:
        """Encode and add a chunk of the mix."""
        for packet in self._mix_encoder.encode(chunk.samples):
            self._mix_packets.append(_MixPacket(packet, chunk.sources))

    # -- out -----------------------------------------------------------------------------------
    def write_complete(self, now_ns: int, is_camera_live: bool) -> None:
        """Write every fragment that is complete at ``now_ns`` (recording clock)."""
        now = now_ns - self._start_ns
        while self._start_run_when_due(now):
            if self._from_ns == 0 and bool(self._pictures) == (self._run_config is not None):
                if not self._mix_packets:
                    return
                self._write_fragment(self._first_end())
                continue
            until, is_new_run = self._next_boundary()
            if not self._is_complete(until, is_new_run, now, is_camera_live):
                return
            self._write_fragment(until)
            if is_new_run:
                self._end_segment()
                self._start_run(self._pictures[0].config)

    def finish(self, stop_ns: int) -> None:
        """Write all that is left up to ``stop_ns`` and end the playlist, whatever fails before."""
        try:
            self._write_rest(stop_ns)
        finally:
            self._end_segment()
            self._writer.rotate()
            if self._playlist is not None:
                self._writer.enqueue(self._playlist.end)

    def _write_rest(self, stop_ns: int) -> None:
        for packet in self._mix_encoder.flush():
            self._mix_packets.append(_MixPacket(packet, frozenset()))
        end = stop_ns - self._start_ns
        while self._pictures and self._pictures[-1].at_ns >= end:
            self._pictures.pop()
        if not self._is_running and (self._pictures or self._mix_packets):
            self._start_run(self._pictures[0].config if self._pictures else None)
        while self._pictures or self._mix_packets:
            until, is_new_run = self._next_boundary()
            last = max([q[-1].at_ns for q in (self._pictures, self._mix_packets) if q])
            self._write_fragment(until if is_new_run else min(until, max(end, last + 1)))
            if is_new_run:
                self._end_segment()
                self._start_run(self._pictures[0].config)

    def finish_playlist(self) -> tuple[str, bytes] | None:
        """Write the ended playlist; return its name and bytes (None: there is none)."""
        if self._playlist is None:
            return None
        return self._playlist.path.name, self._playlist.write()

    def _start_run_when_due(self, now: int) -> bool:
        """Start the first run when there is a picture, or none for too long."""
        if not self._is_running:
            if self._pictures:
                self._start_run(self._pictures[0].config)
            elif not self._is_picture_expected or now > MAX_PICTURE_WAIT_NS:
                self._start_run(None)
        return self._is_running

    def _start_run(self, config: H264Config | None) -> None:
        tracks = [self._audio_header]
        if config is not None:
            tracks.insert(0, video_track(VIDEO, CAMERA, self._size, config))
        init = self._writer.start_run(init_segment(tracks), self._start_ns + self._from_ns)
        self._run_config, self._is_running = config, True
        self._segment_from_ns = self._file_from_ns = self._from_ns
        wall, playlist = self._times.wall_text(self._from_ns), self._playlist
        if playlist is not None:
            self._writer.enqueue(lambda: playlist.start_run(init, wall))

    def _first_end(self) -> int:
        """Return where the first fragment ends: after the first picture, else after the sound.

        Its sound may not reach that far yet; the rest is in the second fragment.
        """
        if self._pictures:
            return self._pictures[0].at_ns + _MIN_STEP_NS
        return self._mix_packets[-1].at_ns + self._frame_ns

    def _next_boundary(self) -> tuple[int, bool]:
        """Return where the next fragment ends, and whether a new run begins there."""
        until = self._from_ns + self._times.fragment_ns
        for picture in self._pictures:
            if picture.at_ns > until + _NEAR_NS:
                break
            if self._needs_new_run(picture):
                return max(picture.at_ns, self._from_ns), True
            if (
                picture.key
                and picture.at_ns > self._from_ns
                and self._is_segment_due(picture.at_ns)
            ):
                return picture.at_ns, False
        return until, False

    def _needs_new_run(self, picture: _Picture) -> bool:
        return picture.config is not None and picture.config != self._run_config

    def _is_segment_due(self, at_ns: int) -> bool:
        return at_ns - self._segment_from_ns >= SEGMENT_NS - _SLACK_NS

    def _is_complete(self, until: int, is_new_run: bool, now: int, is_camera_live: bool) -> bool:
        """Return whether nothing more can belong to the fragment that ends at ``until``."""
        audio_until = self._mix_packets[-1].at_ns + self._frame_ns if self._mix_packets else 0
        if audio_until < until and now - until < MAX_AUDIO_WAIT_NS:
            return False
        video_until = self._pictures[-1].at_ns if self._pictures else -1
        return is_new_run or video_until >= until or (now >= until and not is_camera_live)

    @property
    def _frame_ns(self) -> int:
        return AAC_FRAME * NS_PER_S // MIX_RATE

    def _write_fragment(self, until: int) -> None:
        """Write the fragment that ends at ``until``; end the segment first if a new one starts."""
        if self._starts_segment():
            self._end_segment()
        runs, sources = [], set()
        begin, end = until, self._from_ns
        pictures = self._pop_pictures(until)
        if pictures:
            sources.add(CAMERA)
            begin, end = pictures[0].at_ns, min(until, pictures[-1].at_ns + self._period_ns)
            runs.append(self._picture_run(pictures))
        mix_packets = []
        while self._mix_packets and self._mix_packets[0].at_ns < until:
            mix_packets.append(self._mix_packets.popleft())
        if mix_packets:
            sources.update(*(sound.sources for sound in mix_packets))
            begin = min(begin, mix_packets[0].at_ns)
            end = max(end, mix_packets[-1].at_ns + self._frame_ns)
            samples = [Sample(sound.packet.data, AAC_FRAME) for sound in mix_packets]
            wall = self._times.wall_ns + mix_packets[0].at_ns
            runs.append(TrackRun(AUDIO, mix_packets[0].packet.pts, samples, wall))
        self._from_ns = until
        if runs:
            times = self._start_ns + begin, self._start_ns + end
            piece = Fragment(self._encode(runs), *times, tuple(sorted(sources)))
            written = [(self._start_ns + picture.at_ns, picture.session) for picture in pictures]
            if self._writer.append(
                piece, self._segment.append, partial(self._on_pictures, written)
            ):
                self.video_frames += len(pictures)

    def _pop_pictures(self, until: int) -> list[_Picture]:
        pictures = []
        while self._pictures and self._pictures[0].at_ns < until:
            if self._needs_new_run(self._pictures[0]):
                break
            pictures.append(self._pictures.popleft())
        return pictures if self._run_config is not None else []

    def _picture_run(self, pictures: list[_Picture]) -> TrackRun:
        """Return the pictures as samples; each lasts until the next, in any fragment."""
        following = self._pictures[0].at_ns if self._pictures else None
        last = pictures[-1].at_ns
        if following is None or following - last > NS_PER_S:
            following = last + self._period_ns
        times = [_ticks(picture.at_ns) for picture in pictures] + [_ticks(following)]
        samples = [
            Sample(picture.data, max(1, after - at), picture.key)
            for picture, at, after in zip(pictures, times[:-1], times[1:], strict=True)
        ]
        return TrackRun(VIDEO, times[0], samples, self._times.wall_ns + pictures[0].at_ns)

    def _encode(self, runs: list[TrackRun]) -> bytes:
        self._sequence += 1
        return fragment(self._sequence, runs)

    # -- segments ------------------------------------------------------------------------------
    def _starts_segment(self) -> bool:
        """Return whether the next fragment also starts a new segment."""
        length = self._from_ns - self._segment_from_ns
        first = self._pictures[0] if self._pictures else None
        if (
            first is not None
            and self._run_config is not None
            and first.at_ns - self._from_ns < _NEAR_NS
        ):
            return (
                first.key and first.at_ns == self._from_ns and self._is_segment_due(self._from_ns)
            )
        return length >= SEGMENT_NS and (self._run_config is None or length >= MAX_SEGMENT_NS)

    def _end_segment(self) -> None:
        """Put the segment into the playlist; begin a new file if one is due."""
        pieces, self._segment = self._segment, []
        seconds = (self._from_ns - self._segment_from_ns) / NS_PER_S
        self._segment_from_ns = self._from_ns
        self._writer.enqueue(lambda: self._add_to_playlist(pieces, seconds))
        if self._playlist is not None:
            self._writer.enqueue(self._write_playlist)
        if self._from_ns - self._file_from_ns >= self._times.file_ns - _SLACK_NS:
            self._file_from_ns = self._from_ns
            self._writer.rotate()

    def _add_to_playlist(self, pieces: list[FragmentRecord], seconds: float) -> None:
        if not pieces or self._playlist is None:
            return
        first, last = pieces[0], pieces[-1]
        name = first.file.partition("/")[2]  # relative to main/
        length = last.offset + last.length - first.offset
        self._playlist.add_segment(name, first.offset, length, seconds)

    def _write_playlist(self) -> None:
        assert self._playlist is not None
        with contextlib.suppress(BlockingIOError):  # not durable yet; finish_playlist() waits
            self._playlist.write()
