"""What every test stands on: nothing of the person's own settings, display or sound server."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

FOREIGN = ("DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER", "KIOSK_CONFIG", "NOTIFY_SOCKET")

# A busy machine is no fault of what is tested. The suite draws the same examples in every run;
# ``pytest --hypothesis-profile=explore`` looks for new ones.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _PATIENT, derandomize=True, database=None)
settings.register_profile("explore", _PATIENT)
settings.load_profile("suite")

REPOSITORY = Path(__file__).parents[1]
RECORDING = ("hardware", "recording", "hearing", "services", "platform")
"""Folders whose tests run what is the recorder's, with devices that wait for no processor."""
WALKS = "test_hearing_walk_"
"""Beginning of the files of other folders whose tests record a hearing."""


def _recorder_nice() -> int:
    """Return the priority of the recorder on a kiosk."""
    unit = (REPOSITORY / "systemd" / "kiosk-recorder.service").read_text(encoding="utf-8")
    found = re.search(r"^Nice=(-?\d+)$", unit, re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run what records as its unit does: before everything else, where that is allowed."""
    folder = item.path.relative_to(REPOSITORY / "tests").parts[0]
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(PermissionError):
        if folder in RECORDING or item.path.name.startswith(WALKS):
            os.setpriority(os.PRIO_PROCESS, 0, min(before, _recorder_nice()))
    try:
        return (yield)
    finally:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what belongs to the person who runs the tests."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
