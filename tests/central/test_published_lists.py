"""The list of a hearing's files in the S3 store, when two servers write it at the same moment."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, text

from kiosk.central.data.object_store import FolderStore
from tests.central.external_services import postgres
from tests.central.swift_server import BUCKET, CREDENTIALS, missing_swift, s3_client, swift
from tests.central.test_closures import (
    BY,
    CLEAR,
    ENCRYPTED,
    PATH,
    PATH2,
    SECRET,
    closure,
    deliver,
    new_journal,
)
from tests.support.central_rig import Central, new_id
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

LIST = f"PUT /{BUCKET}/kz/hearings/".encode("ascii")
OTHER = os.urandom(30_000)


@dataclass
class Line:
    """A line to the S3 server, on which the next list can be held up."""

    port: int
    target: int
    free: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)

    def carry(self, caller: socket.socket) -> None:
        """Carry one connection until it ends."""
        with caller, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=_copy, args=(server, caller))
            back.start()
            while block := caller.recv(65536):
                if block.startswith(LIST) and not self.free.is_set():
                    self.held.set()
                    self.free.wait(60)
                server.sendall(block)
            server.shutdown(socket.SHUT_WR)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)


@contextlib.contextmanager
def line_to(endpoint: str) -> Iterator[Line]:
    """Yield a free line to ``endpoint``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(listener.getsockname()[1], int(urlsplit(endpoint).port or 0))
        line.free.set()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = listener.accept()
                    threading.Thread(target=line.carry, args=(caller,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield line
        listener.shutdown(socket.SHUT_RDWR)


def test_two_servers_that_close_files_of_a_hearing_leave_none_of_them_on_its_list(
    tmp_path: Path,
) -> None:
    if missing := missing_swift():
        pytest.skip(missing)
    os.environ.update(CREDENTIALS)
    with contextlib.ExitStack() as stack:
        endpoint = stack.enter_context(swift())
        line = stack.enter_context(line_to(endpoint))
        url = stack.enter_context(postgres())
        ways = {"a": f"http://127.0.0.1:{line.port}", "b": endpoint}
        servers = [
            Central(
                tmp_path / name,
                ("--database", url, "--store", f"s3://{BUCKET}/kz?endpoint={way}"),
                database=url,
            )
            for name, way in ways.items()
        ]
        stack.enter_context(servers[0])
        shutil.copytree(servers[0].data / "authority", servers[1].data / "authority")
        stack.enter_context(servers[1])
        first = servers[0].enrol()
        second = replace(first, url=servers[1].url)
        hearing = new_id()
        journal = new_journal(first, hearing, tmp_path)
        replacement = {"by": ENCRYPTED, "by_sha256": sha256(SECRET).hexdigest()}
        clear = {PATH: CLEAR, PATH2: OTHER}
        replaced = [
            {"part": 1, "file": path.partition("/")[2], "sha256": sha256(content).hexdigest()}
            | replacement
            for path, content in clear.items()
        ]
        journal.append("closed_since", {"replaced": replaced})
        journal.close()
        files = clear | {BY: SECRET, "journal.jsonl": (tmp_path / "journal.jsonl").read_bytes()}
        assert deliver(first, hearing, files)["receipt"] is not None
        store = s3_client(endpoint)

        def listed() -> set[str]:
            body = store.get_object(Bucket=BUCKET, Key=f"kz/hearings/{hearing}.json")["Body"]
            return set(json.loads(body.read()))

        assert listed() == set(files)
        answers: list[Any] = []

        def close(number: int, path: str) -> threading.Thread:
            kiosk, body = (first, second)[number], closure(clear[path], path)
            address = f"/v1/hearings/{hearing}/closures"
            work = threading.Thread(
                target=lambda: answers.append(kiosk.call("POST", address, json=body).status_code)
            )
            work.start()
            return work

        engine = create_engine(url)

        def is_waiting() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with engine.connect() as connection:
                return bool(connection.execute(text(query)).scalar_one())

        line.free.clear()
        slow = close(0, PATH)
        wait_for(line.held.is_set, "the list of the first server")
        quick = close(1, PATH2)
        wait_for(lambda: is_waiting() or not quick.is_alive(), "the second server")
        line.free.set()
        slow.join()
        quick.join()
        engine.dispose()
        assert answers == [200, 200]
        assert listed() == {BY, "journal.jsonl"}


def test_a_folder_loses_links_that_are_listed_no_more_but_never_the_last_name_of_bytes(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "store")
    for key in ("upload-a", "upload-b"):
        (tmp_path / key).write_bytes(CLEAR)
        store.put_file(tmp_path / key, key)
    store.publish_delivery("hearing", "h", {PATH: "upload-a", PATH2: "upload-b"})
    folder = tmp_path / "store" / "hearings" / "h"
    (folder / "part-01" / "from-a-drive").write_bytes(OTHER)
    store.remove_file("upload-b")
    store.publish_delivery("hearing", "h", {})
    assert {file.name for file in folder.rglob("*") if file.is_file()} == {
        "from-a-drive",
        Path(PATH2).name,
    }
    assert store.has("upload-a")
