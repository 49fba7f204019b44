"""Claiming a hearing's id and what is written under it: one transaction, on every server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from kiosk.central.arrival.spool import Spool
from kiosk.central.contract import UploadAnnouncement
from kiosk.central.data import schema
from kiosk.central.data.database import Database, sqlite_url
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.hearing_owners import HearingOwners
from kiosk.central.deliveries.uploads import UploadService
from kiosk.central.errors import RefusedError
from kiosk.central.identity.authority import ReceiptSigner
from kiosk.central.server import open_authority
from tests.central.external_services import postgres
from tests.support.central_rig import file_of, new_id
from tests.support.waiting import wait_for


class Server:
    """One of several servers on a database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.database.create_tables()
        signer = ReceiptSigner(*open_authority(folder).server_files(["localhost"]))
        store = FolderStore(folder / "store")
        spool = Spool(folder / "spool", self.database, store)
        self.owners = HearingOwners(self.database, store)
        self._uploads = UploadService(self.database, store, spool, signer)

    def announce(self, kiosk: str, hearing: str) -> str:
        """Announce a file of a hearing; return "taken" or the code of the refusal."""
        announcement = UploadAnnouncement(kind="hearing", owner=hearing, **file_of("x", b"x"))
        try:
            asyncio.run(self._uploads.announce(kiosk, new_id(), announcement))
        except RefusedError as error:
            return error.code
        return "taken"

    def standing(self, hearing: str) -> tuple[str | None, list[str]]:
        """Return to whom an id is bound, and whose files lie under it."""
        owners, uploads = schema.owners, schema.uploads
        bound = select(owners.c.kiosk).where(owners.c.hearing == hearing)
        sent = select(uploads.c.kiosk).where(uploads.c.owner == hearing)
        with self.database.read() as connection:
            owner = connection.execute(bound).scalar_one_or_none()
            return owner, list(connection.execute(sent).scalars())

    def is_waiting(self) -> bool:
        """Return whether a transaction waits for another one (SQLite does not say: True)."""
        if self.database.engine.dialect.name == "sqlite":
            return True
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with self.database.read() as connection:
            return bool(connection.execute(text(query)).scalar_one())


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Two servers on one database, with a kiosk in each of two courtrooms."""
    folder = tmp_path_factory.mktemp("servers")
    if request.param == "postgres":
        with postgres() as url:
            yield from _start(url, folder)
    else:
        yield from _start(sqlite_url(folder / "central.db"), folder)


def _start(url: str, folder: Path) -> Iterator[tuple[Server, Server]]:
    started = Server(url, folder), Server(url, folder)
    with started[0].database.write() as connection:
        connection.execute(schema.courts.insert().values(id="1", name={}, timezone="UTC"))
        for kiosk, room in (("a", "1"), ("b", "2")):
            connection.execute(schema.kiosks.insert().values(id=kiosk, court="1", room=room))
    yield started
    for server in started:
        server.database.close()


def put_on_schedule(server: Server, hearing: str, room: str) -> None:
    """Give a hearing to a courtroom."""
    row = {"id": hearing, "court": "1", "room": room, "scheduled_at": "2030", "hearing": {}}
    with server.database.write() as connection:
        connection.execute(schema.schedule.insert().values(**row))


def test_what_a_kiosk_writes_is_claimed_in_the_same_step(servers: tuple[Server, Server]) -> None:
    server, hearing = servers[0], new_id()
    assert server.announce("a", hearing) == "taken"
    put_on_schedule(server, hearing, "2")
    assert server.announce("b", hearing) == "taken"
    assert server.announce("a", hearing) == "other_room"  # a request that began before, too
    assert server.standing(hearing) == ("b", ["b"])


class Race:
    """Kiosk a claims a hearing on the first server; ``other`` runs before its transaction ends."""

    def __init__(self, servers: tuple[Server, Server], *, is_refused: bool = False) -> None:
        self.hearing = new_id()
        self.answers: list[str] = []
        self._server = servers[0]
        self._is_refused = is_refused
        self._claimed, self._go_on = threading.Event(), threading.Event()

    def run(self, other: Callable[[], object]) -> None:
        """See both of them through."""
        threads = [threading.Thread(target=self._hold), threading.Thread(target=other)]
        threads[0].start()
        assert self._claimed.wait(60)
        threads[1].start()
        wait_for(self._server.is_waiting, "the second transaction waits for the first")
        self._go_on.set()
        for thread in threads:
            thread.join()

    def _hold(self) -> None:
        try:
            asyncio.run(self._server.owners.write("a", "hearing", self.hearing, self._work))
        except RefusedError as error:
            self.answers.append(error.code)

    def _work(self, connection: Connection) -> None:
        values = {"size": 1, "sha256": "0" * 64, "created_at": "", "state": "receiving"}
        values |= {"id": new_id(), "kiosk": "a", "kind": "hearing", "path": "x"}
        connection.execute(schema.uploads.insert().values(owner=self.hearing, **values))
        self._claimed.set()
        assert self._go_on.wait(60)
        if self._is_refused:
            raise RefusedError(422, "refused_late")


@pytest.mark.parametrize("is_refused", [False, True])
def test_two_servers_give_an_id_to_one_kiosk(
    servers: tuple[Server, Server], *, is_refused: bool
) -> None:
    race = Race(servers, is_refused=is_refused)
    race.run(lambda: race.answers.append(servers[1].announce("b", race.hearing)))
    if is_refused:
        assert sorted(race.answers) == ["refused_late", "taken"]
        assert servers[0].standing(race.hearing) == ("b", ["b"]), "a refused request binds nothing"
    else:
        assert race.answers == ["foreign"]
        assert servers[0].standing(race.hearing) == ("a", ["a"])


def test_court_it_reassigns_while_another_kiosk_writes(servers: tuple[Server, Server]) -> None:
    race = Race(servers)
    race.run(lambda: asyncio.run(servers[1].owners.reassign(race.hearing, "b", "IT")))
    assert servers[0].standing(race.hearing) == ("b", [])
    assert servers[0].announce("a", race.hearing) == "foreign"
    assert servers[1].announce("b", race.hearing) == "taken"
