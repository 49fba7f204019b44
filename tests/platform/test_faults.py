"""The short form of `make faults`: one of each, held to no seconds, for a busy machine."""

from __future__ import annotations

from random import Random

import pytest

from faults import fault_kill, fault_power_cut
from faults.disk.mounted import missing_requirement
from faults.trial import Outcome

pytestmark = pytest.mark.slow


def assert_survived(outcomes: list[Outcome], tries: int) -> None:
    """Check that each try was made and survived."""
    assert [outcome.failures for outcome in outcomes if outcome.failures] == []
    assert sum(outcome.survived for outcome in outcomes) == tries


@pytest.mark.timeout(300)
def test_power_cuts_are_survived() -> None:
    if lack := missing_requirement():
        pytest.skip(lack)
    moments = ("while recording", "in a recess")
    assert_survived(fault_power_cut.run(2, Random(1), strict=False, moments=moments), 2)


@pytest.mark.timeout(300)
def test_kill_9_is_survived() -> None:
    victims = ("the recorder and its children", "two children at once")
    assert_survived(fault_kill.run(2, Random(1), strict=False, victims=victims), 2)
