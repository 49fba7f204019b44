"""Records one part of a hearing, from the open sources to durable fragments on the disk.

Usage (all methods may be called from any thread)::

    with Sources(settings, paths.preview) as sources:      # opened once, at recorder start
        part = PartRecorder(PartOutput(folder, sink), settings, sources)
        part.start(recording_ns())       # returns at once
        ...                              # part.first_durable_ms, part.seconds, part.video_frames
        summary = part.stop()            # ends the capture at once (under 0.5 s)
        part.wait_written(1.0)           # raises while the disk has not taken everything
"""

from __future__ import annotations

import logging
import queue
import threading
import time

from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.sources import Sources
from kiosk.recording.capture.part_config import PartLayout, PartOutput
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.capture.pulse import CAMERA, RecordingPulse
from kiosk.recording.formats.records import PartSummary

log = logging.getLogger(__name__)
TICK_S = 0.1
FAST_TICK_S = 0.01
"""Until the first fragments are durable, and at the end."""
FIRST_FRAGMENTS_S = 1.0
"""Seconds from the tap after which a source that gave nothing is no longer waited for."""
MAX_STOP_WAIT_NS = 300_000_000
"""Maximum wait after the stop for what was captured before it."""
RETRY_S = 0.5
"""Interval at which a refusing disk is asked again at the end."""


class _PacketQueue:
    """Queues packets from the sources, which never wait."""

    def __init__(self, pulse: RecordingPulse) -> None:
        self._pulse = pulse
        self._items: queue.SimpleQueue[VideoPacket | tuple[str, AudioBlock]] = queue.SimpleQueue()

    def video(self, packet: VideoPacket) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(CAMERA)
        self._items.put(packet)

    def audio(self, name: str, block: AudioBlock) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(name)
        self._items.put((name, block))

    def drain_into(self, writer: PartWriter) -> None:
        """Hand everything to the writer."""
        while True:
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                return
            if isinstance(item, VideoPacket):
                writer.add_video(item)
            else:
                writer.add_audio(*item)


def _ledger_state(camera: CameraSource | None) -> str:
    """Return the camera's state in the terms of the interruption ledger."""
    if camera is None:
        return "off"
    return "slow" if camera.state == "ok" and camera.is_encoder_slow else camera.state


