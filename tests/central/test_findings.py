"""Findings: each appears when its cause exists, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
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


def test_a_time_without_a_zone_is_none() -> None:
    assert parse_time("2026-11-23T10:00:00") is None
    assert parse_time(5) is None
    assert parse_time("2026-11-23T10:00:00.000Z") == NOW
