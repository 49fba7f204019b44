"""The names of those who may sign in: view and samples (no Kivy)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.api.recorder_calls import ListedPerson
from kiosk.locale import N_, Translator
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import PeoplePlace
from kiosk.ui.samples.screen_sample import Prepare, prepare_idle

FIRST_TECHNICIAN_ID = "first-technician"
FIRST_TECHNICIAN = N_("First technician (code of the set-up)")
ROLES = {
    "secretary": N_("secretary"),
    "judge": N_("judge"),
    "presiding": N_("presiding judge"),
    "technician": N_("technician"),
}


@dataclass(frozen=True)
class PersonRow:
    """One name of the list."""

    person: ListedPerson
    name: str
    roles: str


@dataclass(frozen=True)
class PeopleView:
    """The list; it is never spoken.

    Attributes:
        rows: everybody, whoever signed in last first.
        page: the page that is shown, from 0.
        text: said in place of an empty list.
    """

    rows: tuple[PersonRow, ...]
    page: int
    text: str = ""
    spoken: str = ""


def view(app: AppState) -> PeopleView:
    """Return the list in the language of the screen."""
    place, translate = app.sign_in.place, app.translate
    if not isinstance(place, PeoplePlace) or place.people is None:
        return PeopleView((), 0, translate.gettext("One moment…"))
    rows = tuple(
        PersonRow(person, person_name(person, translate), _roles(person, translate))
        for person in place.people
    )
    empty = translate.gettext("Nobody of this room has a PIN yet. Hold your badge to the reader.")
    return PeopleView(rows, place.page, "" if rows else empty)


def person_name(person: ListedPerson, translate: Translator) -> str:
    """Return the name of ``person``; whose name the list does not say has her id."""
    if person.person == FIRST_TECHNICIAN_ID:
        return translate.gettext(FIRST_TECHNICIAN)
    return person.name.strip() or person.person


def _roles(person: ListedPerson, translate: Translator) -> str:
    known = [translate.gettext(ROLES[role]) for role in person.roles if role in ROLES]
    return ", ".join(known) if person.person != FIRST_TECHNICIAN_ID else ""


def _people(count: int) -> tuple[ListedPerson, ...]:
    names = ("Әлия Серікқызы Жұмабаева", "Ерлан Қ. Сатыбалдин", "Н. И. Константинопольская")
    roles = (("secretary",), ("judge", "presiding"), ("technician",))
    return tuple(
        ListedPerson(person=f"p-{n}", name=names[n % 3], roles=roles[n % 3]) for n in range(count)
    )


def _lists(place: PeoplePlace) -> Prepare:
    def prepare(app: AppState) -> None:
        prepare_idle(app)
        app.sign_in.place = place

    return prepare


SAMPLES: dict[str, Prepare] = {
    "people": _lists(PeoplePlace((*_people(2), ListedPerson(person="first-technician")))),
    "people-many": _lists(PeoplePlace(_people(20), 1)),
    "people-none": _lists(PeoplePlace(())),
    "people-waiting": _lists(PeoplePlace()),
}
