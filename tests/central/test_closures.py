"""Retroactive closure: plain files are withheld at once; only court IT erases what has arrived."""

from __future__ import annotations

import base64
import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.evidence.chain import ChainHead, head_message
from kiosk.evidence.journal_file import JournalFile
from tests.support.central_rig import Central, Kiosk, file_of, hearing_body, new_id

CLEAR = os.urandom(40_000)
SECRET = os.urandom(41_000)
FILE, ENCRYPTED = "main/run-01/000001.m4s", "main/run-01/000001.tar"
PATH, BY = f"part-01/{FILE}", f"part-01/{ENCRYPTED}"
PATH2 = "part-01/main/run-01/000002.m4s"


def closure(content: bytes = CLEAR, path: str = PATH, **more: Any) -> dict[str, Any]:
    """Return the body that closes :data:`PATH`."""
    file = {"path": path, "sha256": sha256(content).hexdigest()}
    replacement = {"by": BY, "by_sha256": sha256(SECRET).hexdigest()}
    return {"closures": [file | replacement | more]}


def announce(kiosk: Kiosk, hearing: str, content: bytes, path: str = PATH) -> Any:
    """Announce a file early; return the response."""
    body = file_of(path, content) | {"kind": "hearing", "owner": hearing}
    return kiosk.call("PUT", f"/v1/uploads/{new_id()}", json=body)


def send_early(kiosk: Kiosk, hearing: str, content: bytes = CLEAR, path: str = PATH) -> str:
    """Deliver a file while the hearing runs; return its upload."""
    early = announce(kiosk, hearing, content, path).json()
    kiosk.patch(early["address"], 0, content)
    kiosk.get(f"/v1/uploads/{early['upload']}?wait=20")
    return str(early["upload"])


def deliver(kiosk: Kiosk, hearing: str, files: dict[str, bytes]) -> Any:
    """Deliver a final list of files; return the status of the hearing."""
    answer = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))
    kiosk.send(answer["missing"], files)
    return kiosk.get(f"/v1/hearings/{hearing}")


def journal(
    kiosk: Kiosk,
    hearing: str,
    folder: Path,
    key: ec.EllipticCurvePrivateKey | None = None,
    **more: Any,
) -> bytes:
    """Return the journal of a hearing that was closed as :func:`closure` says."""
    replaced = {"part": 1, "file": FILE, "sha256": sha256(CLEAR).hexdigest()}
    replaced |= {"by": ENCRYPTED, "by_sha256": sha256(SECRET).hexdigest()}
    written = new_journal(kiosk, hearing, folder, key)
    written.append("closed_since", {"replaced": [replaced | more]})
    written.close()
    return (folder / "journal.jsonl").read_bytes()


def new_journal(
    kiosk: Kiosk, hearing: str, folder: Path, key: ec.EllipticCurvePrivateKey | None = None
) -> JournalFile:
    """Begin the signed journal of a hearing in ``folder``."""

    def sign(head: ChainHead) -> str:
        message = head_message(hearing, 0, head)
        signature = (key or kiosk.key).sign(message, ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signature).decode()

    written = JournalFile.create(folder / "journal.jsonl", sign=sign)
    written.append("opened", {})
    return written


def places(central: Central, upload: str) -> list[str]:
    """Return the folders that hold bytes of an upload."""
    return [path.parent.name for path in central.data.rglob(f"*{upload}*")]


def incidents(central: Central, hearing: str) -> list[str]:
    """Return the incidents of a hearing, but those that a test causes by reading it back."""
    query = "SELECT code FROM incidents WHERE subject = ? AND code != 'read_back'"
    with closing(sqlite3.connect(central.data / "central.db")) as database:
        rows = database.execute(query, (hearing,))
        return [code for (code,) in rows]


def is_quarantined(central: Central, hearing: str) -> bool:
    """Return whether court IT is asked to decide."""
    return hearing in central.task("quarantine").stdout


