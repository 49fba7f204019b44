"""Recovery: torn ends are cut and recorded, complete fragments kept, the gap is known."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import NS_PER_S, boot_id, format_wall, recording_ns, wall_time
from kiosk.evidence.chain import read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.recording.formats.records import Interruption, Track
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.recovery import (
    MAX_RESUME_GAP_S,
    InterruptedHearing,
    LastCapture,
    recover_hearings,
)
from kiosk.recording.verify.hearing import verify
from tests.support.hearing_builder import (
    FRAGMENT_NS,
    BuiltHearing,
    add_part,
    close_part,
    new_hearing,
    sealed_hearing,
)
from tests.support.identity import Court


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court.make(tmp_path / "court")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "hearings"
    folder.mkdir()
    return folder


def crash(built: BuiltHearing) -> None:
    """Leave everything as a killed process does."""
    for part_journal in built.parts:
        part_journal.close()
    built.journal.close()


def recover(root: Path, court: Court) -> InterruptedHearing:
    (hearing,) = recover_hearings(root, JournalOptions("kiosk-0001", court.device()))
    return hearing


def seal_and_end(hearing: InterruptedHearing) -> None:
    hearing.seal()
    hearing.journal.end({"person": "p1"})


def lines(folder: Path, part: int, kind: str) -> list[dict[str, Any]]:
    path = folder / f"part-{part:02d}" / "journal.jsonl"
    return [entry for entry in read_chain(path).entries if entry["kind"] == kind]


def test_killed_while_capturing(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=7)
    writer = built.writers[0]
    writer.write("main")  # synced, but the kill came before the journal's next batch
    writer.write("channels")
    torn = built.folder / "part-01" / "main" / "run-01" / "000002.m4s"
    torn.write_bytes(torn.read_bytes() + b"\x00\x00\x10\x00moof and no more")
    whole = torn.stat().st_size - 20
    crash(built)

    hearing = recover(root, court)
    assert hearing.was_capturing
    assert hearing.last_capture is not None
    first = lines(built.folder, 1, "part")[0]
    assert hearing.last_capture.recorded_ns == pytest.approx(
        first["tap_ns"] + 8 * FRAGMENT_NS, abs=1_000_000
    )
    assert hearing.last_capture.boot_id == boot_id()
    kept = [line for line in lines(built.folder, 1, "media") if line.get("recovered")]
    assert sorted(line["fragments"][0]["track"] for line in kept) == ["channels", "main"]
    assert kept[0]["fragments"][0]["sources"]
    (cut,) = lines(built.folder, 1, "cut")
    assert (cut["file"], cut["offset"], cut["length"]) == ("main/run-01/000002.m4s", whole, 20)
    (gap,) = lines(built.folder, 1, "interruption")
    assert (gap["source"], gap["what"]) == ("recorder", "crash")
    assert not is_sealed(built.folder / "part-01"), "sealing comes after resuming"

    seal_and_end(hearing)
    report = verify(built.folder, court.ca)
    assert report.problems == []
    assert report.parts[0].video_frames == 8 * 4


@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize(
    ("source", "track", "other"),
    [("camera", "main", "channels"), ("judge", "channels", "main")],
)
def test_what_was_out_at_a_crash_ends_with_its_durable_media(
    root: Path, court: Court, source: str, track: Track, other: Track, returns: bool
) -> None:
    built = new_hearing(root, court.device())
    journal = add_part(built, fragments=3)
    (writer,) = built.writers
    tap_ns = lines(built.folder, 1, "part")[0]["tap_ns"]
    start_ns = tap_ns + 3 * FRAGMENT_NS
    kind = "frozen" if source == "camera" else "dead"
    journal.add_interruption(Interruption(1, source, kind, start_ns))
    journal.flush()
    for _ in range(2):
        writer.skip(track)
    for _ in range(3):  # synced, but the kill came before the journal's next batch
        writer.write(other)
    if returns:
        writer.write(track)
    crash(built)
    seal_and_end(recover(root, court))
    (row,) = [e for e in lines(built.folder, 1, "interruption_ended") if e["source"] == source]
    told = [e for e in lines(built.folder, 1, "interruption") if e["source"] == source]
    assert len(told) == 1
    missing = 2 if returns else 3
    assert (row["number"], row["what"]) == (1, kind)
    assert row["seconds"] == pytest.approx(missing * FRAGMENT_NS / 1e9, abs=0.001)
    assert row["end_ns"] == pytest.approx(start_ns + missing * FRAGMENT_NS, abs=1_000_000)
    assert verify(built.folder, court.ca).problems == []


@pytest.mark.parametrize("is_journalled", [True, False])
@pytest.mark.parametrize(("track", "other"), [("main", "channels"), ("channels", "main")])
def test_what_a_crash_cost_a_source_begins_with_its_last_media(
    root: Path, court: Court, track: Track, other: Track, is_journalled: bool
) -> None:
    """Its last fragment goes on with the sound of others."""
    built = new_hearing(root, court.device())
    journal = add_part(built, fragments=2)
    (writer,) = built.writers
    last = writer.write(track)
    if is_journalled:
        journal.add_fragment(replace(last, end_ns=last.end_ns + FRAGMENT_NS // 2))
    for _ in range(3):
        journal.add_fragment(writer.write(other))
    journal.flush()
    crash(built)
    seal_and_end(recover(root, court))
    (first,) = lines(built.folder, 1, "part")
    lost = [entry for entry in lines(built.folder, 1, "interruption") if entry["number"]]
    assert [entry["source"] for entry in lost] == list(last.sources)
    for entry in lost:
        assert entry["start_ns"] == pytest.approx(first["tap_ns"] + 3 * FRAGMENT_NS, abs=1e5)
        assert entry["end_ns"] == pytest.approx(first["tap_ns"] + 5 * FRAGMENT_NS, abs=1e5)
        assert entry["seconds"] == pytest.approx(0.8, abs=1e-3)
    assert verify(built.folder, court.ca).problems == []


@pytest.mark.parametrize("journalled", [0, 1, 2])
def test_gaps_between_pictures_that_share_a_row_at_a_crash_end_it_with_their_seconds(
    root: Path, court: Court, journalled: int
) -> None:
    built = new_hearing(root, court.device())
    journal = add_part(built, fragments=2)
    (writer,) = built.writers
    start_ns = lines(built.folder, 1, "part")[0]["tap_ns"] + 2 * FRAGMENT_NS
    journal.add_interruption(Interruption(1, "camera", "dropped", start_ns))
    for number in range(2):
        writer.skip("main")
        record = writer.write("main")
        if number < journalled:
            journal.add_fragment(record)
    for _ in range(4):
        journal.add_fragment(writer.write("channels"))
    journal.flush()
    crash(built)
    seal_and_end(recover(root, court))
    (ended,) = lines(built.folder, 1, "interruption_ended")
    assert (ended["number"], ended["source"], ended["what"]) == (1, "camera", "dropped")
    assert ended["seconds"] == pytest.approx(0.8, abs=1e-3)
    assert ended["end_ns"] == pytest.approx(start_ns + 3 * FRAGMENT_NS, abs=1e5)
    rows = [row for row in lines(built.folder, 1, "interruption") if row["source"] == "camera"]
    assert len(rows) == 1
    assert verify(built.folder, court.ca).problems == []


@pytest.mark.parametrize("what", ["still", "dropped", "muted", "stuck"])
def test_what_a_crash_cost_a_source_is_told_beside_what_lasted(
    root: Path, court: Court, what: str
) -> None:
    built = new_hearing(root, court.device())
    journal = add_part(built, fragments=2)
    source, other = ("camera", "channels") if what in ("still", "dropped") else ("judge", "main")
    start_ns = lines(built.folder, 1, "part")[0]["tap_ns"]
    journal.add_interruption(Interruption(1, source, what, start_ns))
    for _ in range(2):
        journal.add_fragment(built.writers[0].write(other))  # type: ignore[arg-type]
    journal.flush()
    crash(built)
    recover(root, court)
    rows = [row for row in lines(built.folder, 1, "interruption") if row["source"] == source]
    assert [row.get("seconds") for row in rows] == [None, pytest.approx(0.8, abs=1e-3)]


@pytest.mark.parametrize("track", ["main", "channels"])
def test_cut_at_any_byte_keeps_every_whole_fragment(root: Path, court: Court, track: str) -> None:
    """As after a power cut: the file ends anywhere, and its end is not journalled."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=1)
    ends = [built.writers[0].write(track) for _ in range(3)]  # type: ignore[arg-type]
    path = built.folder / "part-01" / ends[0].file
    path.write_bytes(path.read_bytes()[: ends[-1].offset + ends[-1].length // 3])
    crash(built)
    seal_and_end(recover(root, court))
    assert verify(built.folder, court.ca).problems == []
    kept = [line for line in lines(built.folder, 1, "media") if line.get("recovered")]
    assert [fragment["offset"] for fragment in kept[0]["fragments"]] == [e.offset for e in ends[:2]]
    assert [fragment["sha256"] for fragment in kept[0]["fragments"]] == [e.sha256 for e in ends[:2]]


def test_journalled_bytes_that_are_gone_are_said(root: Path, court: Court) -> None:
    """A disk that lost synced bytes is recorded and found."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=3)
    path = built.folder / "part-01" / "main" / "run-01" / "000001.m4s"
    path.write_bytes(path.read_bytes()[:-10])
    crash(built)
    seal_and_end(recover(root, court))
    assert lines(built.folder, 1, "cut")[0]["lost"] is True
    assert [p.code for p in verify(built.folder, court.ca, decode=False).problems] == ["media_cut"]


def test_crash_before_anything_was_written(root: Path, court: Court) -> None:
    """A folder alone is no recording: it is kept, but not resumed."""
    folder = root / "2b0a35c4-2e51-4b6f-8a34-3c35d04e4f9a"
    (folder / "part-01" / "main").mkdir(parents=True)
    hearing = recover(root, court)
    assert (hearing.was_started, hearing.was_capturing) == (False, False)
    assert lines(folder, 1, "closed")[0]["reason"] == "start_failed"
    seal_and_end(hearing)
    assert verify(folder, court.ca).problems == []


def test_crash_between_the_books(root: Path, court: Court) -> None:
    """The hearing's journal has the part, whose own journal is still empty."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    crash(built)
    (built.folder / "part-01" / "journal.jsonl").write_bytes(b"")
    hearing = recover(root, court)
    assert hearing.was_capturing
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []
    assert len(lines(built.folder, 1, "media")) == 2, "both tracks were found on the disk"


def test_torn_journals(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    crash(built)
    for path in (built.folder / "journal.jsonl", built.folder / "part-01" / "journal.jsonl"):
        path.write_bytes(path.read_bytes() + b'{"at":')
    (built.folder / ".hearing.json.77.tmp").write_bytes(b"half a write")
    seal_and_end(recover(root, court))
    assert verify(built.folder, court.ca).problems == []


def test_recess_stays_stopped(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    close_part(built, 1)
    crash(built)
    hearing = recover(root, court)
    assert not hearing.was_capturing
    assert not hearing.can_resume(clock_trusted=True)
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


def test_closed_but_not_sealed(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    built.parts[0].end({"reason": "recess"})
    built.journal.append("part_closed", {"part": 1, "reason": "recess"})
    crash(built)
    hearing = recover(root, court)
    assert not hearing.was_capturing
    seal_and_end(hearing)
    assert verify(built.folder, court.ca).problems == []


def test_sealed_part_that_the_hearing_did_not_hear_of(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    built.parts[0].end({"reason": "recess"})
    built.journal.append("part_closed", {"part": 1, "reason": "recess"})
    built.parts[0].seal()
    crash(built)
    seal_and_end(recover(root, court))
    assert verify(built.folder, court.ca).problems == []


def test_ended_but_not_sealed(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    close_part(built, 1)
    built.journal.append("ended", {"person": "p1"})
    crash(built)
    hearing = recover(root, court)
    assert hearing.was_ended
    hearing.seal()
    assert verify(built.folder, court.ca).problems == []


def test_sealed_hearings_are_left_alone(root: Path, court: Court) -> None:
    folder = sealed_hearing(root, court.device())
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert recover_hearings(root, JournalOptions("kiosk-0001", court.device())) == []
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_one_unreadable_hearing_does_not_stop_the_others(root: Path, court: Court) -> None:
    (root / "rubbish").mkdir()
    (root / "rubbish" / "hearing.json").write_text("{")
    (root / "rubbish" / "part-01").mkdir()
    built = new_hearing(root, court.device())
    add_part(built, fragments=1)
    crash(built)
    assert built.folder in [
        s.journal.folder for s in recover_hearings(root, JournalOptions("k", court.device()))
    ]


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others(
    root: Path, court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=1)
    crash(built)
    bad = root / "00000000-bad"
    bad.mkdir()
    real = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == bad:
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    failed: list[Path] = []
    options = JournalOptions("kiosk-0001", court.device())
    (hearing,) = recover_hearings(root, options, failed.append)
    assert (hearing.journal.folder, failed) == (built.folder, [bad])


@pytest.mark.parametrize("torn", ["empty", "half", "zeros"])
def test_a_torn_init_file_without_media_is_told_and_removed(
    root: Path, court: Court, torn: str
) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=3)
    crash(built)
    part = built.folder / "part-01"
    whole = (part / "main" / "run-01" / "init.mp4").read_bytes()
    init = part / "main" / "run-02" / "init.mp4"
    init.parent.mkdir()
    data = {"empty": b"", "half": whole[: len(whole) // 2], "zeros": bytes(len(whole))}[torn]
    init.write_bytes(data)
    seal_and_end(recover(root, court))
    assert not init.exists()
    cuts = [(cut["file"], cut["length"]) for cut in lines(built.folder, 1, "cut")]
    assert cuts == ([("main/run-02/init.mp4", len(data))] if data else [])
    assert verify(built.folder, court.ca, decode=True).problems == []


def test_a_torn_init_file_with_media_is_kept_and_told(root: Path, court: Court) -> None:
    built = new_hearing(root, court.device())
    add_part(built, fragments=3)
    crash(built)
    init = built.folder / "part-01" / "main" / "run-01" / "init.mp4"
    init.write_bytes(bytes(100))
    before = [path.read_bytes() for path in sorted(init.parent.iterdir())]
    recover(root, court)
    assert [path.read_bytes() for path in sorted(init.parent.iterdir())] == before
    (told,) = lines(built.folder, 1, "unreadable")
    assert told["file"] == "main/run-01/init.mp4"


def test_recovery_twice_is_the_same(root: Path, court: Court) -> None:
    """After a second crash during recovery the next one completes it and still resumes."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    crash(built)
    first = recover(root, court)
    first.journal.close()
    for part_journal in first.unsealed_parts:
        part_journal.close()
    second = recover(root, court)
    assert (second.was_capturing, second.last_capture) == (first.was_capturing, first.last_capture)
    seal_and_end(second)
    assert verify(built.folder, court.ca).problems == []
    assert len(lines(built.folder, 1, "closed")) == 1


def test_a_stop_that_was_decided_is_not_undone(root: Path, court: Court) -> None:
    """A hearing that is too old to resume stays so after later restarts."""
    built = new_hearing(root, court.device())
    add_part(built, fragments=2)
    crash(built)
    first = recover(root, court)
    first.journal.append("stopped", {"part": 1, "reason": "too_late"})
    first.seal()
    first.journal.close()
    assert not recover(root, court).was_capturing


# -- length of the gap ---------------------------------------------------------------------------
def ns_ago(seconds: float) -> int:
    return recording_ns() - int(seconds * NS_PER_S)


def test_gap_within_one_boot_needs_no_wall_clock() -> None:
    alive = LastCapture(boot_id(), ns_ago(12), None)
    assert alive.gap_seconds(recording_ns(), clock_trusted=False) == pytest.approx(12, abs=0.5)


def test_gap_over_a_power_cut_needs_a_trusted_clock() -> None:
    alive = LastCapture("another boot", 5, wall_time() - timedelta(seconds=40))
    assert alive.gap_seconds(recording_ns(), clock_trusted=True) == pytest.approx(40, abs=0.5)
    assert alive.gap_seconds(recording_ns(), clock_trusted=False) is None
    future = LastCapture("another boot", 5, wall_time() + timedelta(days=1))
    assert future.gap_seconds(recording_ns(), clock_trusted=True) is None
    assert (
        LastCapture("another boot", 5, None).gap_seconds(recording_ns(), clock_trusted=True) is None
    )


def in_this_boot(seconds: float) -> LastCapture:
    """Return a capture that ended so long ago, by the recording clock."""
    return LastCapture(boot_id(), ns_ago(seconds), None)


def in_another_boot(seconds: float) -> LastCapture:
    """Return a capture that ended so long ago, by the wall clock."""
    return LastCapture("another", 5, datetime.now(UTC) - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("made", "seconds", "trusted", "expected"),
    [
        (in_this_boot, 30, False, True),
        (in_this_boot, MAX_RESUME_GAP_S + 30, False, False),
        (in_another_boot, 90, True, True),
        (in_another_boot, 86_400, True, False),
        (in_another_boot, 86_400, False, True),
    ],
)
def test_resumes_by_itself_only_soon(
    made: Callable[[float], LastCapture],
    seconds: float,
    trusted: bool,
    expected: bool,
    root: Path,
    court: Court,
) -> None:
    """The times are made when the test runs: it may begin long after it was collected."""
    built = new_hearing(root, court.device())
    hearing = InterruptedHearing(built.journal, was_capturing=True, last_capture=made(seconds))
    assert hearing.can_resume(clock_trusted=trusted) is expected
    assert format_wall().endswith("Z")


def test_a_later_part_that_is_only_a_folder_is_not_resumed(tmp_path: Path) -> None:
    signer = Court.make(tmp_path / "court").device()
    built = new_hearing(tmp_path / "hearings", signer)
    add_part(built, fragments=2)
    close_part(built, 1)
    built.journal.close()
    (built.folder / "part-02").mkdir()
    (hearing,) = recover_hearings(tmp_path / "hearings", JournalOptions("kiosk-0001", signer))
    assert (hearing.was_started, hearing.was_capturing) == (True, False)
    assert lines(built.folder, 2, "closed")[0]["reason"] == "start_failed"
