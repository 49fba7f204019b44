"""Sync reads growing journals line by line and passes on what must leave at once."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kiosk.evidence.journal_file import JournalFile
from kiosk.evidence.signer import sign_head
from kiosk.storage.database import Database, open_or_recreate
from kiosk.sync.outbox.journal_heads import JournalHeadQueue
from kiosk.sync.outbox.journal_tailer import JournalTailer
from tests.support.identity import Court


@pytest.fixture
def hearing(tmp_path: Path) -> Path:
    folder = tmp_path / "hearings" / str(uuid.uuid4())
    (folder / "part-01").mkdir(parents=True)
    return folder


@pytest.fixture
def journal(hearing: Path, tmp_path: Path) -> JournalFile:
    sign = partial(sign_head, Court.make(tmp_path / "court").device(), hearing.name, 1)
    return JournalFile.create(hearing / "part-01" / "journal.jsonl", sign=sign)


def test_of_the_heads_of_a_poll_the_newest_is_passed_on_and_everything_else(
    hearing: Path, journal: JournalFile
) -> None:
    seen: list[tuple[str, int, Any]] = []

    def note(hearing_id: str, part: int, entry: dict[str, Any]) -> None:
        assert hearing_id == hearing.name
        seen.append((entry["kind"], part, entry.get("count", entry.get("file"))))

    tailer = JournalTailer(hearing.parent, {"head": note, "file": note}, set)
    for number in range(5):
        journal.submit_many([("media", {}), ("file", {"file": f"{number}.m4s"})])
    journal.flush()
    tailer.poll()
    files = [("file", 1, f"{number}.m4s") for number in range(5)]
    assert seen == [*files, ("head", 1, 14)]
    tailer.poll()
    assert len(seen) == 6
    with journal.path.open("ab") as file:
        file.write(b'{"kind":"head"')  # a write that is going on
    tailer.poll()
    assert len(seen) == 6


def test_a_head_that_could_not_be_stored_is_read_again(hearing: Path, journal: JournalFile) -> None:
    seen: list[int] = []

    def refuse_once(_hearing: str, _part: int, entry: dict[str, Any]) -> None:
        seen.append(entry["count"])
        if len(seen) == 1:
            raise OSError("the database is locked")

    tailer = JournalTailer(hearing.parent, {"head": refuse_once}, set)
    journal.append("media")
    with pytest.raises(OSError, match="locked"):
        tailer.poll()
    tailer.poll()
    assert seen == [1, 1]


def test_of_the_sent_heads_the_newest_is_kept(tmp_path: Path) -> None:
    database: Database = open_or_recreate(tmp_path / "kiosk.db")[0]
    queue = JournalHeadQueue(database)
    for count in (1, 3, 5):
        queue.add("a", 1, {"count": count, "hash": "x", "signature": "y"})
    queue.add("a", 2, {"count": 1, "hash": "x", "signature": "y"})
    queue.mark_sent([head for head in queue.unsent() if head.count in (1, 3)])
    rows = database.rows("SELECT part, count, sent_at FROM heads ORDER BY part, count")
    assert [(row["part"], row["count"], row["sent_at"] is not None) for row in rows] == [
        (1, 3, True),
        (1, 5, False),
        (2, 1, True),
    ]
    queue.add("a", 1, {"count": 3, "hash": "x", "signature": "y"})
    assert [head.count for head in queue.unsent()] == [5]
