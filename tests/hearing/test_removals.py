"""Whoever was removed from the hall has left, until that is taken back (S7, УПК 346)."""

from __future__ import annotations

import pytest

from kiosk.api.persons import SavePerson
from tests.hearing.courtroom_rig import CourtroomRig

PARTICIPANTS = [
    {"role": "accused_in_court", "name": "Ахметов Б."},
    {"role": "witness", "name": "Ержан Т."},
]


@pytest.fixture
def room(rig: CourtroomRig) -> CourtroomRig:
    rig.begin(kind="criminal", format="offline", participants=PARTICIPANTS)
    return rig


def left(room: CourtroomRig) -> list[str]:
    return [row["id"] for row in room.hearing()["persons"] if row["left"]]


def test_who_is_removed_has_left_since_that_mark(room: CourtroomRig) -> None:
    room.courtroom.add_mark("removal", "s1", of="p1")
    person, mark = room.hearing()["persons"][0], room.hearing()["marks"][0]
    assert person["left"] == mark["at"]
    room.crash()
    room.start()
    assert left(room) == ["p1"]


def test_a_removal_that_is_taken_back_leaves_nobody_out(room: CourtroomRig) -> None:
    room.courtroom.add_mark("removal", "s1", of="p1")
    room.courtroom.undo_mark("s1")
    assert left(room) == []
    room.courtroom.add_mark("removal", "s1", of="p1")
    room.courtroom.save_person(SavePerson(id="p1", left=False), "s1")
    room.courtroom.undo_mark("s1")
    assert left(room) == [], "whoever came back stays"


def test_who_had_left_before_has_left_since_then(room: CourtroomRig) -> None:
    room.courtroom.save_person(SavePerson(id="p1", left=True), "s1")
    since = room.hearing()["persons"][0]["left"]
    room.courtroom.add_mark("removal", "s1", of="p1")
    assert room.hearing()["persons"][0]["left"] == since
    room.courtroom.undo_mark("s1")
    assert left(room) == ["p1"]


def test_whose_removal_it_was_can_be_said_later_and_corrected(room: CourtroomRig) -> None:
    room.courtroom.add_mark("removal", "s1")
    assert left(room) == []
    room.statement("of_whom:1", "p2")
    assert left(room) == ["p2"]
    room.statement("of_whom:1", "p1")
    assert left(room) == ["p1"], "the witness was not removed after all"


def test_a_press_of_the_button_may_have_been_a_removal(room: CourtroomRig) -> None:
    room.courtroom.mark_from_button()
    room.statement("mark", {"mark": 1, "type": "removal"})
    room.statement("of_whom:1", "p1")
    assert left(room) == ["p1"]


def test_a_second_removal_that_is_taken_back_brings_back_whoever_had_come_back(
    room: CourtroomRig,
) -> None:
    room.courtroom.add_mark("removal", "s1", of="p1")
    first = room.hearing()["persons"][0]["left"]
    room.courtroom.add_mark("removal", "s1", of="p1")
    assert room.hearing()["persons"][0]["left"] == first, "twice is once"
    room.courtroom.undo_mark("s1")
    assert room.hearing()["persons"][0]["left"] == first
    room.courtroom.save_person(SavePerson(id="p1", left=False), "s1")
    room.courtroom.add_mark("removal", "s1", of="p1")
    room.courtroom.undo_mark("s1")
    assert left(room) == []
