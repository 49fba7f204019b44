"""Before a seal the journal and the media on the disk agree, however the part ended."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S
from kiosk.evidence.chain import read_chain
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.formats.fragment_codec import PLAIN_CODEC, FragmentCodec
from kiosk.recording.formats.records import Interruption, Track
from kiosk.recording.journal.part_journal import JournalOptions, PartJournal
from kiosk.recording.repair.reconcile import reconcile, seal_part
from kiosk.recording.repair.recovery import recover_hearing
from kiosk.recording.verify.hearing import verify
from kiosk.recording.verify.report import VerifyReport
from tests.support.court_keys import CourtSecrets
from tests.support.hearing_builder import (
    FRAGMENT_NS,
    MICROPHONES,
    BuiltHearing,
    add_part,
    new_hearing,
)
from tests.support.identity import Court

TORN = b"\x00\x00\x10\x00moof and no more"


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court.make(tmp_path / "court")


def events(journal: PartJournal, *kinds: str) -> list[dict[str, Any]]:
    chain = read_chain(journal.folder / "journal.jsonl")
    return [entry for entry in chain.entries if entry["kind"] in kinds]


def end_part(journal: PartJournal, fragments: float) -> None:
    """End a part that was captured for so many fragments."""
    (first,) = events(journal, "part")
    stop_ns = first["tap_ns"] + round(fragments * FRAGMENT_NS)
    journal.end({"reason": "recess", "stop_ns": stop_ns})


def seal_hearing(built: BuiltHearing, court: Court) -> VerifyReport:
    """Seal the part and the hearing; return what verification says."""
    built.journal.append("part_closed", {"part": 1, "reason": "recess"})
    seal_part(built.journal, built.parts[0])
    built.journal.end({"person": "p1"})
    return verify(built.folder, court.ca)


def lost_seconds(journal: PartJournal) -> float:
    """Return the seconds in the ledger."""
    return sum(float(entry["seconds"]) for entry in events(journal, "interruption"))


@pytest.mark.parametrize("closed", [False, True])
def test_what_the_disk_took_after_the_end_is_journalled_and_nothing_is_lost(
    court: Court, tmp_path: Path, closed: bool
) -> None:
    """As when a disk stalls around a recess: the bytes come when their records are gone."""
    codec: FragmentCodec = AgeFragmentCodec(CourtSecrets().keys) if closed else PLAIN_CODEC
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=3, codec=codec)
    end_part(journal, 6)
    for _ in range(3):
        built.writers[0].write("main")
        built.writers[0].write("channels")
    report = seal_hearing(built, court)
    assert report.problems == []
    assert report.parts[0].fragments == 12
    assert report.parts[0].found_seconds == pytest.approx(1.2, abs=0.01)
    assert lost_seconds(journal) == 0
    if not closed:
        assert report.parts[0].video_frames == 24


@pytest.mark.parametrize("extra", [0, 2])
def test_what_is_torn_after_the_end_is_cut(court: Court, tmp_path: Path, extra: int) -> None:
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=3)
    end_part(journal, 3 + extra)
    for _ in range(extra):
        built.writers[0].write("main")
        built.writers[0].write("channels")
    path = journal.folder / "main" / "run-01" / "000001.m4s"
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes() + TORN)
    assert seal_hearing(built, court).problems == []
    assert lost_seconds(journal) == 0
    assert [(cut["offset"], cut["length"]) for cut in events(journal, "cut")] == [
        (whole, len(TORN))
    ]
    assert path.stat().st_size == whole


def test_a_file_without_a_whole_fragment_is_told_and_removed(court: Court, tmp_path: Path) -> None:
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=3)
    torn = journal.folder / "main" / "run-01" / "000002.m4s"
    torn.write_bytes(TORN)
    end_part(journal, 3)
    assert seal_hearing(built, court).problems == []
    (cut,) = events(journal, "cut")
    assert (cut["file"], cut["offset"], cut["length"]) == ("main/run-01/000002.m4s", 0, len(TORN))
    assert not torn.exists()


def test_reconciling_again_changes_nothing(court: Court, tmp_path: Path) -> None:
    """A seal that failed is tried again until the disk takes it."""
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=3)
    end_part(journal, 6)
    built.writers[0].write("main")
    lost = journal.folder / "channels" / "run-01" / "000001.m4s"
    lost.write_bytes(lost.read_bytes()[:-10])
    reconcile(journal)
    before = (journal.folder / "journal.jsonl").read_bytes()
    reconcile(journal)
    assert (journal.folder / "journal.jsonl").read_bytes() == before


def test_a_file_that_is_gone_is_in_the_ledger_and_named(court: Court, tmp_path: Path) -> None:
    """Bytes that were durable once: a disk lost them, or somebody took them away."""
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=7)
    (journal.folder / "main" / "run-01" / "000002.m4s").unlink()
    end_part(journal, 7)
    problems = seal_hearing(built, court).problems
    assert ("file_missing", "part-01/main/run-01/000002.m4s") in {
        (problem.code, problem.where) for problem in problems
    }
    assert lost_seconds(journal) == pytest.approx(2 * FRAGMENT_NS / NS_PER_S, abs=0.01)


def test_a_fragment_reported_after_the_reconciling_is_not_journalled_twice(
    court: Court, tmp_path: Path
) -> None:
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=3)
    end_part(journal, 4)
    late = built.writers[0].write("main")
    reconcile(journal)
    journal.add_fragment(late)
    assert seal_hearing(built, court).problems == []


@pytest.mark.parametrize("told", ["untold", "told", "begun"])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("track", ["main", "channels"])
def test_a_gap_before_media_that_were_found_is_in_the_ledger_once(
    court: Court, tmp_path: Path, track: Track, closed: bool, told: str
) -> None:
    """As when the power fails before the journal has what followed the gap."""
    codec: FragmentCodec = AgeFragmentCodec(CourtSecrets().keys) if closed else PLAIN_CODEC
    built = new_hearing(tmp_path, court.device())
    journal = add_part(built, fragments=2, codec=codec)
    writer = built.writers[0]
    (first,) = events(journal, "part")
    sources = ("camera",) if track == "main" else MICROPHONES
    gap = {
        "start_ns": first["tap_ns"] + 2 * FRAGMENT_NS,
        "end_ns": first["tap_ns"] + 3 * FRAGMENT_NS,
    }
    for number, source in enumerate(sources, 1):
        fields = {"number": number, "source": source, "what": "frozen"}
        if told != "untold":
            journal.append("interruption", {**fields, "start_ns": gap["start_ns"]})
        if told == "told":
            journal.append("interruption_ended", {**fields, **gap, "seconds": 0.4})
    writer.skip(track)
    for _ in range(2):
        writer.write(track)
    end_part(journal, 5)
    assert seal_hearing(built, court).problems == []
    rows: dict[int, dict[str, Any]] = {}
    for entry in events(journal, "interruption", "interruption_ended"):
        if entry["source"] in sources:
            rows[entry["number"]] = entry
    assert sorted(row["source"] for row in rows.values()) == sorted(sources)
    for row in rows.values():
        assert row["seconds"] == pytest.approx(0.4)
        assert row["start_ns"] == pytest.approx(gap["start_ns"], abs=1e5)
        assert row["end_ns"] == pytest.approx(gap["end_ns"], abs=1e5)


@pytest.mark.parametrize("closed", [False, True])
def test_wherever_the_power_cuts_a_block_the_gap_is_in_the_ledger_once(
    court: Court, tmp_path: Path, closed: bool
) -> None:
    """The line of a gap and the media after it go into the journal in one write."""
    codec: FragmentCodec = AgeFragmentCodec(CourtSecrets().keys) if closed else PLAIN_CODEC
    built = new_hearing(tmp_path / "room", court.device())
    journal = add_part(built, fragments=2, codec=codec)
    writer, path = built.writers[0], journal.folder / "journal.jsonl"
    (first,) = events(journal, "part")
    before = path.stat().st_size
    start_ns = first["tap_ns"] + 2 * FRAGMENT_NS
    writer.skip("channels")
    for number, name in enumerate(MICROPHONES, 1):
        begun = Interruption(number, name, "gap", start_ns)
        journal.add_interruption(begun)
        journal.add_interruption(replace(begun, end_ns=start_ns + FRAGMENT_NS))
    for record in (writer.write("channels"), writer.write("main"), writer.write("main")):
        journal.add_fragment(record)
    journal.flush()
    journal.close()
    block = path.read_bytes()[before:]
    assert len(block) > 1000
    for length in sorted({*range(0, len(block), 101), len(block)}):
        copy = shutil.copytree(built.folder, tmp_path / str(length) / built.folder.name)
        torn = copy / "part-01" / "journal.jsonl"
        torn.write_bytes(torn.read_bytes()[: before + length])
        recover_hearing(copy, JournalOptions("kiosk-0001", court.device()))
        rows = {
            entry["number"]: entry
            for entry in read_chain(torn).entries
            if entry["kind"].startswith("interruption") and entry["source"] in MICROPHONES
        }
        where = f"cut after {length} of {len(block)} bytes"
        assert sorted(row["source"] for row in rows.values()) == sorted(MICROPHONES), where
        for row in rows.values():
            assert row.get("start_ns") == pytest.approx(start_ns, abs=1e5), where
            assert row.get("end_ns") == pytest.approx(start_ns + FRAGMENT_NS, abs=1e5), where
