"""The heart of a part, without threads: what the sources gave goes in, fragments come out.

Time comes in from outside, so that an hour can be tested in seconds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kiosk.clocks import NS_PER_S, recording_ns, wall_text
from kiosk.config import Recording
from kiosk.errors import StorageError
from kiosk.hardware.audio.microphones import AudioBlock
from kiosk.hardware.camera.camera import VideoPacket
from kiosk.recording.capture.channels_track import ChannelsTrack
from kiosk.recording.capture.interruptions import STORAGE, FaultWatch
from kiosk.recording.capture.main_track import MainTrack
from kiosk.recording.capture.mixer import Mix
from kiosk.recording.capture.track_writer import TrackFiles
from kiosk.recording.formats.codecs import AAC_FRAME, AacEncoder
from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.recording.formats.records import FileRecord, FragmentRecord, SourceFault
from kiosk.storage.store import DIRECT, Store

PATIENCE_S = 0.03
"""So long a step waits for a disk that is well."""
FINISH_S = 1.0
PICTURE_LIVES_NS = NS_PER_S // 2
"""A camera that gave nothing for so long is not waited for."""


@dataclass(frozen=True)
class PartSources:
    """What a part is made of.

    Attributes:
        rates: sample rate of each microphone, by name, in the order of the settings.
        size, fps: of the picture.
        camera: whether a camera is fitted.
        expected: sources that are there at the tap; the first durable fragments have them all.
    """

    rates: dict[str, int]
    size: tuple[int, int]
    fps: int
    camera: bool
    expected: frozenset[str]


def trimmed(block: AudioBlock, rate: int, from_ns: int, until_ns: int | None) -> AudioBlock | None:
    """Return the part of ``block`` captured in ``[from_ns, until_ns)``, or None."""
    count = len(block.samples)
    skip = max(0, -(-(from_ns - block.start_ns) * rate // NS_PER_S))
    keep = count
    if until_ns is not None:
        keep = min(count, max(0, -(-(until_ns - block.start_ns) * rate // NS_PER_S)))
    if skip >= keep:
        return None
    if skip == 0 and keep == count:
        return block
    return replace(
        block,
        index=block.index + skip,
        start_ns=block.start_ns + skip * NS_PER_S // rate,
        samples=block.samples[skip:keep],
    )


class PartWriter:
    """Writes one part.

    Args:
        folder: the part's folder.
        sources: what it is made of.
        recording: the ``[recording]`` settings.
        start_ns: recording clock of the tap.
        wall_ns: wall time of the tap, ns since 1970.
        on_fragment, on_fault, on_file_closed: see :class:`kiosk.recording.capture.part_recorder.PartRecorder`.
        clock: recording clock, for the moment at which a fragment was durable.
        envelope: how fragments lie on the disk; there is no playlist of closed ones.
        store: where the media go.
    """

    RETRY_NS = NS_PER_S // 2

    def __init__(
        self,
        folder: Path,
        sources: PartSources,
        recording: Recording,
        start_ns: int,
        wall_ns: int,
        on_fragment: Callable[[FragmentRecord], None],
        on_fault: Callable[[SourceFault], None],
        on_file_closed: Callable[[FileRecord], None],
        clock: Callable[[], int] = recording_ns,
        envelope: Envelope = PLAIN,
        store: Store = DIRECT,
    ) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._finished = False
        self._start_ns, self._wall_ns = start_ns, wall_ns
        self._stop_ns: int | None = None
        self._on_fragment = on_fragment
        self._on_file_closed = on_file_closed
        self._missing_main = set(sources.expected)
        self._missing_channels = set(sources.expected) & set(sources.rates)
        self.first_durable_ns: int | None = None
        self._now_ns = self._picture_ns = start_ns
        self._retry_ns = 0
        self._living: frozenset[str] = frozenset()
        self._period_ns = NS_PER_S // sources.fps
        self._watch = FaultWatch(start_ns, tuple(sources.rates), sources.camera, on_fault)
        self._mix = Mix(start_ns, sources.rates)
        self._encoder = AacEncoder(recording.mix_bitrate)
        fragment_ns, file_ns = recording.fragment_ms * 1_000_000, recording.file_seconds * NS_PER_S
        main_files = TrackFiles(folder, "main", self._durable, on_file_closed, envelope, store)
        channel_files = TrackFiles(
            folder, "channels", self._durable, on_file_closed, envelope, store
        )
        self._files = (main_files, channel_files)
        self._main = MainTrack(
            main_files,
            start_ns,
            wall_ns,
            self._wall_text,
            sources.size,
            sources.fps,
            fragment_ns,
            file_ns,
            self._encoder.config,
            recording.mix_bitrate,
            picture_expected="camera" in sources.expected,
            playlist=not envelope.encrypted,
        )
        self._channels = ChannelsTrack(
            channel_files, start_ns, wall_ns, sources.rates, fragment_ns, file_ns
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
        return wall_text(datetime.fromtimestamp((self._wall_ns + at_ns) / NS_PER_S, UTC))

    # -- in ------------------------------------------------------------------------------------
    def end_at(self, stop_ns: int) -> None:
        """Take nothing that was captured from ``stop_ns`` on."""
        self._stop_ns = stop_ns

    def video(self, packet: VideoPacket) -> None:
        """Take a picture."""
        if self._stop_ns is not None and packet.captured_ns >= self._stop_ns:
            return
        self._picture_ns = max(self._picture_ns, self._now_ns)
        self._watch.video(packet.captured_ns, self._period_ns)
        self._main.video(packet)

    def audio(self, name: str, block: AudioBlock) -> None:
        """Take samples of the microphone ``name``."""
        rate = self._sources.rates[name]
        kept = trimmed(block, rate, self._start_ns, self._stop_ns)
        if kept is None:
            return
        end_ns = kept.start_ns + len(kept.samples) * NS_PER_S // rate
        self._watch.audio(name, kept.start_ns, end_ns)
        self._mix.push(name, kept)
        self._channels.push(name, kept)

    # -- out -----------------------------------------------------------------------------------
    def advance(
        self, now_ns: int, camera: str, microphones: Mapping[str, tuple[str, int | None]]
    ) -> None:
        """Write what is complete.

        Args:
            now_ns: recording clock.
            camera, microphones: states; see :meth:`kiosk.recording.capture.interruptions.FaultWatch.tick`.
        """
        lost = ("absent", "dead", "starting")
        living = frozenset(n for n, (state, _) in microphones.items() if state not in lost)
        self._living = living
        while self._mix.ready(now_ns, living):
            self._encode_mix()
        self._main.advance(now_ns, now_ns - self._picture_ns < PICTURE_LIVES_NS)
        self._channels.advance(now_ns, living)
        self._watch.tick(now_ns, camera, microphones)
        self._work(now_ns)
        self._now_ns = now_ns

    def _encode_mix(self, count: int | None = None) -> None:
        chunk = self._mix.next(count)
        for packet in self._encoder.encode(chunk.samples):
            self._main.audio(packet, chunk.sources)

    def _work(self, now_ns: int) -> None:
        """Report what the disk has taken; note which storages are not well."""
        troubles = {one.source: one.kind for one in self._store.troubles()}
        self._now_ns = now_ns
        if now_ns >= self._retry_ns:
            refused = not self._report_durable(0.0 if STORAGE in troubles else PATIENCE_S)
            self._retry_ns = now_ns + self.RETRY_NS if refused else 0
        if self._retry_ns:
            troubles.setdefault(STORAGE, "write_failed")
        lost_ns = max(files.lost_ns for files in self._files)
        self._watch.storage(troubles, now_ns, lost_ns)

    def _report_durable(self, wait_s: float) -> bool:
        """Report what is durable within ``wait_s``; say whether no storage refuses."""
        well = True
        for files in self._files:
            try:
                files.work(wait_s)
            except (OSError, StorageError):
                well = False
        return well

    def _durable(self, record: FragmentRecord) -> None:
        self._on_fragment(record)
        missing = self._missing_main if record.track == "main" else self._missing_channels
        missing.difference_update(record.sources)
        if self.first_durable_ns is None and not self._missing_main and not self._missing_channels:
            self.first_durable_ns = self._clock()

    def finish(self, stop_ns: int) -> None:
        """Write all that is left, end the playlist, close all files.

        Raises:
            OSError, StorageError: the disk refuses; it may be called again.
        """
        if self._stop_ns is None:
            self._stop_ns = stop_ns
        self._finish_tracks(stop_ns)
        deadline = time.monotonic() + FINISH_S
        for files in self._files:
            while not files.work(PATIENCE_S):
                if time.monotonic() > deadline:
                    raise StorageError("the disk does not take the rest in time")
                time.sleep(0.002)

    def _finish_tracks(self, stop_ns: int) -> None:
        """Encode what is left, once."""
        if self._finished:
            return
        self._finished = True
        rest = self._mix.rest(stop_ns)
        while rest > 0:
            self._encode_mix(AAC_FRAME)
            rest -= AAC_FRAME
        for packet in self._encoder.flush():
            self._main.audio(packet, frozenset())
        self._main.finish(stop_ns)
        self._channels.finish()
        self._watch.finish(stop_ns)
        self._files[0].step(self._report_playlist)

    def covers(self, until_ns: int) -> bool:
        """Tell whether every living microphone has given all it captured until then."""
        return self._mix.covers(until_ns, self._living)

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
