"""Transactions of many threads at once on the embedded database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kiosk.central.data import database as data
from kiosk.central.data import schema
from kiosk.central.data.database import Database, sqlite_url

THREADS, WRITES = 8, 20


def test_writers_of_one_process_never_wait_for_sqlites_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who meets SQLite's lock sleeps for up to 100 ms; here, whoever meets it fails at once."""
    monkeypatch.setattr(data, "BUSY_MS", 0)
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    table = schema.courts
    with database.write() as connection:
        connection.execute(table.insert().values(id="1", name=0, timezone=""))
    failed: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(WRITES):
                with database.write() as connection:
                    count = connection.execute(select(table.c.name)).scalar_one()
                    connection.execute(update(table).values(name=count + 1))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(select(table.c.name)).scalar_one() == THREADS * WRITES
    database.close()
    assert failed == []
