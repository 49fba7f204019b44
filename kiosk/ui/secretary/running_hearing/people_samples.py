"""Sample states of the people of a running hearing, for the screen's pictures."""

from __future__ import annotations

from typing import Any

from kiosk.ui.actions.people_actions import NoteSheet, PeopleSheet, PersonSheet, Sheet
from kiosk.ui.actions.typing_actions import Typing
from kiosk.ui.app_state import AppState
from kiosk.ui.samples.screen_sample import Prepare
from kiosk.ui.samples.service_states import PERSONS, at
from kiosk.ui.samples.staff_states import hearing_runs

QUESTIONED = [
    {"id": 7, "type": "questioning", "at": at(9, 51, 40), "seconds": 2400.0,
     "of": {"id": "p1", "role": "plaintiff", "name": "Ахметов А."}},
    {"id": 8, "type": "questioning", "at": at(9, 52, 2), "seconds": 2420.0},
]  # fmt: skip
LONG_NAMES = [
    {"id": f"p{n}", "role": "witness", "name": f"Әбдірахманова-Құдайбергенова {n} " + "Ұзын " * n}
    for n in range(1, 31)
]
PROTECTED = {**PERSONS[2], "name": "Куә 1", "pseudonym": "Куә 1", "act": "№ 12, 23.11.2026"}
KEPT_NOTE = {"id": 1, "text": "Құжат көрсетілді: 12-бет", "at": at(9, 44, 10), "part": 1}


def _people(sheet: Sheet, **hearing: Any) -> Prepare:
    def prepare(app: AppState) -> None:
        hearing_runs(hearing=hearing)(app)
        app.secretary.people.sheet = sheet

    return prepare


def _whom(persons: list[dict[str, Any]]) -> Prepare:
    asked = {
        "marks": QUESTIONED,
        "open_questions": ["format", "of_whom:8"],
        "persons": persons,
        "due": [],
    }

    def prepare(app: AppState) -> None:
        hearing_runs(hearing=asked)(app)
        app.secretary.people.speaking = ("judge", "witness")

    return prepare


PEOPLE_SAMPLES: dict[str, Prepare] = {
    "recording-whom": _whom(PERSONS),
    "recording-whom-many": _whom(LONG_NAMES),
    "recording-whom-nobody-known": _whom([]),
    "recording-people": _people(PeopleSheet()),
    "recording-people-many": _people(PeopleSheet(page=1), persons=LONG_NAMES),
    "recording-people-none": _people(PeopleSheet(), persons=[]),
    "recording-person": _people(PeopleSheet("p3")),
    "recording-person-online": _people(
        PeopleSheet("p3"),
        persons=[*PERSONS[:2], {**PERSONS[2], "attendance": "online", "institution": True}],
    ),
    "recording-person-criminal": _people(PeopleSheet("p3", page=1), kind="criminal"),
    "recording-person-protected": _people(
        PeopleSheet("p3", page=1), persons=[*PERSONS[:2], PROTECTED], kind="criminal"
    ),
    "recording-people-protected": _people(
        PeopleSheet(), persons=[*PERSONS[:2], PROTECTED], kind="criminal"
    ),
    "recording-person-act": _people(
        PersonSheet("p3", role="", typing=Typing("№ 12"), is_act=True), persons=[PROTECTED]
    ),
    "recording-person-role": _people(PersonSheet(mark=8), marks=QUESTIONED),
    "recording-person-name": _people(
        PersonSheet(mark=8, role="witness", typing=Typing("Сейтқали Ұ")), marks=QUESTIONED
    ),
    "recording-note": _people(NoteSheet(), notes=[KEPT_NOTE]),
    "recording-note-typed": _people(
        NoteSheet(typing=Typing("Құжат көрсетілді: 14-бет, қолы бар"), is_typing=True, mark=8),
        marks=QUESTIONED,
    ),
    "recording-note-kept": hearing_runs(hearing={"marks": QUESTIONED[:1], "notes": [KEPT_NOTE]}),
}
