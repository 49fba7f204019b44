"""A recorder process: what a new staff list changes for those who are signed in."""

from __future__ import annotations

import pytest

from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import KIOSK, RecorderProcess, staff_rows
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def recorder(make_recorder: MakeRecorder) -> RecorderProcess:
    """Return a recorder without devices that runs."""
    process = make_recorder(camera="none", microphones=None)
    process.start()
    return process


def answer_to(recorder: RecorderProcess, token: str) -> str:
    """Return the code with which the technician's test is refused; empty: it is not."""
    try:
        recorder.call("POST", "/v1/tests/clock", {}, token)
    except ServiceRefusedError as error:
        return error.code
    return ""


def test_a_technician_who_is_one_no_more_tests_nothing_with_her_old_token(
    recorder: RecorderProcess,
) -> None:
    token = recorder.sign_in("technician")
    assert answer_to(recorder, token) == ""
    rows = staff_rows()
    demoted = [row | {"roles": ["secretary"]} for row in rows]
    recorder.court.publish_staff(recorder.paths, KIOSK, demoted)
    wait_for(lambda: answer_to(recorder, token) == "sign_in_refused", "the new roles")
    without = [row for row in rows if row["person"] != "p-technician"]
    recorder.court.publish_staff(recorder.paths, KIOSK, without)
    wait_for(lambda: answer_to(recorder, token) == "token_expired", "the new list")
