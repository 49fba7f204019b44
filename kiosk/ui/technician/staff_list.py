"""Who may sign in with a PIN here: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kiosk.alarms import alarm_of
from kiosk.api.recorder_calls import ListedPerson
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import StaffListPlace
from kiosk.ui.samples import service_states
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.staff_states import staff_at
from kiosk.ui.staff.people import ROLES, person_name

STAFF_ALARMS = ("staff_list_", "sign_in_guessed")


@dataclass(frozen=True)
class StaffRow:
    """One person: name, and what she may do."""

    name: str
    roles: str


@dataclass(frozen=True)
class StaffListView:
    """The people, the page, and what is wrong with the list."""

    rows: tuple[StaffRow, ...]
    page: int
    text: str
    is_wrong: bool


def view(app: AppState) -> StaffListView:
    """Return what the screen shows."""
    translate, place, people = app.translate, app.secretary.place, app.upkeep.state.people
    _ = translate.gettext
    page = place.page if isinstance(place, StaffListPlace) else 0
    if people is None:
        return StaffListView((), 0, _("One moment…"), False)
    rows = tuple(
        StaffRow(
            person_name(person, translate),
            ", ".join(_(ROLES[role]) for role in person.roles if role in ROLES),
        )
        for person in people
    )
    alarms = [a for a in app.shown_recorder_state.alarms if a.code.startswith(STAFF_ALARMS)]
    if alarms:
        return StaffListView(rows, page, alarm_of(alarms[0].code).say(translate), True)
    text = _("They sign in with a PIN. Who comes and goes is changed in the central system.")
    return StaffListView(rows, page, text, False)


def _people(count: int) -> tuple[ListedPerson, ...]:
    names = ("Әлия Серікқызы Жұмабаева", "Ерлан Қ. Сатыбалдин", "Н. И. Константинопольская")
    roles = (("secretary",), ("judge", "presiding"), ("technician",))
    return tuple(
        ListedPerson(person=f"p-{n}", name=names[n % 3], roles=roles[n % 3]) for n in range(count)
    )


def _state(people: tuple[ListedPerson, ...] | None, **recorder: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        state = service_states.recorder(**recorder)
        staff_at(StaffListPlace(), state, who=service_states.TECHNICIAN)(app)
        app.upkeep.state = type(app.upkeep.state)(people=people)

    return prepare


_ENDS = [{"code": "staff_list_ends_soon", "source": "staff_list", "since": service_states.ago(6)}]
SAMPLES: dict[str, Prepare] = {
    "staff_list": _state(_people(3)),
    "staff_list-many": _state(_people(9), alarms=_ENDS),
    "staff_list-none": _state(()),
}
