"""How many statements a request costs: with thousands of kiosks, each one more counts."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from bench.court_fleet import enrol_fleet
from kiosk.central.contract import Head, parse
from kiosk.central.data import schema
from kiosk.central.data.database import Database
from kiosk.central.deliveries.deliveries import WAITING
from kiosk.central.deliveries.journal_heads import check_signatures, store_heads
from kiosk.central.identity.enrolment import identify_kiosk, record_seen
from kiosk.central.server import open_authority, open_database
from kiosk.evidence.chain import ChainHead
from kiosk.evidence.device_key import FileSigner
from kiosk.evidence.signer import sign_head
from tests.support.central_rig import new_id

KIOSKS = ("fleet-0000", "fleet-0001")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with two enrolled kiosks, whose files are in ``k/``."""
    database = open_database(tmp_path)
    enrol_fleet(database, open_authority(tmp_path), tmp_path / "k", len(KIOSKS))
    with contextlib.closing(database):
        yield database


@contextlib.contextmanager
def recorded(database: Database) -> Iterator[list[str]]:
    """Give the list of statements that the block executes."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]).split()[0])

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def signed_heads(folder: Path, hearing: str, number: int) -> list[Head]:
    signer = FileSigner(folder / f"{KIOSKS[0]}.key", folder / f"{KIOSKS[0]}.crt")
    heads = []
    for count in range(1, number + 1):
        digest = f"{count:064x}"
        signature = sign_head(signer, hearing, 1, ChainHead(count, digest))
        text = f'{{"part":1,"count":{count},"hash":"{digest}","signature":"{signature}"}}'
        heads.append(parse(Head, text.encode("ascii")))
    return heads


def test_a_kiosk_is_identified_by_one_statement_without_a_transaction(
    database: Database, tmp_path: Path
) -> None:
    signer = FileSigner(tmp_path / f"k/{KIOSKS[0]}.key", tmp_path / f"k/{KIOSKS[0]}.crt")
    serial = f"{signer.certificate.serial_number:x}"
    with recorded(database) as statements:
        found = asyncio.run(
            database.run_select(lambda connection: identify_kiosk(connection, KIOSKS[0], serial))
        )
    assert (found.id, found.room, found.court.id) == (KIOSKS[0], "1", "c0")
    assert statements == ["SELECT"]


@pytest.mark.parametrize("number", [1, 200])
def test_heads_cost_the_same_statements_however_many(
    database: Database, tmp_path: Path, number: int
) -> None:
    hearing = new_id()
    heads = signed_heads(tmp_path / "k", hearing, number)
    with recorded(database) as statements, database.select() as connection:
        check_signatures(connection, KIOSKS[0], hearing, heads)
    assert statements == ["SELECT"], "signatures are checked before any write"
    for expected in (["INSERT"], []):
        with recorded(database) as statements, database.write() as connection:
            assert store_heads(connection, KIOSKS[0], hearing, heads) == []
        assert statements == ["BEGIN", "SELECT", "SELECT", *expected]
    with database.read() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM heads").scalar_one()
    assert kept == number


def test_heads_that_contradict_are_all_refused(database: Database, tmp_path: Path) -> None:
    hearing = new_id()
    first, second = signed_heads(tmp_path / "k", hearing, 2)
    with database.write() as connection:
        assert store_heads(connection, KIOSKS[0], hearing, [first]) == []
    other = first.model_copy(update={"hash": "f" * 64})
    with database.write() as connection:
        assert store_heads(connection, KIOSKS[0], hearing, [second, other]) == [other]
        stored = connection.exec_driver_sql("SELECT lines, hash FROM heads").all()
        incidents = connection.exec_driver_sql("SELECT code, subject FROM incidents").all()
    assert [tuple(row) for row in stored] == [(1, first.hash)]
    assert [tuple(row) for row in incidents] == [("head_conflicts", hearing)]


def test_all_kiosks_that_called_are_recorded_in_one_write(database: Database) -> None:
    with recorded(database) as statements, database.write() as connection:
        record_seen(connection, set(KIOSKS))
    assert statements == ["BEGIN", "UPDATE"]
    with database.read() as connection:
        seen = connection.exec_driver_sql("SELECT last_seen FROM kiosks ORDER BY id").all()
    assert len(seen) == len(KIOSKS)
    assert all(row.last_seen for row in seen)


@pytest.mark.parametrize("files", [40, 4000])
def test_what_is_missing_is_asked_at_the_same_cost_in_a_large_delivery(
    database: Database, files: int
) -> None:
    hearing = new_id()
    uploads = [
        {
            "id": new_id(),
            "kiosk": KIOSKS[0],
            "kind": "hearing",
            "owner": hearing,
            "path": f"{number:06d}",
            "size": 1,
            "sha256": "0" * 64,
            "state": "complete" if number < files - 1 else "receiving",
            "created_at": "",
        }
        for number in range(files)
    ]
    listed = [
        {"delivery": hearing, "upload": row["id"]} | {k: row[k] for k in ("path", "size", "sha256")}
        for row in uploads
    ]
    with database.write() as connection:
        connection.execute(
            schema.deliveries.insert().values(
                id=hearing,
                kind="hearing",
                kiosk=KIOSKS[0],
                manifest={},
                digest="",
                final=True,
                created_at="",
            )
        )
        connection.execute(schema.uploads.insert(), uploads)
        connection.execute(schema.files.insert(), listed)
    with database.read() as connection:
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(step, 1)
        found = connection.execute(WAITING, {"delivery": hearing}).scalar_one()
        raw.set_progress_handler(None, 0)
    assert found == uploads[-1]["id"]
    assert steps < 100
