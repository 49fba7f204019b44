"""A part without devices: real fragments, written when a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.clocks import recording_ns
from kiosk.recording.journal.part_journal import PartJournal
from kiosk.recording.part import Part
from tests.support.hearing_builder import BLOCK, MICROPHONES, PICTURES, MediaWriter


class FakePart(Part):
    """A part that writes fragments when a test says so.

    Attributes:
        stop_ns: when it ended, by the recording clock.
        had_journal_at_start: whether a journal existed when the capture began.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.had_journal_at_start: bool | None = None
        self.stop_ns: int | None = None
        self._pieces = self._held = 0
        self.writer: MediaWriter | None = None

    def _start_capture(self) -> None:
        self.had_journal_at_start = (self.folder / "journal.jsonl").exists()
        self.write(2)

    def write(self, pieces: int) -> None:
        """Write fragments of both tracks, or hold them while the writing is paused."""
        if not self._may_write:
            self._held += pieces
            return
        if self.writer is None:
            self.writer = MediaWriter(self.folder, self.tap_ns, codec=self.codec)
        for _ in range(pieces):
            self.add_fragment(self.writer.write("main"))
            self.add_fragment(self.writer.write("channels"))
            self._pieces += 1

    def attach_journal(self, journal: PartJournal) -> None:
        """Write what was held, too."""
        super().attach_journal(journal)
        held, self._held = self._held, 0
        self.write(held)

    def discard(self) -> None:
        """End; what is held is gone."""
        self.stop_ns, self._held = recording_ns(), 0
        super().discard()

    def _stop_capture(self, at_ns: int | None) -> Mapping[str, Any]:
        self._stop_ns = self.stop_ns = at_ns or recording_ns()
        return {
            "stop_ns": self.stop_ns,
            "video_frames": self._pieces * PICTURES,
            "dropped": 0,
            "samples": dict.fromkeys(MICROPHONES, self._pieces * BLOCK),
            "first_durable_ms": self.first_durable_ms,
        }

    def wait_written(self, seconds: float) -> None:
        """Return: all is written already."""

    @property
    def first_durable_ms(self) -> float | None:
        """Always the same."""
        return 512.0
