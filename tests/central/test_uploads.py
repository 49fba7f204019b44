"""Uploads: tus 1.0 with interruptions, kills of the real server, the server's own hashes."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.central_rig import TUS, Central, Kiosk, file_of, new_id
from tests.support.waiting import wait_for


def announce(
    kiosk: Kiosk, content: bytes, upload: str | None = None, **more: Any
) -> dict[str, Any]:
    body = file_of("part-01/main/000001.m4s", content) | {"kind": "hearing", "owner": new_id()}
    answer: dict[str, Any] = kiosk.put(f"/v1/uploads/{upload or new_id()}", body | more)
    return answer


def state(kiosk: Kiosk, upload: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = kiosk.get(f"/v1/uploads/{upload['upload']}?wait=20")
    return answer


def trickle(content: bytes, stop: threading.Event) -> Iterator[bytes]:
    """Yield ``content`` and then keep the body open until ``stop``."""
    yield content
    stop.wait(30)


@pytest.mark.slow
def test_a_file_in_pieces_ends_in_a_receipt_with_the_servers_own_hash(kiosk: Kiosk) -> None:
    content = os.urandom(300_000)
    upload = announce(kiosk, content)
    assert (upload["state"], upload["offset"]) == ("receiving", 0)
    for start in range(0, len(content), 100_000):
        answer = kiosk.patch(upload["address"], start, content[start : start + 100_000])
        assert answer.status_code == 204
        assert answer.headers["Upload-Offset"] == str(start + 100_000)
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    done = state(kiosk, upload)
    assert done["state"] == "complete"
    assert done["server_sha256"] == hashlib.sha256(content).hexdigest()
    assert done["receipt"]["files"] == [file_of("part-01/main/000001.m4s", content)]
    assert kiosk.offset(upload["address"]) == len(content)


@pytest.mark.slow
def test_a_file_that_cannot_be_checked_is_said_to_be_so(tmp_path: Path) -> None:
    with Central(tmp_path / "data") as central:
        kiosk = central.enrol()
        objects = central.data / "store" / "objects"
        objects.rename(objects.with_name("away"))
        objects.touch()  # as a disk that fails
        upload = announce(kiosk, b"content")
        assert kiosk.patch(upload["address"], 0, b"content").status_code == 204
        answer = kiosk.call("GET", f"/v1/uploads/{upload['upload']}?wait=20")
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
        objects.unlink()
        objects.with_name("away").rename(objects)
        assert state(kiosk, upload)["state"] == "complete"


@pytest.mark.slow
def test_a_disk_that_takes_no_new_file_is_a_failing_disk(central: Central, kiosk: Kiosk) -> None:
    upload = announce(kiosk, b"content")
    spooled = central.data / "spool" / upload["upload"]
    spooled.symlink_to(central.data / "no such folder" / "file")
    answer = kiosk.patch(upload["address"], 0, b"content")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
    spooled.unlink()
    assert kiosk.patch(upload["address"], 0, b"content").status_code == 204
    assert state(kiosk, upload)["state"] == "complete"


def test_the_same_announcement_gives_the_same_address_another_one_is_refused(
    kiosk: Kiosk, neighbour: Kiosk
) -> None:
    owner, upload = new_id(), new_id()
    first = announce(kiosk, b"abc", upload, owner=owner)
    assert announce(kiosk, b"abc", upload, owner=owner) == first
    body = file_of("a", b"other") | {"kind": "hearing", "owner": owner}
    assert kiosk.call("PUT", f"/v1/uploads/{upload}", json=body).json()["code"] == "content_differs"
    stolen = neighbour.call("PUT", f"/v1/uploads/{upload}", json=body)
    assert (stolen.status_code, stolen.json()["code"]) == (403, "foreign")


def test_a_kiosk_sees_nothing_of_another_ones_upload(kiosk: Kiosk, neighbour: Kiosk) -> None:
    upload = announce(kiosk, b"secret")
    assert neighbour.call("GET", f"/v1/uploads/{upload['upload']}").status_code == 404
    assert neighbour.call("HEAD", upload["address"], headers=TUS).status_code == 404
    assert neighbour.patch(upload["address"], 0, b"secret").status_code == 404
    squat = file_of("x", b"1") | {"kind": "hearing", "owner": upload["owner"]}
    assert neighbour.call("PUT", f"/v1/uploads/{new_id()}", json=squat).status_code == 403


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Upload-Offset": "1"}, b"abc", 409, "offset_differs"),
        ({"Upload-Offset": "-1"}, b"abc", 400, "malformed"),
        ({"Tus-Resumable": "0.2.2"}, b"abc", 412, "tus_version"),
        ({"Content-Type": "application/json"}, b"abc", 415, "malformed"),
        ({}, b"abcd", 413, "too_long"),
        ({"Upload-Checksum": "sha256 AAAA"}, b"abc", 400, "malformed"),
        ({"Upload-Checksum": "md5 AAAA"}, b"abc", 400, "malformed"),
        (
            {"Upload-Checksum": "sha256 " + base64.b64encode(bytes(32)).decode()},
            b"abc",
            460,
            "checksum_differs",
        ),
    ],
)
def test_what_tus_does_not_allow_changes_nothing(
    kiosk: Kiosk, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    upload = announce(kiosk, b"abc")
    answer = kiosk.patch(upload["address"], 0, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert kiosk.offset(upload["address"]) == 0


def test_a_body_with_its_checksum_is_taken(kiosk: Kiosk) -> None:
    upload = announce(kiosk, b"abc")
    digest = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    answer = kiosk.patch(upload["address"], 0, b"abc", **{"Upload-Checksum": f"sha256 {digest}"})
    assert answer.status_code == 204
    assert state(kiosk, upload)["state"] == "complete"


def test_a_chunked_body_longer_than_the_file_is_refused(kiosk: Kiosk) -> None:
    upload = announce(kiosk, b"abc")
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    answer = kiosk.call("PATCH", upload["address"], data=iter([b"abc", b"def"]), headers=headers)
    assert answer.status_code == 413


def test_an_empty_file_is_complete_without_a_patch(kiosk: Kiosk) -> None:
    upload = announce(kiosk, b"")
    assert state(kiosk, upload)["server_sha256"] == hashlib.sha256(b"").hexdigest()


def test_a_wrong_hash_is_found_by_the_server_and_the_upload_is_dead(kiosk: Kiosk) -> None:
    upload = announce(kiosk, b"good")
    assert kiosk.patch(upload["address"], 0, b"evil").status_code == 204
    found = state(kiosk, upload)
    assert (found["state"], found["receipt"]) == ("mismatch", None)
    assert found["server_sha256"] == hashlib.sha256(b"evil").hexdigest()
    head = kiosk.call("HEAD", upload["address"], headers=TUS)
    assert (head.status_code, head.headers["Court-Error"]) == (410, "upload_dead")
    assert kiosk.patch(upload["address"], 4, b"").status_code == 410
    fresh = announce(kiosk, b"good", owner=upload["owner"])
    assert kiosk.patch(fresh["address"], 0, b"good").status_code == 204
    assert state(kiosk, fresh)["state"] == "complete"


def test_who_comes_later_breaks_off_a_half_open_patch(central: Central, kiosk: Kiosk) -> None:
    content = os.urandom(200_000)
    upload = announce(kiosk, content)
    spool = central.data / "spool" / upload["upload"]
    with kiosk.tls() as dead:
        dead.sendall(
            f"PATCH {upload['address']} HTTP/1.1\r\nHost: localhost\r\n"
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content[:150_000]
        )
        wait_for(functools.partial(_has, spool, 150_000), "the bytes")
        # The line is silent now, but open. HEAD must not wait for its time-out.
        have = kiosk.offset(upload["address"])
        assert have == 150_000
        assert kiosk.patch(upload["address"], have, content[have:]).status_code == 204
    assert state(kiosk, upload)["state"] == "complete"


def test_a_broken_body_is_kept_as_far_as_it_came(central: Central, kiosk: Kiosk) -> None:
    content = os.urandom(400_000)
    upload = announce(kiosk, content)
    spool = central.data / "spool" / upload["upload"]
    with kiosk.tls() as line:
        line.sendall(
            f"PATCH {upload['address']} HTTP/1.1\r\nHost: localhost\r\n"
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content[:250_000]
        )
        wait_for(functools.partial(_has, spool, 250_000), "the bytes")
    have = kiosk.offset(upload["address"])
    assert have == 250_000
    assert kiosk.patch(upload["address"], have, content[have:]).status_code == 204
    assert state(kiosk, upload)["state"] == "complete"


def test_two_senders_at_once_never_mix_bytes(kiosk: Kiosk) -> None:
    content = os.urandom(2_000_000)
    upload = announce(kiosk, content)

    def send() -> None:
        with requests.Session() as http:
            http.trust_env, http.verify, http.cert = False, kiosk.http.verify, kiosk.http.cert
            headers = TUS | {
                "Upload-Offset": "0",
                "Content-Type": "application/offset+octet-stream",
            }
            url = kiosk.url + upload["address"]
            with contextlib.suppress(requests.exceptions.ConnectionError):  # another took over
                http.patch(url, data=content, headers=headers, timeout=60)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while (have := kiosk.offset(upload["address"])) < len(content):
        answer = kiosk.patch(upload["address"], have, content[have:])
        assert answer.status_code in (204, 409, 423), "sent, or somebody else was at it"
    assert state(kiosk, upload)["server_sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.slow
def test_killed_in_the_middle_of_a_patch_it_goes_on_where_it_was(tmp_path: Path) -> None:
    content = os.urandom(1_500_000)
    with Central(tmp_path / "data") as central:
        kiosk = central.enrol()
        upload = announce(kiosk, content)
        spool, sent = central.data / "spool" / upload["upload"], 0
        for cut in (400_000, 900_000):
            stop = threading.Event()
            body = trickle(content[sent:cut], stop)
            sender = threading.Thread(target=_patch_until_dead, args=(kiosk, upload, sent, body))
            sender.start()
            wait_for(functools.partial(_has, spool, cut), "the bytes")
            central.kill()
            stop.set()
            sender.join()
            central.start()
            sent = kiosk.offset(upload["address"])
            assert sent == cut, "what the kernel had is still there"
        assert kiosk.patch(upload["address"], sent, content[sent:]).status_code == 204
        done = state(kiosk, upload)
        assert done["server_sha256"] == hashlib.sha256(content).hexdigest()
        assert central.stop() == 0


def _has(spool: Path, size: int) -> bool:
    return spool.exists() and spool.stat().st_size == size


def _patch_until_dead(
    kiosk: Kiosk, upload: dict[str, Any], offset: int, body: Iterator[bytes]
) -> None:
    headers = TUS | {
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    with pytest.raises(requests.exceptions.ConnectionError):
        kiosk.call("PATCH", upload["address"], data=body, headers=headers)


def test_tus_says_its_version_and_limits_in_every_answer(kiosk: Kiosk) -> None:
    address = f"/v1/tus/{new_id()}"
    told = kiosk.call("OPTIONS", address).headers
    assert (told["Tus-Version"], told["Tus-Extension"]) == ("1.0.0", "checksum")
    assert int(told["Tus-Max-Size"]) == 1 << 40
    other = kiosk.call("HEAD", address, headers={"Tus-Resumable": "0.2.2"})
    assert (other.status_code, other.headers["Tus-Version"]) == (412, "1.0.0")
    absent = kiosk.call("HEAD", address, headers=TUS)
    assert (absent.status_code, absent.headers["Tus-Resumable"]) == (404, "1.0.0")


def test_a_line_that_lets_no_patch_through_gets_a_post(kiosk: Kiosk) -> None:
    body = file_of("a.m4s", b"content") | {"kind": "hearing", "owner": new_id()}
    upload = kiosk.put(f"/v1/uploads/{new_id()}", body)
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}

    def post(method: str, data: bytes = b"") -> requests.Response:
        override = headers | {"X-HTTP-Method-Override": method}
        return kiosk.call("POST", upload["address"], data=data, headers=override)

    sent = post("PATCH", b"content")
    assert (sent.status_code, sent.headers["Upload-Offset"]) == (204, "7")
    asked = post("HEAD")
    assert (asked.status_code, asked.headers["Upload-Offset"]) == (200, "7")
    assert post("DELETE").status_code == 405
    assert kiosk.get(f"/v1/uploads/{upload['upload']}?wait=20")["state"] == "complete"


def test_errors_are_problems_that_older_kiosks_can_read(kiosk: Kiosk) -> None:
    answer = kiosk.call("GET", f"/v1/uploads/{new_id()}")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "not found"}
    assert answer.json() == problem | {"code": "not_found", "message": "not found"}
