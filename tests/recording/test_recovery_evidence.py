"""What recovery takes for a recording, for a failed start, and for neither: nothing is deleted."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import format_wall, recording_ns
from kiosk.recording.formats import fmp4_scan
from kiosk.recording.journal.part_journal import JournalOptions, PartJournal
from kiosk.recording.repair import recovery
from kiosk.recording.repair.reconcile import reconcile
from kiosk.recording.verify.hearing import verify
from tests.recording.test_recovery import (
    court,
    crash,
    lines,
    recover,
    root,
    seal_and_end,
)
from tests.support.hearing_builder import BuiltHearing, add_part, new_hearing
from tests.support.identity import Court

__all__ = ["court", "root"]


def media_of(built: BuiltHearing) -> dict[Path, bytes]:
    """Return the content of all media files."""
    return {path: path.read_bytes() for path in built.folder.glob("part-*/*/run-*/*")}


def test_media_without_any_journal_are_kept_and_not_resumed(root: Path, court: Court) -> None:
    """Nobody can tell when they were recorded; what they hold is sealed."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=3)
    crash(built)
    media = media_of(built)
    for name in ("hearing.json", "journal.jsonl", "part-01/journal.jsonl", "part-01/part.json"):
        (built.folder / name).unlink()
    hearing = recover(root, court)
    assert (hearing.was_started, hearing.was_capturing) == (True, True)
    assert not hearing.can_resume(clock_trusted=True)
    seal_and_end(hearing)
    assert media_of(built) == media
    assert verify(built.folder, court.ca).problems == []
    kept = [line for line in lines(built.folder, 1, "media") if line.get("recovered")]
    assert sum(len(line["fragments"]) for line in kept) == 6