@pytest.mark.slow
def test_what_arrived_early_is_withheld_refused_from_then_on_and_erased_by_court_it_alone(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    hearing = new_id()
    upload = send_early(kiosk, hearing)
    path = f"/v1/hearings/{hearing}/closures"
    first = kiosk.call("POST", path, json=closure()).json()
    assert (first["closed"], first["withheld"], first["deleted"]) == (1, 1, 0)
    assert places(central, upload) == ["quarantine"]
    again = kiosk.call("POST", path, json=closure()).json()
    assert (again["closed"], again["withheld"]) == (1, 0)
    assert kiosk.get(f"/v1/uploads/{upload}")["state"] == "closed"
    refused = announce(kiosk, hearing, CLEAR)
    assert (refused.status_code, refused.json()["code"]) == (409, "closed_since")
    assert kiosk.patch(f"/v1/tus/{upload}", 0, CLEAR).status_code == 410
    body = hearing_body(hearing, {PATH: CLEAR, "hearing.json": b"{}"})
    manifest = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body)
    assert manifest.json()["code"] == "closed_since"
    early = central.task("erase", hearing, "--reason", "the judge's order")
    assert (early.returncode, places(central, upload)) == (1, ["quarantine"]), "not delivered yet"
    files = {BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    assert deliver(kiosk, hearing, files)["receipt"] is not None
    assert is_quarantined(central, hearing)
    done = central.task("erase", hearing, "--reason", "the judge's order")
    assert (done.returncode, done.stdout) == (0, "1 files erased\n"), done.stderr
    assert places(central, upload) == []
    assert not is_quarantined(central, hearing)
    assert announce(kiosk, hearing, CLEAR).status_code == 409, "refused for ever"


def test_one_request_takes_nothing_from_a_delivered_hearing(central: Central, kiosk: Kiosk) -> None:
    hearing, files = new_id(), {PATH: CLEAR, "journal.jsonl": b"{}\n"}
    delivered = deliver(kiosk, hearing, files)
    address = f"/v1/hearings/{hearing}/closures"
    attempt = kiosk.call("POST", address, json=closure())
    assert (attempt.status_code, attempt.json()["code"]) == (409, "closure_unproven")
    for path, content in files.items():
        for bad in (
            closure(content, path, by=None, by_sha256=None),
            closure(b"{}\n", "journal.jsonl"),
            closure(b"{}\n", "part-01/journal.jsonl"),
            closure(content, path, by="journal.jsonl"),
            closure(content, path, by=path, by_sha256=sha256(content).hexdigest()),
        ):
            refused = kiosk.call("POST", address, json=bad)
            assert (refused.status_code, refused.json()["code"]) == (422, "not_media")
        fetched = kiosk.call("GET", f"/v1/hearings/{hearing}/files/{path}")
        assert (fetched.status_code, fetched.content) == (200, content)
    after = kiosk.get(f"/v1/hearings/{hearing}")
    assert after | {"as_of": 0} == delivered | {"as_of": 0}
    assert (central.data / "store" / "hearings" / hearing / PATH).read_bytes() == CLEAR
    assert incidents(central, hearing) == ["closure_unproven"]


@pytest.mark.parametrize("is_released", [True, False])
def test_after_the_receipt_a_proven_closing_withholds_and_court_it_decides(
    central: Central, kiosk: Kiosk, tmp_path: Path, is_released: bool
) -> None:
    hearing = new_id()
    files = {PATH: CLEAR, BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    receipt = deliver(kiosk, hearing, files)["receipt"]
    stored = central.data / "store" / "hearings" / hearing / PATH
    kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    assert not stored.exists()
    address = f"/v1/hearings/{hearing}/files/{PATH}"
    assert kiosk.call("GET", address).status_code == 404
    standing = kiosk.get(f"/v1/hearings/{hearing}")
    assert (standing["files"], standing["withheld"], standing["missing"]) == (3, 1, [])
    assert standing["receipt"] == receipt
    assert central.task("release" if is_released else "erase", hearing, "--reason", "x").stdout
    assert not is_quarantined(central, hearing)
    if is_released:
        assert stored.read_bytes() == kiosk.call("GET", address).content == CLEAR
        assert incidents(central, hearing) == ["quarantine_released"]
    else:
        assert kiosk.call("GET", address).status_code == 404
        assert list((central.data / "store" / "quarantine").iterdir()) == []


def test_a_line_that_another_key_signed_or_a_replacement_that_never_came_proves_nothing(
    central: Central, kiosk: Kiosk, neighbour: Kiosk, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    forged, whole = new_id(), new_id()
    line = journal(kiosk, forged, tmp_path, neighbour.key)
    assert deliver(kiosk, forged, {PATH: CLEAR, BY: SECRET, "journal.jsonl": line})["receipt"]
    line = journal(kiosk, whole, tmp_path / "a")
    assert deliver(kiosk, whole, {PATH: CLEAR, "journal.jsonl": line})["receipt"]
    for hearing in (forged, whole):
        answer = kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
        assert (answer.status_code, answer.json()["code"]) == (409, "closure_unproven")
        assert (central.data / "store" / "hearings" / hearing / PATH).exists()


def test_a_final_list_leaves_out_nothing_that_has_arrived(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    hearing, files = new_id(), {"journal.jsonl": b"{}\n"}
    upload = send_early(kiosk, hearing)
    standing = deliver(kiosk, hearing, files)
    assert (standing["receipt"], standing["problem"]) == (None, "files_left_out")
    assert incidents(central, hearing) == ["files_left_out"]
    assert central.task("accept", hearing, "--reason", "looked into it").returncode == 0
    assert kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["receipt"]
    assert len(places(central, upload)) == 1, "kept"
    # The kiosk's message about a closing never came: the journal says it.
    hearing = new_id()
    upload = send_early(kiosk, hearing)
    files = {BY: SECRET, "journal.jsonl": journal(kiosk, hearing, tmp_path)}
    assert deliver(kiosk, hearing, files)["receipt"]
    assert places(central, upload) == ["quarantine"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [FILE, "main/index.m3u8"])
def test_media_that_nothing_replaces_are_not_erased_a_playlist_is(
    central: Central, kiosk: Kiosk, tmp_path: Path, name: str
) -> None:
    hearing, path = new_id(), f"part-01/{name}"
    upload = send_early(kiosk, hearing, path=path)
    kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure(path=path))
    line = journal(kiosk, hearing, tmp_path, file=name, by="", by_sha256="")
    deliver(kiosk, hearing, {"journal.jsonl": line})
    done = central.task("erase", hearing, "--reason", "the judge's order")
    is_playlist = name != FILE
    assert (done.returncode == 0) == is_playlist, done.stderr
    assert places(central, upload) == ([] if is_playlist else ["quarantine"])


@pytest.mark.slow
def test_a_final_list_gives_no_other_content_to_what_has_arrived(
    central: Central, kiosk: Kiosk
) -> None:
    hearing, files = new_id(), {PATH: CLEAR[:-1] + b"?", "journal.jsonl": b"{}\n"}
    send_early(kiosk, hearing)
    send_early(kiosk, hearing, b"{", "journal.jsonl")  # it has grown
    standing = deliver(kiosk, hearing, files)
    assert (standing["receipt"], standing["problem"]) == (None, "files_changed")
    assert incidents(central, hearing) == ["files_changed"]
    shown = requests.get((central.data / "admin-address").read_text().strip(), timeout=20).text
    assert f"1: {PATH}" in shown
    assert central.task("accept", hearing, "--reason", "looked into it").returncode == 0
    assert kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["receipt"]


@pytest.mark.slow
def test_a_message_about_a_closing_is_proven_by_the_journal_or_there_is_no_receipt(
    central: Central, kiosk: Kiosk, neighbour: Kiosk, tmp_path: Path
) -> None:
    invented, forged, whole = new_id(), new_id(), new_id()
    for hearing in (invented, forged, whole):
        (tmp_path / hearing).mkdir()
        send_early(kiosk, hearing)
        kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    for hearing, files in (
        (invented, {"journal.jsonl": b"{}\n"}),
        (forged, {"journal.jsonl": journal(kiosk, forged, tmp_path / forged, neighbour.key)}),
        (whole, {"journal.jsonl": journal(kiosk, whole, tmp_path / whole)}),  # no replacement
    ):
        standing = deliver(kiosk, hearing, files)
        assert (standing["receipt"], standing["problem"]) == (None, "closing_unproven")
        assert incidents(central, hearing) == ["closing_unproven"]
        assert is_quarantined(central, hearing), "kept"


def test_a_message_alone_keeps_no_file_out_for_ever(central: Central, kiosk: Kiosk) -> None:
    hearing, files = new_id(), {PATH: CLEAR, "journal.jsonl": b"{}\n"}
    kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    body = hearing_body(hearing, files)
    refused = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "closed_since")
    assert central.task("release", hearing, "--reason", "no judge has closed it").returncode == 0
    assert incidents(central, hearing) == ["quarantine_released"]
    assert deliver(kiosk, hearing, files)["receipt"]
    assert central.task("release", hearing, "--reason", "again").returncode == 1


@pytest.mark.slow
def test_a_file_that_is_closed_from_two_moments_is_proven(
    central: Central, kiosk: Kiosk, tmp_path: Path
) -> None:
    hearing, half, rest = new_id(), "main/run-01/000001-open.m4s", "main/run-01/000001-open.tar"
    upload = send_early(kiosk, hearing)
    written = new_journal(kiosk, hearing, tmp_path)
    first = {"part": 1, "file": FILE, "sha256": sha256(CLEAR).hexdigest()}
    both = [(half, b"half"), (ENCRYPTED, b"before the kiosk was killed"), (ENCRYPTED, SECRET)]
    by = [first | {"by": name, "by_sha256": sha256(data).hexdigest()} for name, data in both]
    written.append("closed_since", {"replaced": by})
    then = {"part": 1, "file": half, "sha256": by[0]["by_sha256"]}
    then |= {"by": rest, "by_sha256": sha256(b"rest").hexdigest()}
    written.append("closed_since", {"replaced": [then]})
    written.close()
    files = {BY: SECRET, "journal.jsonl": (tmp_path / "journal.jsonl").read_bytes()}
    assert deliver(kiosk, hearing, files | {f"part-01/{rest}": b"rest"})["receipt"]
    assert central.task("erase", hearing, "--reason", "the judge's order").returncode == 0
    assert places(central, upload) == []


def test_what_was_damaged_in_quarantine_is_not_released(central: Central, kiosk: Kiosk) -> None:
    hearing = new_id()
    uploads = [send_early(kiosk, hearing), send_early(kiosk, hearing, SECRET, PATH2)]
    for content, path in ((CLEAR, PATH), (SECRET, PATH2)):
        kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure(content, path))
    withheld = central.data / "store" / "quarantine" / uploads[1]
    withheld.write_bytes(SECRET[:-1])
    done = central.task("release", hearing, "--reason", "the judge's order")
    assert (done.returncode, [places(central, upload) for upload in uploads]) == (
        1,
        [["quarantine"], ["quarantine"]],
    )
    assert incidents(central, hearing) == ["quarantine_damaged"]
    withheld.write_bytes(SECRET)
    assert central.task("release", hearing, "--reason", "repaired").stdout == "2 files released\n"
    assert {kiosk.get(f"/v1/uploads/{upload}")["state"] for upload in uploads} == {"complete"}


def test_an_empty_final_list_is_not_a_recording(central: Central, kiosk: Kiosk) -> None:
    hearing = new_id()
    kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, {}, final=False))
    for _ in range(2):
        answer = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=hearing_body(hearing, {}))
        assert (answer.status_code, answer.json()["code"]) == (422, "nothing_listed")
    assert incidents(central, hearing) == ["nothing_listed"]
    assert deliver(kiosk, hearing, {"journal.jsonl": b"{}\n"})["receipt"]


