"""What every test stands on: nothing of the person's own settings, display or sound server."""

from __future__ import annotations

import pytest

FOREIGN = ("DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER", "KIOSK_CONFIG", "NOTIFY_SOCKET")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what belongs to the person who runs the tests."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
