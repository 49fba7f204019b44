"""Media of a part on the disk: periods in which each source was recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.audio.frame import AudioFrame

from faults.trial import CAMERA, NotSurvivedError
from kiosk.evidence.chain import Entry
from kiosk.recording.formats.run_reader import ConcatenatedFiles, list_runs, media_files
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import INIT, JOURNAL_FILE, PART_FILE

LOSS_S = 0.3
"""Shorter holes are single pictures or clock correction: in the ledger, but no loss of a trial."""
SOUND_HOLE_S = 0.05
SOUND_SLACK_S, PICTURE_SLACK_S = 0.1, 0.005
"""How far the times of the ledger may be from those in the file."""
EDGE_S = 0.21
NOT_MISSING = ("muted", "stuck", "still", "overlap")
"""Entries of the ledger about media that are there, or in whose time other media are."""


@dataclass
class Span:
    """Extent of one source's media, in seconds since the part's tap.

    Attributes:
        tolerance: the shortest hole.
        holes: ``(start, end)`` of missing media in between.
    """

    first: float
    last: float
    tolerance: float
    holes: list[tuple[float, float]] = field(default_factory=list)

    def extend(self, start: float, end: float) -> None:
        """Add the next packet."""
        if start - self.last > self.tolerance:
            self.holes.append((self.last, start))
        self.last = max(self.last, end)

    def holes_with_edges(self, length: float) -> list[tuple[float, float]]:
        """Return the holes, and what is missing at the beginning and the end of a part."""
        edges = [(0.0, self.first), (self.last, length)]
        return [
            *self.holes,
            *((start, end) for start, end in edges if end - start > EDGE_S),
        ]

    @property
    def lost_s(self) -> float:
        """Seconds missing in between, without single pictures."""
        return sum(end - start for start, end in self.holes if end - start > LOSS_S)


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
    """Read pictures and sound of a part; if it is closed, compare them with its ledger.

    Raises:
        NotSurvivedError: what is missing is not what the ledger says.
    """
    lines = read_entries(folder)
    runs = [(track, run) for track in ("main", "channels") for run in list_runs(folder / track)]
    # a cut between the hearing's entry of the part and this file leaves a part without media
    period = 1 / int(read_json(folder / PART_FILE)["camera"]["fps"]) if runs else 0.0
    spans: dict[str, Span] = {}
    for track, run in runs:
        tolerance = period / 2 if track == "main" else SOUND_HOLE_S
        for name, start, end in _iter_packets(run, track, period):
            spans.setdefault(name, Span(start, start, tolerance)).extend(start, end)
    media = PartMedia(int(lines[0]["tap_ns"]), spans)
    closed = next((line for line in lines if line["kind"] == "closed"), None)
    if closed is None:  # the journal comes after the media
        return media
    length = (int(closed["stop_ns"]) - media.tap_ns) / 1e9
    stored = [entry for entry in _ledger(lines, "storage", media.tap_ns) if entry[2]]
    for name, span in spans.items():
        holes = span.holes_with_edges(length)
        _require_ledger(name, holes, _ledger(lines, name, media.tap_ns), stored)
    return media


def _iter_packets(run: Path, track: str, period: float) -> Iterator[tuple[str, float, float]]:
    """Yield source, start and end of every picture and every audio packet, without the mix.

    A picture lasts one period: the file shows the one before a gap for longer.
    """
    with (
        ConcatenatedFiles([run / INIT, *media_files(run)]) as joined,
        av.open(joined, mode="r", format="mp4") as container,
    ):
        if track == "main":
            if not container.streams.video:  # a run of sound alone
                return
            for picture in container.demux(*container.streams.video):
                if picture.size and picture.pts is not None and picture.time_base:
                    start = float(picture.pts * picture.time_base)
                    yield CAMERA, start, start + period
            return
        # A hole lengthens the packet before it: only the decoder knows the true duration.
        tracks = container.streams.audio
        names = {stream.index: stream.metadata.get("handler_name", "") for stream in tracks}
        for packet in container.demux(*tracks):
            for frame in packet.decode():
                if isinstance(frame, AudioFrame) and frame.time is not None:
                    end_s = frame.time + frame.samples / frame.rate
                    yield names[packet.stream_index], frame.time, end_s


def _ledger(lines: list[Entry], source: str, tap_ns: int) -> list[tuple[float, float, float]]:
    """Return begin, end (infinite: never ended) and lost seconds of the entries of a source."""
    entries: dict[int, Entry] = {}
    for line in lines:
        if line["kind"] in ("interruption", "interruption_ended") and line["source"] == source:
            entries[int(line["number"])] = line
    return [
        (
            (int(line["start_ns"]) - tap_ns) / 1e9,
            (int(line["end_ns"]) - tap_ns) / 1e9 if "end_ns" in line else math.inf,
            float(line.get("seconds") or 0.0),
        )
        for line in entries.values()
        if line["what"] not in NOT_MISSING
    ]


def _require_ledger(
    name: str,
    holes: list[tuple[float, float]],
    ledger: list[tuple[float, float, float]],
    stored: list[tuple[float, float, float]],
) -> None:
    """Check that each hole is in the ledger, and that each of its entries has its holes.

    Args:
        stored: entries of media that no storage took, of any source.

    Raises:
        NotSurvivedError: media are missing without a record, or recorded as missing and there.
    """
    slack = PICTURE_SLACK_S if name == CAMERA else SOUND_SLACK_S
    for start, end in holes:
        entries = (*ledger, *stored)
        if not any(begin - slack < start and end < until + slack for begin, until, _ in entries):
            raise NotSurvivedError(
                f"{name}: {start:.3f} to {end:.3f} s is missing without a record"
            )
    for begin, until, lost in ledger:
        if until == math.inf:
            raise NotSurvivedError(f"{name}: what is missing at {begin:.3f} s has no end")
        inside = [
            end - start for start, end in holes if begin - slack < start and end < until + slack
        ]
        is_edge = not inside and lost < EDGE_S  # the trial looks a little less closely there
        if not is_edge and abs(sum(inside) - lost) > slack * (1 + len(inside)):
            raise NotSurvivedError(
                f"{name}: {lost:.3f} s missing at {begin:.3f} s says the ledger, it is "
                f"{sum(inside):.3f}"
            )
