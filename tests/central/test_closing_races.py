"""Closings against what happens at the same moment: verdicts, receipts, court IT's decisions."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update

from kiosk.central.arrival.spool import Spool
from kiosk.central.contract import Closure, HearingManifest
from kiosk.central.data import schema
from kiosk.central.data.database import Database, Result, sqlite_url
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.closure_proof import replacement_of
from kiosk.central.deliveries.closures import ClosureService, record_closures
from kiosk.central.deliveries.deliveries import DeliveryService, delivery_files, make_manifest
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.server import open_authority, open_database
from tests.central.external_services import postgres
from tests.central.test_closures import BY, CLEAR, PATH, SECRET, closure, deliver, journal
from tests.support.central_rig import Central, Kiosk, hearing_body, new_id
from tests.support.waiting import wait_for


class InterruptedDatabase(Database):
    """A database that calls something after a write."""

    interrupts: Sequence[Callable[[], Awaitable[None]]] = ()
    is_due: Callable[[], bool] = lambda: True

    async def run_write(self, work: Callable[[Connection], Result]) -> Result:
        """See :class:`Database`."""
        result = await super().run_write(work)
        if self.interrupts and self.is_due():
            interrupts, self.interrupts = self.interrupts, ()
            for interrupt in interrupts:
                await interrupt()
        return result


def is_settled(database: Database, hearing: str) -> bool:
    """Return whether the closed file of a hearing is where it belongs."""
    table = schema.uploads
    query = select(table.c.ended_at).where(table.c.owner == hearing, table.c.state == "closed")
    with database.read() as connection:
        return connection.execute(query).scalar_one() is not None


def upload_service(
    database: Database, store: FolderStore, data: Path, spool: Path
) -> tuple[UploadService, ReceiptSigner]:
    """Return the uploads of a second server on ``data``, and its signer."""
    authority = open_authority(data)
    signer = ReceiptSigner(*authority.server_files(["localhost"]))
    return UploadService(database, store, Spool(spool, database, store), signer), signer


def test_what_court_it_releases_is_not_erased_by_a_server_that_settles_late(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    hearings = {new_id(), new_id()}
    for hearing in hearings:
        (tmp_path / hearing).mkdir()
        files = {PATH: CLEAR, BY: SECRET}
        files["journal.jsonl"] = journal(kiosk, hearing, tmp_path / hearing)
        deliver(kiosk, hearing, files)
        assert kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure()).ok
    with closing(sqlite3.connect(central.data / "central.db")) as embedded, embedded:
        again = "UPDATE uploads SET ended_at = NULL WHERE state = 'closed' AND owner = ?"
        embedded.executemany(again, [(hearing,) for hearing in hearings])
    root, released = central.data / "store", []
    database = InterruptedDatabase(sqlite_url(central.data / "central.db"))
    store = FolderStore(root)

    async def release_the_other() -> None:
        (other,) = hearings - {owner for owner in hearings if is_settled(database, owner)}
        released.append(other)
        await Quarantine(database, store).release(other, "the judge's order")

    database.interrupts = [release_the_other]
    database.is_due = lambda: any(is_settled(database, hearing) for hearing in hearings)
    uploads, _ = upload_service(database, store, central.data, tmp_path / "spool")
    second = ClosureService(database, store, uploads)
    asyncio.run(second.resume())
    (hearing,) = released
    assert (root / "hearings" / hearing / PATH).read_bytes() == CLEAR
    fetched = kiosk.call("GET", f"/v1/hearings/{hearing}/files/{PATH}")
    assert (fetched.status_code, fetched.content) == (200, CLEAR)
    (other,) = hearings - {hearing}
    assert kiosk.call("GET", f"/v1/hearings/{other}/files/{PATH}").status_code == 404
    with database.write() as connection:  # as an earlier release could leave it
        quarantine, table = schema.quarantine, schema.uploads
        connection.execute(quarantine.delete().where(quarantine.c.hearing == other))
        row = table.c.owner == other, table.c.path == PATH
        connection.execute(update(table).where(*row).values(ended_at=None))
    asyncio.run(second.resume())
    database.close()
    assert central.task("release", other, "--reason", "x").returncode == 0
    assert (root / "hearings" / other / PATH).read_bytes() == CLEAR


class Court:
    """Deliveries on a Postgres of several servers, without a server in between."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = open_database(folder, url)
        self.hearings = folder / "store" / "hearings"
        self.store = FolderStore(folder / "store")
        self.uploads, signer = upload_service(self.database, self.store, folder, folder / "spool")
        self.deliveries = DeliveryService(self.database, self.store, self.uploads, signer)
        with self.database.write() as connection:
            connection.execute(schema.courts.insert().values(id="1", name={}, timezone="UTC"))
            connection.execute(schema.kiosks.insert().values(id="a", court="1", room="1"))

    def register(self, hearing: str, files: dict[str, bytes]) -> None:
        """Register the final list of a hearing."""
        body = json.dumps(hearing_body(hearing, files))
        request = HearingManifest.model_validate_json(body)
        manifest = make_manifest("hearing", request, request.files)
        asyncio.run(self.deliveries.register("a", hearing, manifest))

    def upload(self, hearing: str, path: str) -> Any:
        """Return the row of a file's upload."""
        table = schema.uploads
        query = select(table).where(table.c.owner == hearing, table.c.path == path)
        with self.database.read() as connection:
            return connection.execute(query).one()

    def close(self, connection: Connection, hearing: str) -> None:
        """Record what a kiosk says of a retroactive closing."""
        (body,) = closure()["closures"]
        record_closures(connection, "a", hearing, [Closure(**body)], None)

    @contextmanager
    def waiting_for_a_lock(self, work: Callable[[], None]) -> Iterator[None]:
        """Start ``work``; run the block once it waits for a lock; see it through."""
        thread = threading.Thread(target=work)
        thread.start()
        wait_for(self._is_waiting, "a wait for a lock")
        yield
        thread.join()

    def _is_waiting(self) -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with self.database.read() as connection:
            return bool(connection.execute(text(query)).scalar_one())


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """A court on Postgres."""
    with postgres() as url:
        made = Court(url, tmp_path_factory.mktemp("court"))
        yield made
        made.database.close()


