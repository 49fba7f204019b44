"""Media of a part on the disk: periods in which each source was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame

from faults.trial import CAMERA, NotSurvivedError
from kiosk.evidence.chain import Entry
from kiosk.recording.formats.run_reader import ConcatenatedFiles, list_runs, media_files
from kiosk.storage.hearing_folder import INIT, JOURNAL_FILE

HOLE_S = 0.3
"""Shorter holes inside a source are single pictures or clock correction, not a loss."""


@dataclass
class Span:
    """Extent of one source's media, in seconds since the part's tap.

    Attributes:
        holes: ``(start, end)`` of missing media in between.
    """

    first: float
    last: float
    holes: list[tuple[float, float]] = field(default_factory=list)

    def extend(self, start: float, end: float) -> None:
        """Add the next packet."""
        if start - self.last > HOLE_S:
            self.holes.append((self.last, start))
        self.last = max(self.last, end)


@dataclass(frozen=True)
class PartMedia:
    """A part's media.

    Attributes:
        tap_ns: recording clock at its time zero.
        spans: by source; a source without media has none.
    """

    tap_ns: int
    spans: dict[str, Span]

    def seconds_lost(self, end_ns: int, sources: list[str], asked_ns: int = 0) -> dict[str, float]:
        """Return the seconds missing at the end of each source when all ended at ``end_ns``.

        Args:
            asked_ns: recording clock before the tap; used when even the tap was lost.
        """
        length = max(0.0, (end_ns - max(self.tap_ns, asked_ns)) / 1e9)
        ends = {name: span.last for name, span in self.spans.items()}
        return {name: max(0.0, length - ends.get(name, 0.0)) for name in sources}

    def complete_from_ns(self, sources: list[str]) -> int:
        """Return the recording clock from which on every source is recorded.

        Raises:
            NotSurvivedError: a source has no media.
        """
        if missing := [name for name in sources if name not in self.spans]:
            raise NotSurvivedError(f"nothing is recorded of {', '.join(missing)}")
        return self.tap_ns + round(max(self.spans[name].first for name in sources) * 1e9)


def read_entries(folder: Path) -> list[Entry]:
    """Return the lines of a journal, unchecked."""
    return [json.loads(line) for line in (folder / JOURNAL_FILE).read_bytes().splitlines()]


def read_part(folder: Path) -> PartMedia:
    """Read pictures and sound of a part."""
    lines = read_entries(folder)
    spans: dict[str, Span] = {}
    for track in ("main", "channels"):
        for run in list_runs(folder / track):
            for name, start, end in _iter_packets(run, track):
                spans.setdefault(name, Span(start, start)).extend(start, end)
    media = PartMedia(int(lines[0]["tap_ns"]), spans)
    _require_holes_recorded(media, lines)
    return media


def _iter_packets(run: Path, track: str) -> Iterator[tuple[str, float, float]]:
    """Yield source, start and end of every picture and every audio packet, without the mix."""
    with (
        ConcatenatedFiles([run / INIT, *media_files(run)]) as joined,
        av.open(joined, mode="r", format="mp4") as container,
    ):
        if track == "main":
            if not container.streams.video:  # a run of sound alone
                return
            for picture in container.demux(*container.streams.video):
                if picture.size and picture.pts is not None and picture.time_base:
                    start, end = picture.pts, picture.pts + (picture.duration or 0)
                    yield CAMERA, float(start * picture.time_base), float(end * picture.time_base)
            return
        # A hole lengthens the packet before it: only the decoder knows the true duration.
        tracks = container.streams.audio
        names = {stream.index: stream.metadata.get("handler_name", "") for stream in tracks}
        for packet in container.demux(*tracks):
            for frame in packet.decode():
                if isinstance(frame, AudioFrame) and frame.time is not None:
                    end_s = frame.time + frame.samples / frame.rate
                    yield names[packet.stream_index], frame.time, end_s


def _require_holes_recorded(media: PartMedia, lines: list[Entry]) -> None:
    """Check that each hole is in the interruption ledger.

    Raises:
        NotSurvivedError: media are missing without a record.
    """
    recorded: dict[str, list[Any]] = {}
    for line in lines:
        if line["kind"] in ("interruption", "interruption_ended"):
            recorded.setdefault(str(line["source"]), []).append(int(line["start_ns"]))
    for name, span in media.spans.items():
        for start, end in span.holes:
            begins = [(at - media.tap_ns) / 1e9 for at in recorded.get(name, [])]
            if not any(start - 1 < begin < end for begin in begins):
                raise NotSurvivedError(
                    f"{name}: {start:.2f} to {end:.2f} s is missing without a record"
                )
