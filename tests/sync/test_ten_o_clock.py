"""200 rooms with a hearing at ten: how many check the link at once; in virtual time (R30)."""

from __future__ import annotations

import heapq
import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, create_engine

from kiosk.api.hearing import Hearing
from kiosk.api.sync import LinkCheckResult
from kiosk.central.data import schema
from kiosk.central.http.link_records import AT_ONCE, begin_check
from kiosk.clocks import format_wall
from kiosk.storage.ages import Ages
from kiosk.sync.link_check.link_check import Slot
from kiosk.sync.link_check.scheduled_checks import ScheduledLinkChecks, next_check

ROOMS, POLL_S, BUSY_S, CHECK_S = 200, 2.0, 0.5, 4.0
TEN = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
LEAD = timedelta(minutes=10)
pytestmark = pytest.mark.slow


class Hour:
    """The clock of all rooms and of the central system, and its database."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.now = TEN
        self.begun: list[datetime] = []
        self._tokens = itertools.count()

    def uptime(self) -> float:
        """Return the boot clock."""
        return self.now.timestamp()

    def reserve(self) -> Slot:
        """Ask the central system's own code for a slot."""
        token = next(self._tokens)
        with self.database.begin() as connection:
            wait_s = begin_check(connection, f"K-{token}", f"{token:032x}", is_planned=True)[1]
        return Slot({}, wait_s)

    def run(self, _report_progress: object, _slot: Slot | None) -> LinkCheckResult:
        """Check for :data:`CHECK_S`."""
        self.begun.append(self.now)
        return LinkCheckResult(at=format_wall(), verdict="good")

    def most_at_once(self) -> int:
        """Return how many checks ran at once at most."""
        ends = [(at + timedelta(seconds=CHECK_S), -1) for at in self.begun]
        changes = sorted([*ends, *((at, 1) for at in self.begun)])
        return max(itertools.accumulate(change for _, change in changes))


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hour]:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    made = Hour(engine)
    for module in ("kiosk.sync.link_check.scheduled_checks", "kiosk.central.http.link_records"):
        monkeypatch.setattr(f"{module}.wall_time", lambda: made.now)
    monkeypatch.setattr("kiosk.sync.link_check.scheduled_checks.boot_seconds", made.uptime)
    yield made
    engine.dispose()


@pytest.mark.parametrize("from_minutes", [21, 6], ids=["usual", "the line comes back at 9:54"])
def test_few_rooms_measure_at_once(hour: Hour, tmp_path: Path, from_minutes: int) -> None:
    begin = TEN - timedelta(minutes=from_minutes)
    draw, queue = Random(1), list[tuple[datetime, int]]()
    rooms: list[tuple[ScheduledLinkChecks, list[Hearing]]] = []
    for number in range(ROOMS):
        hearing = Hearing(id=str(uuid.UUID(int=draw.getrandbits(128), version=4)))
        listed = [hearing.model_copy(update={"scheduled_at": format_wall(TEN)})]
        ages = Ages(tmp_path / f"{number}-ages.json")
        checks = ScheduledLinkChecks(hour, tmp_path / str(number), LEAD, ages)  # type: ignore[arg-type]
        rooms.append((checks, listed))
        due = next_check(listed, LEAD, begin, set())
        assert due is not None
        first = max(begin, due.at) + timedelta(seconds=draw.uniform(0, POLL_S))
        heapq.heappush(queue, (first, number))
    while queue:
        hour.now, number = heapq.heappop(queue)
        checks, listed = rooms[number]
        before = len(hour.begun)
        checks.run_if_due(listed, lambda _: None, is_hearing_open=False)
        if len(hour.begun) == before:
            later = timedelta(seconds=POLL_S + draw.uniform(0, BUSY_S))
            heapq.heappush(queue, (hour.now + later, number))
        assert hour.now < TEN
    assert len(hour.begun) == ROOMS
    assert hour.most_at_once() <= AT_ONCE
    assert max(hour.begun) <= TEN - timedelta(minutes=2), "there is time for another try"
