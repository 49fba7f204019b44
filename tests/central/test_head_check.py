"""Delivered journals against the heads that were sent earlier."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kiosk.central.data import schema
from kiosk.central.deliveries.head_check import find_contradictions, record_problems
from kiosk.central.server import open_database
from tests.central.test_closures import CLEAR, announce, incidents
from tests.support.central_rig import Central, Kiosk, head_body, hearing_body, new_id

LINES = [b'{"n":0}', b'{"n":1}', b'{"n":2}']
JOURNAL = b"".join(line + b"\n" for line in LINES)


def digest(line: bytes) -> str:
    return sha256(line).hexdigest()


@pytest.mark.parametrize("block", [1, 5, 100])
def test_a_head_fits_its_line(block: int) -> None:
    blocks = [JOURNAL[start : start + block] for start in range(0, len(JOURNAL), block)]
    good = [(1, number, digest(line)) for number, line in enumerate(LINES, start=1)]
    assert find_contradictions(good, {1: blocks}) == []
    rewritten = [JOURNAL.replace(b"1", b"7")]
    assert find_contradictions(good, {1: rewritten}) == ["part 1 count 2"]
    shorter = [JOURNAL[: -len(LINES[-1]) - 1]]
    assert find_contradictions(good, {1: shorter}) == ["part 1 count 3"]
    assert find_contradictions([(2, 1, digest(LINES[0]))], {1: blocks}) == ["part 2 count 1"]
    assert find_contradictions([], {}) == []


def deliver(kiosk: Kiosk, hearing: str, journal: bytes) -> dict[str, Any]:
    files = {"hearing.json": b"{}", "part-01/journal.jsonl": journal}
    kiosk.send(kiosk.put(f"/v1/hearings/{hearing}", hearing_body(hearing, files))["missing"], files)
    return dict(kiosk.get(f"/v1/hearings/{hearing}"))


@pytest.mark.slow
def test_a_rewritten_journal_gets_no_receipt_until_a_person_accepts_it(
    central: Central, kiosk: Kiosk
) -> None:
    good, bad = new_id(), new_id()
    for hearing in (good, bad):
        sent = [head_body(kiosk, hearing, 2, LINES[1])]
        assert kiosk.call("POST", f"/v1/hearings/{hearing}/heads", json={"heads": sent}).ok
    assert deliver(kiosk, good, JOURNAL)["receipt"] is not None
    held = deliver(kiosk, bad, JOURNAL.replace(b"1", b"7"))
    assert (held["receipt"], held["problem"], held["missing"]) == (None, "journal_rewritten", [])
    page = central.anonymous().get((central.data / "admin-address").read_text().strip() + "/")
    assert "part 1 count 2" in page.text
    body = hearing_body(bad, {"hearing.json": b"{}", "part-01/journal.jsonl": b"x"})
    assert kiosk.call("PUT", f"/v1/hearings/{bad}", json=body).status_code == 409
    assert central.task("accept", good, "--reason", "x").returncode == 1
    assert central.task("accept", bad, "--reason", "looked into").returncode == 0
    rewritten = JOURNAL.replace(b"1", b"7")
    after = deliver(kiosk, bad, rewritten)
    assert (after["problem"], after["receipt"] is not None) == (None, True)


@pytest.mark.slow
def test_who_accepts_one_problem_accepts_no_other(central: Central, kiosk: Kiosk) -> None:
    hearing, rewritten = new_id(), JOURNAL.replace(b"1", b"7")
    sent = [head_body(kiosk, hearing, 2, LINES[1])]
    assert kiosk.call("POST", f"/v1/hearings/{hearing}/heads", json={"heads": sent}).ok
    late = announce(kiosk, hearing, CLEAR).json()  # it arrives after the acceptance
    assert deliver(kiosk, hearing, rewritten)["problem"] == "journal_rewritten"
    assert central.task("accept", hearing, "--reason", "looked into").returncode == 0
    kiosk.patch(late["address"], 0, CLEAR)
    kiosk.get(f"/v1/uploads/{late['upload']}?wait=20")
    held = deliver(kiosk, hearing, rewritten)
    assert (held["receipt"], held["problem"]) == (None, "journal_rewritten")
    assert incidents(central, hearing) == [
        "journal_rewritten",
        "recording_accepted",
        "files_left_out",
    ]
    assert central.task("accept", hearing, "--reason", "looked into both").returncode == 0
    assert deliver(kiosk, hearing, rewritten)["receipt"] is not None


def test_long_details_differ_where_they_are_cut(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    hearing, long = new_id(), "x, " * 400
    with database.write() as connection:
        assert not record_problems(connection, "a", hearing, {"journal_rewritten": long + "y"})
        connection.execute(update(schema.problems).values(accepted_at="now"))
        assert record_problems(connection, "a", hearing, {"journal_rewritten": long + "y"})
        assert not record_problems(connection, "a", hearing, {"journal_rewritten": long + "z"})
        assert not record_problems(connection, "a", hearing, {"files_left_out": long + "z"})
        rows = connection.execute(select(schema.incidents.c.code, schema.incidents.c.detail)).all()
    assert [code for code, _ in rows] == [*["journal_rewritten"] * 2, "files_left_out"]
    assert {len(detail) for _, detail in rows} <= set(range(380, 401))
    database.close()
