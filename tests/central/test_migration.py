"""Databases of earlier and later releases, on SQLite and on a real Postgres."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from kiosk.central.data import schema
from kiosk.central.data.database import Database, sqlite_url
from kiosk.central.server import open_database
from kiosk.errors import CentralError
from tests.central.external_services import postgres

pytestmark = pytest.mark.slow

FORMER_TABLES = Path(__file__).with_name("former_database.sql").read_text(encoding="ascii")
FORMER_ROWS = """
INSERT INTO courts VALUES ('7599', '{}', 'Asia/Almaty');
INSERT INTO kiosks (id, court, room) VALUES ('kiosk-0001', '7599', '1');
INSERT INTO certificates (serial, kiosk, pem, issued_at, not_after)
    VALUES ('1', 'kiosk-0001', '', '', '');
INSERT INTO deliveries (id, kind, kiosk, manifest, digest, final, created_at)
    VALUES ('f2', 'filing', 'kiosk-0001', '{}', '', true, ''),
    ('f1', 'filing', 'kiosk-0001', '{}', '', true, '');
INSERT INTO filings (id, court, year, sequence, number, registered_at, state, state_since)
    VALUES ('f2', '7599', 2026, 2, '2', '2026-02', 'registered', ''),
    ('f1', '7599', 2026, 1, '1', '2026-01', 'registered', '');
INSERT INTO incidents (at, kiosk, code, subject, detail) VALUES ('', 'kiosk-0001', 'c', '', '');
"""


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """A real Postgres."""
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path
) -> Iterator[Database]:
    """An empty database of each kind."""
    is_postgres = request.param == "postgres"
    made = Database(postgres_url if is_postgres else sqlite_url(tmp_path / "central.db"))
    yield made
    if is_postgres:
        with made.write() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    made.close()


def write_former(database: Database) -> None:
    """Write a database as the release before the numbering of revisions wrote it."""
    tables = FORMER_TABLES
    if database.engine.dialect.name == "postgresql":
        tables = tables.replace("id INTEGER NOT NULL", "id SERIAL NOT NULL")
    with database.write() as connection:
        for statement in f"{tables}{FORMER_ROWS}".split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)


def differences(database: Database) -> list[Any]:
    """Return in what the tables differ from those that the program expects."""
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))


def revision_of(database: Database) -> str:
    with database.read() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def test_a_new_database_is_what_the_program_expects(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.create_tables()
    assert differences(database) == []
    newest = revision_of(database)
    with caplog.at_level("INFO"):
        database.create_tables()
    assert caplog.records == [], "nothing to do, nothing to tell: every command opens the database"
    assert revision_of(database) == newest


def test_the_last_release_is_taken_over_with_its_rows(database: Database) -> None:
    write_former(database)
    assert differences(database) != [], "the program of before had other tables"
    database.create_tables()
    assert differences(database) == []
    with database.read() as connection:
        row = connection.execute(text("SELECT kiosk FROM certificates")).scalar_one()
        assert row == "kiosk-0001"
        assert connection.execute(text("SELECT id FROM incidents")).scalar_one() == 1
        changes = connection.execute(text("SELECT id, change FROM filings ORDER BY change")).all()
        assert [tuple(row) for row in changes] == [("f1", 1), ("f2", 2)]
        counted = text("SELECT last FROM counters WHERE year = 0 AND court = '7599'")
        assert connection.execute(counted).scalar_one() == 2


def test_owners_of_before_keep_what_todays_schedule_gives_them(database: Database) -> None:
    database.create_tables()
    with database.write() as connection:
        for statement in (
            "ALTER TABLE owners DROP COLUMN scheduled_at",
            "UPDATE alembic_version SET version_num = '0003'",
            "INSERT INTO courts VALUES ('1', '{}', 'UTC')",
            "INSERT INTO kiosks (id, court, room) VALUES ('k', '1', '1')",
            "INSERT INTO schedule VALUES ('a', '1', '1', '', '{}'), ('b', '1', '2', '', '{}')",
            "INSERT INTO owners (hearing, kiosk, court, room, at)"
            " VALUES ('a', 'k', '1', '1', 'then'), ('b', 'k', '1', '1', 'then'),"
            " ('c', 'k', '1', '1', 'then')",
        ):
            connection.execute(text(statement))
    database.create_tables()
    assert differences(database) == []
    with database.read() as connection:
        rows = connection.execute(text("SELECT scheduled_at FROM owners ORDER BY hearing"))
        assert list(rows.scalars()) == ["then", None, None]


def test_servers_that_start_at_once_run_each_revision_once(database: Database) -> None:
    write_former(database)
    url = database.engine.url.render_as_string(hide_password=False)
    others = [Database(url) for _ in range(4)]
    failed: list[BaseException] = []

    def start(other: Database) -> None:
        try:
            other.create_tables()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert failed == []
    assert differences(database) == []


def test_a_later_release_is_refused_and_left_alone(database: Database) -> None:
    database.create_tables()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DROP TABLE incidents"))
    with pytest.raises(CentralError, match=r"later release \(revision 9999, here") as refused:
        database.create_tables()
    assert refused.value.code == "database_too_new"
    assert revision_of(database) == "9999"
    assert any("incidents" in str(found) for found in differences(database))


def test_a_revision_that_breaks_off_leaves_the_former_tables(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_former(database)
    before = [str(found) for found in differences(database)]
    monkeypatch.setattr(schema.metadata, "create_all", lambda _connection: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        database.create_tables()
    assert [str(found) for found in differences(database)] == before
    monkeypatch.undo()
    database.create_tables()
    assert differences(database) == []


def test_the_command_says_it_in_a_line(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(CentralError, match="start that release"):
        open_database(tmp_path)
