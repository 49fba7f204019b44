"""Findings: each appears when its cause exists, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.central.admin.findings import (
    FleetSnapshot,
    Incident,
    KioskStatus,
    OpenDelivery,
    ScheduledHearing,
    collect_findings,
    parse_time,
)
from kiosk.central.admin.queries import read_snapshot
from kiosk.central.admin.texts import AdminTexts
from kiosk.central.data import schema
from kiosk.central.data.database import Database, sqlite_url
from kiosk.clocks import format_wall
from kiosk.locale import Translator

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 15:00 in Almaty
WELL = KioskStatus(
    id="kiosk-0001",
    court="7599",
    room="1",
    zone=ZoneInfo("Asia/Almaty"),
    last_seen=NOW - timedelta(seconds=40),
    state_at=NOW - timedelta(seconds=40),
    state={
        "storage": {"free_bytes": 50, "total_bytes": 100},
        "queue": {"items": 2, "empty_at": "2026-11-23T20:00:00Z"},
        "selftest": {"id": "x", "passed": 10, "failed": 0},
        "recording": None,
    },
    certificate_until=NOW + timedelta(days=300),
)
HEARING = ScheduledHearing("h-1", "7599", "1", "7599-26-00-2/1", NOW - timedelta(minutes=20), False)


def codes(snapshot: FleetSnapshot) -> list[str]:
    return [finding.code for finding in collect_findings(snapshot, NOW)]


def of(**state: Any) -> list[str]:
    return codes(FleetSnapshot(kiosks=(replace(WELL, state={**WELL.state, **state}),)))


def test_a_quiet_day_has_none() -> None:
    assert codes(FleetSnapshot(kiosks=(WELL,))) == []


def test_scheduled_but_not_recording_a_quarter_of_an_hour_later() -> None:
    kiosks = (WELL,)
    assert codes(FleetSnapshot(kiosks=kiosks, scheduled=(HEARING,))) == ["not_recording"]
    early = replace(HEARING, at=NOW - timedelta(minutes=14))
    assert codes(FleetSnapshot(kiosks=kiosks, scheduled=(early,))) == []
    assert codes(FleetSnapshot(kiosks=kiosks, scheduled=(replace(HEARING, recorded=True),))) == []
    running = replace(WELL, state={"recording": {"hearing": "h-1", "phase": "recording"}})
    assert codes(FleetSnapshot(kiosks=(running,), scheduled=(HEARING,))) == []
    assert codes(FleetSnapshot(kiosks=kiosks, scheduled=(replace(HEARING, room="2"),))) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"recording": {"hearing": "h", "sources_missing": ["witness"]}}, ["source_missing"]),
        ({"queue": {"empty_at": "2026-11-24T03:00:00Z"}}, ["backlog_late"]),
        ({"queue": {"empty_at": "2026-11-24T01:00:00Z"}}, []),
        ({"queue": {"empty_at": "soon"}}, []),
        ({"queue": {"empty_at": None, "endless": True}}, ["backlog_late"]),
        ({"storage": {"free_bytes": 4, "total_bytes": 100}}, ["disk_is_full"]),
        (
            {"storage": {"free_bytes": 40, "total_bytes": 100, "full_at": "2026-11-27T00:00:00Z"}},
            ["disk_fills"],
        ),
        (
            {"storage": {"free_bytes": 40, "total_bytes": 100, "full_at": "2026-12-27T00:00:00Z"}},
            [],
        ),
        ({"selftest": {"passed": 9, "failed": 1}}, ["selftest_failed"]),
    ],
)
def test_what_a_heartbeat_tells(state: dict[str, Any], expected: list[str]) -> None:
    assert of(**state) == expected


def test_the_morning_check_is_told_in_words() -> None:
    found = [
        {"code": "morning_microphone_weaker", "source": "witness/-60/-73"},
        {"code": "morning_sweep_muffled", "source": "of an earlier release"},
        {"code": "disk_low"},
    ]
    kiosk = replace(WELL, state={**WELL.state, "alarms": found})
    texts = AdminTexts(Translator("en"), WELL.zone, NOW)
    findings = collect_findings(FleetSnapshot(kiosks=(kiosk,)), NOW)
    told, early = (texts.sentence(row.code, row.values, {}) for row in findings)
    assert told == (
        "Morning check: microphone witness hears less: −60 dB at its installation, −73 dB this "
        "morning."
    )
    assert "of an earlier release sounds muffled" in early
    assert "– dB at its installation" in early


@pytest.mark.parametrize(
    ("language", "values"),
    [("en", "0.62 at its installation, 0.41"), ("ru", "0,62 при установке, 0,41")],
)
def test_how_much_less_clearly_words_arrive_is_told(language: str, values: str) -> None:
    found = [{"code": "morning_transmission_fell", "source": "witness/0.62/0.41"}]
    kiosk = replace(WELL, state={**WELL.state, "alarms": found})
    (finding,) = collect_findings(FleetSnapshot(kiosks=(kiosk,)), NOW)
    texts = AdminTexts(Translator(language), WELL.zone, NOW)
    sentence = texts.sentence(finding.code, finding.values, {})
    assert "witness " in f"{sentence} "
    assert values in sentence


def test_a_kiosk_that_went_silent_is_worse_while_it_records() -> None:
    silent = replace(WELL, last_seen=NOW - timedelta(minutes=11))
    assert collect_findings(FleetSnapshot(kiosks=(silent,)), NOW)[0].severity == "caution"
    recording = replace(silent, state={"recording": {"hearing": "h"}})
    assert collect_findings(FleetSnapshot(kiosks=(recording,)), NOW)[0].severity == "fault"
    assert codes(FleetSnapshot(kiosks=(replace(WELL, last_seen=None),))) == []


def test_what_was_announced_and_did_not_come() -> None:
    filing = OpenDelivery(
        "f", "filing", "kiosk-0001", "7599-2026-000001", NOW - timedelta(minutes=61)
    )
    hearing = replace(filing, kind="hearing")
    assert codes(FleetSnapshot(kiosks=(WELL,), open=(filing, hearing))) == ["delivery_stuck"]


def test_incidents_come_first_and_are_forgotten_after_a_week() -> None:
    fresh = Incident("hash_mismatch", "kiosk-0001", "h", "a.m4s", NOW - timedelta(hours=1))
    old = replace(fresh, code="head_conflicts", at=NOW - timedelta(days=8))
    expiring = replace(WELL, certificate_until=NOW + timedelta(days=3))
    snapshot = FleetSnapshot(kiosks=(expiring,), incidents=(old, fresh))
    assert codes(snapshot) == ["hash_mismatch", "certificate_expires"]


def test_a_time_that_no_zone_can_show_is_none() -> None:
    assert parse_time("2026-11-23T10:00:00") is None
    assert parse_time(5) is None
    assert parse_time("9999-12-31T23:59:59-12:00") is None, "no other zone can show it"
    assert parse_time("2026-11-23T10:00:00.000Z") == NOW


def test_one_kiosk_hides_no_incident_of_another(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    repeated = ("kiosk-0001", "journal_rewritten", "h", "part 1")
    flood = [("kiosk-0002", "hash_mismatch", f"{n}", "a.m4s") for n in range(1500)]
    rows = [repeated] * 3 + flood
    with database.write() as connection:
        for n, (kiosk, code, subject, detail) in enumerate(rows):
            at = format_wall(NOW - timedelta(hours=3) + timedelta(seconds=n))
            values = {"kiosk": kiosk, "code": code, "subject": subject, "detail": detail}
            connection.execute(schema.incidents.insert().values(at=at, **values))
        snapshot = read_snapshot(connection, NOW)
    database.close()
    shown = [item for item in snapshot.incidents if item.kiosk == "kiosk-0002"]
    assert [item.subject for item in shown] == [f"{n}" for n in range(1499, 1489, -1)]
    assert [item.others for item in shown] == [0] * 9 + [1490]
    [other] = [item for item in snapshot.incidents if item.kiosk == "kiosk-0001"]
    assert (other.times, other.others) == (3, 0)
    texts = AdminTexts(Translator("ru"), WELL.zone, NOW)
    sentences = [texts.finding(finding)["sentence"] for finding in collect_findings(snapshot, NOW)]
    assert sum("1490" in sentence for sentence in sentences) == 1


def test_one_kiosk_hides_no_open_delivery_of_another(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "central.db"))
    database.create_tables()
    with database.write() as connection:
        connection.execute(schema.courts.insert().values(id="1", name={}, timezone="UTC"))
        for kiosk, count in (("kiosk-0001", 1500), ("kiosk-0002", 1)):
            connection.execute(schema.kiosks.insert().values(id=kiosk, court="1", room="1"))
            rows = [
                {"id": f"{kiosk}-{n}", "kind": "hearing", "kiosk": kiosk, "manifest": {}}
                | {"digest": "", "final": True, "created_at": format_wall(NOW)}
                for n in range(count)
            ]
            connection.execute(schema.deliveries.insert(), rows)
        snapshot = read_snapshot(connection, NOW)
    database.close()
    assert {item.kiosk for item in snapshot.open} == {"kiosk-0001", "kiosk-0002"}