@pytest.mark.slow
def test_a_file_that_gets_its_receipt_meanwhile_is_withheld_not_dropped(court: Court) -> None:
    hearing = new_id()
    court.register(hearing, {PATH: CLEAR, BY: SECRET})
    upload, table = court.upload(hearing, PATH).id, schema.uploads

    def close() -> None:
        with court.database.write() as connection:
            court.close(connection, hearing)

    with court.database.engine.connect() as connection:
        verdict = {"state": "complete", "receipt": {"at": "now"}, "ended_at": "now"}
        connection.execute(update(table).where(table.c.id == upload).values(**verdict))
        with court.waiting_for_a_lock(close):
            connection.commit()
    assert court.upload(hearing, PATH).state == "closed"
    with court.database.read() as connection:
        kept = connection.execute(select(schema.quarantine.c.upload)).scalars().all()
    assert upload in kept


@pytest.mark.slow
def test_a_receipt_names_no_file_that_is_closed_meanwhile(court: Court) -> None:
    hearing, files = new_id(), {PATH: CLEAR, BY: SECRET}
    court.register(hearing, files)

    async def send() -> None:
        rows = await court.database.run_read(lambda found: delivery_files(found, hearing))
        for row in rows:
            await court.uploads.import_file(row, iter([files[row.path]]))

    asyncio.run(send())
    table = schema.deliveries
    with court.database.write() as connection:
        connection.execute(update(table).values(receipt=None, completed_at=None))
    shutil.rmtree(court.hearings / hearing)
    with court.database.engine.connect() as connection:
        court.close(connection, hearing)
        receipt = court.deliveries.issue_receipt
        with court.waiting_for_a_lock(lambda: asyncio.run(receipt(hearing))):
            connection.commit()
    with court.database.read() as connection:
        row = connection.execute(select(table).where(table.c.id == hearing)).one()
    assert row.receipt is None
    assert not (court.hearings / hearing).exists(), "nothing is published before the receipt"


