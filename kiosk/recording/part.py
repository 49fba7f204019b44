"""One part of a hearing, from the tap to its last durable entry: capture, media, journal and proof.

Its life (all methods may be called from any thread)::

    part = Part(folder, settings, sources)   # the sources are opened once, at recorder start
    part.start(recording_ns())               # captures at once, into memory
    part.attach_journal(journal)             # writes, from the first packet on
    part.stop("recess", "p1")                # ends the capture at once (under 0.5 s)
    part.complete(1.0)                       # raises while the disk has not taken everything

Another part may be started on the same sources before this one is stopped at that same moment: the
capture is handed over without a gap (:meth:`Part.stop`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S, format_wall, recording_ns, wall_time
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.sources.camera_source import CameraSource
from kiosk.hardware.sources.captured_sources import CapturedSources
from kiosk.recording.capture.packet_buffer import PacketBuffer
from kiosk.recording.capture.part_config import PartLayout, PartOutput, RoomCapture
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import CAMERA, FileRecord, FragmentRecord, Interruption
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.readback.capture_reference import LiveReference
from kiosk.recording.readback.monitor import ReadbackMonitor, ReadbackState, RecentFragments
from kiosk.storage.store import DIRECT, Store

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


def _ledger_state(camera: CameraSource | None) -> str:
    """Return the camera's state in the terms of the interruption ledger."""
    if camera is None:
        return "off"
    return "slow" if camera.state == "ok" and camera.is_encoder_slow else camera.state


