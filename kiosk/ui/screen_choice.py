"""Chooses the screen that is shown: a pure function of the state, checked exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kiosk.api.states import Phase
from kiosk.ui.registry import (
    SCREEN_OF_PLACE,
    MinutesPlace,
    PageReviewPlace,
    SignInPlace,
    StaffPlace,
    TechnicianHomePlace,
    TechnicianPlace,
    VisitorPlace,
)

SCREEN_OF_LAYOUT = {
    "both": "visitor.page_review",
    "large": "visitor.page_enlarged",
    "all": "visitor.page_overview",
    "move": "visitor.page_move",
}


@dataclass(frozen=True)
class ScreenInputs:
    """What decides which screen is shown.

    Attributes:
        phase: of the recorder; None until its first answer.
        has_hearing: a hearing is open.
        is_staff: somebody is signed in.
        is_secretary: this person may conduct a hearing.
        visitor_place: where the visitor is.
        staff_place: where the staff are.
        sign_in_place: the screen of the sign-in that is open.
        idle_seconds_left: until an absent visitor's data are wiped; None: no warning yet.
        is_leaving: the visitor is asked whether to leave the scanned pages.
        has_running_minutes: the minutes that are open are those of the hearing that runs.
    """

    phase: Phase | None
    has_hearing: bool
    is_staff: bool
    is_secretary: bool
    visitor_place: VisitorPlace
    staff_place: StaffPlace
    sign_in_place: SignInPlace | None = None
    idle_seconds_left: int | None = None
    is_leaving: bool = False
    has_running_minutes: bool = False


def screen_name(inputs: ScreenInputs) -> str:
    """Return the name of the screen (``kiosk/ui/README.md``)."""
    if inputs.sign_in_place is not None and not inputs.is_staff:
        return SCREEN_OF_PLACE[type(inputs.sign_in_place)]
    if not inputs.is_staff:
        return _visitor_screen(inputs)
    if inputs.is_secretary:
        return _secretary_screen(inputs)
    if _is_hearing_open(inputs):
        return "secretary.lock"
    place = inputs.staff_place
    return SCREEN_OF_PLACE[
        type(place) if isinstance(place, TechnicianPlace) else TechnicianHomePlace
    ]


def _is_hearing_open(inputs: ScreenInputs) -> bool:
    return inputs.has_hearing and inputs.phase not in (None, "idle")


def _visitor_screen(inputs: ScreenInputs) -> str:
    if _is_hearing_open(inputs):
        return "secretary.lock"
    if inputs.idle_seconds_left is not None:
        return "visitor.idle_warning"
    if inputs.is_leaving:
        return "visitor.leave_confirmation"
    place = inputs.visitor_place
    if isinstance(place, PageReviewPlace):
        return SCREEN_OF_LAYOUT[place.layout]
    return SCREEN_OF_PLACE[type(place)]


def _secretary_screen(inputs: ScreenInputs) -> str:
    is_writing = inputs.has_running_minutes and isinstance(inputs.staff_place, MinutesPlace)
    match inputs.phase if inputs.has_hearing else None:
        case Phase.RECORDING | Phase.RECESS | Phase.RETIRED if is_writing:
            return "secretary.minutes"
        case Phase.RECORDING:
            return "secretary.recording"
        case Phase.RECESS | Phase.RETIRED:
            return "secretary.recess"
        case Phase.SEALING:
            return "secretary.sealing"
        case Phase.IDLE | None:
            return SCREEN_OF_PLACE[type(inputs.staff_place)]
        case never:
            assert_never(never)