@pytest.mark.slow
def test_what_court_it_erases_is_published_no_more_wherever_a_kill_left_the_closing(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    """The folder of a hearing holds links: one that stayed would keep the bytes."""
    hearing, published = new_id(), central.data / "store" / "hearings"
    files = {PATH: CLEAR, BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    deliver(kiosk, hearing, files)
    assert (published / hearing / PATH).read_bytes() == CLEAR
    (body,) = closure()["closures"]
    recorded = Closure(**body)
    database = Database(sqlite_url(central.data / "central.db"))
    with database.write() as connection:  # and then the process is killed
        proven = {replacement_of(recorded)}
        assert record_closures(connection, kiosk.id, hearing, [recorded], proven).withheld == 1
    database.close()
    erased = central.task("erase", hearing, "--reason", "the judge's order")
    assert erased.returncode == 0, erased.stderr
    assert not (published / hearing / PATH).exists()
    assert (published / hearing / BY).read_bytes() == SECRET


class InterruptedReads(Database):
    """A database that calls something after its first read."""

    interrupt: Callable[[], Awaitable[object]] | None = None

    async def run_read(self, work: Callable[[Connection], Result]) -> Result:
        """See :class:`Database`."""
        result = await super().run_read(work)
        interrupt, self.interrupt = self.interrupt, None
        if interrupt is not None:
            await interrupt()
        return result


@pytest.mark.parametrize("first", ["release", "erase"])
def test_of_two_decisions_at_once_one_is_told_that_nothing_is_left(
    central: Central, kiosk: Kiosk, tmp_path: Path, first: str
) -> None:
    """Nobody is told "erased" of what was released, nor the other way round."""
    hearing = new_id()
    files = {PATH: CLEAR, BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    deliver(kiosk, hearing, files)
    assert kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure()).ok
    database = InterruptedReads(sqlite_url(central.data / "central.db"))
    held = Quarantine(database, FolderStore(central.data / "store"))
    decisions = {"release": held.release, "erase": held.erase}
    counts: list[int] = []

    async def decide_first() -> None:
        counts.append(await decisions.pop(first)(hearing, "the judge's order"))

    database.interrupt = decide_first
    (late,) = decisions.keys() - {first}
    with pytest.raises(RefusedError) as refusal:
        asyncio.run(decisions[late](hearing, "another judge's order"))
    assert (refusal.value.status, counts) == (404, [1])
    with database.read() as connection:
        table, row = schema.incidents, schema.quarantine
        told = connection.execute(
            select(table.c.code).where(table.c.subject == hearing).order_by(table.c.at)
        ).scalars()
        kept = connection.execute(select(row.c.decision).where(row.c.hearing == hearing)).all()
        codes = [code for code in told if code.startswith("quarantine_")]
    database.close()
    fetched = kiosk.call("GET", f"/v1/hearings/{hearing}/files/{PATH}")
    if first == "release":
        assert (fetched.status_code, fetched.content, kept) == (200, CLEAR, [])
        assert codes == ["quarantine_released"]
    else:
        assert fetched.status_code == 404
        assert ([decision for (decision,) in kept], codes) == (["erased"], [])


def test_a_release_that_a_kill_cuts_short_goes_on_and_nothing_of_it_is_erased(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    hearing = new_id()
    files = {PATH: CLEAR, BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    deliver(kiosk, hearing, files)
    assert kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure()).ok
    database = InterruptedDatabase(sqlite_url(central.data / "central.db"))
    store = FolderStore(central.data / "store")

    async def kill() -> None:
        raise KeyboardInterrupt

    database.interrupts, database.is_due = [kill], lambda: True
    held = Quarantine(database, store)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(held.release(hearing, "the judge's order"))
    erased = central.task("erase", hearing, "--reason", "another order", "--without-proof")
    assert erased.returncode != 0
    uploads, _ = upload_service(database, store, central.data, tmp_path / "spool")
    asyncio.run(ClosureService(database, store, uploads).resume())
    database.close()
    fetched = kiosk.call("GET", f"/v1/hearings/{hearing}/files/{PATH}")
    assert (fetched.status_code, fetched.content) == (200, CLEAR)
