"""The name of a protected person is withheld wherever people are shown (S9, УПК 213(4), 370(7))."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.notes import AddNote
from kiosk.api.persons import SavePerson
from kiosk.export.minutes import build_minutes
from kiosk.hearing.room.errors import BadRequestError
from tests.hearing.courtroom_rig import RULES, CourtroomRig

NAME = "Айгүл Серікқызы Ә."
LISTED = [
    {"name": NAME, "role": "witness"},
    {"name": "Петров П. П.", "role": "accused_in_court"},
]


@pytest.fixture
def room(tmp_path: Path) -> CourtroomRig:
    return CourtroomRig(tmp_path)


def save(rig: CourtroomRig, **fields: Any) -> dict[str, Any]:
    return rig.courtroom.save_person(SavePerson(**fields), "p1").person.to_json()


def begin(rig: CourtroomRig, **more: Any) -> str:
    return rig.begin(kind="criminal", participants=LISTED, **more)


def said(rig: CourtroomRig) -> str:
    """Return all that State says, from which every screen and receipt is made."""
    return json.dumps(rig.state(), ensure_ascii=False)


def names(rig: CourtroomRig) -> list[str]:
    return [row["name"] for row in rig.hearing()["persons"]]


def minutes(rig: CourtroomRig, hearing_id: str) -> str:
    if rig.phase() != "idle":
        rig.courtroom.end("p1")
    rig.sealed(hearing_id)
    return build_minutes(rig.folder(hearing_id), RULES, rig.settings, "ru").as_text()


def test_the_name_is_nowhere_from_the_decision_on_nor_in_what_was_said_before(
    room: CourtroomRig,
) -> None:
    hearing_id = begin(room, language="ru")
    room.courtroom.add_mark("questioning", "p1", f"comes {NAME}", of="p1")
    room.courtroom.add_note(AddNote(text=f"{NAME} is hoarse"), "p1")
    assert said(room).count(NAME) == 5, "list, people, mark, its note, note"
    answer = save(room, id="p1", protected=True, act="№ 12 \n")
    assert (answer["name"], answer["pseudonym"], answer["act"]) == (
        "Свидетель 1",
        "Свидетель 1",
        "№ 12",
    )
    assert NAME not in said(room)
    room.courtroom.add_mark("oath", "p1", of="p1")
    save(room, id="p1", attendance="hall")
    save(room, id="p1", called=True)
    assert NAME not in said(room)
    hall = room.courtroom.hall_view().to_json()
    assert [call["number"] for call in hall["calls"]] == [1]
    assert NAME not in json.dumps(hall, ensure_ascii=False)
    room.crash()
    room.start()
    assert NAME not in said(room)
    assert names(room)[0] == "Свидетель 1"
    text = minutes(room, hearing_id)
    assert NAME not in text
    assert "Свидетель 1 · имя не оглашается по решению суда № 12" in text
    assert "Петров П. П." in text


def test_the_decision_is_the_courts_in_the_journal_and_new_marks_have_no_name(
    room: CourtroomRig,
) -> None:
    hearing_id = begin(room)
    save(room, id="p1", protected=True)
    save(room, id="p1", protected=True)
    room.courtroom.add_mark("oath", "p1", of="p1")
    mark = room.courtroom.add_mark("questioning", "p1").mark
    room.statement(f"of_whom:{mark.id}", "p1")
    lines = room.lines(hearing_id, "person")
    assert [(row["pseudonym"], row["decided_by"], row["person"]) for row in lines] == [
        ("Куә 1", "court", "p1")
    ], "in Kazakh where no language is said, and twice is once"
    assert room.lines(hearing_id, "statement")[-1]["value"]["name"] == "Куә 1"
    part = (room.folder(hearing_id) / "part-01" / "journal.jsonl").read_text("utf-8")
    assert "Куә 1" in part
    assert NAME not in part


def test_it_is_taken_back_and_given_anew_under_the_same_pseudonym(room: CourtroomRig) -> None:
    hearing_id = begin(room)
    room.courtroom.add_mark("oath", "p1", of="p1")
    save(room, id="p1", protected=True, act="№ 12")
    save(room, name="Ли", role="witness", protected=True)
    assert names(room) == ["Куә 1", "Петров П. П.", "Куә 2"], "a number is one person's"
    back = save(room, id="p1", protected=False)
    assert (back["name"], back["pseudonym"], back["act"]) == (NAME, "", "")
    assert room.hearing()["marks"][-1]["of"]["name"] == NAME
    assert room.lines(hearing_id, "person")[-1]["decided_by"] == "court"
    assert save(room, id="p1", protected=True)["name"] == "Куә 1"
    assert room.hearing()["marks"][-1]["of"]["name"] == "Куә 1"


def test_who_was_removed_stays_protected(room: CourtroomRig) -> None:
    hearing_id = begin(room)
    room.courtroom.add_mark("oath", "p1", of="p1")
    save(room, id="p1", protected=True)
    room.courtroom.remove_person("p1", "p1")
    assert NAME not in said(room)
    room.crash()
    room.start()
    assert NAME not in said(room)
    assert NAME not in minutes(room, hearing_id)


def test_a_name_stands_in_no_title_and_in_nothing_that_was_typed(room: CourtroomRig) -> None:
    hearing_id = begin(room, title=f"Theft from {NAME}")
    save(room, id="p2", name="Айгүл", role="victim")
    save(room, id="p2", name="Ли")
    room.statement("failure_reason", f"{NAME} fell over the cable")
    typed = (NAME.upper(), NAME.replace(" ", "  "), f"«{NAME}» came", "айгүлге, Ли.", "Лист, если")
    for text in typed:
        room.courtroom.add_note(AddNote(text=text), "p1")
    save(room, id="p1", protected=True)
    save(room, id="p2", protected=True)
    save(room, name=NAME, role="expert")
    room.courtroom.remove_person("p1", "p1")
    room.courtroom.remove_person("p3", "p1")
    shown = [note["text"] for note in room.hearing()["notes"]]
    assert shown == [
        *("Куә 1", "Куә 1", "«Куә 1» came"),
        *("Жәбірленуші 1ге, Жәбірленуші 1.", "Лист, если"),
    ]
    assert room.hearing()["title"] == "Theft from Куә 1"
    (row,) = room.courtroom.hall_view().rows
    assert row.case is not None
    assert row.case.title == "Theft from Куә 1"
    room.crash()
    room.start()
    assert NAME not in said(room)
    text = minutes(room, hearing_id)
    assert "Theft from Куә 1" in text
    assert NAME not in text


def test_a_pseudonym_needs_a_role_of_the_rules(room: CourtroomRig) -> None:
    hearing_id = room.begin(kind="criminal", participants=[{"name": NAME, "role": "neighbour"}])
    with pytest.raises(BadRequestError) as refusal:
        save(room, id="p1", protected=True)
    assert refusal.value.code == "unknown_role"
    assert names(room) == [NAME]
    assert room.lines(hearing_id, "person") == []
    assert save(room, id="p1", protected=True, role="witness")["name"] == "Куә 1"
    save(room, id="p1", act="№ 3")
    assert room.hearing()["persons"][0]["act"] == "№ 3"


def test_an_act_without_a_decision_is_not_kept(room: CourtroomRig) -> None:
    begin(room)
    assert save(room, id="p2", act="№ 12")["act"] == ""


@pytest.mark.parametrize("kind", ["civil", "admin_justice", "admin_offence", None])
def test_only_in_a_criminal_case_a_name_is_withheld(room: CourtroomRig, kind: str | None) -> None:
    """No other code has such a decision: the pseudonym would stand in minutes without an act."""
    hearing_id = room.begin(kind=kind, participants=LISTED)
    with pytest.raises(BadRequestError) as refusal:
        save(room, id="p1", protected=True)
    assert refusal.value.code == "protection_not_of_kind"
    assert names(room)[0] == NAME
    assert not room.lines(hearing_id, "person"), "nothing is journalled"
    room.statement("kind", "criminal")
    assert save(room, id="p1", protected=True)["name"] != NAME, "once the case is known to be one"
