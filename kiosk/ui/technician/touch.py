"""The touch test: one point after the other, in the corners and the middle; view and samples."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.selftest.model import TOUCH_POINTS, TouchPoint
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import TouchPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at


@dataclass(frozen=True)
class TouchView:
    """The point to touch, and what to do."""

    point: TouchPoint
    title: str
    count: str


def view(app: AppState) -> TouchView:
    """Return what the screen shows."""
    _ = app.translate.gettext
    place = app.secretary.place
    touched = place.touched if isinstance(place, TouchPlace) else 0
    return TouchView(
        point=TOUCH_POINTS[touched],
        title=_("Touch the middle of the cross."),
        count=_("{n} of {total}", n=touched + 1, total=len(TOUCH_POINTS)),
    )


SAMPLES: dict[str, Prepare] = {
    f"touch-{point}": staff_at(TouchPlace(number), who=service_states.TECHNICIAN)
    for number, point in enumerate(TOUCH_POINTS)
}
