"""What every test stands on: nothing of the person's own settings, display or sound server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

FOREIGN = ("DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER", "KIOSK_CONFIG", "NOTIFY_SOCKET")

# A busy machine is no fault of what is tested. The suite draws the same examples in every run;
# ``pytest --hypothesis-profile=explore`` looks for new ones.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _PATIENT, derandomize=True, database=None)
settings.register_profile("explore", _PATIENT)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what belongs to the person who runs the tests."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
