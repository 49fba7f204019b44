"""A source that gives nothing makes the proof bad, unless nobody needs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import AlarmKey, Camera, CourtKeys, Proof, RecorderState, Storage
from kiosk.api.states import CameraState, CourtKeyState, Phase, ProofState, StorageState
from kiosk.config import MicrophoneSettings
from kiosk.hearing.monitoring.active_alarms import active_alarms
from kiosk.hearing.monitoring.invariants import SOURCE_UNRECORDED
from kiosk.recording.readback.monitor import ReadbackMonitor, ReadbackState
from tests.hearing.courtroom_rig import CourtroomRig, courtroom_settings
from tests.support.simulated_courtroom import SimulatedCourtroom, running_courtroom
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
    assert rig.state()["proof"]["missing"] == (["nothing"] if is_bad else [])
    assert "proof_failed" not in rig.codes(), "what is there was read back"
    rig.courtroom.abort()


def alarms_of(camera: CameraState, **proof: Any) -> list[AlarmKey]:
    state = RecorderState(
        phase=Phase.RECORDING,
        camera=Camera(state=camera),
        storage=Storage(state=StorageState.OK),
        court_keys=CourtKeys(state=CourtKeyState.OK),
        proof=Proof(state=ProofState.BAD, **proof),
    )
    return [(code, source) for code, source in active_alarms(state) if code == "proof_failed"]


@pytest.mark.parametrize("camera", [CameraState.STARTING, CameraState.OK, CameraState.ABSENT])
def test_a_missing_source_is_no_failed_read_back(camera: CameraState) -> None:
    """It is starting, it has just come back, or it is gone: nothing failed to be read back."""
    assert alarms_of(camera, source="camera", missing=("camera",)) == []
    assert alarms_of(camera, source="storage") == [("proof_failed", "storage")]


@pytest.mark.parametrize("camera", [CameraState.ABSENT, CameraState.FROZEN])
def test_a_source_whose_loss_has_an_alarm_has_no_second_one(camera: CameraState) -> None:
    assert alarms_of(camera, source="camera") == []
    assert alarms_of(CameraState.OK, source="camera") == [("proof_failed", "camera")]


def test_a_missing_source_does_not_hide_a_failed_read_back(
    rig: CourtroomRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = ReadbackState(ProofState.BAD, 1, "nothing new", "storage", missing=("camera",))
    rig.begin()
    monkeypatch.setattr(ReadbackMonitor, "state", failed)
    assert rig.state()["proof"]["source"] == "storage"
    assert "proof_failed" in rig.codes()


# -- in a whole courtroom --------------------------------------------------------------------------
@pytest.fixture
def room(tmp_path: Path) -> Iterator[SimulatedCourtroom]:
    with running_courtroom(tmp_path) as made:
        now_ns = made.world.now_ns
        made.tap("start", lambda courtroom: courtroom.start({"kind": "civil"}, "p1", now_ns))
        made.pass_time(9)
        assert made.state.proof.state == "good"
        yield made


def shown_codes(room: SimulatedCourtroom) -> set[str]:
    """Return the codes of all alarms that were shown."""
    return {alarm.code for shown in room.shown for alarm in shown.state.alarms}


@pytest.mark.parametrize("name", ["camera", "mic_judge"])
def test_a_source_that_comes_back_raises_no_alarm(room: SimulatedCourtroom, name: str) -> None:
    room.devices[name].is_plugged = False
    room.pass_time(14)
    assert room.state.proof.state == "bad"
    assert room.state.proof.missing == (name.removeprefix("mic_"),)
    first = len(room.shown)
    room.devices[name].is_plugged = True
    room.pass_time(12)
    assert room.state.proof.state == "good"
    assert any(shown.state.proof.missing for shown in room.shown[first:]), "it was bad meanwhile"
    assert "proof_failed" not in shown_codes(room)


def test_a_lost_source_does_not_hide_one_that_is_shown_as_working(
    room: SimulatedCourtroom,
) -> None:
    room.microphones["judge"].is_plugged = False
    room.sources.microphones[1].release()
    room.pass_time(14)
    assert [microphone.state for microphone in room.state.microphones] == ["absent", "ok"]
    assert room.state.proof.missing == ("judge", "witness")
    now = {(alarm.code, alarm.source) for alarm in room.state.alarms}
    assert now >= {("microphone_absent", "judge"), (SOURCE_UNRECORDED, "witness")}
    assert "proof_failed" not in {code for code, _ in now}
