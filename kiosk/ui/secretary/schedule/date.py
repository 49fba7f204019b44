"""The date, asked when there is neither list nor clock: view and samples (no Kivy)."""

from __future__ import annotations

from datetime import date

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import DatePlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at


def view(app: AppState) -> DatePlace:
    """Return what the screen shows: the date that is set so far."""
    place = app.secretary.place
    return place if isinstance(place, DatePlace) else DatePlace(app.today())


UNSET = service_states.recorder(clock={"state": "unset"})
SAMPLES: dict[str, Prepare] = {"date": staff_at(DatePlace(date(2026, 11, 23)), UNSET)}
