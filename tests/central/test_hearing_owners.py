"""Whose hearing an id is: the schedule's courtroom can always deliver, nobody else takes it."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from typing import Any

import pytest
import requests

from kiosk.central.identity.courts import put_kiosk
from kiosk.central.server import open_database
from tests.central.test_closures import deliver, incidents, send_early
from tests.support.central_rig import (
    Central,
    Kiosk,
    filing_body,
    head_body,
    hearing_body,
    new_id,
)

FILES = {"part-01/main/run-01/000001.m4s": b"evidence", "journal.jsonl": b"{}\n"}
OTHERS = {"part-01/main/run-01/000001.m4s": b"something", "extra.json": b"{}"}


@pytest.fixture(scope="module")
def scheduled(kiosk: Kiosk) -> list[str]:
    """Return the ids of room 1's hearings."""
    return [row["id"] for row in kiosk.get("/v1/schedule?days=31")["hearings"]]


def put_on_schedule(central: Central, hearing: str, room: str) -> None:
    """Write a hearing into the schedule, as a court's system would later."""
    with closing(sqlite3.connect(central.data / "central.db")) as database, database:
        columns = "(id, court, room, scheduled_at, hearing)"
        values = (hearing, "7599", room, "2030-01-01T09:00:00.000Z", "{}")
        database.execute(f"INSERT INTO schedule {columns} VALUES (?, ?, ?, ?, ?)", values)


def stored(central: Central, hearing: str) -> dict[str, bytes]:
    """Return what lies in the folder of a hearing."""
    folder = central.data / "store" / "hearings" / hearing
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def set_aside_id(central: Central, hearing: str) -> str:
    """Return where the recording of another kiosk is now."""
    with closing(sqlite3.connect(central.data / "central.db")) as database:
        ((other,),) = database.execute("SELECT id FROM set_aside WHERE hearing = ?", (hearing,))
        return str(other)


def every_announcement(kiosk: Kiosk, hearing: str) -> list[requests.Response]:
    """Try each call that could bind an id."""
    upload = {"path": "x", "size": 1, "sha256": "0" * 64, "owner": hearing}
    head = head_body(kiosk, hearing, 1, b"a")
    file = {"path": "part-01/main/run-01/000001.m4s", "sha256": "0" * 64}
    by = {"by": "part-01/main/run-01/000001.tar", "by_sha256": "1" * 64}
    calls: list[tuple[str, str, Any]] = [
        ("PUT", f"/v1/hearings/{hearing}", hearing_body(hearing, FILES)),
        ("PUT", f"/v1/uploads/{new_id()}", upload | {"kind": "hearing"}),
        ("POST", f"/v1/hearings/{hearing}/heads", {"heads": [head]}),
        ("POST", f"/v1/hearings/{hearing}/closures", {"closures": [file | by]}),
        ("PUT", f"/v1/filings/{hearing}", filing_body(b"%PDF")),
        ("PUT", f"/v1/uploads/{new_id()}", upload | {"kind": "report"}),
    ]
    return [kiosk.call(method, path, json=body) for method, path, body in calls]


@pytest.mark.slow
def test_another_room_takes_no_id_by_any_call_and_the_right_one_delivers(
    central: Central, kiosk: Kiosk, neighbour: Kiosk, scheduled: list[str]
) -> None:
    hearing = scheduled[0]
    answers = every_announcement(neighbour, hearing)
    assert [answer.status_code for answer in answers] == [403] * 4 + [409] * 2
    assert {answer.json()["code"] for answer in answers[:4]} == {"other_room"}
    assert incidents(central, hearing) == ["hearing_other_room"]
    assert deliver(kiosk, hearing, FILES)["receipt"]


def test_what_was_seized_before_is_set_aside_and_the_right_room_delivers(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    hearing = str(uuid.uuid4())
    taken = deliver(neighbour, hearing, OTHERS)
    head = {"heads": [head_body(neighbour, hearing, 1, b"a")]}
    neighbour.call("POST", f"/v1/hearings/{hearing}/heads", json=head)
    put_on_schedule(central, hearing, "1")
    assert deliver(kiosk, hearing, FILES)["receipt"]
    assert stored(central, hearing) == FILES, "two recordings are not mixed"
    other = set_aside_id(central, hearing)
    assert stored(central, other) == OTHERS, "nothing is lost"
    assert neighbour.get(f"/v1/hearings/{other}")["receipt"] == taken["receipt"]
    assert neighbour.call("PUT", f"/v1/hearings/{hearing}", json={}).status_code == 400
    late = neighbour.call("PUT", f"/v1/hearings/{hearing}", json=hearing_body(hearing, OTHERS))
    assert (late.status_code, late.json()["code"]) == (403, "other_room")
    assert incidents(central, hearing) == ["hearing_set_aside", "hearing_other_room"]


def test_a_kiosk_that_began_a_hearing_keeps_it_when_the_schedule_moves_it(
    central: Central, neighbour: Kiosk
) -> None:
    hearing = new_id()
    send_early(neighbour, hearing)
    put_on_schedule(central, hearing, "1")
    files = OTHERS | {"part-01/main/run-01/000001.m4s": b"evidence"}
    assert neighbour.call("PUT", f"/v1/hearings/{hearing}", json=hearing_body(hearing, files)).ok


def test_court_it_reassigns_a_hearing_by_command_and_back_by_button(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    hearing = new_id()
    deliver(neighbour, hearing, OTHERS)
    refused = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=hearing_body(hearing, FILES))
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign")
    assert incidents(central, hearing) == ["hearing_foreign"]
    done = central.task("reassign", hearing, kiosk.id, "--reason", "moved to room 1")
    assert done.returncode == 0, done.stderr
    assert deliver(kiosk, hearing, FILES)["receipt"]
    other = set_aside_id(central, hearing)
    assert (stored(central, hearing), stored(central, other)) == (FILES, OTHERS)
    page = (central.data / "admin-address").read_text(encoding="utf-8").strip()
    assert hearing in requests.get(page, timeout=20).text
    form = {"action": "reassign", "hearing": hearing, "kiosk": neighbour.id, "reason": "an error"}
    code_file = central.data / "admin-code"
    assert code_file.stat().st_mode & 0o077 == 0
    for code, status in (("guessed", 403), (code_file.read_text(encoding="ascii"), 200)):
        answer = requests.post(f"{page}/decisions", data=form | {"code": code}, timeout=20)
        assert answer.status_code == status
    assert stored(central, hearing) == OTHERS
    assert neighbour.get(f"/v1/hearings/{hearing}")["receipt"]
    assert central.task("reassign", hearing, "nobody", "--reason", "x").returncode == 1


def test_a_kiosk_that_moves_takes_its_hearings_along(central: Central) -> None:
    mover = central.enrol("kiosk-mover", room="77")
    hearing = new_id()
    put_on_schedule(central, hearing, "77")
    send_early(mover, hearing)
    database = open_database(central.data)
    with database.write() as connection:
        put_kiosk(connection, "7599", mover.id, "78")
    database.close()
    successor = central.enrol("kiosk-successor", room="77")
    body = hearing_body(hearing, FILES)
    assert successor.call("PUT", f"/v1/hearings/{hearing}", json=body).json()["code"] == "foreign"
    assert mover.call("PUT", f"/v1/hearings/{hearing}", json=body).ok
