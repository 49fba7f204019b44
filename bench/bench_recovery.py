"""Time that a recorder needs after a crash to recover a hearing of four hours.

The hearing is one long part, journalled as the recorder journals it (a line a second with its
fragments, and its signed head) and open. Its media files have their true lengths but no
content, because recovery reads only their ends. Measured is everything between the start and the
next part: reading and checking every journal, truncating torn files, ending the part. Copies of
the folder share the media by hard links, so that each run gets a freshly interrupted hearing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.measure import Measure, median_of
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.evidence.journal_file import JournalFile
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.recording.formats.records import FragmentRecord, Track
from kiosk.recording.journal.hearing_journal import HearingJournal, load_hearing
from kiosk.recording.journal.part_journal import JournalOptions, media_entry
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.storage.hearing_folder import JOURNAL_FILE
from tests.support.identity import Court

HOURS = 4
SECONDS = HOURS * 3600
LENGTHS: Mapping[Track, int] = {"main": 75_000, "channels": 45_000}
"""Bytes of a fragment of 0.3 s."""
SOURCES = ("defendant", "judge", "prosecutor", "secretary")


def fragment_record(track: Track, number: int, tap_ns: int) -> FragmentRecord:
    """Return the record of fragment ``number`` (from 0): 200 of them are a file."""
    file, place = divmod(number, 200)
    length = LENGTHS[track]
    begin = tap_ns + number * 3 * NS_PER_S // 10
    sources = ("camera", *SOURCES) if track == "main" else SOURCES
    name = f"{track}/run-01/{file + 1:06d}.m4s"
    end = begin + 3 * NS_PER_S // 10
    return FragmentRecord(name, place * length, length, "ab" * 32, begin, end, sources, track)


def journal_entries(tap_ns: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the part's journal lines: ten fragments in three seconds of each track."""
    done = 0
    for second in range(1, SECONDS + 1):
        until = second * 10 // 3
        numbers = range(done, until)
        done = until
        tracks: tuple[Track, ...] = ("main", "channels")
        records = [fragment_record(track, number, tap_ns) for number in numbers for track in tracks]
        yield "media", media_entry(records)


def build_hearing(root: Path, options: JournalOptions) -> Path:
    """Make the hearing under ``root``; return its folder."""
    folder = root / str(uuid.uuid4())
    tap_ns = recording_ns() - SECONDS * NS_PER_S
    hearing = {"id": folder.name, "case_number": "2-15/2026", "kind": "civil"}
    hearing_journal = HearingJournal.create(folder, hearing, {"person": "p1"}, options)
    hearing_journal.open_part(1, {"reason": "start", "tap_ns": tap_ns}, {}).close()
    hearing_journal.close()
    path = folder / "part-01" / JOURNAL_FILE
    journal, _ = JournalFile.reopen(path, sign=options.sign(folder.name, 1))
    for item in journal_entries(tap_ns):
        journal.append(*item)
    journal.close()
    for track, length in LENGTHS.items():
        run = folder / "part-01" / track / "run-01"
        run.mkdir(parents=True)
        (run / "init.mp4").write_bytes(b"")
        for number in range(SECONDS // 60):
            with (run / f"{number + 1:06d}.m4s").open("wb") as file:
                file.truncate(200 * length)
    return folder


def recover(hearings: Path, options: JournalOptions) -> float:
    """Return the seconds until the hearing is known again and its open part closed."""
    begun = time.perf_counter()
    (hearing,) = recover_hearings(hearings, options)
    state = HearingState(load_hearing(hearing.journal.folder))
    for part, entry in hearing.entries:
        state.apply(part, entry)
    seconds = time.perf_counter() - begun
    if not hearing.was_capturing or state.part != 1:
        raise RuntimeError("the hearing was not recovered")
    hearing.journal.close()
    return seconds


def run(repeats: int) -> list[Measure]:
    """Measure; there is no peer: other recorders do not recover."""
    with tempfile.TemporaryDirectory(prefix="kb") as name:
        options = JournalOptions(
            "kiosk-bench", Court.make(Path(name) / "court").device("kiosk-bench")
        )
        folder = build_hearing(Path(name) / "built", options)
        values = []
        for number in range(repeats):
            hearings = Path(name) / f"run-{number}"
            shutil.copytree(folder, hearings / folder.name, copy_function=copy_or_link)
            values.append(recover(hearings, options))
    return [median_of(f"recovery of a hearing of {HOURS} h", "s", values)]


def copy_or_link(source: str, target: str) -> None:
    """Copy a journal; share media, which recovery does not change here."""
    if source.endswith(".m4s"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
