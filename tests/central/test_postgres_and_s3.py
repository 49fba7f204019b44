"""The same central system on Postgres and an S3 store, both real."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.central import crash_points
from kiosk.central.server import open_store
from kiosk.clocks import wall_time
from kiosk.errors import StorageError
from tests.central.external_services import postgres
from tests.central.swift_server import BUCKET, CREDENTIALS, missing_swift, s3_client, swift
from tests.support.central_rig import (
    Central,
    Kiosk,
    filing_body,
    hearing_body,
    new_id,
    write_faults,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

PDF = b"%PDF-1.7 ..."


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A real S3 server."""
    if missing := missing_swift():
        pytest.skip(missing)
    with swift() as address:
        yield address


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Iterator[Central]:
    """The central system on Postgres and S3, with faults on demand."""
    folder = tmp_path_factory.mktemp("scale")
    os.environ.update(CREDENTIALS)
    store = f"s3://{BUCKET}/kz?endpoint={endpoint}"
    with postgres() as url:
        options = ("--database", url, "--store", store, "--faults", str(folder / "faults.json"))
        with Central(folder / "data", options, database=url) as server:
            yield server


@pytest.fixture(scope="module")
def kiosk(central: Central) -> Kiosk:
    """Its kiosk."""
    return central.enrol()


def test_nothing_lies_in_an_embedded_database_or_folder(central: Central, kiosk: Kiosk) -> None:
    since = (wall_time() - timedelta(days=1)).date()  # midnight may have passed
    assert len(kiosk.get(f"/v1/schedule?from={since}&days=4")["hearings"]) == 4
    assert len(kiosk.get("/v1/staff")["staff"]) == 3
    assert not (central.data / "central.db").exists()
    assert not (central.data / "store").exists()


def test_numbers_stay_sequential_when_many_register_at_once(kiosk: Kiosk) -> None:
    same, numbers = new_id(), []
    filings = [new_id() for _ in range(8)] + [same] * 4

    def register(filing: str) -> None:
        body = filing_body(PDF)
        numbers.append((filing, kiosk.put(f"/v1/filings/{filing}", body)["number"]))

    listed: list[dict[str, Any]] = []
    cursor = kiosk.get("/v1/filings?limit=200")["next"]
    threads = [threading.Thread(target=register, args=(filing,)) for filing in filings]
    for thread in threads:
        thread.start()
    while len(listed) < 9 and any(thread.is_alive() for thread in threads):
        page = kiosk.get(f"/v1/filings?limit=2&after={cursor}")
        listed, cursor = [*listed, *page["filings"]], page["next"]
    for thread in threads:
        thread.join()
    listed += kiosk.get(f"/v1/filings?after={cursor}")["filings"]
    assert sorted(row["filing"] for row in listed) == sorted({*filings}), "none skipped or doubled"
    assert len(numbers) == len(filings)
    distinct = sorted({int(number[-6:]) for _, number in numbers})
    assert len({number for filing, number in numbers if filing == same}) == 1
    assert distinct == list(range(distinct[0], distinct[0] + 9))


def test_a_hearing_is_delivered_hashed_by_reading_back_and_fetched_in_ranges(
    kiosk: Kiosk, endpoint: str, central: Central
) -> None:
    hearing, files = new_id(), {"a/b.m4s": os.urandom(200_000), "c.json": b"{}"}
    kiosk.send(kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"], files)
    done = kiosk.get(f"/v1/hearings/{hearing}")
    assert (done["state"], len(done["receipt"]["files"])) == ("complete", 2)
    path = f"/v1/hearings/{hearing}/files/a/b.m4s"
    assert kiosk.call("GET", path).content == files["a/b.m4s"]
    some = kiosk.call("GET", path, headers={"Range": "bytes=5-99999"})
    assert some.content == files["a/b.m4s"][5:100_000]
    client = s3_client(endpoint)
    listed = json.loads(
        client.get_object(Bucket=BUCKET, Key=f"kz/hearings/{hearing}.json")["Body"].read()
    )
    stored = client.get_object(Bucket=BUCKET, Key=listed["a/b.m4s"])["Body"].read()
    assert stored == files["a/b.m4s"]
    assert not (central.data / "spool").exists()
    left = client.list_objects_v2(Bucket=BUCKET, Prefix="kz/arriving/").get("Contents", [])
    assert left == [], "nothing is left of what was arriving"


def test_a_text_that_postgres_cannot_hold_is_malformed(central: Central, kiosk: Kiosk) -> None:
    hearing = new_id()
    manifest = hearing_body(hearing, {"a.txt": b"a"}, final=False)
    manifest["hearing"]["case_number"] = "1\0"
    for path, body in (
        (f"filings/{new_id()}", filing_body(PDF, case_number="\0")),
        ("state", {"kiosk_time": "2026-11-23T09:00:00Z", "version": "\0"}),
        (f"hearings/{hearing}", manifest),
    ):
        answer = kiosk.call("PUT", f"/v1/{path}", json=body)
        assert (answer.status_code, answer.json().get("code")) == (400, "malformed")
    manifest["hearing"]["case_number"] = "no \\u0000"  # written out: a text like any other
    kiosk.put(f"/v1/hearings/{hearing}", manifest)
    assert kiosk.call("GET", f"/v1/hearings/{hearing}/files/%00").status_code == 400
    empty = hearing_body(hearing, {})
    assert kiosk.call("PUT", f"/v1/hearings/{hearing}", json=empty).status_code == 422
    with requests.Session() as http:
        http.trust_env = False
        url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        assert http.get(url, timeout=20).status_code == 200, "an incident asks for its case"


def test_a_wrong_hash_leaves_nothing_in_the_store(kiosk: Kiosk, endpoint: str) -> None:
    filing = new_id()
    file = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))["missing"][0]
    kiosk.patch(file["address"], 0, bytes(len(PDF)))
    assert kiosk.get(f"/v1/uploads/{file['upload']}?wait=20")["state"] == "mismatch"
    client = s3_client(endpoint)
    keys = client.list_objects_v2(Bucket=BUCKET, Prefix=f"kz/objects/{file['upload'][:2]}/")
    assert all(file["upload"] not in item["Key"] for item in keys.get("Contents", []))


