"""The order of a hearing at the recorder: due steps, what was left out, and the questions of it.

Requirements: R46-R53, S10-S14, S25.
"""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.api.persons import SavePerson
from kiosk.evidence.chain import read_chain
from tests.hearing.courtroom_rig import CourtroomRig

PARTICIPANTS = (
    {"role": "accused_in_court", "name": "Ахметов Б."},
    {"role": "witness", "name": "Ержан Т."},
)
QUESTION = "left_out:"


def begin(rig: CourtroomRig, **fields: Any) -> str:
    """Start a criminal hearing with an accused (p1) and a witness (p2)."""
    usual = {"kind": "criminal", "format": "offline", "publicity": "open"}
    return rig.begin(**usual | {"participants": list(PARTICIPANTS)} | fields)


def mark(rig: CourtroomRig, *marks: str) -> list[str]:
    """Mark ``event`` or ``event:person``; return what the last one says was left out."""
    for text in marks:
        event, _, person = text.partition(":")
        rig.courtroom.add_mark(event, "s1", of=person)
    return list(rig.hearing()["marks"][-1]["left_out"])


def due(rig: CourtroomRig) -> list[str]:
    steps = rig.hearing()["due"]
    return [f"{step['event']}:{step['of']}" if step["of"] else step["event"] for step in steps]


def asked(rig: CourtroomRig) -> list[str]:
    found = rig.hearing()["open_questions"]
    return [name.removeprefix(QUESTION) for name in found if name.startswith(QUESTION)]


def test_what_is_due_follows_the_persons(rig: CourtroomRig) -> None:
    begin(rig)
    mark(rig, "witnesses_leave", "position", "identity_checked:p2", "rights_explained:p2")
    assert due(rig)[0] == "oath:p2"
    mark(rig, "oath:p2")
    assert due(rig)[0] == "receipt_taken:p2"
    rig.courtroom.save_person(SavePerson(id="p2", attendance="online"), "s1")
    assert due(rig)[0] == "warning_false_testimony:p2", "said in mid-hearing"
    rig.courtroom.save_person(SavePerson(id="p2", left=True), "s1")
    assert due(rig)[0] == "questioning:p1", "whoever has left is not due"


def test_who_becomes_known_as_under_sixteen_swears_no_oath(rig: CourtroomRig) -> None:
    """S12, УПК 371(2)."""
    begin(rig)
    mark(rig, "witnesses_leave", "position", "identity_checked:p2", "rights_explained:p2")
    rig.courtroom.save_person(SavePerson(id="p2", minor=True), "s1")
    assert due(rig)[:2] == ["minor_accompanied:p2", "truth_explained:p2"]
    assert mark(rig, "questioning:p2") == ["minor_accompanied:p2", "truth_explained:p2"]


def test_a_departure_is_in_the_journal_and_asked_until_it_is_made_good(rig: CourtroomRig) -> None:
    hearing_id = begin(rig)
    mark(rig, "witnesses_leave", "identity_checked:p2", "rights_explained:p2")
    assert mark(rig, "questioning:p2") == ["oath:p2", "receipt_taken:p2"], "R46, R47"
    assert asked(rig) == ["oath:p2", "receipt_taken:p2"]
    mark(rig, "oath:p2")
    assert asked(rig) == ["receipt_taken:p2"]
    rig.courtroom.undo_mark("s1")
    assert asked(rig) == ["oath:p2", "receipt_taken:p2"], "what made it good was taken back"
    rig.statement("left_out:receipt_taken:p2", "not_due")
    rig.crash()
    rig.start()
    assert asked(rig) == ["oath:p2"], "a crash forgets neither question nor answer"
    rig.courtroom.end("s1")
    rig.sealed(hearing_id)
    entries = read_chain(rig.folder(hearing_id) / "part-01" / "journal.jsonl").entries
    left = [entry["left_out"] for entry in entries if entry.get("left_out")]
    assert left == [["oath:p2", "receipt_taken:p2"]]


def test_naming_the_person_later_asks_what_that_person_needs(rig: CourtroomRig) -> None:
    begin(rig)
    mark(rig, "witnesses_leave", "identity_checked", "rights_explained")
    assert mark(rig, "questioning") == [], "of nobody in particular: nothing is claimed"
    number = rig.hearing()["marks"][-1]["id"]
    rig.statement(f"of_whom:{number}", "p2")
    assert asked(rig) == ["oath:p2", "receipt_taken:p2"]
    rig.crash()
    rig.start()
    assert asked(rig) == ["oath:p2", "receipt_taken:p2"]
    rig.statement(f"of_whom:{number}", "p1")
    assert asked(rig) == [], "it was the accused after all"