class Part:
    """Captures, writes, journals and reads back one part.

    It is the sink of its own records. Media stay in memory until the journal is attached, so that
    a start that fails leaves none on any disk.

    Args:
        folder: the part's folder.
        settings: all of them (camera, microphones, recording).
        sources: the warm sources, or what was kept of them.
        codec: how fragments are encoded on disk.
        store: where they are written.
        room: what it shares with the other parts of its courtroom.

    Attributes:
        bytes: of media that are durable.
        tap_ns: recording clock of its start.
        closed: fields of its ``closed`` entry, from :meth:`stop` on.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sources: CapturedSources,
        codec: FragmentCodec = PLAIN_CODEC,
        store: Store = DIRECT,
        room: RoomCapture | None = None,
    ) -> None:
        self._room = room or RoomCapture()
        self.bytes = self.tap_ns = 0
        self.closed: Mapping[str, Any] = {}
        self.folder, self.codec = folder, codec
        self._settings, self._sources = settings, sources
        expected = [microphone.name for microphone in sources.microphones]
        expected += [CAMERA] if sources.camera is not None else []
        span_ns = int((settings.camera.keyframe_seconds + 1) * NS_PER_S)
        self._recent = RecentFragments(span_ns, expected)
        reference = LiveReference(sources, sources.preview)
        self._readback = ReadbackMonitor(
            folder, self._recent, codec=codec, reference=reference, locate=store.locate
        )
        self._journal_lock = threading.Lock()
        self._journal: PartJournal | None = None
        self._unjournalled: list[Callable[[PartJournal], None]] = []
        self._output = PartOutput(folder, self, codec, store, self._room.pulse)
        self._packets = PacketBuffer(self._room.pulse)
        self._writer: PartWriter | None = None
        self._may_write = self._is_last = self._is_discarded = False
        self._stop_ns: int | None = None
        self._until_ns: int | None = None
        self._stopped_s = 0.0
        self._stopping, self._has_ended = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="part", daemon=True)

    # -- life ----------------------------------------------------------------------------------
    def start(self, tap_ns: int, until_ns: int | None = None) -> None:
        """Capture everything from ``tap_ns`` (recording clock) on; return at once.

        Args:
            until_ns: where it ends, of a part that was captured before it was wanted.
        """
        self.tap_ns, self._until_ns = tap_ns, until_ns
        self._start_capture()
        self._readback.start()

    def _start_capture(self) -> None:
        wall_ns = time.time_ns() - (recording_ns() - self.tap_ns)
        sources, camera = self._sources, self._sources.camera
        expected = {mic.name for mic in sources.microphones if mic.state.is_delivering}
        if camera is not None and camera.state == "ok":
            expected.add(CAMERA)
        self._room.pulse.start_part(self.tap_ns, expected)
        sources.attach(self._packets, self.tap_ns)
        layout = PartLayout(
            rates={microphone.name: microphone.rate for microphone in sources.microphones},
            size=camera.size if camera else (0, 0),
            fps=camera.fps if camera else self._settings.camera.fps,
            has_camera=camera is not None,
            expected_sources=frozenset(expected),
        )
        recording = self._settings.recording
        self._writer = PartWriter(self._output, layout, recording, self.tap_ns, wall_ns)
        if self._until_ns is not None:
            self._writer.stop_at(self._until_ns)
        self._thread.start()

    def attach_journal(self, journal: PartJournal) -> None:
        """Write the media, and their records to ``journal``, from the first packet on."""
        with self._journal_lock:
            for write in self._unjournalled:
                write(journal)
            self._unjournalled.clear()
            self._journal = journal
        journal.start_flushing()
        self._may_write = True

    def stop_writing(self) -> None:
        """Hand nothing more to the storage, at once: what is captured waits in memory."""
        self._may_write = False

    def discard(self) -> None:
        """End the capture, however far its start came; write nothing of what is in memory."""
        self._end_thread()
        self._release()

    def _end_thread(self, seconds: float | None = None) -> None:
        self._sources.detach(self._packets)
        self._is_discarded = True
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def stop(self, reason: str, person: str, at_ns: int | None = None) -> None:
        """End the capture now, and give everything captured so far to the store.

        Nothing waits for the disk: see :meth:`complete`. While writing is held, a plain part ends
        at the request: it may close what follows.

        Args:
            reason, person: why and by whom, for the ``closed`` entry.
            at_ns: recording clock at which another part has begun on the same sources: this part
                has everything captured before, the other one everything afterwards.
        """
        since_ns = 0 if at_ns is None else recording_ns() - at_ns
        stop_wall = format_wall(wall_time() - timedelta(microseconds=since_ns / 1000))
        self._stopped_s = self._stopped_s or time.monotonic()
        try:
            counts = self._stop_capture(at_ns)
        finally:
            self._release()
        self.closed = {"stop_wall": stop_wall, **counts, "reason": reason, "person": person}

    def _stop_capture(self, at_ns: int | None) -> Mapping[str, Any]:
        """End the capture; return the counts of the ``closed`` entry."""
        writer = self._writer
        assert writer is not None
        if self._stop_ns is None:
            self._is_last = at_ns is None
            stop_ns = at_ns or self._latest_end_ns()
            writer.stop_at(stop_ns)  # first: a step that sees the stop passes on all that is held
            self._stop_ns = stop_ns
            self._stopping.set()
        self._has_ended.wait()
        return {
            "stop_ns": self._stop_ns,
            "video_frames": writer.video_frames,
            "dropped": writer.skipped_pictures,
            "samples": dict(writer.samples),
            "first_durable_ms": self.first_durable_ms,
        }

    def _latest_end_ns(self) -> int:
        since_ns = None if self.codec.is_encrypted else self._room.hold.since_ns
        return recording_ns() if since_ns is None else max(since_ns, self.tap_ns)

    def wait_written(self, seconds: float) -> None:
        """Wait until all media of the stopped part are durable and reported.

        Raises:
            StorageError: they are not after ``seconds``; it goes on in the background.
        """
        self._thread.join(seconds)
        if self._thread.is_alive() or self._failure is not None:
            problem = self._failure or "the disk does not take the rest in time"
            raise StorageError(f"{self.folder.name}: not all is written: {problem}")

    def complete(self, seconds: float) -> None:
        """Write the last entry of the stopped part, after its media; it may be repeated.

        Raises:
            StorageError: not all is durable after ``seconds``; it goes on in the background.
        """
        deadline = time.monotonic() + seconds
        self.wait_written(seconds)
        self.journal.end(self.closed, max(0.0, deadline - time.monotonic()))

    def abort(self) -> None:
        """Release threads and files without ending the part, as a killed process does."""
        self._end_thread(1.0)  # a disk may hang
        self._readback.stop()
        if self._journal is not None:
            self._journal.close()

    def _release(self) -> None:
        self._readback.stop()
        self.codec.close()

    # -- state ---------------------------------------------------------------------------------
    @property
    def journal(self) -> PartJournal:
        """The part's journal.

        Raises:
            RuntimeError: it is not attached yet.
        """
        if self._journal is None:
            raise RuntimeError("the part has no journal yet")
        return self._journal

    @property
    def owed_seconds(self) -> float:
        """How long its oldest entry has waited that is on no disk yet; 0.0 without one."""
        journal = self._journal
        if journal is None:
            return 0.0
        if self._stopped_s and not journal.has_ended:
            return time.monotonic() - self._stopped_s
        return journal.owed_seconds

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source, or None.

        None too of a part that was captured before the tap.
        """
        moment = self._writer.first_durable_ns if self._writer is not None else None
        if moment is None or self._until_ns is not None:
            return None
        return (moment - self.tap_ns) / 1e6

    @property
    def seconds(self) -> float:
        """Seconds since the tap (until the stop)."""
        if not self.tap_ns:
            return 0.0
        until = recording_ns() if self._stop_ns is None else self._stop_ns
        return (until - self.tap_ns) / NS_PER_S

    @property
    def proof(self) -> ReadbackState:
        """The newest result of the read-back check."""
        return self._readback.state

    # -- its records, from the writer's thread -------------------------------------------------
    def add_fragment(self, record: FragmentRecord) -> None:
        """Journal a durable fragment, and keep it for the read-back check."""
        self._recent.add(record)
        self._room.pulse.persist(record)
        self.bytes += record.length
        self._write_or_defer(lambda journal: journal.add_fragment(record))

    def add_interruption(self, interruption: Interruption) -> None:
        """Journal the beginning or the end of an interruption."""
        self._write_or_defer(lambda journal: journal.add_interruption(interruption))

    def add_file(self, record: FileRecord) -> None:
        """Journal a file that will not change any more."""
        self._write_or_defer(lambda journal: journal.add_file(record))

    def _write_or_defer(self, write: Callable[[PartJournal], None]) -> None:
        with self._journal_lock:
            if self._journal is None:
                self._unjournalled.append(write)
                return
            journal = self._journal
        write(journal)

    # -- the writer's thread -------------------------------------------------------------------
    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:  # a bug: what is not written must not be called written
            log.exception("part: its writer failed")
            self._failure = error
        finally:
            self._has_ended.set()

    def _write(self) -> None:
        writer = self._writer
        assert writer is not None
        while not self._stopping.wait(self._tick_s(writer)):
            self._write_pending(writer)
        if self._is_discarded:
            return
        stop_ns = self._stop_ns or recording_ns()
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
            with self._room.hold.passing() as may_pass:
                if self._stop_ns is None and not (may_pass and self._may_write):
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
        except Exception:  # what the writer lacks is told at its end
            log.exception("part: its last packets cannot be taken")
        writer.end(stop_ns)
        self._has_ended.set()
        while not self._is_discarded:
            try:
                writer.finish(stop_ns)
            except (OSError, StorageError) as error:
                self._failure = error
                time.sleep(RETRY_S)
            else:
                self._failure = None
                return
