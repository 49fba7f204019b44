"""Several small files in one request: each counts by itself, whatever becomes of the others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.central import crash_points
from kiosk.exchange.small_files import CONTENT_TYPE, MAX_BYTES, MAX_FILES
from tests.support.central_rig import (
    Central,
    Kiosk,
    file_of,
    hearing_body,
    new_id,
    small_files_body,
    write_faults,
)
from tests.support.waiting import wait_for

File = tuple[dict[str, Any], bytes]


def announce(kiosk: Kiosk, count: int = 5, size: int = 3000) -> tuple[str, list[File]]:
    """Register a hearing of small files; return its id, and the files with their rows."""
    hearing = new_id()
    contents = {f"part-01/main/{n:06d}.m4s": os.urandom(size) for n in range(count)}
    missing = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, contents))["missing"]
    return hearing, [(row, contents[row["path"]]) for row in missing]


def results(answer: requests.Response) -> list[str]:
    """Return what became of each file."""
    assert answer.status_code == 200, answer.text
    return [row["code"] or row["result"] for row in answer.json()["files"]]


def stored(central: Central, files: list[File]) -> int:
    """Return how many of the files are in the store; nothing is left where they arrived."""
    ids = [row["upload"] for row, _ in files]
    assert not [name for name in ids if (central.data / "spool" / name).exists()]
    found = list((central.data / "store" / "objects").rglob("*"))
    return sum(path.name in ids for path in found)


def state(kiosk: Kiosk, file: File) -> Any:
    """Return the upload's status."""
    return kiosk.get(f"/v1/uploads/{file[0]['upload']}")


def test_all_of_a_hearing_is_receipted_after_one_request(central: Central, kiosk: Kiosk) -> None:
    hearing, files = announce(kiosk)
    assert results(kiosk.send_together(files)) == ["taken"] * 5
    delivery = kiosk.get(f"/v1/hearings/{hearing}")
    assert (delivery["state"], delivery["missing"]) == ("complete", [])
    assert delivery["receipt"]["bytes"] == 15_000
    for file in files:
        answer = state(kiosk, file)
        assert answer["state"] == "complete"
        assert answer["receipt"]["files"] == [file_of(file[0]["path"], file[1])]
    assert stored(central, files) == 5


def test_the_same_again_changes_nothing_also_after_the_receipt(
    central: Central, kiosk: Kiosk
) -> None:
    hearing, files = announce(kiosk)
    assert results(kiosk.send_together(files[:3])) == ["taken"] * 3
    receipts = [state(kiosk, file)["receipt"] for file in files[:3]]
    assert results(kiosk.send_together(files)) == ["present"] * 3 + ["taken"] * 2
    receipt = kiosk.get(f"/v1/hearings/{hearing}")["receipt"]
    assert results(kiosk.send_together(files)) == ["present"] * 5
    assert [state(kiosk, file)["receipt"] for file in files[:3]] == receipts
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"] == receipt
    assert stored(central, files) == 5


def test_a_wrong_file_in_the_middle_is_named_and_the_others_are_taken(
    central: Central, kiosk: Kiosk
) -> None:
    hearing, files = announce(kiosk)
    row, content = files[2]
    sent = [*files[:2], (row, content[::-1]), *files[3:]]
    assert results(kiosk.send_together(sent)) == ["taken"] * 2 + ["wrong_hash"] + ["taken"] * 2
    assert (state(kiosk, files[2])["state"], kiosk.offset(row["address"])) == ("receiving", 0)
    assert stored(central, files) == 4
    assert [file["path"] for file in kiosk.get(f"/v1/hearings/{hearing}")["missing"]] == [
        row["path"]
    ]
    kiosk.send([row], {row["path"]: content})
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"]


def _head(length: int, more: str = "") -> bytes:
    head = f"POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: {CONTENT_TYPE}\r\n"
    return (head + f"{more}Content-Length: {length}\r\n\r\n").encode("ascii")


def test_another_kiosks_files_are_as_if_they_did_not_exist(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    _, files = announce(kiosk, 2)
    _, own = announce(neighbour, 1)
    assert results(neighbour.send_together([files[0], *own, files[1]])) == [
        "not_found",
        "taken",
        "not_found",
    ]
    unknown = file_of("x", b"x") | {"upload": new_id()}
    assert results(kiosk.send_together([(unknown, b"x")])) == ["not_found"]
    assert [state(kiosk, file)["state"] for file in files] == ["receiving"] * 2
    assert stored(central, files) == 0


def test_a_file_that_was_closed_or_announced_otherwise_is_not_taken(
    central: Central, kiosk: Kiosk
) -> None:
    hearing, path, clear = new_id(), "part-01/main/run-01/000000.m4s", b"clear"
    upload = new_id()
    body = file_of(path, clear) | {"kind": "hearing", "owner": hearing}
    row = file_of(path, clear) | {"upload": upload}
    kiosk.put(f"/v1/uploads/{upload}", body)
    other = row | file_of(path, b"other")
    assert results(kiosk.send_together([(other, b"other")])) == ["content_differs"]
    by = {"by": "part-01/main.tar", "by_sha256": "1" * 64}
    closed = {"path": path, "sha256": row["sha256"]} | by
    answer = kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json={"closures": [closed]})
    assert answer.status_code == 200, answer.text
    assert results(kiosk.send_together([(row, clear)])) == ["upload_dead"]
    assert stored(central, [(row, clear)]) == 0