def test_a_press_of_the_button_that_is_named_later_asks_as_well(rig: CourtroomRig) -> None:
    begin(rig, kind="civil", participants=[])
    rig.courtroom.mark_from_button()
    mark(rig, "rights_explained")
    assert asked(rig) == ["identity_checked"]
    number = rig.hearing()["marks"][0]["id"]
    rig.statement("mark", {"mark": number, "type": "attendance"})
    assert asked(rig) == ["recording_announced", "identity_checked"], "before the button's moment"


def test_the_judgment_before_the_last_word_is_asked_of_each_accused(rig: CourtroomRig) -> None:
    begin(rig)
    mark(rig, "debates")
    rig.courtroom.retire("s1")
    assert asked(rig) == ["last_word:p1"]
    assert due(rig)[0] == "announcement"


@pytest.mark.parametrize(
    "details",
    [
        {"kind": "civil", "session": "conciliation"},
        {"kind": "admin_justice", "case_number": "6003-25-00-4к/1454(2)"},
    ],
    ids=["conciliation", "cassation"],
)
def test_where_no_minutes_are_kept_nothing_is_due_and_marks_are_still_taken(
    rig: CourtroomRig, details: dict[str, str]
) -> None:
    """АПК 179(7), 281(4), ӘРПК 147(1)."""
    begin(rig, **details)
    assert (rig.hearing()["keeps_minutes"], due(rig)) == (False, [])
    assert mark(rig, "questioning:p2") == []
    assert rig.hearing()["marks"][-1]["type"] == "questioning"


def test_while_nobody_has_said_the_format_both_ways_are_offered(rig: CourtroomRig) -> None:
    """R20, R49, R51: neither a receipt nor a warning is claimed to be left out."""
    begin(rig, format="")
    assert "format" in rig.hearing()["open_questions"]
    mark(rig, "witnesses_leave", "position", "identity_checked:p2", "rights_explained:p2")
    mark(rig, "oath:p2")
    assert set(due(rig)[:2]) == {"warning_false_testimony:p2", "receipt_taken:p2"}
    assert mark(rig, "questioning:p2") == []
    rig.statement("format", "offline")
    assert mark(rig, "questioning:p2") == ["receipt_taken:p2"]


def test_what_was_left_out_of_somebody_heard_is_offered_again(rig: CourtroomRig) -> None:
    """R46, R47: the court may still do it; what comes next stays the first."""
    begin(rig)
    mark(rig, "witnesses_leave", "identity_checked:p1", "rights_explained:p1", "position")
    mark(rig, "identity_checked:p2", "rights_explained:p2", "questioning:p2")
    assert due(rig)[:2] == ["questioning:p1", "oath:p2"]
    mark(rig, "oath:p2")
    assert due(rig)[:2] == ["questioning:p1", "receipt_taken:p2"]
    mark(rig, "receipt_taken:p2", "questioning:p2")
    assert due(rig)[:2] == ["questioning:p1", "documents_examined"], "nothing is missing"


def test_what_was_done_or_is_not_needed_is_not_offered_again(rig: CourtroomRig) -> None:
    begin(rig)
    mark(rig, "witnesses_leave", "identity_checked:p1", "rights_explained:p1", "position")
    mark(rig, "identity_checked:p2", "rights_explained:p2", "questioning:p2")
    rig.statement("left_out:oath:p2", "done")
    assert due(rig)[:2] == ["questioning:p1", "receipt_taken:p2"]
    rig.statement("left_out:receipt_taken:p2", "not_due")
    assert due(rig)[:2] == ["questioning:p1", "documents_examined"]


def test_what_was_left_out_of_who_has_left_is_not_offered(rig: CourtroomRig) -> None:
    begin(rig)
    mark(rig, "witnesses_leave", "identity_checked:p1", "rights_explained:p1", "position")
    mark(rig, "identity_checked:p2", "rights_explained:p2", "questioning:p2")
    rig.courtroom.save_person(SavePerson(id="p2", left=True), "s1")
    assert due(rig)[:2] == ["questioning:p1", "documents_examined"]


def test_what_was_left_out_of_a_child_who_has_left_is_not_offered(rig: CourtroomRig) -> None:
    """УПК 371(4): whoever is under sixteen leaves when heard."""
    begin(rig)
    rig.courtroom.save_person(SavePerson(id="p2", minor=True), "s1")
    mark(rig, "witnesses_leave", "identity_checked:p1", "rights_explained:p1", "position")
    mark(rig, "identity_checked:p2", "truth_explained:p2", "questioning:p2")
    assert due(rig)[:2] == ["minor_leaves:p2", "questioning:p1"], "the turn goes on"
    mark(rig, "minor_leaves:p2")
    assert due(rig)[:2] == ["questioning:p1", "documents_examined"]