@pytest.mark.parametrize("name", ["journal.jsonl", "part-01/journal.jsonl"])
@pytest.mark.parametrize("damage", ["first", "all", "middle"])
def test_a_damaged_journal_loses_no_media(root: Path, court: Court, name: str, damage: str) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=3)
    crash(built)
    media = media_of(built)
    journal = built.folder / name
    entries = journal.read_bytes().splitlines(keepends=True)
    spoilt = {"first": [0], "all": range(len(entries)), "middle": [len(entries) // 2]}[damage]
    for place in spoilt:
        entries[place] = entries[place].replace(b'"', b"\0", 3)
    journal.write_bytes(b"".join(entries))
    hearing = recover(root, court)
    assert hearing.was_started
    assert media_of(built) == media
    damaged = journal.with_name("journal.jsonl.damaged").read_bytes()
    assert b"".join(entries).endswith(damaged), "what is not understood is kept"
    assert damaged
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


def test_a_file_that_nobody_understands_is_kept(root: Path, court: Court) -> None:
    """As media of another version, without any journal."""
    file = root / "5f0b6a39-9f57-4b5c-8a52-2b9e4a4a8d11" / "part-01" / "main.mp4"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"something")
    hearing = recover(root, court)
    assert (hearing.was_started, hearing.can_resume(clock_trusted=True)) == (True, False)
    seal_and_end(hearing)
    assert file.read_bytes() == b"something"


def test_parts_are_recovered_by_number(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    crash(built)
    for number in (100, 11, 2):
        (built.folder / f"part-{number:02d}").mkdir()
    hearing = recover(root, court)
    assert [part.part for part in hearing.unsealed_parts] == [2, 11, 100]
    seal_and_end(hearing)
    report = verify(built.folder, court.ca)
    assert [facts.part for facts in report.parts] == [2, 11, 100]


def test_a_start_that_failed_is_not_what_was_interrupted(root: Path, court: Court) -> None:
    """A part was cut off, the next could not be started: the hearing is still to be recorded."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    crash(built)
    first = recover(root, court)
    first.journal.open_part(2, {"reason": "recovered", "tap_ns": recording_ns()}, {}).close()
    first.journal.close()
    second = recover(root, court)
    assert lines(built.folder, 2, "closed")[0]["reason"] == "start_failed"
    assert (second.was_capturing, second.newest_part) == (True, 1)
    assert second.last_capture == first.last_capture


@pytest.mark.parametrize(("reason", "expected"), [("closed", True), ("recess", False)])
def test_a_crash_between_two_parts(root: Path, court: Court, reason: str, expected: bool) -> None:
    """Who closes a hearing wants it recorded on; who calls a recess does not."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    fields = {"reason": reason, "stop_ns": recording_ns(), "stop_wall": format_wall()}
    built.parts[0].end(fields)
    built.journal.append("part_closed", {"part": 1, "reason": reason})
    crash(built)
    assert recover(root, court).can_resume(clock_trusted=True) is expected


def test_a_recess_of_which_only_one_journal_knows_is_kept(root: Path, court: Court) -> None:
    """The part's own entry could not be written any more: nobody wants it to go on."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    built.journal.append("part_closed", {"part": 1, "reason": "recess", "person": "p1"})
    crash(built)
    hearing = recover(root, court)
    assert not hearing.was_capturing
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


def test_bytes_that_are_no_torn_end_are_set_aside(root: Path, court: Court) -> None:
    """A block in the middle is damaged: what follows it is not thrown away."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=1)
    written = [built.writers[0].write("main") for _ in range(3)]
    crash(built)
    path = built.folder / "part-01" / written[0].file
    content = bytearray(path.read_bytes())
    damaged = written[1].offset
    content[damaged : damaged + 8] = b"\xff" * 8
    path.write_bytes(content)
    hearing = recover(root, court)
    assert path.read_bytes() == content[:damaged]
    (kept,) = (root.parent / "set-aside").rglob("*.m4s.*")
    assert kept.read_bytes() == content[damaged:]
    assert kept.is_relative_to(root.parent / "set-aside" / "hearings" / built.folder.name)
    assert lines(built.folder, 1, "cut")[0]["kept"] is True
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


@pytest.mark.parametrize("number", [0, -1])
def test_a_fragment_whose_length_is_there_without_all_its_bytes_is_no_media(
    root: Path, court: Court, number: int
) -> None:
    """So a power cut leaves what was not synced: sectors of zeros between those that were written.

    It is set aside: most of it may be seen.
    """
    built = new_hearing(root, court.device())
    add_part(built, fragments=1)
    whole, torn = (built.writers[0].write("main") for _ in range(2))
    crash(built)
    path = built.folder / "part-01" / torn.file
    content = bytearray(path.read_bytes())
    sectors = range(-torn.offset % 512 + torn.offset, torn.offset + torn.length, 512)
    place = slice(sectors[number], sectors[number] + 512)
    content[place] = bytes(len(content[place]))
    path.write_bytes(content)
    hearing = recover(root, court)
    assert path.read_bytes() == content[: torn.offset]
    (kept,) = (root.parent / "set-aside").rglob("*.m4s.*")
    assert kept.read_bytes() == content[torn.offset :]
    (found,) = lines(built.folder, 1, "media")[-1]["fragments"]
    assert (found["offset"], found["length"]) == (whole.offset, whole.length)
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


def test_an_unreadable_file_is_left_as_it_is(
    root: Path, court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    built.writers[0].write("channels")  # not journalled any more
    crash(built)
    read = fmp4_scan.complete_fragments

    def fail(part: Path, name: str, *arguments: int) -> Any:
        if name.startswith("channels/"):
            raise OSError(errno.EIO, "Input/output error")
        return read(part, name, *arguments)

    monkeypatch.setattr("kiosk.recording.repair.reconcile.complete_fragments", fail)
    media = media_of(built)
    hearing = recover(root, court)
    assert hearing.can_resume(clock_trusted=True), "the other files say when it was"
    assert lines(built.folder, 1, "unreadable")[0]["file"] == "channels/run-01/000001.m4s"
    assert media_of(built) == media


@pytest.mark.parametrize(
    ("box", "at", "bit"),
    [(b"trun", 8, 0x40), (b"tfdt", 8, 0x40)],
    ids=["more samples than there are", "a time beyond 64 bits"],
)
def test_a_flipped_bit_in_media_that_no_journal_knows_stops_neither_recovery_nor_seal(
    root: Path, court: Court, box: bytes, at: int, bit: int
) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    written = built.writers[0].write("main")
    crash(built)
    path = built.folder / "part-01" / written.file
    content = bytearray(path.read_bytes())
    content[content.index(box, written.offset) + at] ^= bit
    path.write_bytes(content)
    media = media_of(built)
    hearing = recover(root, court)
    seal_and_end(hearing)
    assert media_of(built) == media, "it is left as it is"
    told = [row["file"] for row in lines(built.folder, 1, "unreadable")]
    found = [row for row in lines(built.folder, 1, "media") if row.get("recovered")]
    assert (told, found) == ([written.file], []), "once"
    assert not verify(built.folder, court.ca).ok, "no journal vouches for it"


def test_a_fault_in_one_hearing_stops_no_other(
    root: Path, court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        built = new_hearing(root, court.device())
        add_part(built, fragments=1)
        crash(built)
    failed: list[Path] = []

    def fail(journal: PartJournal, *arguments: Any, **options: Any) -> Any:
        if journal.folder.parent == built.folder:
            raise RuntimeError("a bug")
        return reconcile(journal, *arguments, **options)

    monkeypatch.setattr(recovery, "reconcile", fail)
    options = JournalOptions("kiosk-0001", court.device())
    (found,) = recovery.recover_hearings(root, options, failed.append)
    assert failed == [built.folder]
    assert found.journal.folder != built.folder
