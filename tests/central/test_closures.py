"""Retroactive closure: plain files are deleted wherever they are, and refused later."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from tests.support.central_rig import Central, Kiosk, file_of, hearing_body, new_id

CLEAR = os.urandom(40_000)
SECRET = os.urandom(41_000)
PATH, BY = "part-01/main/run-01/000001.m4s", "part-01/main.tar"


def closure(content: bytes = CLEAR) -> dict[str, Any]:
    """Return the body that closes :data:`PATH`."""
    file = {"path": PATH, "sha256": sha256(content).hexdigest()}
    return {"closures": [{**file, "by": BY, "by_sha256": sha256(SECRET).hexdigest()}]}


def announce(kiosk: Kiosk, hearing: str, content: bytes) -> Any:
    """Announce :data:`PATH` early; return the response."""
    body = file_of(PATH, content) | {"kind": "hearing", "owner": hearing}
    return kiosk.call("PUT", f"/v1/uploads/{new_id()}", json=body)


def traces(central: Central, upload: str) -> list[str]:
    """Return the places that still hold bytes of an upload."""
    return [str(path) for path in central.data.rglob(f"*{upload}*")]


@pytest.mark.slow
def test_what_arrived_early_is_deleted_and_refused_from_then_on(
    central: Central, kiosk: Kiosk
) -> None:
    hearing = new_id()
    early = announce(kiosk, hearing, CLEAR).json()
    kiosk.patch(early["address"], 0, CLEAR)
    kiosk.get(f"/v1/uploads/{early['upload']}?wait=20")
    assert traces(central, early["upload"])
    path = f"/v1/hearings/{hearing}/closures"
    first = kiosk.call("POST", path, json=closure()).json()
    assert (first["closed"], first["deleted"]) == (1, 1)
    assert traces(central, early["upload"]) == []
    again = kiosk.call("POST", path, json=closure()).json()
    assert (again["closed"], again["deleted"]) == (1, 0)
    state = kiosk.get(f"/v1/uploads/{early['upload']}")
    assert (state["state"], state["receipt"], state["server_sha256"]) == ("closed", None, None)
    refused = announce(kiosk, hearing, CLEAR)
    assert (refused.status_code, refused.json()["code"]) == (409, "closed_since")
    assert kiosk.patch(early["address"], 0, CLEAR).status_code == 410
    body = hearing_body(hearing, {PATH: CLEAR, "hearing.json": b"{}"})
    manifest = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body)
    assert manifest.json()["code"] == "closed_since"
    files = {BY: SECRET, "hearing.json": b"{}"}
    kiosk.send(kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"], files)
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"] is not None


def test_a_half_received_file_is_removed_too(central: Central, kiosk: Kiosk) -> None:
    hearing = new_id()
    running = kiosk.put(
        f"/v1/hearings/{hearing}", hearing_body(hearing, {PATH: CLEAR}, final=False)
    )
    (missing,) = running["missing"]
    kiosk.patch(missing["address"], 0, CLEAR[:1000])
    kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    assert traces(central, missing["upload"]) == []
    assert kiosk.call("HEAD", missing["address"], headers={"Tus-Resumable": "1.0.0"}).status_code
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


def test_another_kiosk_deletes_nothing(kiosk: Kiosk, neighbour: Kiosk) -> None:
    hearing = new_id()
    early = announce(kiosk, hearing, CLEAR).json()
    kiosk.patch(early["address"], 0, CLEAR)
    kiosk.get(f"/v1/uploads/{early['upload']}?wait=20")
    foreign = neighbour.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign")
    assert kiosk.get(f"/v1/uploads/{early['upload']}")["state"] == "complete"


def test_after_the_receipt_it_is_deleted_and_court_it_hears_of_it(
    central: Central, kiosk: Kiosk
) -> None:
    hearing, files = new_id(), {PATH: CLEAR}
    kiosk.send(kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"], files)
    assert kiosk.get(f"/v1/hearings/{hearing}")["receipt"] is not None
    stored = central.data / "store" / "hearings" / hearing / PATH
    assert stored.exists()
    kiosk.call("POST", f"/v1/hearings/{hearing}/closures", json=closure())
    assert not stored.exists()
    with closing(sqlite3.connect(central.data / "central.db")) as database:
        rows = database.execute("SELECT code FROM incidents WHERE subject = ?", (hearing,))
        assert rows.fetchall() == [("closed_after_receipt",)]
