"""The recorder beside odd lists of hearings and staff: State answers, hearings start."""

from __future__ import annotations

import json
from typing import Any

from kiosk.clocks import format_wall
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import KIOSK, PEOPLE, RecorderProcess, staff_rows
from tests.support.court_keys import CourtSecrets
from tests.support.odd_lists import FIRST, LAST, ODD_ROWS, listed
from tests.support.waiting import wait_for


def publish(recorder: RecorderProcess, rows: list[Any]) -> None:
    """Write ``published/schedule.json`` as sync does."""
    value = {"pulled_at": format_wall(), "days": 7, "hearings": rows}
    recorder.paths.schedule.write_text(json.dumps(value), encoding="utf-8")


def test_no_row_breaks_state_and_an_untimed_hearing_can_be_started(
    make_recorder: MakeRecorder,
) -> None:
    recorder = make_recorder(microphones=None, camera="none")
    publish(recorder, [FIRST, *(row for row, _, _ in ODD_ROWS.values()), LAST])
    recorder.start()
    untimed = listed(10, scheduled_at=None)
    closed = untimed | {"publicity": "closed"}  # it may be held today

    def shows(rows: list[Any], is_needed: bool) -> None:
        """Publish a list; wait until State, which reads it in its own time, knows it."""
        publish(recorder, rows)
        wait_for(
            lambda: recorder.state()["court_keys"]["needed"] is is_needed, f"{is_needed}: {rows}"
        )

    for name, (row, _, _) in ODD_ROWS.items():
        is_needed = name == "secrecy is unclear"
        # It may be held today, whatever day it is by now.
        published = row | {"scheduled_at": None} if is_needed else row
        shows([FIRST, LAST] if is_needed else [closed], not is_needed)
        shows([FIRST, published, LAST], is_needed)
    shows([closed], True)
    CourtSecrets().pin(recorder.paths)
    started = recorder.post("/v1/hearings", {"hearing": untimed})  # closed, as the list says
    assert started["hearing_id"] == untimed["id"]
    state = recorder.wait_for_state(lambda state: state["phase"] == "recording", "the recording")
    assert state["hearing"]["closed"] is not None
    recorder.post("/v1/hearing/end")


def test_an_odd_row_of_the_staff_keeps_nobody_else_out(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(microphones=None, camera="none")
    odd: list[Any] = [
        None,
        {"person": None},
        {"person": "x", "roles": 7},
        {"person": "y", "name": None},
    ]
    recorder.court.publish_staff(recorder.paths, KIOSK, [*odd, *staff_rows()])
    recorder.start()
    for role in PEOPLE:
        assert recorder.sign_in(role)
