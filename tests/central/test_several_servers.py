"""Several servers over one Postgres and one S3 store, behind HAProxy; all of them real.

No file lies on a server: an upload goes on at whichever server the next request comes to, and a
killed one takes nothing with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from kiosk.central.arrival.shared_intake import SharedIntake
from kiosk.central.data.database import Database
from kiosk.central.data.s3_store import S3Store
from tests.central.balancer import HAPROXY, balancer
from tests.central.external_services import postgres
from tests.central.hearing_sender import HearingSender
from tests.central.swift_server import BUCKET, CREDENTIALS, missing_swift, s3_client, swift
from tests.support.central_rig import Central, Kiosk, hearing_body, new_id
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

MIB = 1 << 20


@dataclass
class Fleet:
    """Two servers, the address of their balancer, and their store."""

    servers: list[Central]
    balancer: str
    stats: Path
    store: S3Client

    def sessions_by_server(self) -> dict[str, int]:
        """Return how many connections each server has got from the balancer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.stats))
            line.sendall(b"show stat\n")
            text = b"".join(iter(lambda: line.recv(65536), b"")).decode("ascii")
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        return {row["svname"]: int(row["stot"]) for row in rows if row["pxname"] == "servers"}

    def keys(self, part: str) -> list[str]:
        """Return the keys in the store under ``part``."""
        listed = self.store.list_objects_v2(Bucket=BUCKET, Prefix=f"kz/{part}")
        return [item["Key"] for item in listed.get("Contents", [])]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two servers of one court, each with a folder of its own for addresses and certificates."""
    if missing := missing_swift():
        pytest.skip(missing)
    if not HAPROXY.exists():
        pytest.skip("the Debian package haproxy is needed")
    folder = tmp_path_factory.mktemp("fleet")
    os.environ.update(CREDENTIALS)
    with contextlib.ExitStack() as stack:
        endpoint = stack.enter_context(swift())
        url = stack.enter_context(postgres())
        options = ("--database", url, "--store", f"s3://{BUCKET}/kz?endpoint={endpoint}")
        first = Central(folder / "a", options, database=url)
        second = Central(folder / "b", options, database=url)
        stack.enter_context(first)
        shutil.copytree(first.data / "authority", second.data / "authority")
        stack.enter_context(second)
        servers = [first, second]
        address = stack.enter_context(balancer(folder, servers))
        yield Fleet(servers, address, folder / "stats", s3_client(endpoint))


@pytest.fixture(scope="module")
def kiosks(fleet: Fleet) -> list[Kiosk]:
    """One kiosk, as it reaches each of the servers."""
    kiosk = fleet.servers[0].enrol()
    return [replace(kiosk, url=server.url) for server in fleet.servers]


def announced(
    kiosk: Kiosk, content: bytes, hearing: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Announce a hearing (default: a new one) of one file; return its id and what is missing."""
    hearing = hearing or new_id()
    body = hearing_body(hearing, {"a.m4s": content})
    return hearing, kiosk.put(f"/v1/hearings/{hearing}", body)["missing"][0]


def test_an_upload_goes_on_at_any_server(fleet: Fleet, kiosks: list[Kiosk]) -> None:
    first, second = kiosks
    content = os.urandom(12 * MIB + 345)
    hearing, file = announced(first, content)
    cuts = [0, 1000, 7 * MIB + 1, 7 * MIB + 2, 10 * MIB, len(content)]
    for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
        here, there = (first, second) if number % 2 else (second, first)
        assert here.patch(file["address"], start, content[start:stop]).status_code == 204
        assert there.offset(file["address"]) == stop
    state = second.get(f"/v1/uploads/{file['upload']}?wait=20")
    assert state["server_sha256"] == hashlib.sha256(content).hexdigest()
    assert first.get(f"/v1/hearings/{hearing}")["receipt"]["bytes"] == len(content)
    assert fleet.keys(f"arriving/{file['upload']}") == []


