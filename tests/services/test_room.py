"""``PUT /v1/room`` of the real recorder: what it keeps, what it refuses, when it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.hearing.room.errors import AlreadyRecordingError
from kiosk.ipc import ServiceRefusedError
from kiosk.services.room import RoomProfileRefusedError, RoomService
from kiosk.settings_files import load_settings
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, events, hearing
from tests.support.sound_cards import Stick, build_machine
from tests.support.waiting import wait_for

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
    aside = recorder.paths.room / "room.toml.refused"  # another version may know how to read it
    assert aside.read_text() == "[camera]\nfps = 400\n"


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


def test_every_input_is_found_with_its_level_and_named_by_what_is_heard(
    microphones: VirtualMicrophones, make_recorder: MakeRecorder
) -> None:
    recorder = make_recorder()
    recorder.start()
    put(recorder, {"microphones": [{"name": "judge", "role": "judge", "device": "mic_judge"}]})
    recorder.stop()
    recorder.start()
    recorder.wait_until_ready()
    token = recorder.sign_in("technician")

    def find() -> dict[str, dict[str, Any]]:
        answer = recorder.call("POST", "/v1/room/inputs", {}, token)
        return {row["device"]: row for row in answer["inputs"]}

    def are_open() -> dict[str, dict[str, Any]] | None:
        found = find()
        return found if found["mic_witness"]["state"] == "ok" else None

    found = wait_for(are_open, "the input that the settings do not name")
    assert {"mic_judge", "mic_witness"} <= set(found)
    assert (found["mic_judge"]["name"], found["mic_witness"]["name"]) == ("judge", "")
    heard = found["mic_witness"]["id"]
    with microphones.speak("witness", "this is the microphone of the witness, I am here"):
        rows = [value for name, value in events(recorder, 2.0) if name == "levels"]
    loudest = {name: max(row[name]["rms_db"] for row in rows) for name in ("judge", heard)}
    assert loudest[heard] > loudest["judge"] + 12
    recorder.post("/v1/hearings", hearing())
    with pytest.raises(ServiceRefusedError) as refused:
        find()
    assert refused.value.code == "already_recording"

    def is_closed() -> bool:
        newest = [value for name, value in events(recorder, 0.3) if name == "levels"][-1]
        return set(newest) == {"judge"}

    wait_for(is_closed, "nothing but the hearing's microphones")


def test_how_far_the_room_is_set_up_survives_a_kill(bare_recorder: RecorderProcess) -> None:
    record = {"steps": {"language": {"state": "done"}}}
    token = bare_recorder.sign_in("technician")
    assert bare_recorder.call("GET", "/v1/commissioning")["record"] == {}
    bare_recorder.call("PUT", "/v1/commissioning", {"record": record}, token)
    bare_recorder.kill()
    bare_recorder.start()
    assert bare_recorder.call("GET", "/v1/commissioning")["record"] == record


def test_a_hearing_that_begins_before_the_file_is_written_comes_first(tmp_path: Path) -> None:
    """The room was free when it was asked first, and is not when the profile is to be written."""
    settings_file = tmp_path / "kiosk.toml"
    settings_file.write_text(f"[paths]\ndata = '{tmp_path / 'data'}'\n", encoding="utf-8")
    opened: list[str] = []
    service = RoomService(
        load_settings(settings_file), settings_file, lambda: opened[0] if opened else None
    )
    service.keep({"kiosk": {"room": "12"}})
    kept = (tmp_path / "data" / "room" / "room.toml").read_bytes()
    opened.append("a hearing")
    with pytest.raises(AlreadyRecordingError):
        service.keep({"kiosk": {"room": "13"}})
    assert (tmp_path / "data" / "room" / "room.toml").read_bytes() == kept
    service.keep({"kiosk": {"room": "14"}}, may_be_open=True)
    assert (tmp_path / "data" / "room" / "room.toml").read_bytes() != kept
