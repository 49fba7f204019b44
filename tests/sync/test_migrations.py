"""A database of the release before is opened, brought up and worked with; nothing is lost."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from kiosk.storage.database import Database
from kiosk.storage.migrations import MIGRATIONS, SCHEMA_1
from kiosk.sync.outbox.outbox import Outbox
from tests.support.delivery_rig import Kiosk

HEARING, FILING = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
AT = "2026-01-05T04:00:00.000Z"


def write_release_1(path: Path) -> None:
    """Write a database as the first release left it: one delivered, one waiting, one number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(f"{SCHEMA_1} PRAGMA user_version = 1;")
        add = "INSERT INTO items (id, kind, state, registered, added_at) VALUES (?, ?, ?, ?, ?)"
        old.execute(add, (HEARING, "hearing", "sending", 1, AT))
        old.execute(add, (FILING, "filing", "delivered", 1, AT))
        old.execute(
            "INSERT INTO files (item_id, path, size, sha256, lane, sent) VALUES (?, ?, ?, ?, ?, ?)",
            (HEARING, "hearing.json", 10, "0" * 64, 1, 4),
        )
        old.execute(
            "INSERT INTO registrations (filing_id, number, state, at) VALUES (?, ?, ?, ?)",
            (FILING, "7514-2026-000001", "registered", AT),
        )
        old.execute(
            "INSERT INTO link_checks VALUES (?, ?)", (AT, json.dumps({"at": AT, "up_mbit": 4.0}))
        )
        old.commit()


def test_the_release_before_is_brought_up_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.db"
    write_release_1(path)
    for _ in range(2):  # the second time there is nothing to do
        database = Database(path)
        assert not database.is_new
        assert database.rows("PRAGMA user_version")[0][0] == len(MIGRATIONS)
        outbox = Outbox(database)
        (item,) = outbox.undelivered_items()
        assert (item.id, item.state, item.bytes_done, item.route) == (
            HEARING,
            "sending",
            4,
            "network",
        )
        assert outbox.delivered_ids("filing") == [FILING]
        database.close()


@pytest.mark.slow
def test_a_kiosk_goes_on_with_it(kiosk: Kiosk) -> None:
    write_release_1(kiosk.paths.database)
    kiosk.start_in_thread()
    assert kiosk.state()["database"] == "ok"
    assert kiosk.state()["link_check"]["last"]["up_mbit"] == 4.0
    assert kiosk.get(f"/v1/filings/{FILING}")["number"] == "7514-2026-000001"
    report = kiosk.make_report()
    kiosk.wait_delivered("report", report)
