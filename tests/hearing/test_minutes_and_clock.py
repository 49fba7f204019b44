"""Minutes while the wall clock is not set, or set meanwhile: no false day, no false order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.config import Settings
from kiosk.export.course import course_rows
from kiosk.export.minutes import fill_minutes, load_hearing_state
from kiosk.hearing.session.hearing_state import HearingState
from kiosk.rules import load_rules
from tests.support.hearing_builder import sealed_hearing
from tests.support.identity import Court

RULES = load_rules()
SECOND = 1_000_000_000
UNSET = "1970-01-01T00:07:12.000Z"


def test_a_clock_that_was_set_back_leaves_the_course_in_its_order() -> None:
    """The order is that of the recording; a note of a recess stands where its time says."""
    state = HearingState({})

    def part(number: int, begin: int, end: int) -> None:
        state.apply(0, {"kind": "part_opened", "part": number, "tap_ns": begin * SECOND})
        state.apply(number, {"kind": "closed", "stop_ns": end * SECOND})

    def entry(kind: str, number: int, place: int, at: str, **fields: Any) -> None:
        moment = {"id": number, "at": f"2026-11-23T{at}.000Z", "part_seconds": 0.0, "seconds": 0.0}
        if kind == "note":
            moment |= {"moment": moment["at"], "mark": None}
        state.apply(place, {"kind": kind, **moment, **fields})

    part(1, 0, 100)
    entry("mark", 1, 1, "10:00:10", type="oath", part_seconds=10.0)
    entry("note", 1, 1, "10:00:20", text="first", part_seconds=20.0)
    entry("mark", 2, 1, "09:00:30", type="questioning", part_seconds=30.0)  # set back an hour
    entry("note", 2, 1, "09:00:40", text="second", part_seconds=40.0)
    entry("mark", 3, 0, "09:01:40", type="recess", seconds=100.0)
    entry("note", 3, 0, "09:02:00", text="in the recess", seconds=100.0)
    part(2, 200, 300)
    entry("mark", 4, 2, "09:03:00", type="resumed")
    rows = course_rows(state, RULES, {"oath", "questioning", "recess", "resumed"})
    assert [row.mark.type if row.mark else row.notes[0] for row in rows] == [
        *("oath", "first", "questioning", "second", "recess", "in the recess", "resumed")
    ]


@pytest.mark.parametrize(("said", "day"), [("2026-11-23", "23.11.2026"), (None, "")])
def test_minutes_of_an_unset_clock_have_the_day_that_was_said_or_none(
    tmp_path: Path, said: str | None, day: str
) -> None:
    signer = Court.make(tmp_path / "court").issue("k", tmp_path / "key", tmp_path / "crt")
    folder = sealed_hearing(tmp_path, signer, parts=1)
    state = load_hearing_state(folder)
    state.apply(0, {"kind": "mark", "id": 1, "type": "court_enters", "at": UNSET, "seconds": 0.0})
    state.started = state.stopped_at = UNSET
    if said is not None:
        state.answers["date"] = said
    filled = fill_minutes(folder, state, RULES, Settings(), "ru")
    fields = {field.id: field.lines for field in filled.fields}
    assert "1970" not in filled.as_text()
    assert [line for line in fields["date_place"] if line[:1].isdigit()] == [day] * bool(day)
    assert list(fields["times"]) == ["__:__ – __:__"]
    assert "00:07:12" not in filled.as_text()
