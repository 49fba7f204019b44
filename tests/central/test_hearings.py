"""Hearings and reports: manifest, what is missing, receipt, heads, fetching back."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.central_rig import (
    KIOSK_TIME,
    Central,
    Kiosk,
    file_of,
    head_body,
    hearing_body,
    new_id,
    new_key,
)
from tests.support.waiting import wait_for

FILES = {
    "SHA256SUMS": b"sums",
    "hearing.json": b"{}",
    "part-01/main/run-01/000001.m4s": os.urandom(50_000),
    "part-01/channels/run-01/000001.m4s": os.urandom(20_000),
}


@pytest.fixture(scope="module")
def delivered(kiosk: Kiosk) -> dict[str, Any]:
    """A hearing that was delivered completely."""
    hearing = new_id()
    standing = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, FILES))
    assert standing["state"] == "receiving"
    assert [file["path"] for file in standing["missing"]] == sorted(FILES)
    kiosk.send(standing["missing"], FILES)
    answer: dict[str, Any] = kiosk.get(f"/v1/hearings/{hearing}")
    return answer


@pytest.mark.slow
def test_the_receipt_comes_when_the_last_file_is_complete(delivered: dict[str, Any]) -> None:
    assert (delivered["state"], delivered["missing"]) == ("complete", [])
    assert delivered["bytes_done"] == sum(map(len, FILES.values()))
    assert delivered["receipt"]["files"] == [file_of(path, FILES[path]) for path in sorted(FILES)]


def test_the_receipt_is_signed_by_the_courts_server(
    central: Central, delivered: dict[str, Any]
) -> None:
    receipt = dict(delivered["receipt"])
    certificate = x509.load_pem_x509_certificate(receipt.pop("certificate").encode())
    signature = base64.b64decode(receipt.pop("signature"))
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(central.ca.read_bytes()))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    text = json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    key.verify(signature, text.encode(), ec.ECDSA(hashes.SHA256()))


def test_what_was_delivered_lies_as_a_folder(central: Central, delivered: dict[str, Any]) -> None:
    folder = central.data / "store" / "hearings" / delivered["id"]
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert sorted(found) == sorted(FILES)
    assert all(path.read_bytes() == FILES[name] for name, path in found.items())


def test_it_is_fetched_back_whole_and_in_ranges_by_its_own_kiosk_only(
    kiosk: Kiosk, neighbour: Kiosk, delivered: dict[str, Any]
) -> None:
    path = f"/v1/hearings/{delivered['id']}/files/part-01/main/run-01/000001.m4s"
    content = FILES["part-01/main/run-01/000001.m4s"]
    whole = kiosk.call("GET", path)
    assert whole.content == content
    assert whole.headers["ETag"].strip('"') == hashlib.sha256(content).hexdigest()
    some = kiosk.call("GET", path, headers={"Range": "bytes=1000-1999"})
    assert (some.status_code, some.content) == (206, content[1000:2000])
    assert some.headers["Content-Range"] == f"bytes 1000-1999/{len(content)}"
    tail = kiosk.call("GET", path, headers={"Range": "bytes=-10"})
    assert tail.content == content[-10:]
    outside = kiosk.call("GET", path, headers={"Range": "bytes=99999999-"})
    assert outside.status_code == 416
    assert neighbour.call("GET", path).status_code == 404
    nothing = f"/v1/hearings/{delivered['id']}/files/none.mp4"
    assert kiosk.call("GET", nothing).status_code == 404


@pytest.mark.slow
def test_no_refusal_stands_in_a_file_that_is_read_back(central: Central, kiosk: Kiosk) -> None:
    hearing, path = new_id(), "part-01/main/run-01/000001.m4s"
    files = {path: os.urandom(3 << 20)}
    [file] = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"]
    kiosk.send([file], files)
    address = f"/v1/hearings/{hearing}/files/{path}"
    stored = central.data / "store" / "objects" / file["upload"][:2] / file["upload"]
    os.truncate(stored, 2 << 20)
    with kiosk.tls() as line:
        line.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        try:
            while block := line.recv(1 << 16):
                received += block
        except OSError:
            pass  # cut without a farewell of TLS
    _, _, body = received.partition(b"\r\n\r\n")
    assert files[path].startswith(body)
    stored.unlink()
    absent = kiosk.call("GET", address)
    assert (absent.status_code, absent.json()["code"]) == (503, "storage_failed")


def test_the_same_manifest_again_changes_nothing_another_one_is_refused(
    kiosk: Kiosk, neighbour: Kiosk, delivered: dict[str, Any]
) -> None:
    address, body = f"/v1/hearings/{delivered['id']}", hearing_body(delivered["id"], FILES)
    again = kiosk.put(address, body | {"kiosk_time": "2026-12-01T00:00:00Z"})
    assert again["receipt"] == delivered["receipt"]
    other = kiosk.call("PUT", address, json=hearing_body(delivered["id"], {"a": b"b"}))
    assert other.json()["code"] == "content_differs"
    assert neighbour.call("PUT", address, json=body).json()["code"] == "foreign"
    assert neighbour.call("GET", address).status_code == 404


def test_minutes_leave_while_the_hearing_runs(kiosk: Kiosk) -> None:
    hearing, minute = new_id(), b"first minute"
    announced = kiosk.put(
        f"/v1/uploads/{new_id()}",
        file_of("part-01/a.m4s", minute) | {"kind": "hearing", "owner": hearing},
    )
    assert kiosk.patch(announced["address"], 0, minute).status_code == 204
    kiosk.get(f"/v1/uploads/{announced['upload']}?wait=20")
    early = {"part-01/a.m4s": minute, "journal.jsonl": b"one line"}
    running = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, early, final=False))
    assert [file["path"] for file in running["missing"]] == ["journal.jsonl"]
    kiosk.send(running["missing"], early)
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"] is None, "not final yet"
    late = early | {"journal.jsonl": b"one line\ntwo lines"}
    ended = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, late))
    assert [file["path"] for file in ended["missing"]] == ["journal.jsonl"]
    kiosk.send(ended["missing"], late)
    receipt = kiosk.get(f"/v1/hearings/{hearing}")["receipt"]
    assert receipt["files"] == [file_of(path, late[path]) for path in sorted(late)]


def test_a_corrupted_file_is_named_and_gets_a_fresh_address(kiosk: Kiosk) -> None:
    hearing, files = new_id(), {"a.m4s": b"good"}
    first = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"][0]
    kiosk.patch(first["address"], 0, b"evil")
    kiosk.get(f"/v1/uploads/{first['upload']}?wait=20")
    standing = kiosk.get(f"/v1/hearings/{hearing}")
    assert standing["mismatched"] == ["a.m4s"]
    assert standing["missing"][0]["address"] != first["address"]
    kiosk.send(standing["missing"], files)
    done = kiosk.get(f"/v1/hearings/{hearing}")
    assert (done["state"], done["mismatched"]) == ("complete", [])


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", ".hidden", "a/../b", "a b", ""])
def test_no_path_leaves_the_folder(kiosk: Kiosk, path: str) -> None:
    hearing = new_id()
    body = hearing_body(hearing, {path: b"x"})
    assert kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body).status_code == 400


def test_a_path_is_named_once(kiosk: Kiosk) -> None:
    hearing = new_id()
    body = hearing_body(hearing, {"a": b"x"})
    body["files"] *= 2
    assert kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body).status_code == 400


def test_heads_are_kept_before_any_manifest_and_again(kiosk: Kiosk, neighbour: Kiosk) -> None:
    hearing = new_id()
    heads = [head_body(kiosk, hearing, 10, b"ten"), head_body(kiosk, hearing, 20, b"twenty")]
    path = f"/v1/hearings/{hearing}/heads"
    for _ in range(2):
        answer = kiosk.call("POST", path, json={"heads": heads})
        assert (answer.status_code, answer.json()["stored"]) == (200, 2)
    foreign = [head_body(neighbour, hearing, 30, b"thirty")]
    assert neighbour.call("POST", path, json={"heads": foreign}).status_code == 403


def test_a_rewritten_journal_shows(kiosk: Kiosk) -> None:
    hearing = new_id()
    path = f"/v1/hearings/{hearing}/heads"
    assert kiosk.call("POST", path, json={"heads": [head_body(kiosk, hearing, 5, b"a")]}).ok
    answer = kiosk.call("POST", path, json={"heads": [head_body(kiosk, hearing, 5, b"b")]})
    assert (answer.status_code, answer.json()["code"]) == (409, "head_conflicts")


def test_a_head_signed_by_another_key_is_refused(kiosk: Kiosk) -> None:
    hearing = new_id()
    forged = head_body(kiosk, hearing, 5, b"a", new_key())
    for bad in (forged, forged | {"signature": "????"}):
        answer = kiosk.call("POST", f"/v1/hearings/{hearing}/heads", json={"heads": [bad]})
        assert (answer.status_code, answer.json()["code"]) == (422, "signature_invalid")


def test_a_report_is_delivered_the_same_way(kiosk: Kiosk) -> None:
    report, files = new_id(), {"report.json": b"{}", "SHA256SUMS": b"x"}
    body = {
        "kiosk_time": KIOSK_TIME,
        "passed": 9,
        "failed": 1,
        "files": [file_of(path, content) for path, content in files.items()],
    }
    kiosk.send(kiosk.put(f"/v1/reports/{report}", body)["missing"], files)
    done = wait_for(
        lambda: (got := kiosk.get(f"/v1/reports/{report}"))["state"] == "complete" and got,
        "the receipt",
    )
    assert done["kind"] == "report"
    assert kiosk.call("GET", f"/v1/hearings/{report}").status_code == 404
    body = hearing_body(report, files)
    assert kiosk.call("PUT", f"/v1/hearings/{report}", json=body).status_code == 409
