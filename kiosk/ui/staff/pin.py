"""The PIN pad: view and samples (no Kivy)."""

from __future__ import annotations

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PinPlace
from kiosk.ui.samples.screen_sample import Prepare, prepare_idle


def view(app: AppState) -> PinPlace:
    """Return what the screen shows: the number of digits, and whether they were wrong."""
    return app.pin or PinPlace()


def _asks(pin: PinPlace) -> Prepare:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        app.pin = pin

    return prepare


SAMPLES: dict[str, Prepare] = {
    "pin": _asks(PinPlace("1234")),
    "pin-wrong": _asks(PinPlace(is_wrong=True)),
}