def test_a_half_received_file_is_dropped(central: Central, kiosk: Kiosk) -> None:
    hearing = new_id()
    running = kiosk.put(
        f"/v1/hearings/{hearing}", hearing_body(hearing, {PATH: CLEAR}, final=False)
    )
    (missing,) = running["missing"]
    kiosk.patch(missing["address"], 0, CLEAR[:1000])
    answer = kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure()).json()
    assert (answer["withheld"], answer["deleted"]) == (0, 1)
    assert places(central, missing["upload"]) == []
    assert kiosk.patch(missing["address"], 1000, CLEAR[1000:]).status_code == 410
    standing = kiosk.get(f"/v1/hearings/{hearing}")
    assert (standing["missing"], standing["receipt"]) == ([], None)


def test_a_closing_that_comes_first_keeps_it_out(kiosk: Kiosk, neighbour: Kiosk) -> None:
    hearing = new_id()
    path = f"/v1/hearings/{hearing}/closures"
    assert kiosk.call("POST", path, json=closure()).json()["deleted"] == 0
    assert announce(kiosk, hearing, CLEAR).status_code == 409
    assert announce(kiosk, hearing, b"other").status_code == 200
    assert neighbour.call("POST", path, json=closure()).status_code == 403


def test_another_kiosk_closes_nothing(kiosk: Kiosk, neighbour: Kiosk) -> None:
    hearing = new_id()
    upload = send_early(kiosk, hearing)
    foreign = neighbour.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign")
    assert kiosk.get(f"/v1/uploads/{upload}")["state"] == "complete"
