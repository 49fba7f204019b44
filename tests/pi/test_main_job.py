"""The whole main job in the installed, booted, unchanged units, each as its user.

A machine is installed by ``packaging/install.sh`` and booted with virtual devices; taps reach its
screen through cage and Xwayland. The power is cut in a hearing, and the machine is booted again.
The steps (``steps.py``) check what was made: files, the central system's records, media, journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.pi.machine import Machine
from tests.pi.refusals import refusals

FIRST_BOOT = (
    "users",
    "microphones",
    "filing",
    "hearing",
    "copy_to_stick_at_boot",
    "copy_to_stick_later",
    "self_test",
    "read_back",
    "draft",
    "hung_screen",
    "killed_recorder",
)
SECOND_BOOT = ("resume",)
LIMIT_S = 900  # on a busy machine
OFF_S = 60


@dataclass(frozen=True)
class Boots:
    """What the trial wrote down before and after the power cut."""

    first: dict[str, Any]
    second: dict[str, Any]


@pytest.fixture(scope="module")
def boots() -> Iterator[Boots]:
    """Both boots of one machine, the power cut in a running hearing between them."""
    with Machine("main-job") as machine:
        machine.boot(FIRST_BOOT, then="on")
        first = machine.wait(LIMIT_S)
        machine.cut_power()
        second: dict[str, Any] = {"done": [], "journal": [], "error": "not booted"}
        if "error" not in first:
            machine.boot(SECOND_BOOT)
            second = machine.wait(LIMIT_S)
            machine.wait_off(OFF_S)
        yield Boots(first, second)


pytestmark = pytest.mark.timeout(2 * LIMIT_S + OFF_S)


@pytest.mark.parametrize("step", FIRST_BOOT)
def test_the_kiosk_does_its_job(boots: Boots, step: str) -> None:
    assert step in boots.first["done"], describe(boots.first)


@pytest.mark.parametrize("step", SECOND_BOOT)
def test_the_kiosk_goes_on_after_a_power_cut(boots: Boots, step: str) -> None:
    assert step in boots.second["done"], describe(boots.second)


def test_the_system_refuses_nothing_to_the_kiosk(boots: Boots) -> None:
    assert refusals(boots.first) + refusals(boots.second) == []


def describe(outcome: dict[str, Any]) -> str:
    """Return the step that failed, its error, and the kiosk's part of the journal."""
    entries = [entry for entry in outcome["journal"] if entry["unit"].startswith("kiosk-")]
    lines = [f"{entry['unit']}: {entry['text']}" for entry in entries[-60:]]
    return "\n".join([f"failed: {outcome.get('step')}", str(outcome.get("error")), *lines])