def test_the_newest_request_wins_wherever_it_comes(fleet: Fleet, kiosks: list[Kiosk]) -> None:
    """A PATCH hangs at one server, half-open; the kiosk goes on at the other one."""
    first, second = kiosks
    content = os.urandom(9 * MIB)
    _, file = announced(first, content)
    with first.tls() as hanging:
        head = (
            f"PATCH {file['address']} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
            "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        hanging.sendall(head.encode("ascii") + content[: 6 * MIB])
        wait_for(lambda: _received(second, file) == 5 * MIB, "the first part")
        assert second.offset(file["address"]) == 5 * MIB
        other = content[5 * MIB : 5 * MIB + 10]
        assert second.patch(file["address"], 5 * MIB, other).status_code == 204
        hanging.sendall(content[6 * MIB :])
        assert b" 423 " in hanging.recv(65536).splitlines()[0]
    assert second.offset(file["address"]) == 5 * MIB + 10
    rest = content[5 * MIB + 10 :]
    assert first.patch(file["address"], 5 * MIB + 10, rest).status_code == 204
    assert second.get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "complete"
    assert fleet.keys(f"arriving/{file['upload']}") == []


@pytest.mark.parametrize("is_other_wrong", [False, True])
def test_two_servers_that_get_one_place_at_once_mix_no_bytes(
    fleet: Fleet, kiosks: list[Kiosk], *, is_other_wrong: bool
) -> None:
    """A kiosk that was cut off sends again while the first request still comes in elsewhere."""
    for _ in range(4):
        content = os.urandom(11 * MIB + 5)
        hearing, file = announced(kiosks[0], content)
        bodies = [content, content[::-1] if is_other_wrong else content]
        with ThreadPoolExecutor() as pool:
            sent = pool.map(Kiosk.patch, kiosks, [file["address"]] * 2, [0, 0], bodies)
            answers = {answer.status_code for answer in sent}
        assert answers <= {204, 409, 423}
        while (state := kiosks[0].get(f"/v1/uploads/{file['upload']}?wait=20"))["state"] in (
            "receiving",
            "verifying",
        ):
            offset = kiosks[1].offset(file["address"])
            kiosks[1].patch(file["address"], offset, content[offset:])
        if state["state"] == "mismatch":
            assert is_other_wrong
            file = kiosks[0].put(
                f"/v1/hearings/{hearing}", hearing_body(hearing, {"a.m4s": content})
            )["missing"][0]
            assert kiosks[1].patch(file["address"], 0, content).status_code == 204
            assert kiosks[0].get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "complete"
        digest = hashlib.sha256(content).hexdigest()
        assert kiosks[1].get(f"/v1/hearings/{hearing}")["receipt"]["files"][0]["sha256"] == digest
        key = f"kz/objects/{file['upload'][:2]}/{file['upload']}"
        stored = fleet.store.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert hashlib.sha256(stored).hexdigest() == digest
        assert fleet.keys(f"arriving/{file['upload']}") == []


def _received(kiosk: Kiosk, file: dict[str, Any]) -> int:
    """Return the offset without taking the upload over."""
    return int(kiosk.get(f"/v1/uploads/{file['upload']}")["offset"])


def test_small_files_that_come_to_two_servers_at_once_are_taken_once(
    fleet: Fleet, kiosks: list[Kiosk]
) -> None:
    hearing = new_id()
    contents = {f"part-01/main/{n:06d}.m4s": os.urandom(2000) for n in range(8)}
    missing = kiosks[0].put(f"/v1/hearings/{hearing}", hearing_body(hearing, contents))["missing"]
    files = [(row, contents[row["path"]]) for row in missing]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda here=here: answers.append(here.send_together(files)))
        for here in kiosks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [200, 200]
    found = [{row["code"] or row["result"] for row in answer.json()["files"]} for answer in answers]
    assert set.union(*found) <= {"taken", "present", "busy"}
    again = kiosks[1].send_together(files).json()["files"]
    assert {row["result"] for row in again} == {"present"}
    assert kiosks[0].get(f"/v1/hearings/{hearing}")["receipt"]["bytes"] == 16_000
    for row in missing:
        assert fleet.keys(f"arriving/{row['upload']}") == []


def test_parts_that_the_store_has_lost_are_sent_again(fleet: Fleet, kiosks: list[Kiosk]) -> None:
    """The bucket's rules may abort uploads that were begun long ago."""
    first, second = kiosks
    content = os.urandom(6 * MIB)
    _, file = announced(first, content)
    assert first.patch(file["address"], 0, content[: 5 * MIB]).status_code == 204
    key = f"kz/objects/{file['upload'][:2]}/{file['upload']}"
    listed = fleet.store.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    begun = next(item["UploadId"] for item in listed if item["Key"] == key)
    fleet.store.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=begun)
    first.patch(file["address"], 5 * MIB, content[5 * MIB :])
    first.call("GET", f"/v1/uploads/{file['upload']}?wait=20")
    wait_for(lambda: second.offset(file["address"]) == 0, "to begin again")
    assert second.patch(file["address"], 0, content).status_code == 204
    assert first.get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "complete"


