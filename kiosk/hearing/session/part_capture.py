"""One part while it is being captured: media writer, journal and proof held together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from kiosk.clocks import NS_PER_S, recording_ns, wall_text
from kiosk.config import Settings
from kiosk.errors import StorageError
from kiosk.hardware.sources.source import SourceSet
from kiosk.recording.formats.fragment_codec import PLAIN, Envelope
from kiosk.recording.formats.records import FileRecord, FragmentRecord, PartSummary, SourceFault
from kiosk.recording.journal.part_journal import PartBook
from kiosk.recording.readback.capture_reference import SourceWitness
from kiosk.recording.readback.monitor import ProofState, Prover, RecentFragments
from kiosk.storage.store import DIRECT, Store


class MediaRecorder(Protocol):
    """What writes the media of a part: :class:`kiosk.recording.capture.part_recorder.PartRecorder`."""

    def start(self, tap_ns: int) -> None:
        """Begin with everything captured from ``tap_ns`` on; return at once."""

    def hold(self, held: bool) -> None:
        """Write nothing more for the moment (it is kept in memory), or go on."""

    def stop(self, at_ns: int | None = None) -> PartSummary:
        """End the capture now, write the rest, return the counts.

        Args:
            at_ns: recording clock at which another part has begun: it ends exactly there.
        """

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source."""

    @property
    def seconds(self) -> float:
        """Seconds since the tap."""


MakeRecorder = Callable[
    [
        Path,
        Settings,
        SourceSet,
        Callable[[FragmentRecord], None],
        Callable[[SourceFault], None],
        Callable[[FileRecord], None],
        Envelope,
    ],
    MediaRecorder,
]


class Capture:
    """Captures one part. The media begin before the books do: one tap, and it runs.

    Args:
        folder: the part's folder, which exists.
        make: makes the writer of the media.
        envelope: how fragments lie on the disk.
        store: where they lie.

    Attributes:
        bytes: of media that are durable.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sources: SourceSet,
        make: MakeRecorder,
        envelope: Envelope = PLAIN,
        store: Store = DIRECT,
    ) -> None:
        self.bytes = 0
        self.folder = folder
        self.envelope = envelope
        self._recent = RecentFragments(int((settings.camera.keyframe_seconds + 1) * NS_PER_S))
        witness = SourceWitness(sources, sources.preview)
        self._prover = Prover(
            folder, self._recent, envelope=envelope, witness=witness, locate=store.locate
        )
        self._lock = threading.Lock()
        self._book: PartBook | None = None
        self._early: list[Callable[[PartBook], None]] = []
        self._recorder = make(
            folder, settings, sources, self._on_fragment, self._on_fault, self._on_file, envelope
        )

    # -- from the writer's thread --------------------------------------------------------------
    def _on_fragment(self, record: FragmentRecord) -> None:
        self._recent.add(record)
        self.bytes += record.length
        self._note(lambda book: book.add_fragment(record))

    def _on_fault(self, fault: SourceFault) -> None:
        self._note(lambda book: book.add_fault(fault))

    def _on_file(self, record: FileRecord) -> None:
        self._note(lambda book: book.add_file(record))

    def _note(self, write: Callable[[PartBook], None]) -> None:
        with self._lock:
            if self._book is None:
                self._early.append(write)
                return
            book = self._book
        write(book)

    # -- life ----------------------------------------------------------------------------------
    def start(self, tap_ns: int) -> None:
        """Begin with everything captured from ``tap_ns`` on; return at once."""
        self._recorder.start(tap_ns)
        self._prover.start()

    def keep_books(self, book: PartBook) -> None:
        """Journal into ``book``, from the first fragment on."""
        with self._lock:
            for write in self._early:
                write(book)
            self._early.clear()
            self._book = book
        book.start()

    @property
    def book(self) -> PartBook:
        """The part's books.

        Raises:
            RuntimeError: there are none yet.
        """
        if self._book is None:
            raise RuntimeError("the part has no books yet")
        return self._book

    @property
    def seconds(self) -> float:
        """Seconds since the tap."""
        return self._recorder.seconds

    @property
    def first_durable_ms(self) -> float | None:
        """Milliseconds from the tap to the first durable fragments with every source."""
        return self._recorder.first_durable_ms

    @property
    def proof(self) -> ProofState:
        """The newest proof."""
        return self._prover.state

    def hold(self, held: bool) -> None:
        """Write nothing more for the moment, or go on; nothing is lost meanwhile."""
        self._recorder.hold(held)

    def stop(self, at_ns: int | None = None) -> dict[str, Any]:
        """End the capture now; return the fields of the ``closed`` line.

        Media that could not be written any more are named in it; nothing is raised.

        Args:
            at_ns: recording clock at which another part has begun: it ends exactly there.
        """
        stop = {"stop_ns": at_ns or recording_ns(), "stop_wall": wall_text()}
        try:
            summary = self._recorder.stop(at_ns)
        except StorageError as error:
            return {**stop, "error": str(error)}
        finally:
            self._prover.stop()
            self.envelope.close()
        return {
            **stop,
            "stop_ns": summary.stop_ns,
            "video_frames": summary.video_frames,
            "dropped": summary.dropped,
            "samples": dict(summary.samples),
            "first_durable_ms": summary.first_durable_ms,
        }
