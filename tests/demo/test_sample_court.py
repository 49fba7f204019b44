"""The list of the demo's court, at any time of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kiosk.demo.sample_court import TIME_ZONE, seed


@pytest.mark.parametrize("minutes", [0, 1, 4, 5, 600])
def test_a_hearing_of_today_is_to_be_started_at_any_time(minutes: int) -> None:
    midnight = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)  # in the court's time zone
    now = midnight - timedelta(minutes=minutes, seconds=1)
    first = datetime.fromisoformat(seed(now)["hearings"][0]["scheduled_at"])
    zone = ZoneInfo(TIME_ZONE)
    assert first >= now
    assert first.astimezone(zone).date() == now.astimezone(zone).date()
