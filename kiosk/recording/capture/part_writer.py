"""Thread-free core of the part recorder: turns packets from the sources into fragments.

The caller passes the time in, so that an hour can be tested in seconds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kiosk.clocks import NS_PER_S, format_wall, recording_ns
from kiosk.config import RecordingSettings
from kiosk.errors import StorageError
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.channels_track import ChannelsTrack
from kiosk.recording.capture.interruptions import STORAGE, InterruptionDetector
from kiosk.recording.capture.main_track import MainTrack
from kiosk.recording.capture.mixer import Mixer
from kiosk.recording.capture.track_writer import TrackWriter
from kiosk.recording.formats.codecs import AAC_FRAME, AacEncoder
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.storage.store import DIRECT, Store

HEALTHY_DISK_WAIT_S = 0.03
"""Maximum wait per step for a healthy disk."""
FINISH_TIMEOUT_S = 1.0
CAMERA_LIVE_NS = NS_PER_S // 2
"""The writer does not wait for a camera that gave nothing for this long."""


@dataclass(frozen=True)
class PartLayout:
    """Sources and formats of a part.

    Attributes:
        rates: sample rate of each microphone, by name, in the order of the settings.
        size, fps: of the picture.
        has_camera: whether a camera is fitted.
        expected_sources: present at the tap; the first durable fragments contain them all.
    """

    rates: dict[str, int]
    size: tuple[int, int]
    fps: int
    has_camera: bool
    expected_sources: frozenset[str]


def trim_block(
    block: AudioBlock, rate: int, from_ns: int, until_ns: int | None
) -> AudioBlock | None:
    """Return the part of ``block`` captured in ``[from_ns, until_ns)``, or None."""
    count = len(block.samples)
    skip = max(0, -(-(from_ns - block.start_ns) * rate // NS_PER_S))
    end = count
    if until_ns is not None:
        end = min(count, max(0, -(-(until_ns - block.start_ns) * rate // NS_PER_S)))
    if skip >= end:
        return None
    if skip == 0 and end == count:
        return block
    return replace(
        block,
        index=block.index + skip,
        start_ns=block.start_ns + skip * NS_PER_S // rate,
        samples=block.samples[skip:end],
    )


class PartWriter:
    """Writes one part.

    Args:
        folder: the part's folder.
        layout: its sources and formats.
        recording: the ``[recording]`` settings.
        start_ns: recording clock of the tap.
        wall_ns: wall time of the tap, ns since 1970.
        on_fragment, on_interruption, on_file_closed: as of the part recorder.
        clock: recording clock, for the moment at which a fragment was durable.
        codec: how fragments are stored; an encrypted part has no playlist.
        store: where the media go.
    """

    RETRY_NS = NS_PER_S // 2

    def __init__(
        self,
        folder: Path,
        layout: PartLayout,
        recording: RecordingSettings,
        start_ns: int,
        wall_ns: int,
        on_fragment: Callable[[FragmentRecord], None],
        on_interruption: Callable[[Interruption], None],
        on_file_closed: Callable[[FileRecord], None],
        clock: Callable[[], int] = recording_ns,
        codec: FragmentCodec = PLAIN_CODEC,
        store: Store = DIRECT,
    ) -> None:
        self._store = store
        self._layout = layout
        self._clock = clock
        self._finished = False
        self._start_ns, self._wall_ns = start_ns, wall_ns
        self._stop_ns: int | None = None
        self._on_fragment = on_fragment
        self._on_file_closed = on_file_closed
        self._undurable_main = set(layout.expected_sources)
        self._undurable_channels = set(layout.expected_sources) & set(layout.rates)
        self.first_durable_ns: int | None = None
        self._now_ns = self._picture_ns = start_ns
        self._retry_ns = 0
        self._live_sources: frozenset[str] = frozenset()
        self._period_ns = NS_PER_S // layout.fps
        self._interruptions = InterruptionDetector(
            start_ns, tuple(layout.rates), layout.has_camera, on_interruption
        )
        self._mixer = Mixer(start_ns, layout.rates)
        self._encoder = AacEncoder(recording.mix_bitrate)
        fragment_ns, file_ns = recording.fragment_ms * 1_000_000, recording.file_seconds * NS_PER_S
        main_writer = TrackWriter(
            folder, "main", self._on_fragment_durable, on_file_closed, codec, store
        )
        channels_writer = TrackWriter(
            folder, "channels", self._on_fragment_durable, on_file_closed, codec, store
        )
        self._track_writers = (main_writer, channels_writer)
        self._main = MainTrack(
            main_writer,
            start_ns,
            wall_ns,
            self._wall_text,
            layout.size,
            layout.fps,
            fragment_ns,
            file_ns,
            self._encoder.config,
            recording.mix_bitrate,
            picture_expected="camera" in layout.expected_sources,
            playlist=not codec.is_encrypted,
        )
        self._channels = ChannelsTrack(
            channels_writer, start_ns, wall_ns, layout.rates, fragment_ns, file_ns
        )

    @property
    def video_frames(self) -> int:
        """Pictures in fragments so far."""
        return self._main.video_frames

    @property
    def samples(self) -> dict[str, int]:
        """Samples so far, by microphone."""
        return self._channels.samples

    def _wall_text(self, at_ns: int) -> str:
        return format_wall(datetime.fromtimestamp((self._wall_ns + at_ns) / NS_PER_S, UTC))

    # -- in ------------------------------------------------------------------------------------
    def stop_at(self, stop_ns: int) -> None:
        """Ignore everything captured at or after ``stop_ns``."""
        self._stop_ns = stop_ns

    def add_video(self, packet: VideoPacket) -> None:
        """Add a picture."""
        if self._stop_ns is not None and packet.captured_ns >= self._stop_ns:
            return
        self._picture_ns = max(self._picture_ns, self._now_ns)
        self._interruptions.add_video(packet.captured_ns, self._period_ns)
        self._main.add_video(packet)

    def add_audio(self, name: str, block: AudioBlock) -> None:
        """Add samples of the microphone ``name``."""
        rate = self._layout.rates[name]
        trimmed = trim_block(block, rate, self._start_ns, self._stop_ns)
        if trimmed is None:
            return
        end_ns = trimmed.start_ns + len(trimmed.samples) * NS_PER_S // rate
        self._interruptions.add_audio(name, trimmed.start_ns, end_ns)
        self._mixer.push(name, trimmed)
        self._channels.add_audio(name, trimmed)

    # -- out -----------------------------------------------------------------------------------
    def tick(
        self, now_ns: int, camera: str, microphones: Mapping[str, tuple[str, int | None]]
    ) -> None:
        """Write what is complete.

        Args:
            now_ns: recording clock.
            camera, microphones: states; as of the interruption detector.
        """
        missing_states = ("absent", "dead", "starting")
        live_sources = frozenset(
            n for n, (state, _) in microphones.items() if state not in missing_states
        )
        self._live_sources = live_sources
        while self._mixer.is_chunk_ready(now_ns, live_sources):
            self._encode_mix()
        self._main.write_complete(now_ns, now_ns - self._picture_ns < CAMERA_LIVE_NS)
        self._channels.write_complete(now_ns, live_sources)
        self._interruptions.tick(now_ns, camera, microphones)
        self._flush(now_ns)
        self._now_ns = now_ns

    def _encode_mix(self, count: int | None = None) -> None:
        chunk = self._mixer.read(count)
        for packet in self._encoder.encode(chunk.samples):
            self._main.add_audio(packet, chunk.sources)

    def _flush(self, now_ns: int) -> None:
        """Report what has become durable; record which storages fail."""
        problems = {problem.source: problem.kind for problem in self._store.problems()}
        self._now_ns = now_ns
        if now_ns >= self._retry_ns:
            refused = not self._flush_tracks(0.0 if STORAGE in problems else HEALTHY_DISK_WAIT_S)
            self._retry_ns = now_ns + self.RETRY_NS if refused else 0
        if self._retry_ns:
            problems.setdefault(STORAGE, "write_failed")
        lost_ns = max(files.lost_ns for files in self._track_writers)
        self._interruptions.update_storage(problems, now_ns, lost_ns)

    def _flush_tracks(self, wait_s: float) -> bool:
        """Report what becomes durable within ``wait_s``; return whether no storage refused."""
        all_accepted = True
        for files in self._track_writers:
            try:
                files.flush(wait_s)
            except (OSError, StorageError):
                all_accepted = False
        return all_accepted

    def _on_fragment_durable(self, record: FragmentRecord) -> None:
        self._on_fragment(record)
        missing = self._undurable_main if record.track == "main" else self._undurable_channels
        missing.difference_update(record.sources)
        if (
            self.first_durable_ns is None
            and not self._undurable_main
            and not self._undurable_channels
        ):
            self.first_durable_ns = self._clock()

    def finish(self, stop_ns: int) -> None:
        """Write all that is left, end the playlist, close all files.

        Raises:
            OSError, StorageError: the disk refuses; it may be called again.
        """
        if self._stop_ns is None:
            self._stop_ns = stop_ns
        self._finish_tracks(stop_ns)
        deadline = time.monotonic() + FINISH_TIMEOUT_S
        for files in self._track_writers:
            while not files.flush(HEALTHY_DISK_WAIT_S):
                if time.monotonic() > deadline:
                    raise StorageError("the disk does not take the rest in time")
                time.sleep(0.002)

    def _finish_tracks(self, stop_ns: int) -> None:
        """Encode what is left, once."""
        if self._finished:
            return
        self._finished = True
        remaining = self._mixer.remaining(stop_ns)
        while remaining > 0:
            self._encode_mix(AAC_FRAME)
            remaining -= AAC_FRAME
        for packet in self._encoder.flush():
            self._main.add_audio(packet, frozenset())
        self._main.finish(stop_ns)
        self._channels.finish()
        self._interruptions.finish(stop_ns)
        self._track_writers[0].enqueue(self._report_playlist)

    def is_complete_until(self, until_ns: int) -> bool:
        """Return whether every live microphone has delivered all it captured until then."""
        return self._mixer.is_complete_until(until_ns, self._live_sources)

    def _report_playlist(self) -> None:
        finished = self._main.finish_playlist()
        if finished is None:
            return
        name, data = finished
        digest = hashlib.sha256(data).hexdigest()
        stop = self._stop_ns or self._start_ns
        self._on_file_closed(
            FileRecord(f"main/{name}", "playlist", len(data), digest, self._start_ns, stop)
        )
