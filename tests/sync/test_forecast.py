"""Windows, caps and pauses of recordings; when the backlog is empty and the disk full."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.hearing import Hearing
from kiosk.api.states import Phase
from kiosk.config import SyncSettings
from kiosk.evidence.journal_file import JournalFile
from kiosk.sync.outbox.request_bodies import part_seconds
from kiosk.sync.polling.forecaster import measured_bytes_per_hour, scheduled_hearings
from kiosk.sync.state.forecast import ForecastInput, ScheduledHearing, compute_forecast, is_late
from kiosk.sync.state.upload_policy import current_upload_policy
from kiosk.sync.transport.pacing import BYTES_PER_MBIT
from tests.support.delivery_rig import Central, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

ZONE = ZoneInfo("Asia/Almaty")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZONE)
NIGHT = SyncSettings(windows=("20:00-07:00",))
GIB = 1 << 30


@pytest.mark.parametrize(
    ("hour", "phase", "settings", "state", "rate"),
    [
        (12, "idle", SyncSettings(), "free", 0),
        (12, "idle", NIGHT, "outside_window", 0),
        (20, "idle", NIGHT, "free", 0),
        (6, "idle", NIGHT, "free", 0),
        (7, "idle", NIGHT, "outside_window", 0),
        (12, "recording", SyncSettings(), "paced", int(4 * BYTES_PER_MBIT * 2 / 3)),
        (12, "recess", SyncSettings(during_hearing="paused"), "paused", 0),
        (12, "sealing", SyncSettings(during_hearing="paused"), "free", 0),
        (12, "recording", SyncSettings(cap_mbit=1), "capped", BYTES_PER_MBIT),
        (12, "idle", SyncSettings(cap_mbit=1.5), "capped", int(1.5 * BYTES_PER_MBIT)),
    ],
)
def test_permit(hour: int, phase: str, settings: SyncSettings, state: str, rate: int) -> None:
    now = NOON.replace(hour=hour)
    found = current_upload_policy(settings, now, 4, is_hearing_open=Phase(phase).is_open)
    assert (found.state, found.rate) == (state, rate)
    if state == "outside_window":
        assert found.until is not None
        assert found.until == NOON.replace(hour=20)


def test_without_an_open_hearing_nothing_is_held_back() -> None:
    paused = SyncSettings(during_hearing="paused")
    assert current_upload_policy(paused, NOON, None, is_hearing_open=False).state == "free"


def forecast_input(**more: object) -> ForecastInput:
    """Return a kiosk at noon with 10 Mbit/s and nothing to do."""
    known = {
        "now": NOON.astimezone(UTC),
        "zone": ZONE,
        "settings": SyncSettings(),
        "backlog": 0,
        "up_mbit": 10.0,
        "bytes_per_hour": 1e9,
        "free_bytes": 100 * GIB,
    }
    return ForecastInput(**(known | more))  # type: ignore[arg-type]


def test_an_empty_backlog_is_empty_now() -> None:
    found = compute_forecast(forecast_input())
    assert (found.empty_at, found.is_endless, found.full_at) == (NOON, False, None)


def test_a_backlog_goes_at_the_measured_rate() -> None:
    found = compute_forecast(forecast_input(backlog=4_050_000_000))  # 9 Mbit/s usable: an hour
    assert found.empty_at is not None
    assert abs(found.empty_at - NOON - timedelta(hours=1)) < timedelta(seconds=5)


def test_a_window_makes_it_wait() -> None:
    found = compute_forecast(forecast_input(backlog=4_050_000_000, settings=NIGHT))
    assert found.empty_at is not None
    assert abs(found.empty_at - NOON.replace(hour=21)) < timedelta(seconds=5)


def test_hearings_add_and_slow_down() -> None:
    hearing = ScheduledHearing(NOON, NOON + timedelta(hours=2))
    paced = compute_forecast(forecast_input(backlog=1, hearings=[hearing], bytes_per_hour=3e9))
    assert paced.empty_at is not None
    assert paced.empty_at > hearing.end  # 6 Mbit/s leave, 6.7 come
    paused = SyncSettings(during_hearing="paused")
    held = compute_forecast(forecast_input(backlog=1, hearings=[hearing], settings=paused))
    assert held.empty_at is not None
    assert held.empty_at > hearing.end


def test_a_line_too_slow_never_gets_through_and_the_disk_fills() -> None:
    days = [
        ScheduledHearing(NOON + timedelta(days=day), NOON + timedelta(days=day, hours=6))
        for day in range(8)
    ]
    busy = forecast_input(backlog=50 * GIB, up_mbit=0.5, hearings=days, free_bytes=15_000_000_000)
    found = compute_forecast(busy)
    assert (found.empty_at, found.is_endless) == (None, True)
    assert found.full_at is not None
    assert timedelta(days=2) < found.full_at - NOON < timedelta(days=2, hours=4)
    deletions = [(NOON + timedelta(days=1), 20_000_000_000)]
    later = compute_forecast(forecast_input(**{**busy.__dict__, "deletions": deletions})).full_at
    assert later is not None
    assert later - found.full_at > timedelta(days=2)


def test_without_a_measured_line_nothing_is_said() -> None:
    found = compute_forecast(forecast_input(backlog=1, up_mbit=None))
    assert (found.empty_at, found.is_endless) == (None, False)


def test_late_is_beyond_tomorrow_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.sync.state.forecast.wall_time", lambda: NOON.astimezone(UTC))
    tomorrow = NOON + timedelta(days=1)
    assert not is_late(tomorrow.replace(hour=6), ZONE)
    assert is_late(tomorrow.replace(hour=8), ZONE)
    assert not is_late(None, ZONE)


def test_hearings_without_time_or_duration() -> None:
    """Without a time a hearing does not count; without a duration it is an hour."""
    untimed = Hearing(id="a")
    at_noon = Hearing(id="b", scheduled_at="2026-11-23T12:00:00Z")
    (hearing,) = scheduled_hearings([untimed, at_noon])
    assert hearing.end - hearing.start == timedelta(hours=1)


def test_bytes_an_hour_are_measured_from_closed_parts(tmp_path: Path) -> None:
    assert measured_bytes_per_hour(tmp_path / "none") is None
    part = tmp_path / "hearing" / "part-01"
    part.mkdir(parents=True)
    journal = JournalFile.create(part / "journal.jsonl")
    journal.append("part", {"tap_ns": 5_000_000_000})
    assert part_seconds(part / "journal.jsonl") is None
    journal.append("closed", {"stop_ns": 125_000_000_000})
    journal.close()
    assert part_seconds(part / "journal.jsonl") == 120.0
    (part / "a.m4s").write_bytes(os.urandom(1_000_000))
    size = 1_000_000 + (part / "journal.jsonl").stat().st_size
    assert measured_bytes_per_hour(tmp_path) == size * 30


def test_outside_the_window_filings_and_reports_go_recordings_wait(
    central: Central, kiosk: Kiosk
) -> None:
    local = datetime.now(ZONE)
    begin, end = local + timedelta(hours=3), local + timedelta(hours=4)
    kiosk.change_settings("sync", windows=[f"{begin:%H:%M}-{end:%H:%M}"])
    hearing = kiosk.make_hearing(video=2000, files=1)
    kiosk.start_in_thread()
    filing, report = kiosk.make_filing(), kiosk.make_report()
    kiosk.wait_delivered("filing", filing)
    kiosk.wait_delivered("report", report)
    state = wait_for(lambda: (now := kiosk.state())["forecast"] and now, "the forecast")
    assert state["uploads"]["state"] == "outside_window"
    assert state["uploads"]["until"] is not None
    assert kiosk.get(f"/v1/hearings/{hearing}")["state"] == "queued"
    kiosk.stop()
    kiosk.change_settings("sync", windows=[])
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", hearing)
    wait_for(lambda: kiosk.state()["forecast"]["empty_at"], "an empty backlog")
    heartbeat = central.query("SELECT state FROM kiosks WHERE id = 'kiosk-0001'")[0][0]
    assert '"empty_at"' in heartbeat
