"""Ages by no wall clock: a clock that is set right by weeks makes nothing old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.storage.ages import WRITE_SECONDS, Ages

TRUE_TIME = datetime(2026, 11, 28, 9, tzinfo=UTC)
WEEKS = timedelta(weeks=6)
DAY = 86_400.0


class Machine:
    """A machine whose power, wall clock and time server a test moves."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ages.json"
        self.time, self.wrong = TRUE_TIME, timedelta(0)
        self.booted, self.boot = TRUE_TIME - timedelta(minutes=5), 1
        self.is_synchronised = True

    def start(self) -> Ages:
        return Ages(
            self.path,
            lambda: (self.time - self.booted).total_seconds(),
            lambda: f"boot-{self.boot}",
            lambda: self.time + self.wrong,
            lambda: self.is_synchronised,
        )

    def run(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def cut_power(self, seconds: float) -> Ages:
        self.run(seconds)
        self.boot += 1
        self.booted, self.is_synchronised = self.time, False
        return self.start()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that has just started."""
    return Machine(tmp_path)


def age(ages: Ages, *others: str) -> float:
    """Return the age of the one thing that the tests watch."""
    return ages.of("thing", ["a", *others])["a"]


@pytest.mark.parametrize("wrong", [-WEEKS, WEEKS])
def test_a_step_of_the_clock_ages_nothing(machine: Machine, wrong: timedelta) -> None:
    machine.wrong, machine.is_synchronised = wrong, False
    ages = machine.start()
    assert age(ages) == 0
    machine.run(60)
    assert age(ages) == 60
    machine.wrong, machine.is_synchronised = timedelta(0), True  # the time server is back
    assert age(ages) == 60
    machine.wrong = -wrong
    assert age(machine.start()) == 60
    machine.run(3600)
    assert age(ages) == 3660


@pytest.mark.parametrize("wrong", [-WEEKS, WEEKS])
def test_a_clock_that_was_wrong_before_or_after_a_power_cut_ages_nothing(
    machine: Machine, wrong: timedelta
) -> None:
    machine.wrong, machine.is_synchronised = wrong, False
    ages = machine.start()
    age(ages)
    machine.run(WRITE_SECONDS)
    assert age(ages) == WRITE_SECONDS
    ages = machine.cut_power(DAY)
    machine.wrong, machine.is_synchronised = timedelta(0), True
    machine.run(60)
    assert age(ages) == WRITE_SECONDS + 60, "nobody knows how long the power was away"
    machine.run(WRITE_SECONDS)
    age(ages)
    ages = machine.cut_power(DAY)
    machine.wrong = wrong
    machine.run(60)
    assert age(ages) < WRITE_SECONDS * 2 + 121, "the clock is not right yet"
    machine.wrong, machine.is_synchronised = timedelta(0), True
    assert DAY <= age(ages) - 2 * WRITE_SECONDS < DAY + 200, "now the day without power counts"


def test_time_without_power_counts_once_it_is_certain(machine: Machine) -> None:
    ages = machine.start()
    age(ages)
    ages = machine.cut_power(DAY)
    machine.run(WRITE_SECONDS)
    assert age(ages) == WRITE_SECONDS
    ages = machine.start()  # the service starts again, and then the machine
    machine.run(WRITE_SECONDS)
    assert age(ages) == 2 * WRITE_SECONDS
    ages = machine.cut_power(DAY)
    machine.run(60)
    machine.is_synchronised = True
    assert age(ages) == pytest.approx(2 * DAY + 2 * WRITE_SECONDS + 60, abs=1)
    ages = machine.cut_power(DAY)
    machine.is_synchronised = True
    assert age(ages) == pytest.approx(3 * DAY + 2 * WRITE_SECONDS + 60, abs=1)


def test_what_comes_is_young_and_what_goes_is_forgotten(machine: Machine) -> None:
    ages = machine.start()
    age(ages)
    machine.run(DAY)
    assert ages.of("thing", ["a", "b"]) == {"a": DAY, "b": 0}
    assert ages.of("other", ["a"]) == {"a": 0}
    assert ages.of("thing", ["b"]) == {"b": 0}
    assert age(machine.start(), "b") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"lived": -Infinity, "born": {"thing": {"a": -1e99}}}',
        '{"lived": NaN, "uptime": "x", "boot": "boot-1", "born": {"thing": {"a": []}}}',
        '{"lived": 1, "born": {"thing": 3}, "certain": {"wall": 4, "lived": []}}',
        '{"lived": 1, "born": [], "certain": "yesterday"}',
    ],
)
def test_a_damaged_file_makes_nothing_old(machine: Machine, text: str) -> None:
    machine.path.write_text(text)
    found = age(machine.start())
    assert 0 <= found <= 301
    machine.run(DAY)
    assert age(machine.start()) <= found + DAY


@pytest.mark.parametrize(
    "damage",
    [
        {"lived": 10**400},
        {"lived": 1e308},
        {"uptime": "x"},
        {"uptime": -1e9},
        {"born": {"thing": {"a": "x"}}},
        {"born": {"thing": {"a": -5}}},
        {"born": {"thing": {"a": 10**400}}},
        {"certain": {"wall": "1971-01-01T00:00:00Z", "boot": "boot-0", "lived": 1e9}},
        {"certain": {"wall": "2026-11-28T08:00:00Z", "boot": "boot-0", "lived": "x"}},
    ],
    ids=str,
)
def test_a_damaged_value_makes_what_was_young_no_older(
    machine: Machine, damage: dict[str, object]
) -> None:
    value = {"lived": 1e9, "boot": "boot-1", "uptime": 299.0, "born": {"thing": {"a": 1e9}}}
    machine.path.write_text(json.dumps(value | damage))
    ages = machine.start()
    assert age(ages) <= 1
    machine.run(60)
    assert 0 < age(ages) <= 61, "it goes on from there"


def test_a_clock_that_the_kernel_believes_and_that_cannot_be_right_is_not_certain(
    machine: Machine,
) -> None:
    machine.wrong = datetime(1970, 1, 2, tzinfo=UTC) - TRUE_TIME
    ages = machine.start()
    assert (age(ages), ages.certain_time()) == (0, None)
    machine.run(WRITE_SECONDS)
    age(ages)
    ages = machine.cut_power(60)
    machine.wrong, machine.is_synchronised = timedelta(0), True
    machine.run(60)
    assert age(ages) == WRITE_SECONDS + 60


def test_a_disk_that_refuses_loses_ages_and_nothing_else(machine: Machine) -> None:
    machine.path.mkdir()
    ages = machine.start()
    age(ages)
    machine.run(DAY)
    assert age(ages) == DAY
    machine.path.rmdir()
    machine.run(1)
    assert age(ages) == DAY + 1
    assert age(machine.start()) == DAY + 1


def test_the_disk_is_spared(machine: Machine) -> None:
    ages = machine.start()
    age(ages)
    written = json.loads(machine.path.read_text())
    machine.run(WRITE_SECONDS - 1)
    age(ages)
    assert json.loads(machine.path.read_text()) == written
    machine.run(1)
    age(ages)
    assert json.loads(machine.path.read_text()) != written
