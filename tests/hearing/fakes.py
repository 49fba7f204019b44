"""A media recorder without devices: real fragments, written when a test says so."""

from __future__ import annotations

from kiosk.clocks import recording_ns
from kiosk.config import Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.recording.capture.part_config import PartOutput
from kiosk.recording.formats.records import PartSummary
from tests.support.hearing_builder import BLOCK, MICROPHONES, PICTURES, MediaWriter


class FakeRecorder:
    """A part recorder that writes fragments when a test says so.

    Attributes:
        tap_ns, stop_ns: when the part began and ended, by the recording clock.
        had_journal_at_start: whether a journal existed when the capture began.
    """

    def __init__(
        self,
        output: PartOutput,
        settings: Settings,
        sources: Sources,
    ) -> None:
        del settings, sources
        self.codec = output.codec
        self.is_paused = False
        self.folder = output.folder
        self.had_journal_at_start: bool | None = None
        self.sink = output.sink
        self.tap_ns = 0
        self.stop_ns: int | None = None
        self._pieces = self._held = 0
        self.writer: MediaWriter | None = None

    def start(self, tap_ns: int) -> None:
        """Note the tap and whether anything had been written before it."""
        self.tap_ns = tap_ns
        self.had_journal_at_start = (self.folder / "journal.jsonl").exists()
        self.write(2)

    def write(self, pieces: int) -> None:
        """Write fragments of both tracks, or hold them while the writing is paused."""
        if self.is_paused:
            self._held += pieces
            return
        if self.writer is None:
            self.writer = MediaWriter(self.folder, self.tap_ns, codec=self.codec)
        for _ in range(pieces):
            self.sink.add_fragment(self.writer.write("main"))
            self.sink.add_fragment(self.writer.write("channels"))
            self._pieces += 1

    def pause_writing(self, paused: bool) -> None:
        """Hold what comes, or write it."""
        self.is_paused = paused
        if not paused and self._held:
            held, self._held = self._held, 0
            self.write(held)

    def discard(self) -> None:
        """End; what is held is gone."""
        self.stop_ns = recording_ns()
        self._held = 0

    def stop(self, at_ns: int | None = None) -> PartSummary:
        """End."""
        self.stop_ns = at_ns or recording_ns()
        samples = dict.fromkeys(MICROPHONES, self._pieces * BLOCK)
        seconds = self.seconds
        frames = self._pieces * PICTURES
        return PartSummary(self.tap_ns, self.stop_ns, seconds, frames, 0, samples, 512.0)

    def wait_written(self, seconds: float) -> None:
        """Return: all is written already."""

    @property
    def first_durable_ms(self) -> float | None:
        """Always the same."""
        return 512.0

    @property
    def seconds(self) -> float:
        """Since the tap."""
        return ((self.stop_ns or recording_ns()) - self.tap_ns) / 1e9
