"""One part while it is captured: media writer, journal and read-back check together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S, format_wall
from kiosk.config import Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.recording.capture.part_config import PartOutput, RoomCapture
from kiosk.recording.capture.part_recorder import PartRecorder
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.readback.capture_reference import LiveReference
from kiosk.recording.readback.monitor import ReadbackMonitor, ReadbackState, RecentFragments
from kiosk.storage.store import DIRECT, Store

RecorderFactory = Callable[[PartOutput, Settings, Sources], PartRecorder]


class PartCapture:
    """Captures one part: records it, journals it, and checks it by reading it back.

    It is the recorder's sink. Media stay in memory until the journal is attached, a little later,
    so that a start that fails leaves none on any disk.

    Args:
        folder: the part's folder.
        make_recorder: returns the recorder of the media.
        codec: how fragments are encoded on disk.
        store: where they are written.
        room: what it shares with the other parts of its courtroom.

    Attributes:
        bytes: of media that are durable.
        tap_ns: recording clock of its start.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sources: Sources,
        make_recorder: RecorderFactory,
        codec: FragmentCodec = PLAIN_CODEC,
        store: Store = DIRECT,
        room: RoomCapture | None = None,
    ) -> None:
        room = room or RoomCapture()
        self.bytes = self.tap_ns = 0
        self._pulse = room.pulse
        self.folder = folder
        self.codec = codec
        expected = [microphone.name for microphone in sources.microphones]
        expected += ["camera"] if sources.camera is not None else []
        span_ns = int((settings.camera.keyframe_seconds + 1) * NS_PER_S)
        self._recent = RecentFragments(span_ns, expected)
        reference = LiveReference(sources, sources.preview)
        self._readback = ReadbackMonitor(
            folder, self._recent, codec=codec, reference=reference, locate=store.locate
        )
        self._lock = threading.Lock()
        self._journal: PartJournal | None = None
        self._pending: list[Callable[[PartJournal], None]] = []
        output = PartOutput(folder, self, codec, store, room.hold, room.pulse)
        self._recorder = make_recorder(output, settings, sources)

    # -- from the writer's thread --------------------------------------------------------------
    def add_fragment(self, record: FragmentRecord) -> None:
        """Journal a durable fragment, and keep it for the read-back check."""
        self._recent.add(record)
        self._pulse.persist(record)
        self.bytes += record.length
        self._write_or_defer(lambda journal: journal.add_fragment(record))

    def add_interruption(self, interruption: Interruption) -> None:
        """Journal the beginning or the end of an interruption."""
        self._write_or_defer(lambda journal: journal.add_interruption(interruption))

    def add_file(self, record: FileRecord) -> None:
        """Journal a file that will not change any more."""
        self._write_or_defer(lambda journal: journal.add_file(record))

    def _write_or_defer(self, write: Callable[[PartJournal], None]) -> None:
        with self._lock:
            if self._journal is None:
                self._pending.append(write)
                return
            journal = self._journal
        write(journal)

    # -- life ----------------------------------------------------------------------------------
    def start(self, tap_ns: int) -> None:
        """Begin with everything captured from ``tap_ns`` on; return at once."""
        self.tap_ns = tap_ns
        self._recorder.pause_writing(True)  # until there is a journal
        self._recorder.start(tap_ns)
        self._readback.start()

    def attach_journal(self, journal: PartJournal) -> None:
        """Write to ``journal``, from the first fragment on."""
        with self._lock:
            for write in self._pending:
                write(journal)
            self._pending.clear()
            self._journal = journal
        journal.start_flushing()
        self._recorder.pause_writing(False)

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
    def has_journal(self) -> bool:
        """Whether its journal is attached."""
        return self._journal is not None

    @property
    def seconds(self) -> float:
        """Seconds since the tap."""
        return self._recorder.seconds

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source."""
        return self._recorder.first_durable_ms

    @property
    def proof(self) -> ReadbackState:
        """The newest result of the read-back check."""
        return self._readback.state

    def stop_writing(self) -> None:
        """Hand nothing more to the storage, at once: what is captured waits in memory."""
        self._recorder.pause_writing(True)

    def discard(self) -> None:
        """End the capture of a part that could not be started; nothing of it is written."""
        self._recorder.discard()
        self._readback.stop()
        self.codec.close()

    def stop(self, at_ns: int | None = None) -> dict[str, Any]:
        """End the capture now; return the fields of the ``closed`` line.

        Args:
            at_ns: recording clock at which another part has begun: it ends exactly there.
        """
        stop_wall = format_wall()
        try:
            summary = self._recorder.stop(at_ns)
        finally:
            self._readback.stop()
            self.codec.close()
        return {
            "stop_ns": summary.stop_ns,
            "stop_wall": stop_wall,
            "video_frames": summary.video_frames,
            "dropped": summary.dropped,
            "samples": dict(summary.samples),
            "first_durable_ms": summary.first_durable_ms,
        }

    def wait_written(self, seconds: float) -> None:
        """Wait until everything of the stopped part is durable and journalled.

        Raises:
            StorageError: it is not after ``seconds``; it goes on in the background.
        """
        self._recorder.wait_written(seconds)

    def abort(self) -> None:
        """Release threads and files without ending the part, as a killed process does."""
        self._readback.stop()
        if self._journal is not None:
            self._journal.close()
