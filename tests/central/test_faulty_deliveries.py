"""One kiosk's faulty delivery, or one lost file, stops neither a request nor the server's start."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.central.contract import Closure
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.closure_proof import ClosureProof
from kiosk.central.deliveries.closures import record_closures
from kiosk.central.server import open_database
from kiosk.evidence.chain import GENESIS
from tests.central.test_closures import (
    BY,
    CLEAR,
    PATH,
    SECRET,
    closure,
    deliver,
    journal,
    places,
    send_early,
)
from tests.support.central_rig import Central, Kiosk, hearing_body, new_id


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Central]:
    """A central system that a test restarts."""
    with Central(tmp_path / "data") as started:
        yield started


def closed_line(**more: object) -> bytes:
    """Return the first line of a journal, which says that something was replaced."""
    replaced = {"part": 1, "file": "x", "sha256": "0" * 64, "by": "", "by_sha256": ""} | more
    entry = {"n": 1, "prev": GENESIS, "kind": "closed_since", "replaced": [replaced]}
    return json.dumps(entry).encode() + b"\n"


FAULTY = {
    "no hash": closed_line(by="y", by_sha256="zz"),
    "deeply nested": b"[" * 200_000 + b"\n",
    "endless number": closed_line(part=float("inf")),
    "no text": closed_line(file=["x"]),
    "no path": closed_line(file="../../x"),
}


@pytest.mark.parametrize("line", FAULTY.values(), ids=FAULTY)
def test_a_faulty_journal_line_proves_nothing(kiosk: Kiosk, line: bytes) -> None:
    hearing = new_id()
    send_early(kiosk, hearing)
    standing = deliver(kiosk, hearing, {"journal.jsonl": line})
    assert (standing["receipt"], standing["problem"]) == (None, "files_left_out")


def test_a_signed_line_that_is_faulty_proves_nothing(kiosk: Kiosk, tmp_path: Path) -> None:
    hearing = new_id()
    send_early(kiosk, hearing)
    whole = journal(kiosk, hearing, tmp_path, by_sha256="zz")
    standing = deliver(kiosk, hearing, {"journal.jsonl": whole})
    assert (standing["receipt"], standing["problem"]) == (None, "files_left_out")


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b/c", "x", "a")])
def test_a_path_is_a_file_or_a_folder(kiosk: Kiosk, paths: tuple[str, ...]) -> None:
    hearing = new_id()
    body = hearing_body(hearing, dict.fromkeys(paths, b"1"))
    answer = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    body = hearing_body(hearing, {"a": b"1", "a.b": b"1", "b/a": b"1"})
    assert kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body).status_code == 200


def test_one_lost_file_stops_no_start(server: Central) -> None:
    kiosk = server.enrol("kiosk-0001")
    lost, kept, closed = new_id(), new_id(), new_id()
    for hearing in (lost, kept):
        deliver(kiosk, hearing, {"hearing.json": b"{}"})
    upload = send_early(kiosk, closed)
    kiosk.call("POST", f"/v1/hearings/{closed}/closures", json=closure())
    server.stop()
    with closing(sqlite3.connect(server.data / "central.db")) as database, database:
        database.execute("UPDATE deliveries SET receipt = NULL, completed_at = NULL")
        database.execute("UPDATE uploads SET ended_at = NULL WHERE id = ?", (upload,))
        query = "SELECT id FROM uploads WHERE owner = ?"
        ((missing,),) = database.execute(query, (lost,)).fetchall()
    store = server.data / "store"
    (store / "objects" / missing[:2] / missing).unlink()
    (store / "hearings" / lost / "hearing.json").unlink()
    withheld = store / "quarantine" / upload
    withheld.rename(store / "objects" / upload[:2] / upload)
    (withheld / "something").mkdir(parents=True)  # in the way
    server.start()
    given = {one: kiosk.get(f"/v1/hearings/{one}")["receipt"] for one in (lost, kept)}
    assert (given[lost], given[kept] is not None) == (None, True)
    assert (store / "objects" / upload[:2] / upload).read_bytes() == CLEAR, "not lost"


KILLED_WHILE_ERASING = """
import asyncio, os, pathlib, signal, sys
from kiosk.central.data.object_store import FolderStore
from kiosk.central.deliveries.quarantine import Quarantine
from kiosk.central.server import open_database

class KilledStore(FolderStore):
    def withhold_file(self, key):
        os.kill(os.getpid(), signal.SIGKILL)

data, hearing = pathlib.Path(sys.argv[1]), sys.argv[2]
held = Quarantine(open_database(data), KilledStore(data / "store"))
asyncio.run(held.erase(hearing, "the judge's order"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("is_killed_again", [False, True])
def test_a_plain_file_is_erased_though_processes_are_killed_on_the_way(
    server: Central, tmp_path: Path, *, is_killed_again: bool
) -> None:
    kiosk, hearing = server.enrol(), new_id()
    files = {PATH: CLEAR, BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    deliver(kiosk, hearing, files)
    with closing(sqlite3.connect(server.data / "central.db")) as rows:
        ((upload,),) = rows.execute("SELECT id FROM uploads WHERE path = ?", (PATH,))
    server.kill()
    database = open_database(server.data)
    proven = asyncio.run(ClosureProof(database, FolderStore(server.data / "store")).find(hearing))
    (body,) = closure()["closures"]
    with database.write() as connection:  # the server was killed before it moved the file
        record_closures(connection, kiosk.id, hearing, [Closure(**body)], proven)
    database.close()
    if is_killed_again:
        command = [sys.executable, "-c", KILLED_WHILE_ERASING, str(server.data), hearing]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert places(server, upload) != [], "not erased yet"
        server.start()
    else:
        assert server.task("erase", hearing, "--reason", "the judge's order").returncode == 0
    assert places(server, upload) == []
    assert not (server.data / "store" / "hearings" / hearing / PATH).exists()
    assert (server.data / "store" / "hearings" / hearing / BY).read_bytes() == SECRET
