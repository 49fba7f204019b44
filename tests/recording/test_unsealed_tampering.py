"""What is changed in a part before its seal is found by signatures, or by a head that has left."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from faults.unsealed import (
    Interrupted,
    Tamper,
    recover_and_find,
    sent_heads,
    try_unsealed,
    unsealed_tamperings,
)
from kiosk.evidence.chain import read_chain
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.recording.verify.hearing import verify
from tests.support.hearing_builder import FRAGMENT_NS, add_part, new_hearing
from tests.support.identity import Court


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court.make(tmp_path / "court")


@pytest.fixture
def cut(tmp_path: Path, court: Court) -> Interrupted:
    """A part of ten signed batches, as a power cut leaves it."""
    built = new_hearing(tmp_path / "hearings", court.device())
    add_part(built, fragments=10).close()
    built.journal.close()
    stranger = Court.make(tmp_path / "stranger").device()
    return Interrupted(built.folder, 1, court.device(), stranger, Random(11))


@pytest.mark.parametrize(
    "tamper", [tamper for _, tamper in unsealed_tamperings()], ids=lambda row: row and row.__name__
)
def test_a_change_before_the_seal_is_found(
    tamper: Tamper | None, cut: Interrupted, court: Court
) -> None:
    heads = sent_heads(cut.folder, 1)
    try_unsealed(tamper, cut, court.ca, heads)


@pytest.mark.parametrize("lines", [1, 2])
def test_a_write_that_the_cut_tore_is_not_taken_for_a_change(
    lines: int, cut: Interrupted, court: Court
) -> None:
    """The last block loses its head, or the mark that the head signs as well."""
    whole = cut.journal.read_bytes().splitlines(keepends=True)
    heads = [head for head in sent_heads(cut.folder, 1) if head[1] <= len(whole) - lines - 1]
    cut.journal.write_bytes(b"".join(whole[:-lines]) + whole[-lines][:40])
    assert recover_and_find(cut, court.ca, heads) == []


def test_lines_cut_off_without_their_media_lose_nothing(cut: Interrupted, court: Court) -> None:
    """The media are found again, and the report says how much of them bore no signature."""
    lines = cut.journal.read_bytes().splitlines(keepends=True)
    entries = read_chain(cut.journal).entries
    places = [place for place, entry in enumerate(entries) if entry["kind"] == "media"]
    cut.journal.write_bytes(b"".join(lines[: places[-3]]))
    options = JournalOptions("kiosk-0001", cut.device)
    (hearing,) = recover_hearings(cut.folder.parent, options)
    hearing.seal()
    hearing.journal.end({"person": "p1"})
    report = verify(cut.folder, court.ca)
    assert report.problems == []
    assert report.parts[0].video_frames == 40
    assert report.parts[0].found_seconds == pytest.approx(3 * FRAGMENT_NS / 1e9, abs=0.01)