def test_a_patch_that_is_under_way_gives_way(central: Central, kiosk: Kiosk) -> None:
    _, files = announce(kiosk)
    row, content = files[1]
    with kiosk.tls() as hanging:
        head = (
            f"PATCH {row['address']} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
            "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        hanging.sendall(head.encode("ascii") + content[:1000])
        wait_for(lambda: state(kiosk, files[1])["offset"] == 1000, "the beginning")
        assert results(kiosk.send_together(files)) == ["taken"] * 5
        assert b" 423 " in hanging.recv(65536).splitlines()[0]
    assert stored(central, files) == 5


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415),
        (iter([b"{}"]), {}, 411),
        (b"no list", {}, 400),
        (b"\n", {}, 400),
        (b" " * 40_000, {}, 400),
        (b'{"files": []}\n', {}, 400),
        (b'{"files": [{"upload": "x", "size": 1, "sha256": ""}]}\nx', {}, 400),
    ],
)
def test_what_is_no_list_of_files_is_refused(
    kiosk: Kiosk, body: Any, headers: dict[str, str], status: int
) -> None:
    given = {"Content-Type": CONTENT_TYPE} | headers
    answer = kiosk.call("POST", "/v1/uploads", data=body, headers=given)
    assert (answer.status_code, answer.json()["code"]) == (status, "malformed")
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_the_limits_hold_before_anything_is_read(kiosk: Kiosk) -> None:
    with kiosk.tls() as line:  # not a byte of the body is sent
        line.sendall(_head(MAX_BYTES + 1, "Connection: close\r\n"))
        assert b" 413 " in line.recv(65536).splitlines()[0]
    _, files = announce(kiosk, MAX_FILES + 1, 10)
    assert kiosk.send_together(files).status_code == 400
    assert results(kiosk.send_together(files[1:])) == ["taken"] * MAX_FILES
    _, large = announce(kiosk, 1, (64 << 10) + 1)
    assert kiosk.send_together(large).status_code == 400
    assert kiosk.send_together([files[0], files[0]]).status_code == 400
    row, content = files[0]
    answer = kiosk.send_together([(row, content), (new_row(b"1"), b"12")])
    assert (answer.status_code, state(kiosk, files[0])["state"]) == (400, "receiving")


def new_row(content: bytes) -> dict[str, Any]:
    """Return a row of a file that was never announced."""
    return file_of("x", content) | {"upload": new_id()}


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Central, Kiosk, Path]]:
    """A central system that dies on demand, its kiosk, and the file that demands it."""
    folder = tmp_path_factory.mktemp("fragile")
    faults = folder / "faults.json"
    with Central(folder / "data", ("--faults", str(faults))) as central:
        yield central, central.enrol(), faults


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [
        crash_points.PATCH_BEFORE_SYNC,
        crash_points.VERIFY_BEFORE_TAKE,
        crash_points.VERIFY_AFTER_TAKE,
        crash_points.VERIFY_AFTER_COMMIT,
        crash_points.RECEIPT_BEFORE_COMMIT,
    ],
)
def test_dying_midway_loses_and_doubles_nothing(
    fragile: tuple[Central, Kiosk, Path], step: str
) -> None:
    central, kiosk, faults = fragile
    hearing, files = announce(kiosk)
    write_faults(faults, {"fault": "die", "step": step})
    with contextlib.suppress(requests.exceptions.ConnectionError):
        kiosk.send_together(files)
    assert central.process is not None
    central.process.wait(60)
    write_faults(faults)
    central.start()
    assert set(results(kiosk.send_together(files))) <= {"taken", "present"}
    wait_for(lambda: kiosk.get(f"/v1/hearings/{hearing}")["receipt"], "the receipt")
    assert stored(central, files) == 5


@pytest.mark.slow
def test_what_had_arrived_whole_before_a_cut_is_kept(
    fragile: tuple[Central, Kiosk, Path],
) -> None:
    central, kiosk, faults = fragile
    _, files = announce(kiosk)
    after = len(small_files_body(files)) - 2 * 3000 - 100
    write_faults(faults, {"fault": "cut", "match": "POST /v1/uploads", "after": after})
    with pytest.raises(requests.exceptions.ConnectionError):
        kiosk.send_together(files)
    write_faults(faults)
    wait_for(lambda: state(kiosk, files[1])["state"] == "complete", "the whole files")
    assert [state(kiosk, file)["state"] for file in files] == ["complete"] * 2 + ["receiving"] * 3
    assert results(kiosk.send_together(files)) == ["present"] * 2 + ["taken"] * 3
    assert stored(central, files) == 5


@pytest.mark.slow
def test_a_full_disk_takes_nothing_and_the_same_again_takes_all(tmp_path: Path) -> None:
    with Central(tmp_path / "data") as central:
        kiosk = central.enrol()
        _, files = announce(kiosk)
        objects = central.data / "store" / "objects"
        objects.rename(objects.with_name("away"))
        objects.touch()  # as a disk that fails
        answer = kiosk.send_together(files)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
        objects.unlink()
        objects.with_name("away").rename(objects)
        assert results(kiosk.send_together(files)) == ["taken"] * 5
        assert stored(central, files) == 5
