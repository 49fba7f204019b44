"""Lists from outside are read row by row: an odd row never hides the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.api.base import Model
from kiosk.api.hearing import Hearing
from kiosk.api.published import (
    FilingAnswer,
    StaffMember,
    read_hearings,
    read_schedule,
    read_staff,
)
from kiosk.api.rows import MAX_ROWS, RowProblem, read_row, read_rows, report_of
from kiosk.storage.atomic_io import json_bytes
from tests.support.odd_lists import FIRST, LAST, ODD_ROWS, TODAY, ZONE, listed


@pytest.mark.parametrize("name", ODD_ROWS)
def test_an_odd_row_hides_no_other_and_is_shown_as_far_as_it_can_be_read(name: str) -> None:
    row, problems, fields = ODD_ROWS[name]
    read = read_hearings({"hearings": [FIRST, row, LAST]}, ZONE)
    ids = [hearing.id for hearing in read.rows]
    good = [hearing.id for hearing in read.rows if hearing.id in (FIRST["id"], LAST["id"])]
    assert good == [FIRST["id"], LAST["id"]]
    assert len(ids) == (2 if fields is None else 3)
    assert read.problems == tuple(
        RowProblem(row=2, field=field, expected=expected)  # type: ignore[arg-type]
        for field, expected in problems
    )
    for hearing in read.rows:
        if hearing.id not in good and fields is not None:
            assert {key: getattr(hearing, key) for key in fields} == fields
    report = report_of("hearings", read)
    assert (report.unreadable, report.rows) == (int(bool(problems)), 3)


def test_hearings_are_in_the_order_of_the_moment_and_those_without_a_time_last() -> None:
    rows = [
        listed(1, scheduled_at=None),
        listed(2, scheduled_at=f"{TODAY}T11:00:00+05:00"),
        listed(3, scheduled_at=f"{TODAY}T09:00:00Z"),
        listed(4, scheduled_at=f"{TODAY}T04:00:00Z"),
        listed(5, scheduled_at=f"{TODAY}T10:00:00+05:00"),
    ]
    read = read_schedule({"pulled_at": None, "hearings": rows}, ZONE)
    assert [hearing.id[-1] for hearing in read.hearings] == ["4", "5", "2", "3", "1"]
    assert all(hearing.may_be_on(TODAY, ZONE) for hearing in read.hearings)
    other_day = TODAY - timedelta(days=100)
    assert [h.id[-1] for h in read.hearings if h.may_be_on(other_day, ZONE)] == ["1"]


@pytest.mark.parametrize("value", [None, [], "x", {}, {"hearings": 7}, {"hearings": None}])
def test_what_is_no_list_holds_no_hearing(value: object) -> None:
    assert read_schedule(value, ZONE).hearings == ()


def test_staff_are_read_row_by_row() -> None:
    """Each badge of a person counts; without readable roles nobody may sign in."""
    good = {"person": "p-1", "name": "A", "roles": ["secretary"], "badge": "aa"}
    rows = [
        None,
        good | {"roles": None, "badge": "bb"},
        good | {"roles": ["judge", 5]},
        good | {"name": None, "pin": 7},
        {"roles": ["judge"], "badge": "cc"},
        good,
    ]
    read = read_staff({"staff": rows})
    assert [row.roles for row in read.rows] == [(), ("judge",), ("secretary",), ("secretary",)]
    assert [(problem.row, problem.field) for problem in read.problems] == [
        (1, ""),
        (2, "roles"),
        (3, "roles[1]"),
        (4, "name"),
        (4, "pin"),
        (5, "person"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TIMES = st.datetimes(timezones=st.just(UTC) | st.timezones()).map(datetime.isoformat)


@given(field=st.sampled_from(sorted(Hearing.model_fields)), value=JSON | TIMES)
def test_an_odd_field_hides_no_other_hearing(field: str, value: Any) -> None:
    rows = [FIRST, listed(10) | {field: value}, LAST]
    read = read_hearings({"hearings": rows}, ZONE)
    ids = [hearing.id for hearing in read.rows]
    assert [i for i in ids if i in (FIRST["id"], LAST["id"])] == [FIRST["id"], LAST["id"]]
    assert field == "id" or len(read.rows) == 3
    _is_usable(read.rows)
    assert all(problem.row == 2 for problem in read.problems)
    json_bytes({"hearings": rows})  # the published file can be written
    text = json.dumps([problem.to_json() for problem in read.problems], ensure_ascii=False)
    text.encode()
    sent = [row.to_json() for row in read.rows]  # a blank ground is none
    again = read_hearings({"hearings": sent}, ZONE)
    assert [row.to_json() for row in again.rows] == sent


@given(rows=st.lists(JSON, max_size=5))
def test_reading_odd_rows_never_raises(rows: list[Any]) -> None:
    _is_usable(read_hearings({"hearings": [FIRST, *rows]}, ZONE).rows)
    read_staff({"staff": rows})
    assert read_rows(StaffMember, rows).total == len(rows)


@given(field=st.sampled_from(sorted(FilingAnswer.model_fields)), value=JSON)
def test_a_filing_answer_with_an_odd_field_is_read(field: str, value: Any) -> None:
    answer, _ = read_row(FilingAnswer, {"state": "accepted", "number": "7-1", field: value})
    assert answer is not None
    assert field == "number" or answer.number == "7-1"
    assert field == "state" or answer.state == "accepted"


def _is_usable(rows: tuple[Hearing, ...]) -> None:
    """Hold that times can be compared and shown in any zone, and that JSON can be sent."""
    moments = [hearing.starts_at for hearing in rows if hearing.starts_at is not None]
    assert moments == sorted(moments)
    for moment in moments:
        moment.astimezone(ZONE)
    for hearing in rows:
        json.dumps(hearing.to_json(), ensure_ascii=False).encode()
        assert hearing.id.strip()


@pytest.mark.parametrize(
    ("model", "good"),
    [
        (Hearing, FIRST | {"closure_ground": "g"}),
        (StaffMember, {"person": "p", "name": "n", "badge": "aa", "pin": "bb"}),
        (FilingAnswer, {"state": "s", "number": "1", "reason": "r"}),
    ],
)
def test_half_a_surrogate_pair_is_unreadable_in_every_field(
    model: type[Model], good: dict[str, Any]
) -> None:
    """Such text would break whoever writes it: a file, the database, a hash."""
    assert read_row(model, good)[1] == []
    for field, value in good.items():
        if not isinstance(value, str):
            continue
        row, problems = read_row(model, good | {field: "x\ud800"})
        assert [problem.field for problem in problems] == [field]
        assert row is None or getattr(row, field) == model.model_fields[field].default


def test_a_huge_list_is_read_as_far_as_there_is_time() -> None:
    """The recorder publishes no State while it reads."""
    rows = [FIRST | {"id": str(number)} for number in range(MAX_ROWS)]
    read = read_hearings({"hearings": [*rows, None, FIRST]}, ZONE)
    assert len(read.rows) == MAX_ROWS
    assert (report_of("hearings", read).unreadable, read.total) == (2, MAX_ROWS + 2)
    assert read.problems[-1] == RowProblem(row=MAX_ROWS + 2, field="", expected="shorter list")


@pytest.mark.parametrize("person", [{"name": "A", "role": "r"}, {"name": None}])
def test_a_huge_list_within_a_row_is_cut(person: dict[str, Any]) -> None:
    """The time of odd items grew with the square of their number."""
    read, problems = read_row(Hearing, FIRST | {"participants": [person] * 200_000})
    assert read is not None
    assert len(read.participants) == 1000
    assert RowProblem(row=1, field="participants", expected="shorter list") in problems
