"""The real recorder with its data in memory: an alarm at once, and recording goes on."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import hearing, seconds_at_least
from tests.support.mounts import sticks

pytestmark = [pytest.mark.slow, pytest.mark.root]


def first_alarm(state: dict[str, Any]) -> str:
    """Return the code of the first alarm."""
    return str(state["alarms"][0]["code"]) if state["alarms"] else ""


@pytest.mark.parametrize("accepted", [False, True])
def test_data_in_memory_is_an_alarm_before_and_during_a_hearing(
    make_recorder: MakeRecorder, accepted: bool
) -> None:
    recorder = make_recorder(camera="none", volatile_data_ok=accepted)
    kept = recorder.paths.data.rename(recorder.folder / "kept")
    with sticks(recorder.folder, "data", megabytes=64):
        shutil.copytree(kept, recorder.paths.data, dirs_exist_ok=True)
        recorder.start()
        state = recorder.wait_until_ready()
        assert state["storage"]["volatile"] == ("accepted" if accepted else "yes")
        assert (first_alarm(state) == "data_volatile") is not accepted
        recorder.post("/v1/hearings", hearing())
        state = recorder.wait_for_state(seconds_at_least(1), "a recording")
        assert (first_alarm(state) == "data_volatile") is not accepted
        recorder.post("/v1/hearing/end")
        answer = recorder.post("/v1/tests/storage", role="technician")
        assert (answer.get("code") == "data_volatile") is not accepted
        recorder.stop()
