"""``PUT /v1/room`` of the real recorder: what it keeps, what it refuses, when it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.ipc import ServiceRefusedError
from kiosk.services.room import RoomProfileRefusedError, RoomService
from kiosk.settings_files import load_settings
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, hearing
from tests.support.sound_cards import Stick, build_machine

pytestmark = pytest.mark.slow
PROFILE = {
    "kiosk": {"room": "12"},
    "microphones": [{"name": "witness", "role": "witness", "device": "mic_witness"}],
}


def put(
    recorder: RecorderProcess, profile: dict[str, Any], role: str = "technician"
) -> dict[str, Any]:
    """Have ``role`` keep ``profile``."""
    return recorder.call("PUT", "/v1/room", {"profile": profile}, recorder.sign_in(role))


def refusal(
    recorder: RecorderProcess, profile: dict[str, Any], role: str = "technician"
) -> tuple[str, str]:
    """Return code and message of the refusal."""
    with pytest.raises(ServiceRefusedError) as refused:
        put(recorder, profile, role)
    return refused.value.code, str(refused.value)


def test_a_profile_is_kept_and_counts_from_the_next_start(recorder: RecorderProcess) -> None:
    assert recorder.call("GET", "/v1/room")["profile"] == {}
    room = put(recorder, PROFILE)
    assert (room["profile"], room["is_in_force"]) == (PROFILE, False)
    assert room["settings"]["kiosk"]["room"] == "12"
    assert [row["name"] for row in recorder.state()["microphones"]] == ["judge", "witness"]
    assert (recorder.paths.room / "room.toml").stat().st_mode & 0o777 == 0o644
    recorder.stop()
    recorder.start()
    assert [row["name"] for row in recorder.state()["microphones"]] == ["witness"]
    assert recorder.call("GET", "/v1/room")["is_in_force"] is True


def test_what_is_not_allowed_is_refused_and_the_profile_before_stays(
    recorder: RecorderProcess,
) -> None:
    put(recorder, PROFILE)
    kept = (recorder.paths.room / "room.toml").read_bytes()
    code, said = refusal(recorder, {"camera": {"fps": 400}})
    assert (code, "camera.fps = 400" in said) == ("room_profile_refused", True)
    assert refusal(recorder, {"central": {"url": "https://x"}})[0] == "room_profile_refused"
    assert refusal(recorder, {"voice": {"volume": None}})[0] == "room_profile_refused"
    assert refusal(recorder, {}, "secretary")[0] == "sign_in_refused"
    recorder.post("/v1/hearings", hearing())
    assert refusal(recorder, {})[0] == "already_recording"
    assert (recorder.paths.room / "room.toml").read_bytes() == kept


def test_a_broken_profile_is_an_alarm_until_a_good_one_is_kept(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    recorder.paths.room.mkdir(parents=True)
    (recorder.paths.room / "room.toml").write_text("[camera]\nfps = 400\n")
    recorder.start()

    def is_told(state: dict[str, Any]) -> bool:
        return "room_profile_refused" in {row["code"] for row in state["alarms"]}

    recorder.wait_for_state(is_told, "the alarm")
    assert [row["name"] for row in recorder.state()["microphones"]] == ["judge", "witness"]
    assert "camera.fps = 400" in recorder.call("GET", "/v1/room")["problem"]
    put(recorder, PROFILE)
    recorder.wait_for_state(lambda state: not is_told(state), "no alarm any more")


def test_a_setting_that_fits_two_devices_is_refused_with_both_named(tmp_path: Path) -> None:
    settings_file, root = tmp_path / "kiosk.toml", tmp_path / "machine"
    settings_file.write_text(f"[paths]\ndata = '{tmp_path / 'data'}'\n", encoding="utf-8")
    build_machine(root, [Stick("1.1"), Stick("1.2")])
    service = RoomService(load_settings(settings_file), settings_file, lambda: None, root)

    def keep(device: str) -> None:
        row = {"name": "judge", "role": "judge", "device": device}
        service.keep({"microphones": [row]})

    with pytest.raises(RoomProfileRefusedError) as refused:
        keep("USB PnP Sound Device")
    assert "judge: “USB PnP Sound Device” fits 2 devices" in str(refused.value)
    assert "usb/1.1" in str(refused.value)
    assert "usb/1.2" in str(refused.value)
    assert load_settings(settings_file).microphones == ()
    for device in ("usb:1-1.2", "usb:1-1.3"):  # the third is not there yet: shown, not refused
        keep(device)
        assert [row.device for row in load_settings(settings_file).microphones] == [device]
