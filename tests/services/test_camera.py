"""``/v1/camera`` of the real recorder: what changes at once, what is refused, what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.clocks import format_wall
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
KEPT = "12"


def read(recorder: RecorderProcess) -> dict[str, Any]:
    """Return the camera's details."""
    return recorder.call("GET", "/v1/camera", token=recorder.sign_in("technician"))


def put(
    recorder: RecorderProcess, *, keep: bool = False, role: str = "technician", **picture: Any
) -> dict[str, Any]:
    """Have ``role`` take the picture so."""
    body = {"picture": picture, "keep": keep}
    return recorder.call("PUT", "/v1/camera", body, recorder.sign_in(role))


def wait_holds(recorder: RecorderProcess, name: str, value: Any) -> None:
    wait_for(lambda: read(recorder)["holds"][name] == value, f"{name} {value}")


def refusal(recorder: RecorderProcess, **options: Any) -> str:
    with pytest.raises(ServiceRefusedError) as refused:
        put(recorder, **options)
    return refused.value.code


def test_focus_and_zoom_change_in_a_hearing_and_nothing_of_it_is_lost(
    recorder: RecorderProcess,
) -> None:
    wait_for(lambda: (read(recorder)["sharpness"] or 0) > 0, "the sharpness")
    recorder.post("/v1/hearings", hearing())
    recorder.wait_for_state(lambda s: s["camera"]["frames"] > 10, "pictures")
    put(recorder, focus="fixed", focus_dioptres=2.0, zoom=2.0)
    wait_holds(recorder, "focus_dioptres", 2.0)
    wait_holds(recorder, "zoom", 2.0)
    recorder.call("POST", "/v1/camera/focus", {}, recorder.sign_in("technician"))
    wait_holds(recorder, "focus_dioptres", 0.5)
    frames = recorder.state()["camera"]["frames"]
    recorder.wait_for_state(lambda s: s["camera"]["frames"] > frames + 10, "pictures go on")
    state = recorder.state()
    assert state["camera"]["dropped"] == 0
    lost = state["hearing"]["interruptions"]
    assert [row for row in lost if row["source"] == "camera"] == []
    # What would restart the camera, and what a restart would bring, waits for the end.
    assert refusal(recorder, rotation=180) == "already_recording"
    assert refusal(recorder, zoom=2.0, keep=True) == "already_recording"
    assert read(recorder)["picture"]["rotation"] == 0
    recorder.post("/v1/hearing/end")


def test_what_is_kept_is_there_after_a_restart_beside_the_rest_of_the_profile(
    recorder: RecorderProcess,
) -> None:
    token = recorder.sign_in("technician")
    recorder.call("PUT", "/v1/room", {"profile": {"kiosk": {"room": KEPT}}}, token)
    put(recorder, rotation=180, focus="fixed", focus_dioptres=1.25)
    wait_holds(recorder, "rotation", 180)
    assert "camera" not in recorder.call("GET", "/v1/room")["profile"]
    put(recorder, rotation=180, focus="fixed", focus_dioptres=1.25, keep=True)
    profile = recorder.call("GET", "/v1/room")["profile"]
    assert profile["kiosk"] == {"room": KEPT}
    assert profile["camera"]["picture"]["focus_dioptres"] == 1.25
    recorder.stop()
    recorder.start()
    wait_holds(recorder, "rotation", 180)
    assert read(recorder)["holds"]["focus_dioptres"] == 1.25
    assert read(recorder)["picture"]["focus"] == "fixed"
    room = recorder.call("GET", "/v1/room")
    assert room["is_in_force"] is True


def test_a_commissioning_gives_the_sharpness_its_limit_at_once(recorder: RecorderProcess) -> None:
    assert read(recorder)["sharpness_then"] is None
    test = {"seconds": 1.5, "commissioning": True}
    answer = recorder.post("/v1/tests/camera", test, role="technician")
    assert answer["state"] == "passed", answer
    result = {"check": "camera", "seconds": 1.5, "at": format_wall(), "deviations": {}} | answer
    run = {"started": format_wall(), "ended": format_wall(), "commissioning": True}
    report = {"kind": "selftest", "selftest": {**run, "results": [result]}}
    recorder.post("/v1/reports", report, role="technician")
    details = read(recorder)
    assert details["sharpness_then"] == answer["measured"]["sharpness"]
    assert details["sharpness_limit"] == pytest.approx(0.7 * details["sharpness_then"], abs=0.1)
    put(recorder, zoom=2.0)
    assert read(recorder)["sharpness_then"] is None, "another part of the view"


def test_only_a_technician_and_only_what_is_allowed(recorder: RecorderProcess) -> None:
    assert refusal(recorder, role="secretary") == "sign_in_refused"
    assert refusal(recorder, zoom=400.0) == "bad_request"
    file = recorder.paths.room / "room.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("[damaged")
    assert refusal(recorder, zoom=2.0, keep=True) == "room_profile_refused"
    assert file.read_text() == "[damaged"


def test_a_room_without_a_camera_says_so(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(camera="none", microphones=None)
    recorder.start()
    assert refusal(recorder, zoom=2.0) == "camera_absent"