def test_what_is_withheld_is_read_again_and_erased_wherever_a_kill_left_it(
    tmp_path: Path, endpoint: str
) -> None:
    os.environ.update(CREDENTIALS)
    store, key = open_store(tmp_path, f"s3://{BUCKET}/held?endpoint={endpoint}"), new_id()
    (tmp_path / "file").write_bytes(PDF)
    store.put_file(tmp_path / "file", key)
    digest = sha256(PDF).hexdigest()
    assert store.read_withheld_sha256(key) == digest, "not moved yet"
    for _ in range(2):
        store.withhold_file(key)
    assert not store.has(key)
    assert store.read_withheld_sha256(key) == digest
    store.restore_file(key)
    assert store.has(key)
    store.withhold_file(key)
    store.erase_withheld(key)
    with pytest.raises(StorageError):
        store.read_withheld_sha256(key)


def deliver(kiosk: Kiosk, filing: str) -> dict[str, Any]:
    """Register a filing, send its document; return its state."""
    missing = kiosk.put(f"/v1/filings/{filing}", filing_body(PDF))["missing"]
    kiosk.send(missing, {"document-1.pdf": PDF})
    answer: dict[str, Any] = kiosk.get(f"/v1/filings/{filing}")
    return answer


@pytest.mark.parametrize(
    "step",
    [
        crash_points.REGISTER_AFTER_COMMIT,
        crash_points.VERIFY_AFTER_TAKE,
        crash_points.RECEIPT_BEFORE_COMMIT,
    ],
)
def test_dying_midway_doubles_and_loses_nothing(central: Central, kiosk: Kiosk, step: str) -> None:
    filing, file = new_id(), central.data.parent / "faults.json"
    write_faults(file, {"fault": "die", "step": step})
    with pytest.raises((requests.exceptions.ConnectionError, AssertionError)):
        deliver(kiosk, filing)
    assert central.process is not None
    central.process.wait(60)
    write_faults(file)
    central.start()
    wait_for(lambda: deliver(kiosk, filing)["delivered"], "the filing, once Postgres let go")


@pytest.mark.parametrize("step", [None, "verify-before-take", "verify-after-take"])
def test_small_files_in_one_request_are_taken_once(
    central: Central, kiosk: Kiosk, endpoint: str, step: str | None
) -> None:
    hearing, faults = new_id(), central.data.parent / "faults.json"
    contents = {f"part-01/main/{n:06d}.m4s": os.urandom(2000) for n in range(6)}
    missing = kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, contents))["missing"]
    files = [(row, contents[row["path"]]) for row in missing]
    assert kiosk.patch(missing[1]["address"], 0, files[1][1][:100]).status_code == 204
    if step is not None:
        write_faults(faults, {"fault": "die", "step": step})
        with pytest.raises(requests.exceptions.ConnectionError):
            kiosk.send_together(files)
        assert central.process is not None
        central.process.wait(60)
        write_faults(faults)
        central.start()

    def send() -> set[str]:
        answer = kiosk.send_together(files)
        return {row["result"] for row in answer.json()["files"]}

    wait_for(lambda: send() == {"present"}, "all, once Postgres let go")
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"]["bytes"] == 12_000
    ids = {row["upload"] for row in missing}
    listed = s3_client(endpoint).list_objects_v2(Bucket=BUCKET, Prefix="kz/")["Contents"]
    keys = [item["Key"] for item in listed if any(name in item["Key"] for name in ids)]
    assert sorted(keys) == sorted(f"kz/objects/{name[:2]}/{name}" for name in ids)


def test_the_page_for_court_it_works_here_too(central: Central, kiosk: Kiosk) -> None:
    kiosk.put("/v1/state", {"kiosk_time": "2026-11-23T09:00:00Z", "version": "9.9.9"})
    with requests.Session() as http:
        http.trust_env = False
        url = (central.data / "admin-address").read_text(encoding="utf-8").strip()
        assert "9.9.9" in http.get(url, timeout=20).text