def test_parts_that_no_upload_names_are_aborted(fleet: Fleet, kiosks: list[Kiosk]) -> None:
    """A killed server leaves them: the store keeps them for ever, and nobody sees them."""
    content = os.urandom(6 * MIB)
    _, file = announced(kiosks[0], content)
    assert kiosks[0].patch(file["address"], 0, content[: 5 * MIB]).status_code == 204
    left = fleet.store.create_multipart_upload(Bucket=BUCKET, Key="kz/objects/ab/left")["UploadId"]
    server = fleet.servers[0]
    assert server.database is not None
    database = Database(server.database)
    url = server.arguments[server.arguments.index("--store") + 1]
    intake = SharedIntake(database, S3Store.from_url(url))

    def begun() -> set[str]:
        found = fleet.store.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return {item["UploadId"] for item in found}

    asyncio.run(intake.abort_stale())
    assert left in begun(), "perhaps somebody has just begun it"
    assert asyncio.run(intake.abort_stale(timedelta(seconds=-60))) >= 1
    assert left not in begun()
    database.close()
    assert kiosks[1].patch(file["address"], 5 * MIB, content[5 * MIB :]).status_code == 204
    assert kiosks[1].get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "complete"


def test_a_link_check_is_followed_at_another_server(kiosks: list[Kiosk]) -> None:
    first, second = kiosks
    token = first.call("POST", "/v1/link/token").json()["token"]
    path = f"/v1/link/up?token={token}"
    lines: list[dict[str, Any]] = []

    def follow() -> None:
        with requests.Session() as http:
            http.trust_env, http.verify = False, str(first.ca)
            http.cert = (str(first.certificate), str(first.key_file))
            with http.get(first.url + path, stream=True, timeout=20) as answer:
                lines.extend(json.loads(line) for line in answer.iter_lines())

    follower = threading.Thread(target=follow)
    follower.start()
    counted = second.call("POST", path, data=_until(lambda: len(lines) >= 3, 10)).json()
    follower.join()
    assert [line["bytes"] for line in lines[:-1]] == counted["windows"]
    assert lines[-1] == counted
    assert first.call("POST", path, data=b"x").status_code == 403, "a token counts once"
    with second.http.get(
        f"{second.url}/v1/link/down?token={token}&seconds=0.2", stream=True, timeout=20
    ) as answer:
        assert answer.status_code == 200


def _until(is_enough: Callable[[], bool], seconds: float) -> Iterator[bytes]:
    """Yield bytes until it is enough: the follower hears of them while they come."""
    end = time.monotonic() + seconds
    while not is_enough() and time.monotonic() < end:
        yield bytes(1000)
        time.sleep(0.01)


def test_a_server_killed_amid_uploads_takes_nothing_with_it(fleet: Fleet) -> None:
    kiosk = replace(fleet.servers[0].enrol("kiosk-0002"), url=fleet.balancer)
    sizes = {"a.m4s": 13 * MIB + 7, "b.m4s": 6 * MIB, "c.m4s": 70_000, "d.json": 0}
    senders = [
        HearingSender({path: os.urandom(size) for path, size in sizes.items()}, kiosk.call)
        for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    wait_for(lambda: sum(sender.patches for sender in senders) > 8, "some uploads", 120)
    before = fleet.sessions_by_server()
    assert min(before["s0"], before["s1"]) > 0, "both servers take part"
    fleet.servers[0].kill()
    for sender in senders:
        sender.join(200)
    assert not any(sender.is_alive() for sender in senders)
    for sender in senders:
        listed = {file["path"]: file["sha256"] for file in sender.receipt["files"]}
        assert listed == {
            path: hashlib.sha256(content).hexdigest() for path, content in sender.files.items()
        }
        state = kiosk.get(f"/v1/hearings/{sender.hearing}")
        assert state["receipt"] == sender.receipt, "one receipt, which does not change"
        for path, content in sender.files.items():
            got = kiosk.call("GET", f"/v1/hearings/{sender.hearing}/files/{path}").content
            assert got == content
    assert fleet.keys("arriving/") == []
    stored = len(fleet.keys("objects/"))
    fleet.servers[0].start()
    assert len(fleet.keys("objects/")) == stored
