"""The journal of a long part is larger than the memory: nothing that reads it keeps its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.chain import ChainReader, Entry
from kiosk.export.permission import read_entries
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.copy_merge import merge_copies, recorded_ranges
from kiosk.recording.repair.reconcile import seal_part
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.recording.verify.hearing import verify
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import write_marker
from tests.support.hearing_builder import BuiltHearing, add_part, new_hearing
from tests.support.identity import Court

BATCHES = 35
MOST_ALIVE = 30
"""The hearing's own journal and the events of the part, which do not grow with its length."""


class EntryCount:
    """Counts the entries of journals that are in memory at the same time."""

    def __init__(self) -> None:
        self.read = self.alive = self.most = 0


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> EntryCount:
    """Let the reader of journals hand out entries that are counted while they live."""
    count = EntryCount()

    class CountedEntry(dict[str, Any]):
        def __init__(self, values: dict[str, Any]) -> None:
            super().__init__(values)
            count.read += 1
            count.alive += 1
            count.most = max(count.most, count.alive)

        def __del__(self) -> None:
            count.alive -= 1

    real = ChainReader.__iter__

    def iterate(reader: ChainReader) -> Iterator[Entry]:
        for entry in real(reader):
            yield CountedEntry(entry)

    monkeypatch.setattr(ChainReader, "__iter__", iterate)
    return count


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court.make(tmp_path / "court")


@pytest.fixture
def built(tmp_path: Path, court: Court) -> BuiltHearing:
    """A part of many batches, ended and not sealed."""
    built = new_hearing(tmp_path / "hearings", court.device())
    add_part(built, fragments=BATCHES).end({"reason": "recess"})
    built.journal.append("part_closed", {"part": 1, "reason": "recess"})
    return built


def seal(built: BuiltHearing, _court: Court) -> None:
    seal_part(built.journal, built.parts[0])


def recover(built: BuiltHearing, court: Court) -> None:
    built.parts[0].close()
    built.journal.close()
    (hearing,) = recover_hearings(built.folder.parent, JournalOptions("kiosk-0001", court.device()))
    hearing.seal()


def check(built: BuiltHearing, court: Court) -> None:
    verify(built.folder, court.ca, decode=False)


def merge(built: BuiltHearing, _court: Court) -> None:
    """Take everything from the second copy."""
    root = built.folder.parent.parent
    (root / "other").mkdir()
    write_marker(root / "other", "kiosk-0001", "data")
    primary = StorageVolume(root / "other", "kiosk-0001", "data")
    merge_copies(primary, StorageVolume(root, "kiosk-0001", "mirror"))


@pytest.mark.parametrize(
    "work",
    [
        seal,
        recover,
        check,
        merge,
        lambda built, _court: recorded_ranges(built.folder),
        lambda built, _court: read_entries(built.folder / "part-01"),
    ],
    ids=["seal", "recovery", "verification", "merge", "ranges", "export"],
)
def test_entries_of_a_long_journal_do_not_stay_in_memory(
    work: Callable[[BuiltHearing, Court], object],
    built: BuiltHearing,
    court: Court,
    entries: EntryCount,
) -> None:
    work(built, court)
    assert entries.read > 2 * BATCHES, "every line of the part's journal was read"
    assert entries.most < MOST_ALIVE
