"""Who is at the hearing, and of whom a mark is (R28, S12; АПК 190(1); УПК 347-1(2)).

Kept over a crash as marks are; nothing that is refused changes anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.api.persons import MAX_PERSONS, SavePerson
from kiosk.config import MicrophoneSettings
from kiosk.export.minutes import build_minutes
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from tests.hearing.courtroom_rig import RULES, CourtroomRig, courtroom_settings

LISTED = [
    {"name": "Айгүл Серікқызы Ә.", "role": "witness"},
    {"name": "Петров П. П.", "role": "accused_in_court"},
    {"name": "", "role": "prosecutor"},
    "no row at all",
]


@pytest.fixture
def room(tmp_path: Path) -> CourtroomRig:
    microphones = tuple(
        MicrophoneSettings(name=name, device=f"id:{name}", role=role)
        for name, role in (("stand", "witness"), ("dock", "accused_in_court"))
    )
    return CourtroomRig(tmp_path, courtroom_settings(tmp_path, microphones))


def save(rig: CourtroomRig, **fields: Any) -> str:
    return rig.courtroom.save_person(SavePerson(**fields), "p1").person.id


def persons(rig: CourtroomRig) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rig.hearing()["persons"]}


def asked(rig: CourtroomRig) -> list[str]:
    return [name for name in rig.hearing()["open_questions"] if name.startswith("of_whom:")]


def marks(rig: CourtroomRig) -> list[tuple[str, str]]:
    """Return event and name of the marks that were not withdrawn."""
    rows = [mark for mark in rig.hearing()["marks"] if not mark["withdrawn"]]
    return [(mark["type"], (mark["of"] or {}).get("name", "")) for mark in rows]


def test_they_begin_with_the_list_and_keep_their_ids_over_a_crash(room: CourtroomRig) -> None:
    hearing_id = room.begin(kind="criminal", participants=LISTED)
    assert {key: row["name"] for key, row in persons(room).items()} == {
        "p1": "Айгүл Серікқызы Ә.",
        "p2": "Петров П. П.",
    }, "a row without a name is no person"
    assert save(room, id="p1", seat="stand", attendance="online", own_device=True) == "p1"
    assert save(room, name="Петров П. П.", role="witness", minor=True) == "p3", "twice is allowed"
    room.courtroom.remove_person("p2", "p1")
    before = persons(room)
    assert before["p1"] | {"left": ""} == {
        "id": "p1",
        "role": "witness",
        "name": "Айгүл Серікқызы Ә.",
        "seat": "stand",
        "attendance": "online",
        "own_device": True,
        "minor": False,
        "institution": False,
        "left": "",
        "called": "",
        "admitted": False,
        "pseudonym": "",
        "act": "",
    }
    room.crash()
    room.start()
    assert persons(room) == before
    assert save(room, name="Ли", role="expert") == "p4", "an id is given once"
    room.courtroom.end("p1")
    room.sealed(hearing_id)
    kinds = [entry["id"] for entry in room.lines(hearing_id, "person")]
    assert kinds == ["p1", "p3", "p4"]
    assert room.lines(hearing_id, "person")[0]["person"] == "p1"
    assert [entry["id"] for entry in room.lines(hearing_id, "person_removed")] == ["p2"]


def test_a_hearing_without_a_list_begins_with_nobody(room: CourtroomRig) -> None:
    hearing_id = room.begin(kind="civil")
    assert persons(room) == {}
    assert save(room, role="witness") == "p1", "the name may come later"
    save(room, id="p1", name="Ким\u202e\n А.")
    assert persons(room)["p1"]["name"] == "Ким А.", "one line that can be read"
    save(room, id="p1", left=True)
    left = persons(room)["p1"]["left"]
    assert left
    save(room, id="p1", left=True)
    assert persons(room)["p1"]["left"] == left, "the first time counts"
    save(room, id="p1", left=False)
    assert persons(room)["p1"]["left"] == ""
    assert len(room.lines(hearing_id, "person")) == 4, "what changes nothing is not journalled"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "bad_request"),
        ({"name": "\n \x00"}, "bad_request"),
        ({"name": "A", "role": "wizard"}, "unknown_role"),
        ({"name": "A", "seat": "roof"}, "unknown_seat"),
        ({"id": "p9", "name": "A"}, "unknown_person"),
        ({"id": "p1", "name": "", "role": ""}, "bad_request"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    room: CourtroomRig, fields: dict[str, Any], code: str
) -> None:
    room.begin(participants=LISTED)
    before = persons(room)
    with pytest.raises(BadRequestError) as refused:
        save(room, **fields)
    assert refused.value.code == code
    assert persons(room) == before
    room.courtroom.remove_person("p1", "p1")
    with pytest.raises(BadRequestError):
        room.courtroom.remove_person("p1", "p1")
    assert list(persons(room)) == ["p2"]


def test_nobody_is_added_without_a_hearing_or_beyond_the_number_of_a_list(
    room: CourtroomRig,
) -> None:
    with pytest.raises(StepRefusedError):
        save(room, name="A")
    room.begin(participants=[{"name": f"N {n}", "role": "witness"} for n in range(MAX_PERSONS)])
    with pytest.raises(BadRequestError):
        save(room, name="A")
    assert save(room, id=f"p{MAX_PERSONS}", attendance="absent") == f"p{MAX_PERSONS}"
    assert len(persons(room)) == MAX_PERSONS


def test_a_mark_knows_of_whom_or_asks_and_the_name_comes_later(room: CourtroomRig) -> None:
    hearing_id = room.begin(kind="criminal", format="offline", participants=LISTED)
    room.courtroom.add_mark("questioning", "p1", of="p1")
    room.courtroom.add_mark("opening", "p1")
    assert asked(room) == [], "it is named, or concerns nobody in particular"
    room.courtroom.add_mark("questioning", "p1")
    room.courtroom.add_mark("rights_explained", "p1")
    assert asked(room) == ["of_whom:3", "of_whom:4"]
    room.crash()
    room.start()
    assert asked(room) == ["of_whom:3", "of_whom:4"], "a crash forgets no question"
    room.statement("of_whom:3", "p2")
    room.statement("of_whom:4", None)
    assert asked(room) == []
    assert marks(room) == [
        ("questioning", "Айгүл Серікқызы Ә."),
        ("opening", ""),
        ("questioning", "Петров П. П."),
        ("rights_explained", ""),
        *marks(room)[4:],
    ]
    room.statement("of_whom:3", "p1")
    assert marks(room)[2][1] == "Айгүл Серікқызы Ә.", "the newest word counts"
    save(room, id="p1", name="Айгүл Серікқызы Әбілова")
    room.courtroom.remove_person("p1", "p1")
    named = [name for event, name in marks(room) if event == "questioning"]
    assert named == ["Айгүл Серікқызы Әбілова"] * 2, "corrected, and kept without the person"
    room.courtroom.end("p1")
    room.sealed(hearing_id)
    said = [e["value"] for e in room.lines(hearing_id, "statement") if "of_whom" in e["subject"]]
    assert [value and value["id"] for value in said] == ["p2", None, "p1"]
    assert said[0] == {"id": "p2", "role": "accused_in_court", "name": "Петров П. П."}


def test_an_answer_that_cannot_be_loses_no_mark_and_no_question(room: CourtroomRig) -> None:
    room.begin(kind="criminal", participants=LISTED)
    with pytest.raises(BadRequestError) as refused:
        room.courtroom.add_mark("oath", "p1", of="p7")
    assert refused.value.code == "unknown_person"
    room.courtroom.add_mark("oath", "p1")
    for subject, value in (
        ("of_whom:1", "p7"),
        ("of_whom:2", "p1"),
        ("of_whom:", "p1"),
        ("of_whom:1", ["p1"]),
    ):
        with pytest.raises(BadRequestError):
            room.statement(subject, value)
    assert marks(room) == [("oath", "")]
    assert asked(room) == ["of_whom:1"]
    room.courtroom.undo_mark("p1")
    assert asked(room) == [], "a mark that is withdrawn asks nothing"
    with pytest.raises(BadRequestError):
        room.statement("of_whom:1", "p1")


def test_a_moment_of_the_button_that_gets_its_event_asks_too(room: CourtroomRig) -> None:
    room.begin(kind="criminal", participants=LISTED)
    room.courtroom.mark_from_button()
    assert asked(room) == []
    room.statement("mark", {"mark": 1, "type": "questioning"})
    assert asked(room) == ["of_whom:1"]
    room.crash()
    room.start()
    assert asked(room) == ["of_whom:1"]
    room.statement("of_whom:1", "p2")
    assert marks(room)[0] == ("questioning", "Петров П. П.")


def test_a_later_list_adds_whom_it_names_and_removes_nobody(room: CourtroomRig) -> None:
    room.begin(participants=LISTED)
    save(room, id="p2", seat="dock")
    room.statement("participants", [LISTED[1], {"name": "Новый", "role": "expert"}])
    assert [row["name"] for row in persons(room).values()] == [
        "Айгүл Серікқызы Ә.",
        "Петров П. П.",
        "Новый",
    ]
    assert persons(room)["p2"]["seat"] == "dock"


@pytest.mark.parametrize(
    "name",
    ["x" * 5000, "\u202eab", "e\u0301" * 200, "\U0001f468\u200d\u2696"],
    ids=["long", "right to left", "combining", "joined"],
)
def test_an_odd_name_of_a_list_that_comes_later_breaks_no_state(
    room: CourtroomRig, name: str
) -> None:
    room.begin()
    room.statement("participants", [{"name": name, "role": "witness" * 100}])
    assert room.phase() == "recording"
    assert len(persons(room)) == 1
    room.crash()
    room.start()
    assert len(persons(room)) == 1


def test_a_name_of_which_nobody_sees_anything_is_none(room: CourtroomRig) -> None:
    room.begin()
    with pytest.raises(BadRequestError):
        save(room, name="\u200b\u200e\ufeff")
    assert persons(room) == {}
    save(room, name="Иб\u00adрагимов")
    assert persons(room)["p1"]["name"] == "Ибрагимов"


def test_who_is_admitted_to_a_closed_part_is_journalled_and_in_the_minutes(
    room: CourtroomRig,
) -> None:
    """R54: by name; the same after a crash."""
    hearing_id = room.begin(kind="criminal", participants=LISTED)
    watcher = save(room, name="Ким О.", role="observer", attendance="hall")
    save(room, id=watcher, admitted=True)
    room.crash()
    room.start()
    assert persons(room)[watcher]["admitted"] is True
    room.courtroom.end("p1")
    room.sealed(hearing_id)
    assert [line["admitted"] for line in room.lines(hearing_id, "person")] == [False, True]
    minutes = build_minutes(room.folder(hearing_id), RULES, room.settings, "ru").as_text()
    line = next(line for line in minutes.splitlines() if "Ким О." in line)
    assert line.endswith("допуск в закрытую часть")
