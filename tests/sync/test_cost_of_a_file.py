"""What the outbox reads for one file does not grow with the files of its hearing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kiosk.storage.database import Database
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.outbox.manifest import Manifest, ManifestFile
from kiosk.sync.outbox.outbox import Outbox

FEW, MANY = 40, 4000


def steps_for_a_file(folder: Path, files: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many instructions SQLite executes between two files of a hearing."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def keep(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", keep)
    outbox = Outbox(Database(folder / f"{files}.db"))
    names = [f"main/{number:06d}" for number in range(files)]
    listed = tuple(ManifestFile(name, 9, "0" * 64, Lane.VIDEO) for name in names)
    outbox.add(Manifest("h", "hearing", listed))
    outbox.mark_registered("h", dict.fromkeys(names[files // 2 :], "/u"), names[: files // 2])
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    opened[0].set_progress_handler(step, 1)
    upload = outbox.next_upload((Lane.RECORD, Lane.VIDEO), ("hearing",), lambda _: 0)
    assert upload is not None
    assert upload.path == names[files // 2]
    outbox.mark_confirmed(upload)
    assert outbox.complete_items() == []
    assert outbox.undelivered_items(unregistered=True) == []
    opened[0].set_progress_handler(None, 0)
    return count


def test_the_next_file_costs_the_same_in_a_large_hearing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = steps_for_a_file(tmp_path, FEW, monkeypatch)
    assert steps_for_a_file(tmp_path, MANY, monkeypatch) < 2 * few
