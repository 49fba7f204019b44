"""Thread-free core of a part: turns packets from the sources into fragments.

The caller passes the time in, so that an hour can be tested in seconds.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from kiosk.api.states import MicrophoneState
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import RecordingSettings
from kiosk.errors import StorageError
from kiosk.hardware.audio.block import AudioBlock, SoundlessPeriod
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.channels_track import ChannelsTrack
from kiosk.recording.capture.interruptions import STORAGE, InterruptionDetector
from kiosk.recording.capture.main_track import MainTrack
from kiosk.recording.capture.mixer import Mixer
from kiosk.recording.capture.part_config import PartLayout, PartOutput, PartTimes
from kiosk.recording.capture.track_writer import TrackWriter
from kiosk.recording.formats.codecs import AAC_FRAME
from kiosk.recording.formats.records import CAMERA, FileRecord, FragmentRecord

log = logging.getLogger(__name__)
HEALTHY_DISK_WAIT_S = 0.03
"""Maximum wait per step for a healthy disk."""
FINISH_TIMEOUT_S = 1.0
OVERLAP_NS = 5_000_000
"""A microphone's clock that is corrected by less needs no cut."""
CAMERA_LIVE_NS = NS_PER_S // 2
"""The writer does not wait for a camera that has delivered nothing for this long."""


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
        output: destination of the part; an encrypted part has no playlist.
        layout: its sources and formats.
        recording: the ``[recording]`` settings.
        start_ns: recording clock of the tap.
        wall_ns: wall time of the tap, ns since 1970.
        clock: recording clock, for the moment at which a fragment was durable.

    Attributes:
        first_durable_ns: recording clock when every expected source was in a durable fragment of
            each of its tracks; None until then.
    """

    RETRY_NS = NS_PER_S // 2

    def __init__(
        self,
        output: PartOutput,
        layout: PartLayout,
        recording: RecordingSettings,
        start_ns: int,
        wall_ns: int,
        clock: Callable[[], int] = recording_ns,
    ) -> None:
        self._output = output
        self._layout = layout
        self._clock = clock
        self._is_finished = False
        self._start_ns = start_ns
        self._stop_ns: int | None = None
        self._undurable_main = set(layout.expected_sources)
        self._undurable_channels = set(layout.expected_sources) & set(layout.rates)
        self._durable_until_ns = {
            track: dict.fromkeys(layout.rates, start_ns) for track in ("main", "channels")
        }
        self._lacks_end = False
        self.first_durable_ns: int | None = None
        self._now_ns = self._picture_ns = start_ns
        self._has_new_picture = False
        self._retry_ns = 0
        self._live_sources: frozenset[str] = frozenset()
        self._period_ns = NS_PER_S // layout.fps
        self._interruptions = InterruptionDetector(
            start_ns,
            tuple(layout.rates),
            self._period_ns if layout.has_camera else None,
            output.sink.add_interruption,
        )
        self._cut_until_ns = dict.fromkeys(layout.rates, start_ns)
        self._mixer = Mixer(start_ns, layout.rates)
        times = PartTimes(
            start_ns,
            wall_ns,
            fragment_ns=recording.fragment_ms * 1_000_000,
            file_ns=recording.file_seconds * NS_PER_S,
        )
        main_writer = TrackWriter(output, "main", self._note_durable)
        channels_writer = TrackWriter(output, "channels", self._note_durable)
        self._track_writers = (main_writer, channels_writer)
        self._main = MainTrack(
            main_writer,
            times,
            layout,
            recording.mix_bitrate,
            has_playlist=not output.codec.is_encrypted,
            on_pictures=self._interruptions.add_pictures,
        )
        self._channels = ChannelsTrack(channels_writer, times, layout.rates)

    @property
    def video_frames(self) -> int:
        """Pictures in fragments so far; a fragment that is lost does not count."""
        return self._main.video_frames

    @property
    def skipped_pictures(self) -> int:
        """Pictures missing among the durable ones so far."""
        return self._interruptions.skipped_pictures

    @property
    def samples(self) -> dict[str, int]:
        """Samples so far, by microphone."""
        return self._channels.samples

    # -- in ------------------------------------------------------------------------------------
    def stop_at(self, stop_ns: int) -> None:
        """Ignore everything captured at or after ``stop_ns``; any thread may call it, once."""
        self._stop_ns = stop_ns

    def add_video(self, packet: VideoPacket) -> None:
        """Add a picture."""
        self._has_new_picture = True
        self._interruptions.receive_picture(packet.captured_ns)
        if self._stop_ns is not None and packet.captured_ns >= self._stop_ns:
            return
        self._main.add_video(packet)

    def add_audio(self, name: str, block: AudioBlock) -> None:
        """Add samples of the microphone ``name``."""
        rate = self._layout.rates[name]
        trimmed = trim_block(block, rate, self._start_ns, self._stop_ns)
        if trimmed is None:
            return
        from_ns = self._channel_from_ns(name, trimmed.start_ns)
        end_ns = trimmed.start_ns + len(trimmed.samples) * NS_PER_S // rate
        self._interruptions.add_audio(name, trimmed.start_ns, end_ns)
        self._mixer.push(name, trimmed)
        if (own := trim_block(trimmed, rate, from_ns, None)) is not None:
            self._channels.add_audio(name, own)

    def _channel_from_ns(self, name: str, start_ns: int) -> int:
        """Return the time from which on a microphone's own track takes a block of ``start_ns``.

        The first blocks of a device that returns may all be late, and so is the time they get. Once
        a block in time corrects its clock, time that is taken comes again. What was captured in it
        is only in the mix, and told: if it followed the late ones, all that comes would be late.
        """
        taken_until_ns = self._interruptions.received_until_ns(name)
        if taken_until_ns > max(self._cut_until_ns[name], start_ns + OVERLAP_NS):
            self._cut_until_ns[name] = taken_until_ns
            self._interruptions.add_cut(name, start_ns, taken_until_ns)
        return self._cut_until_ns[name]

    # -- out -----------------------------------------------------------------------------------
    def tick(
        self,
        now_ns: int,
        camera: str,
        microphones: Mapping[str, tuple[MicrophoneState, SoundlessPeriod | None]],
        still_since_ns: int | None = None,
    ) -> None:
        """Write what is complete.

        Args:
            now_ns: recording clock.
            camera, microphones, still_since_ns: states; see :meth:`InterruptionDetector.tick`.
        """
        if self._has_new_picture:
            self._picture_ns, self._has_new_picture = now_ns, False
        live_sources = frozenset(
            name for name, (state, _) in microphones.items() if state.is_delivering
        )
        self._live_sources = live_sources
        while self._mixer.is_chunk_ready(now_ns, live_sources):
            self._main.add_mix(self._mixer.read())
        self._main.write_complete(now_ns, self._is_camera_live(now_ns))
        self._channels.write_complete(now_ns, live_sources)
        self._interruptions.tick(now_ns, camera, microphones, still_since_ns)
        self._flush(now_ns)
        self._now_ns = now_ns

    def _is_camera_live(self, now_ns: int) -> bool:
        return now_ns - self._picture_ns < CAMERA_LIVE_NS

    def _flush(self, now_ns: int) -> None:
        """Report what has become durable; record which storages fail."""
        problems = self._storage_problems()
        self._now_ns = now_ns
        if now_ns >= self._retry_ns:
            refused = not self._flush_tracks(0.0 if STORAGE in problems else HEALTHY_DISK_WAIT_S)
            self._retry_ns = now_ns + self.RETRY_NS if refused else 0
        self._record_storage(problems, now_ns)

    def _storage_problems(self) -> dict[str, str]:
        return {problem.source: problem.kind for problem in self._output.store.problems()}

    def _record_storage(self, problems: dict[str, str], now_ns: int) -> None:
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

    def _note_durable(self, record: FragmentRecord) -> None:
        missing = self._undurable_main if record.track == "main" else self._undurable_channels
        missing.difference_update(record.sources)
        until_ns = self._durable_until_ns[record.track]
        until_ns.update((name, record.end_ns) for name in record.sources if name in until_ns)
        if (
            self.first_durable_ns is None
            and not self._undurable_main
            and not self._undurable_channels
        ):
            self.first_durable_ns = self._clock()

    def end(self, stop_ns: int) -> None:
        """Encode the rest, once, and give it to the store; :meth:`finish` waits for it."""
        if self._is_finished:
            return
        self._is_finished = True
        if self._stop_ns is None:
            self._stop_ns = stop_ns
        mix, main = (partial(do, stop_ns) for do in (self._finish_mix, self._main.finish))
        for finish in (mix, main, self._channels.finish):
            try:
                finish()
            except Exception:  # what could be written is closed as such, and the rest is told
                log.exception("part: its end cannot be encoded")
                self._lacks_end = True
        self._record_storage(self._storage_problems(), stop_ns)  # the rest may be lost, too
        self._track_writers[0].enqueue(self._report_playlist)
        self._track_writers[-1].enqueue(partial(self._finish_interruptions, stop_ns))  # the last

    def _finish_mix(self, stop_ns: int) -> None:
        remaining = self._mixer.remaining(stop_ns)
        while remaining > 0:
            self._main.add_mix(self._mixer.read(AAC_FRAME))
            remaining -= AAC_FRAME

    def _finish_interruptions(self, stop_ns: int) -> None:
        """Close the ledger; a microphone that lacks its end in a track has lost it."""
        if self._lacks_end:
            main, channels = self._durable_until_ns.values()
            until_ns = {name: min(time_ns, channels[name]) for name, time_ns in main.items()}
            self._interruptions.lose_after(until_ns)
        self._interruptions.finish(stop_ns)

    def finish(self, stop_ns: int) -> None:
        """Write the rest, end the playlist, report everything that is durable.

        Raises:
            OSError, StorageError: the disk refuses or is slow; it may be called again.
        """
        self.end(stop_ns)
        deadline = time.monotonic() + FINISH_TIMEOUT_S
        for files in self._track_writers:
            while not files.flush(HEALTHY_DISK_WAIT_S):
                if time.monotonic() > deadline:
                    raise StorageError("the disk does not take the rest in time")
                time.sleep(0.002)

    def is_complete_until(self, until_ns: int) -> bool:
        """Return whether every live source has delivered all it captured until then."""
        waits_for_picture = self._layout.has_camera and self._is_camera_live(self._now_ns)
        if waits_for_picture and self._interruptions.received_until_ns(CAMERA) < until_ns:
            return False
        return self._mixer.is_complete_until(until_ns, self._live_sources)

    def _report_playlist(self) -> None:
        finished = self._main.finish_playlist()
        if finished is None:
            return
        name, data = finished
        digest = hashlib.sha256(data).hexdigest()
        stop = self._stop_ns or self._start_ns
        self._output.sink.add_file(
            FileRecord(f"main/{name}", "playlist", len(data), digest, self._start_ns, stop)
        )
