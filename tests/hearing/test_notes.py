"""The secretary's notes: tied to a mark or a moment, corrected and never erased (УПК 347-1(2))."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk.api.notes import MAX_NOTE_LENGTH, AddNote
from kiosk.evidence.chain import read_chain
from kiosk.export.minutes import load_hearing_state
from kiosk.hearing.room.errors import BadRequestError, StepRefusedError
from tests.hearing.courtroom_rig import CourtroomRig


@pytest.fixture
def room(tmp_path: Path) -> CourtroomRig:
    return CourtroomRig(tmp_path)


def keep(rig: CourtroomRig, text: str, **fields: Any) -> int:
    return rig.courtroom.add_note(AddNote(text=text, **fields), "p1").note.id


def notes(rig: CourtroomRig) -> list[tuple[int, str]]:
    return [(row["id"], row["text"]) for row in rig.hearing()["notes"] if not row["withdrawn"]]


def test_a_note_is_kept_over_a_crash_and_a_correction_withdraws_the_old_one(
    room: CourtroomRig,
) -> None:
    hearing_id = room.begin()
    room.courtroom.add_mark("opening", "p1")
    assert keep(room, "Қатысушы\nкешікті \u202e", mark=1) == 1
    assert keep(room, "шум в зале") == 2
    assert notes(room) == [(1, "Қатысушы кешікті"), (2, "шум в зале")]
    assert keep(room, "шум за дверью", replaces=2) == 3
    room.courtroom.recess("p1")
    room.courtroom.withdraw_note(1, "p1")
    room.crash()
    room.start()
    assert notes(room) == [(3, "шум за дверью")]
    assert keep(room, "в перерыве") == 4, "a number is given once"
    room.courtroom.end("p1")
    room.sealed(hearing_id)
    kept = read_chain(room.folder(hearing_id) / "part-01" / "journal.jsonl").entries
    texts = [entry["text"] for entry in kept if entry["kind"] == "note"]
    assert texts == ["Қатысушы кешікті", "шум в зале", "шум за дверью"], "nothing is erased"
    state = load_hearing_state(room.folder(hearing_id))
    present = {note.text for note in state.notes.rows.values() if not note.withdrawn}
    assert present == {"шум за дверью", "в перерыве"}, "read journal after journal, too"


def test_a_mark_that_was_withdrawn_in_a_recess_stays_withdrawn_in_the_minutes(
    room: CourtroomRig,
) -> None:
    hearing_id = room.begin()
    room.courtroom.add_mark("attendance", "p1")
    room.courtroom.recess("p1")
    room.courtroom.undo_mark("p1")
    room.courtroom.end("p1")
    room.sealed(hearing_id)
    state = load_hearing_state(room.folder(hearing_id))
    assert [mark.type for mark in state.marks_in_force] == ["recess"]


def test_a_moment_before_the_running_part_is_not_of_that_part(room: CourtroomRig) -> None:
    """What was typed about a closed part must not follow into the open one."""
    hearing_id = room.begin()
    keep(room, "из закрытой части", ago_seconds=600.0)
    keep(room, "сейчас")
    assert [row["part"] for row in room.hearing()["notes"]] == [0, 1]
    assert [row["text"] for row in room.lines(hearing_id, "note")] == ["из закрытой части"]
    first, second = (row["at"] for row in room.hearing()["notes"])
    assert first < second, "the moment, not when it was kept"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "\u2028 \x00"}, "bad_request"),
        ({"text": "A", "mark": 2}, "unknown_mark"),
        ({"text": "A", "replaces": 7}, "unknown_note"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_lost(
    room: CourtroomRig, fields: dict[str, Any], code: str
) -> None:
    room.begin()
    room.courtroom.add_mark("opening", "p1")
    keep(room, "первая", mark=1)
    with pytest.raises(BadRequestError) as refused:
        keep(room, **fields)
    assert refused.value.code == code
    assert notes(room) == [(1, "первая")]
    room.courtroom.withdraw_note(1, "p1")
    with pytest.raises(BadRequestError):
        room.courtroom.withdraw_note(1, "p1")
    room.courtroom.undo_mark("p1")
    with pytest.raises(BadRequestError):
        keep(room, "к отменённой", mark=1)


def test_no_note_without_a_hearing_and_none_of_any_length(room: CourtroomRig) -> None:
    with pytest.raises(StepRefusedError):
        keep(room, "A")
    for fields in ({"text": ""}, {"text": "x" * (MAX_NOTE_LENGTH + 1)}, {"text": 5}):
        with pytest.raises(ValidationError):
            AddNote.model_validate(fields)