class PartRecorder:
    """Records one part.

    Args:
        output: destination of the part.
        settings: all of them (camera, microphones, recording).
        sources: the warm sources.
    """

    def __init__(self, output: PartOutput, settings: Settings, sources: Sources) -> None:
        self._output = output
        self._settings = settings
        self._sources = sources
        self._packets = _PacketQueue(output.pulse)
        self._stopping = threading.Event()
        self._has_ended = threading.Event()
        self._is_paused = self._is_last = self._is_discarded = False
        self._start_ns = 0
        self._stop_ns: int | None = None
        self._writer: PartWriter | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="part", daemon=True)

    def start(self, tap_ns: int) -> None:
        """Record everything captured from ``tap_ns`` (recording clock) on; return at once."""
        self._start_ns = tap_ns
        wall_ns = time.time_ns() - (recording_ns() - tap_ns)
        expected = self._delivering_sources()
        self._output.pulse.start_part(tap_ns, expected)
        self._sources.attach(self._packets, tap_ns)
        camera = self._sources.camera
        layout = PartLayout(
            rates={microphone.name: microphone.rate for microphone in self._sources.microphones},
            size=camera.size if camera else (0, 0),
            fps=camera.fps if camera else self._settings.camera.fps,
            has_camera=camera is not None,
            expected_sources=expected,
        )
        self._writer = PartWriter(self._output, layout, self._settings.recording, tap_ns, wall_ns)
        self._thread.start()

    def _delivering_sources(self) -> frozenset[str]:
        """Return the sources that are delivering now."""
        names = {
            microphone.name
            for microphone in self._sources.microphones
            if microphone.state.is_delivering
        }
        if self._sources.camera is not None and self._sources.camera.state == "ok":
            names.add("camera")
        return frozenset(names)

    def pause_writing(self, paused: bool) -> None:
        """Keep everything captured in memory, unwritten, until resumed or stopped."""
        self._is_paused = paused

    def discard(self) -> None:
        """End the capture, however far its start came; write nothing of what is in memory."""
        self._sources.detach(self._packets)
        self._is_discarded = True
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def stop(self, at_ns: int | None = None) -> PartSummary:
        """End the capture now, give everything captured so far to the store; return the counts.

        Nothing waits for the disk: see :meth:`wait_written`. While writing is held, a plain part
        ends at the request: it may close what follows.

        Args:
            at_ns: recording clock at which another part has begun on the same sources: this part
                has everything captured before, the other one everything afterwards.
        """
        stop_ns = at_ns or self._latest_end_ns()
        writer = self._writer
        if writer is None:
            return PartSummary(stop_ns, stop_ns, 0.0, 0, 0, {}, None)
        if self._stop_ns is None:
            self._stop_ns = stop_ns
            self._is_last = at_ns is None
            self._stopping.set()
        self._has_ended.wait()
        return PartSummary(
            start_ns=self._start_ns,
            stop_ns=self._stop_ns,
            seconds=self.seconds,
            video_frames=writer.video_frames,
            dropped=writer.skipped_pictures,
            samples=writer.samples,
            first_durable_ms=self.first_durable_ms,
        )

    def wait_written(self, seconds: float) -> None:
        """Wait until everything of a stopped part is durable and reported.

        Raises:
            StorageError: it is not after ``seconds``; it goes on in the background.
        """
        self._thread.join(seconds)
        if self._thread.is_alive() or self._failure is not None:
            problem = self._failure or "the disk does not take the rest in time"
            raise StorageError(f"{self._output.folder.name}: not all is written: {problem}")

    def _latest_end_ns(self) -> int:
        since_ns = None if self._output.codec.is_encrypted else self._output.hold.since_ns
        return recording_ns() if since_ns is None else max(since_ns, self._start_ns)

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source, or None."""
        moment = self._writer.first_durable_ns if self._writer is not None else None
        return None if moment is None else (moment - self._start_ns) / 1e6

    @property
    def seconds(self) -> float:
        """Seconds since the tap (until the stop)."""
        if self._writer is None:
            return 0.0
        until = recording_ns() if self._stop_ns is None else self._stop_ns
        return (until - self._start_ns) / NS_PER_S

    @property
    def video_frames(self) -> int:
        """Pictures written so far."""
        return self._writer.video_frames if self._writer is not None else 0

    # -- the writer's thread -------------------------------------------------------------------
    def _run(self) -> None:
        try:
            self._record()
        except Exception as error:  # a bug: what is not written must not be called written
            log.exception("part: the recorder failed")
            self._failure = error
        finally:
            self._has_ended.set()

    def _record(self) -> None:
        writer = self._writer
        assert writer is not None
        while not self._stopping.wait(self._tick_s(writer)):
            if not self._is_paused:
                self._write_pending(writer)
        if self._is_discarded:
            return
        stop_ns = self._stop_ns or recording_ns()
        writer.stop_at(stop_ns)
        while recording_ns() - stop_ns < MAX_STOP_WAIT_NS and not writer.is_complete_until(stop_ns):
            time.sleep(FAST_TICK_S)
            self._write_pending(writer)
        if self._is_last:
            self._sources.stop_encoder()
        self._sources.detach(self._packets)
        self._finish(writer, stop_ns)

    def _tick_s(self, writer: PartWriter) -> float:
        is_soon = writer.first_durable_ns is None and self.seconds < FIRST_FRAGMENTS_S
        return FAST_TICK_S if is_soon else TICK_S

    def _write_pending(self, writer: PartWriter) -> None:
        """Pass on the queued packets and write what is complete."""
        camera = self._sources.camera
        microphones = {
            microphone.name: (microphone.state, microphone.meter.soundless)
            for microphone in self._sources.microphones
        }
        try:
            now_ns = recording_ns()
            with self._output.hold.passing() as may_pass:
                if not may_pass and self._stop_ns is None:
                    return
                self._packets.drain_into(writer)
            still_ns = camera.still_since_ns if camera is not None else None
            writer.tick(now_ns, _ledger_state(camera), microphones, still_ns)
        except Exception:  # a fault in one tick must not end the recording
            log.exception("part: a step failed")

    def _finish(self, writer: PartWriter, stop_ns: int) -> None:
        """Hand the rest to the store, then report it as the disk takes it."""
        try:
            self._packets.drain_into(writer)
            writer.end(stop_ns)
        except Exception:  # what the store has is written all the same
            log.exception("part: its end cannot be encoded")
        finally:
            self._has_ended.set()
        while True:
            try:
                writer.finish(stop_ns)
            except (OSError, StorageError) as error:
                self._failure = error
                time.sleep(RETRY_S)
            else:
                self._failure = None
                return
