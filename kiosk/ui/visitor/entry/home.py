"""The first screen: what can be done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.api.sync import SyncState
from kiosk.ui.app_state import AppState
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare, prepare_idle
from kiosk.ui.samples.staff_states import people_speak
from kiosk.ui.screen_chrome import Notice


@dataclass(frozen=True)
class HomeView:
    """The greeting."""

    title: str


def view(app: AppState) -> HomeView:
    """Return the greeting."""
    return HomeView(app.translate.gettext("Hello! What would you like to do?"))


def _with(**changes: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        for name, value in changes.items():
            setattr(app, name, value)

    return prepare


SAMPLES = {
    "home": prepare_idle,
    "home-speaking": people_speak(prepare_idle),
    "home-offline": _with(sync_state=SyncState.model_validate(service_states.sync("down"))),
    "home-unknown-badge": _with(notice=Notice("unknown_badge", until=1e9)),
}
