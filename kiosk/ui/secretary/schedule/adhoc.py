"""A hearing that is not on the list: view and samples (no Kivy)."""

from __future__ import annotations

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import AdHocPlace
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at


def view(app: AppState) -> AdHocPlace:
    """Return what the screen shows: what was typed and chosen."""
    place = app.secretary.place
    return place if isinstance(place, AdHocPlace) else AdHocPlace()


SAMPLES: dict[str, Prepare] = {
    "adhoc": staff_at(AdHocPlace()),
    "adhoc-typed": staff_at(AdHocPlace("7514-26-00-1/208", "criminal")),
}
