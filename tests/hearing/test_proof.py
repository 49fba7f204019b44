"""A source that gives nothing makes the proof bad, unless nobody needs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.api.states import MicrophoneState
from kiosk.config import MicrophoneSettings
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings
from tests.support.waiting import wait_for


@pytest.mark.parametrize(("role", "state"), [("judge", "bad"), ("spare", "good")])
def test_a_source_that_gives_nothing_makes_the_proof_bad(
    tmp_path: Path, role: str, state: str
) -> None:
    nothing = MicrophoneSettings(name="nothing", role=role, device="mic_nothing")
    rig = CourtroomRig(tmp_path, courtroom_settings(tmp_path, (nothing,)))
    rig.begin()
    wait_for(lambda: rig.state()["proof"]["state"] != "none", "a proof")
    proof, is_bad = rig.state()["proof"], state == "bad"
    assert (proof["state"], proof["source"]) == (state, "nothing" if is_bad else "")
    assert ("proof_failed" in rig.codes()) == is_bad
    rig.courtroom.abort()


@pytest.mark.parametrize("state", ["absent", "refused", "stuck"])
def test_a_source_whose_loss_has_an_alarm_has_no_second_one(tmp_path: Path, state: str) -> None:
    nothing = MicrophoneSettings(name="nothing", role="judge", device="mic_nothing")
    rig = CourtroomRig(tmp_path, courtroom_settings(tmp_path, (nothing,)))
    rig.begin()
    wait_for(lambda: rig.state()["proof"]["state"] == "bad", "a bad proof")
    (microphone,) = rig.sources.microphones
    microphone.set_state(MicrophoneState(state))
    assert f"microphone_{state}" in rig.codes()
    assert "proof_failed" not in rig.codes()
    rig.courtroom.abort()
