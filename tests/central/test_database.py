"""Transactions of many threads at once on the embedded database."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, ColumnElement, and_, event, select, update
from sqlalchemy.sql import visitors

from kiosk.central.contract import HearingManifest
from kiosk.central.data import database as data
from kiosk.central.data import schema
from kiosk.central.data.database import Database, sqlite_url
from kiosk.central.deliveries.deliveries import make_manifest, store_manifest
from kiosk.central.identity.courts import MAX_HEARINGS, put_court, read_schedule
from kiosk.central.identity.seed import SeedCourt
from kiosk.clocks import format_wall
from tests.support.central_rig import hearing_body, new_id

THREADS, WRITES = 8, 20
PATIENCE_S = 30.0
LITERAL = {"literal_binds": True}


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


def test_no_reader_waits_behind_writers(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    query = select(schema.courts.c.id)

    async def ask() -> None:
        with database.write():  # a writer that takes its time
            writers = [
                asyncio.create_task(
                    database.run_write(lambda connection: connection.execute(query))
                )
                for _ in range(50)
            ]
            await asyncio.sleep(0)  # all of them wait
            for _ in range(20):
                read = database.run_read(lambda connection: connection.execute(query).all())
                assert await asyncio.wait_for(read, PATIENCE_S) == []
            assert not any(writer.done() for writer in writers)
        await asyncio.gather(*writers)

    asyncio.run(ask())
    database.close()


def test_a_long_list_takes_as_few_statements_as_a_short_one(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with database.write() as connection:
        connection.execute(schema.courts.insert().values(id="1", name={}, timezone="UTC"))
        connection.execute(schema.kiosks.insert().values(id="k", court="1", room="1"))
    counts = []
    for length in (1, 2000):
        hearing = new_id()
        files = {f"part-01/main/{number:06d}.m4s": b"" for number in range(length)}
        for some in (length // 2, length):  # the second list takes over what the first has
            body = hearing_body(hearing, dict(list(files.items())[:some]), final=False)
            request = HearingManifest.model_validate_json(json.dumps(body))
            manifest = make_manifest("hearing", request, request.files, final=False)
            statements.clear()
            with database.write() as connection:
                store_manifest(connection, "k", hearing, manifest)
        counts.append(len(statements))
        with database.read() as connection:
            uploads = schema.uploads
            found = connection.execute(select(uploads.c.path).where(uploads.c.owner == hearing))
            assert {row.path for row in found} == set(files)
    assert counts[0] == counts[1]
    database.close()


@pytest.mark.parametrize(
    ("index", "asked"),
    [
        ("certificates_by_kiosk", schema.certificates.c.kiosk == "k"),
        ("enrolment_codes_by_kiosk", schema.enrolment_codes.c.kiosk == "k"),
        ("files_by_upload", schema.files.c.upload == "u"),
        ("filings_by_time", schema.filings.c.registered_at > "2026"),
        (
            "filings_by_change",
            and_(schema.filings.c.court == "7599", schema.filings.c.change > 7),
        ),
    ],
)
def test_what_is_asked_often_reads_no_table_from_end_to_end(
    tmp_path: Path, index: str, asked: ColumnElement[bool]
) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    (table,) = {column.table for column in visitors.iterate(asked) if isinstance(column, Column)}
    query = select(table).where(asked).compile(database.engine, compile_kwargs=LITERAL)
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    database.close()
    assert [index in row[3] for row in plan] == [True], plan


def test_a_schedule_of_too_many_hearings_ends_with_the_first_ones(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    day = date(2026, 11, 27)
    with database.write() as connection:
        court = put_court(connection, SeedCourt(id="1", name={"en": "Court"}))
        begin = datetime.combine(day, time(4), tzinfo=UTC)
        rows = [
            {
                "id": new_id(),
                "court": "1",
                "room": "1",
                "scheduled_at": format_wall(begin + timedelta(seconds=number)),
                "hearing": {"number": number},
            }
            for number in range(MAX_HEARINGS + 1)
        ]
        connection.execute(schema.schedule.insert(), rows[::-1])
        listed = read_schedule(connection, court, "1", day, 1)["hearings"]
    database.close()
    assert [row["number"] for row in listed] == list(range(MAX_HEARINGS))
