"""The PIN pad: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder_calls import ListedPerson
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PinPlace
from kiosk.ui.samples.screen_sample import Prepare, prepare_idle
from kiosk.ui.staff.people import person_name


@dataclass(frozen=True)
class PinView:
    """The pad of one person; it is never spoken.

    Attributes:
        name: of the person who was chosen.
        digits: how many are typed.
        is_wrong: the last PIN was not right.
        wait_seconds: until the next try.
    """

    name: str
    digits: int = 0
    is_wrong: bool = False
    wait_seconds: int = 0
    spoken: str = ""


def view(app: AppState) -> PinView:
    """Return what the screen shows: name, number of digits, and how the last try ended."""
    place = app.sign_in.place
    if not isinstance(place, PinPlace):
        return PinView("")
    return PinView(
        person_name(place.person, app.translate),
        len(place.digits),
        place.is_wrong,
        app.sign_in.wait_seconds(place),
    )


def _asks(digits: str = "", *, is_wrong: bool = False, wait: float | None = None) -> Prepare:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        person = ListedPerson(person="p-1", name="Әлия Серікқызы Жұмабаева", roles=("secretary",))
        until = None if wait is None else app.now() + wait
        app.sign_in.place = PinPlace(person, digits, is_wrong, until)

    return prepare


SAMPLES: dict[str, Prepare] = {
    "pin": _asks("1234"),
    "pin-wrong": _asks(is_wrong=True),
    "pin-wait": _asks(is_wrong=True, wait=40),
}
