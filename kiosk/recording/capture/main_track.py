"""``main``: picture and mix in fragmented MP4, with an HLS playlist.

A fragment covers the same stretch of the recording clock in both tracks, at most half a second,
not tied to key frames; only a segment of the playlist begins with a key frame. A new run (its own
initialisation file) begins where the picture's codec data changes or the picture first appears.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.clocks import NS_PER_S
from kiosk.hardware.camera.camera import VideoPacket
from kiosk.recording.capture.track_writer import Fragment, TrackFiles
from kiosk.recording.formats.codecs import AAC_FRAME, MIX_RATE, AacPacket
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
from kiosk.recording.formats.records import FragmentRecord

VIDEO, AUDIO = 1, 2
FIRST_FRAGMENT_NS = NS_PER_S // 5
"""The first fragment is short, so that the recording is soon proven to be one."""
WITHOUT_PICTURE_NS = 700_000_000
"""So long the first picture is waited for before a run without picture begins."""
LATE_AUDIO_NS = 600_000_000
SEGMENT_NS = 4 * NS_PER_S
LONGEST_SEGMENT_NS = 2 * SEGMENT_NS
_NEAR_NS = 100_000_000
_SLACK_NS = 100_000_000
"""Pictures jitter: a segment may be this much shorter than four seconds."""


_LEAST_STEP_NS = 1_000_000


@dataclass(frozen=True)
class _Picture:
    at_ns: int  # since the start of the part
    key: bool
    data: bytes
    config: H264Config | None


@dataclass(frozen=True)
class _Sound:
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
        files: where they go.
        start_ns: recording clock of the tap: media time 0.
        wall_ns: wall time of the tap, ns since 1970.
        wall_text: the same moment of ``at_ns`` (since the tap) as RFC 3339 text.
        size: width and height of the picture.
        fps: pictures a second.
        fragment_ns, file_ns: length of a fragment and of a file.
        audio_config: AudioSpecificConfig of the mix.
        audio_bitrate: bit/s of the mix.
        picture_expected: False where there is no camera: then nothing is waited for.
        playlist: False in a closed part: nobody plays it here.
    """

    def __init__(
        self,
        files: TrackFiles,
        start_ns: int,
        wall_ns: int,
        wall_text: Callable[[int], str],
        size: tuple[int, int],
        fps: int,
        fragment_ns: int,
        file_ns: int,
        audio_config: bytes,
        audio_bitrate: int,
        picture_expected: bool,
        playlist: bool = True,
    ) -> None:
        self._files = files
        self._start_ns, self._wall_ns, self._wall_text = start_ns, wall_ns, wall_text
        self._size = size
        self._period_ns = NS_PER_S // fps
        self._fragment_ns, self._file_ns = fragment_ns, file_ns
        self._audio = aac_track(AUDIO, "mix", MIX_RATE, audio_config, audio_bitrate)
        self._picture_expected = picture_expected
        longest_s = LONGEST_SEGMENT_NS / NS_PER_S + 1
        self._playlist = Playlist(files.folder, longest_s, files.store) if playlist else None
        self._pictures: deque[_Picture] = deque()
        self._sounds: deque[_Sound] = deque()
        self._session = -1
        self._last_ns = -1
        self._run: H264Config | None = None
        self._running = False
        self._sequence = 0
        self._from_ns = 0  # everything before it is in fragments
        self._segment_from_ns = self._file_from_ns = 0
        self._segment: list[FragmentRecord] = []
        self.video_frames = 0

    # -- in ------------------------------------------------------------------------------------
    def video(self, packet: VideoPacket) -> None:
        """Take a picture; after a change of session nothing is taken until a key frame."""
        at_ns = max(0, packet.captured_ns - self._start_ns)
        if packet.session != self._session:
            if not packet.key:
                return
            self._session = packet.session
        # A picture that comes after its fragment was written is shown late, not left out: those
        # that follow cannot be decoded without it.
        at_ns = max(at_ns, self._from_ns, self._last_ns + _LEAST_STEP_NS)
        data, config = h264_sample(packet.data)
        self._last_ns = at_ns
        self._pictures.append(_Picture(at_ns, packet.key, data, config))

    def audio(self, packet: AacPacket, sources: frozenset[str]) -> None:
        """Take a packet of the mix."""
        self._sounds.append(_Sound(packet, sources))

    # -- out -----------------------------------------------------------------------------------
    def advance(self, now_ns: int, picture_lives: bool) -> None:
        """Write every fragment that is complete at ``now_ns`` (recording clock)."""
        now = now_ns - self._start_ns
        while self._begin_when_due(now):
            until, change = self._boundary()
            if not self._complete(until, change, now, picture_lives):
                return
            self._cut(until)
            if change:
                self._end_segment()
                self._begin_run(self._pictures[0].config)

    def finish(self, stop_ns: int) -> None:
        """Write all that is left up to ``stop_ns`` and end the playlist."""
        end = stop_ns - self._start_ns
        while self._pictures and self._pictures[-1].at_ns >= end:
            self._pictures.pop()
        if not self._running and (self._pictures or self._sounds):
            self._begin_run(self._pictures[0].config if self._pictures else None)
        while self._pictures or self._sounds:
            until, change = self._boundary()
            last = max([q[-1].at_ns for q in (self._pictures, self._sounds) if q])
            self._cut(until if change else min(until, max(end, last + 1)))
            if change:
                self._end_segment()
                self._begin_run(self._pictures[0].config)
        self._end_segment()
        self._files.roll()
        if self._playlist is not None:
            self._files.step(self._playlist.end)

    def finish_playlist(self) -> tuple[str, bytes] | None:
        """Write the ended playlist; return its name and bytes (None: there is none)."""
        if self._playlist is None:
            return None
        return self._playlist.path.name, self._playlist.write()

    def _begin_when_due(self, now: int) -> bool:
        """Begin the first run when there is a picture, or none for too long."""
        if not self._running:
            if self._pictures:
                self._begin_run(self._pictures[0].config)
            elif not self._picture_expected or now > WITHOUT_PICTURE_NS:
                self._begin_run(None)
        return self._running

    def _begin_run(self, config: H264Config | None) -> None:
        tracks = [self._audio]
        if config is not None:
            tracks.insert(0, video_track(VIDEO, "camera", self._size, config))
        init = self._files.begin_run(init_segment(tracks), self._start_ns + self._from_ns)
        self._run, self._running = config, True
        self._segment_from_ns = self._file_from_ns = self._from_ns
        wall, playlist = self._wall_text(self._from_ns), self._playlist
        if playlist is not None:
            self._files.step(lambda: playlist.run(init, wall))

    def _boundary(self) -> tuple[int, bool]:
        """Return where the next fragment ends, and whether a new run begins there."""
        length = FIRST_FRAGMENT_NS if self._from_ns == 0 else self._fragment_ns
        until = self._from_ns + length
        for picture in self._pictures:
            if picture.at_ns > until + _NEAR_NS:
                break
            if picture.config is not None and picture.config != self._run:
                return picture.at_ns, True
            if picture.key and picture.at_ns > self._from_ns and self._segment_due(picture.at_ns):
                return picture.at_ns, False
        return until, False

    def _segment_due(self, at_ns: int) -> bool:
        return at_ns - self._segment_from_ns >= SEGMENT_NS - _SLACK_NS

    def _complete(self, until: int, change: bool, now: int, picture_lives: bool) -> bool:
        """Tell whether nothing more can come into the fragment that ends at ``until``."""
        heard = self._sounds[-1].at_ns + self._frame_ns if self._sounds else 0
        if heard < until and now - until < LATE_AUDIO_NS:
            return False
        seen = self._pictures[-1].at_ns if self._pictures else -1
        return change or seen >= until or (now >= until and not picture_lives)

    @property
    def _frame_ns(self) -> int:
        return AAC_FRAME * NS_PER_S // MIX_RATE

    def _cut(self, until: int) -> None:
        """Write the fragment that ends at ``until``, and end the segment where one ends."""
        if self._ends_segment_before():
            self._end_segment()
        runs, sources = [], set()
        begin, end = until, self._from_ns
        pictures = self._take_pictures(until)
        if pictures:
            sources.add("camera")
            begin, end = pictures[0].at_ns, min(until, pictures[-1].at_ns + self._period_ns)
            runs.append(self._picture_run(pictures))
        sounds = []
        while self._sounds and self._sounds[0].at_ns < until:
            sounds.append(self._sounds.popleft())
        if sounds:
            sources.update(*(sound.sources for sound in sounds))
            begin = min(begin, sounds[0].at_ns)
            end = max(end, sounds[-1].at_ns + self._frame_ns)
            samples = [Sample(sound.packet.data, AAC_FRAME) for sound in sounds]
            wall = self._wall_ns + sounds[0].at_ns
            runs.append(TrackRun(AUDIO, sounds[0].packet.pts, samples, wall))
        self._from_ns = until
        if runs:
            self._append(runs, begin, end, tuple(sorted(sources)))

    def _take_pictures(self, until: int) -> list[_Picture]:
        taken = []
        while self._pictures and self._pictures[0].at_ns < until:
            taken.append(self._pictures.popleft())
        return taken if self._run is not None else []

    def _picture_run(self, pictures: list[_Picture]) -> TrackRun:
        """Return the pictures as samples; each lasts until the next, wherever that lies."""
        following = self._pictures[0].at_ns if self._pictures else None
        last = pictures[-1].at_ns
        if following is None or following - last > NS_PER_S:
            following = last + self._period_ns
        times = [_ticks(picture.at_ns) for picture in pictures] + [_ticks(following)]
        samples = [
            Sample(picture.data, max(1, after - at), picture.key)
            for picture, at, after in zip(pictures, times[:-1], times[1:], strict=True)
        ]
        self.video_frames += len(pictures)
        return TrackRun(VIDEO, times[0], samples, self._wall_ns + pictures[0].at_ns)

    def _append(self, runs: list[TrackRun], begin: int, end: int, sources: tuple[str, ...]) -> None:
        self._sequence += 1
        data = fragment(self._sequence, runs)
        segment = self._segment
        piece = Fragment(data, self._start_ns + begin, self._start_ns + end, sources)
        self._files.append(piece, segment.append)

    # -- segments ------------------------------------------------------------------------------
    def _ends_segment_before(self) -> bool:
        """Tell whether the fragment that begins now begins a new segment, too."""
        length = self._from_ns - self._segment_from_ns
        first = self._pictures[0] if self._pictures else None
        if first is not None and self._run is not None and first.at_ns - self._from_ns < _NEAR_NS:
            return first.key and first.at_ns == self._from_ns and self._segment_due(self._from_ns)
        return length >= SEGMENT_NS and (self._run is None or length >= LONGEST_SEGMENT_NS)

    def _end_segment(self) -> None:
        """Put the segment into the playlist; begin a new file where one is due."""
        pieces, self._segment = self._segment, []
        seconds = (self._from_ns - self._segment_from_ns) / NS_PER_S
        self._segment_from_ns = self._from_ns
        self._files.step(lambda: self._publish(pieces, seconds))
        if self._playlist is not None:
            self._files.step(self._write_playlist)
        if self._from_ns - self._file_from_ns >= self._file_ns - _SLACK_NS:
            self._file_from_ns = self._from_ns
            self._files.roll()

    def _publish(self, pieces: list[FragmentRecord], seconds: float) -> None:
        if not pieces or self._playlist is None:
            return
        first, last = pieces[0], pieces[-1]
        name = first.file.partition("/")[2]  # relative to main/
        length = last.offset + last.length - first.offset
        self._playlist.segment(name, first.offset, length, seconds)

    def _write_playlist(self) -> None:
        assert self._playlist is not None
        with contextlib.suppress(BlockingIOError):  # on its way; its end is waited for
            self._playlist.write()
