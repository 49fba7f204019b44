"""Parameters of the writers of a part: output, sources and times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kiosk.clocks import NS_PER_S, format_wall
from kiosk.recording.capture.pulse import RecordingPulse
from kiosk.recording.capture.writing_hold import WritingHold
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import FileRecord, FragmentRecord, Interruption
from kiosk.storage.store import DIRECT, Store


class RecordSink(Protocol):
    """Receives the records of a part in order, from the writer's thread.

    A method that raises ``OSError`` or ``StorageError`` is called again with the same record until
    it succeeds: no record is skipped while a disk is full.
    """

    def add_fragment(self, record: FragmentRecord) -> None:
        """Accept a fragment that has been fsynced."""

    def add_file(self, record: FileRecord) -> None:
        """Accept a file that will not change any more."""

    def add_interruption(self, interruption: Interruption) -> None:
        """Accept the beginning of an interruption, or its end (same number)."""


@dataclass(frozen=True)
class RoomCapture:
    """What all parts of one courtroom share.

    Attributes:
        hold: while it is held, nothing is passed to a writer.
        pulse: is told what happens.
    """

    hold: WritingHold = field(default_factory=WritingHold)
    pulse: RecordingPulse = field(default_factory=RecordingPulse)


@dataclass(frozen=True)
class PartOutput:
    """Destination of a part.

    Attributes:
        folder: the part's folder (``hearings/<uuid>/part-01``), which exists; ``main/`` and
            ``channels/`` are created in it.
        sink: receives the records of what is durable.
        codec: how fragments are stored: plain, or encrypted for the court alone.
        store: writes the bytes.
        pulse: is told what happens.
    """

    folder: Path
    sink: RecordSink
    codec: FragmentCodec = PLAIN_CODEC
    store: Store = DIRECT
    pulse: RecordingPulse = field(default_factory=RecordingPulse)


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


@dataclass(frozen=True)
class PartTimes:
    """Start of a part, and the lengths of its fragments and files.

    Attributes:
        start_ns: recording clock of the tap: media time 0.
        wall_ns: wall time of the tap, ns since 1970.
        fragment_ns, file_ns: length of a fragment and of a file.
    """

    start_ns: int
    wall_ns: int
    fragment_ns: int
    file_ns: int

    def wall_text(self, at_ns: int) -> str:
        """Return the wall time at media time ``at_ns`` (RFC 3339)."""
        return format_wall(datetime.fromtimestamp((self.wall_ns + at_ns) / NS_PER_S, UTC))
