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
from tests.central.test_closures import announce, deliver, incidents, send_early
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


def move(central: Central, hearing: str, room: str) -> None:
    """Move a hearing to another courtroom on the schedule."""
    with closing(sqlite3.connect(central.data / "central.db")) as database, database:
        database.execute("UPDATE schedule SET room = ? WHERE id = ?", (room, hearing))


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
    for id_ in (other, hearing):
        assert neighbour.get(f"/v1/hearings/{id_}")["receipt"] == taken["receipt"]
    path = next(iter(OTHERS))
    fetched = neighbour.call("GET", f"/v1/hearings/{hearing}/files/{path}")
    assert fetched.content == OTHERS[path], "its own recording, wherever it is now"
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
    mistyped = central.task("reassign", hearing[:-1], kiosk.id, "--reason", "x")
    assert (mistyped.returncode, hearing[:-1] in mistyped.stderr) == (1, True)


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


def test_what_was_delivered_from_the_schedules_room_stays_when_the_schedule_moves_it(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    scheduled, named_later = new_id(), new_id()
    send_early(neighbour, named_later)
    for hearing in (scheduled, named_later):
        put_on_schedule(central, hearing, "2")
        announce(neighbour, hearing, b"more", "part-01/x.m4s")
        move(central, hearing, "1")
        answer = kiosk.call("PUT", f"/v1/hearings/{hearing}", json=hearing_body(hearing, FILES))
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign")
    receipt = deliver(neighbour, scheduled, OTHERS | {"part-01/x.m4s": b"more"})["receipt"]
    assert kiosk.call("GET", f"/v1/hearings/{scheduled}").status_code == 404
    body = hearing_body(scheduled, FILES)
    assert kiosk.call("PUT", f"/v1/hearings/{scheduled}", json=body).status_code == 403
    assert neighbour.get(f"/v1/hearings/{scheduled}")["receipt"] == receipt
    assert stored(central, scheduled) == OTHERS | {"part-01/x.m4s": b"more"}
    assert central.task("reassign", scheduled, kiosk.id, "--reason", "x").returncode == 0
    assert deliver(kiosk, scheduled, FILES)["receipt"]
    assert neighbour.get(f"/v1/hearings/{scheduled}")["receipt"] == receipt, "still"


def test_court_it_frees_a_hearing_of_which_another_kiosk_has_sent_something(
    central: Central, kiosk: Kiosk, neighbour: Kiosk
) -> None:
    hearing = new_id()
    upload = send_early(neighbour, hearing)
    with closing(sqlite3.connect(central.data / "central.db")) as database, database:
        change = "UPDATE owners SET kiosk = ? WHERE hearing = ?"  # as an earlier release left it
        database.execute(change, (kiosk.id, hearing))
    body = hearing_body(hearing, FILES)
    assert kiosk.call("PUT", f"/v1/hearings/{hearing}", json=body).json()["code"] == "foreign"
    for _ in range(2):  # a second time changes nothing
        assert central.task("reassign", hearing, kiosk.id, "--reason", "IT").returncode == 0
    assert deliver(kiosk, hearing, FILES)["receipt"]
    assert stored(central, hearing) == FILES
    assert neighbour.get(f"/v1/uploads/{upload}")["owner"] == set_aside_id(central, hearing)
    assert incidents(central, hearing) == ["hearing_reassigned"] * 2


def test_a_revoked_kiosk_keeps_what_has_a_receipt_and_the_rest_is_free_for_its_courtroom(
    central: Central, neighbour: Kiosk
) -> None:
    stolen = central.enrol("kiosk-stolen", room="81")
    complete, begun, unlisted = new_id(), new_id(), new_id()
    for hearing in (complete, begun):
        put_on_schedule(central, hearing, "81")
    assert deliver(stolen, complete, OTHERS)["receipt"]
    uploads = [send_early(stolen, hearing) for hearing in (begun, unlisted)]
    successor = central.enrol("kiosk-new", room="81")

    def answers(kiosk: Kiosk) -> list[str]:
        bodies = [(each, hearing_body(each, FILES)) for each in (complete, begun, unlisted)]
        sent = [kiosk.call("PUT", f"/v1/hearings/{each}", json=body) for each, body in bodies]
        return [answer.json().get("code", "taken") for answer in sent]

    assert answers(successor) == ["foreign"] * 3
    done = central.task("revoke", stolen.id)
    assert "2 hearings without a receipt" in done.stdout, done.stderr
    assert answers(neighbour) == ["other_room", "other_room", "foreign"]
    assert answers(successor) == ["foreign", "taken", "taken"]
    assert deliver(successor, begun, FILES)["receipt"]
    assert stored(central, complete) == OTHERS
    assert "hearing_freed" in incidents(central, begun)
    with closing(sqlite3.connect(central.data / "central.db")) as database:
        query = "SELECT detail FROM incidents WHERE code = 'kiosk_revoked' AND kiosk = ?"
        assert database.execute(query, (stolen.id,)).fetchall() == [("2",)]
        for upload in uploads:
            owner = "SELECT state FROM uploads WHERE id = ? AND owner IN (SELECT id FROM set_aside)"
            assert database.execute(owner, (upload,)).fetchall() == [("complete",)], "kept"
