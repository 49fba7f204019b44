"""What a simulated hearing has on the disk, sample by sample, beside what its ledger says."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame

from kiosk.evidence.chain import Entry, read_chain
from kiosk.recording.encryption.decrypt import Identities, decrypt_fragment, decrypt_init
from kiosk.recording.formats.run_reader import list_runs
from kiosk.recording.journal.part_index import PartIndex
from kiosk.storage.hearing_folder import CLOSED_SUFFIX, JOURNAL_FILE
from tests.support.simulated_devices import PERIOD_NS, RATE, SimulatedMicrophone, sound
from tests.support.virtual_time import NS_PER_S, START_NS

CAMERA = "camera"
Spans = list[tuple[int, int]]
"""Intervals of the recording clock, sorted, apart."""


def joined(spans: Iterable[tuple[int, int]], slack_ns: int = 0) -> Spans:
    """Return the union of ``spans``; gaps up to ``slack_ns`` are filled."""
    found: Spans = []
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        if found and begin - found[-1][1] <= slack_ns:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(span: tuple[int, int], removed: Spans) -> Spans:
    """Return what is left of ``span``."""
    begin, end = span
    left: Spans = []
    for start, stop in removed:
        if stop <= begin or start >= end:
            continue
        if start > begin:
            left.append((begin, start))
        begin = max(begin, stop)
    return [*left, (begin, end)] if begin < end else left


def seconds(spans: Spans) -> float:
    """Return how long they are together."""
    return sum(end - begin for begin, end in spans) / NS_PER_S


@dataclass
class PartMedia:
    """A part: when it was captured, which media of each source there are, what its ledger says.

    Attributes:
        ledger: by source; ``storage`` and ``recorder`` are of all sources.
        storage_lost_s: seconds that the ledger says were lost because no storage took them.
    """

    number: int
    tap_ns: int
    stop_ns: int
    media: dict[str, Spans] = field(default_factory=dict)
    ledger: dict[str, Spans] = field(default_factory=dict)
    storage_lost_s: float = 0.0
    entries: list[Entry] = field(default_factory=list)

    def missing(self, source: str, slack_ns: int) -> Spans:
        """Return what is missing of ``source``, without gaps up to ``slack_ns``."""
        return without((self.tap_ns, self.stop_ns), joined(self.media.get(source, []), slack_ns))


class PartReader:
    """Reads one part and checks that every sample is the one that was captured then.

    Args:
        identities: the court's, for closed parts.
    """

    def __init__(
        self, folder: Path, identities: Identities, microphones: dict[str, SimulatedMicrophone]
    ) -> None:
        self._folder, self._identities = folder, identities
        self._microphones = microphones

    def read(self) -> PartMedia:
        """Return what is there."""
        entries = read_chain(self._folder / JOURNAL_FILE).entries
        first = entries[0]
        closed = next(entry for entry in reversed(entries) if entry["kind"] == "closed")
        tap_ns = int(first["tap_ns"] or first["t"])  # of a part that only its folder tells of
        part = PartMedia(int(first["part"]), tap_ns, int(closed["stop_ns"]))
        part.entries = entries
        self._read_ledger(part)
        index = PartIndex.from_entries(entries)
        for track in ("main", "channels"):
            for run in list_runs(self._folder / track):
                for data in self._joined_run(run, index):
                    self._read_run(part, track, data)
        part.media = {name: joined(spans) for name, spans in part.media.items()}
        return part

    def _read_ledger(self, part: PartMedia) -> None:
        lines: dict[int, Entry] = {}  # the end of an interruption replaces its beginning
        for entry in part.entries:
            if entry["kind"] in ("interruption", "interruption_ended"):
                lines[int(entry["number"])] = entry
        for entry in lines.values():
            source, what = str(entry["source"]), entry["what"]
            if source in ("storage", "mirror"):
                part.storage_lost_s += float(entry.get("seconds") or 0)
            lost = source not in ("storage", "mirror", "recorder") or entry.get("seconds")
            if lost and what != "muted":
                span = int(entry["start_ns"]), int(entry.get("end_ns") or part.stop_ns)
                part.ledger.setdefault(source, []).append(span)
        part.ledger = {name: joined(spans) for name, spans in part.ledger.items()}

    def _joined_run(self, run: Path, index: PartIndex) -> list[bytes]:
        """Return the run's init and media, in the clear: of plain and of closed files."""
        name = run.relative_to(self._folder).as_posix()
        files = {
            file: rows for file, rows in index.fragments.items() if file.startswith(f"{name}/")
        }
        pieces = []
        for file, rows in sorted(files.items(), key=lambda item: int(item[1][0]["start_ns"])):
            data = (self._folder / file).read_bytes()
            for row in rows:
                piece = data[int(row["offset"]) :][: int(row["length"])]
                if file.endswith(CLOSED_SUFFIX):
                    piece = decrypt_fragment(file, row, piece, self._identities)
                pieces.append(piece)
        return [decrypt_init(run, self._identities) + b"".join(pieces)] if pieces else []

    def _read_run(self, part: PartMedia, track: str, data: bytes) -> None:
        with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
            if track == "main":
                pictures = container.streams.video  # a run of sound alone has none
                for packet in container.demux(*pictures) if pictures else ():
                    if packet.size and packet.pts is not None and packet.time_base:
                        at_ns = part.tap_ns + round(packet.pts * packet.time_base * NS_PER_S)
                        part.media.setdefault(CAMERA, []).append((at_ns, at_ns + PERIOD_NS))
                return
            names = {
                stream.index: stream.metadata.get("handler_name", "")
                for stream in container.streams.audio
            }
            for packet in container.demux(*container.streams.audio):
                for frame in packet.decode():
                    if isinstance(frame, AudioFrame):
                        self._read_sound(part, names[packet.stream_index], frame)

    def _read_sound(self, part: PartMedia, name: str, frame: Any) -> None:
        at_ns = part.tap_ns + round(frame.pts * frame.time_base * NS_PER_S)
        values = frame.to_ndarray()[0]
        samples = values if values.dtype == np.int16 else (values >> 16).astype(np.int16)
        first = round((at_ns - START_NS) * RATE / NS_PER_S)
        seed = self._microphones[name].seed
        window = sound(seed, first - 32, len(samples) + 64)
        shift = next(
            (
                s
                for s in sorted(range(65), key=lambda n: abs(n - 32))
                if np.array_equal(window[s : s + len(samples)], samples)
            ),
            None,
        )
        assert shift is not None, f"part {part.number}: {name} at {at_ns} is not what was captured"
        begin_ns = at_ns + (shift - 32) * NS_PER_S // RATE
        part.media.setdefault(name, []).append(
            (begin_ns, begin_ns + len(samples) * NS_PER_S // RATE)
        )
