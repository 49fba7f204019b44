"""The recorder as a process on virtual devices: from one tap to a sealed, verified hearing."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kiosk.cli import main
from kiosk.evidence.chain import read_chain
from kiosk.ipc import ServiceRefusedError
from kiosk.recording.formats.run_reader import ConcatenatedFiles, list_runs, media_files
from kiosk.recording.verify.hearing import verify
from kiosk.storage.atomic_io import read_json, read_json_or_none, write_json
from kiosk.storage.key_escrow import wrap_key
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import (
    KIOSK,
    NAMES,
    PIN,
    RecorderProcess,
    events,
    hearing,
    seconds_at_least,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


def ffprobe_counts(part: Path, track: str, tmp_path: Path) -> dict[str, list[int]]:
    """Return what ffprobe counts in the joined run: pictures, and samples of each sound track."""
    (run,) = list_runs(part / track)
    joined = tmp_path / f"{part.name}-{track}.mp4"
    with (
        ConcatenatedFiles([run / "init.mp4", *media_files(run)]) as source,
        joined.open("wb") as file,
    ):
        while data := source.read(1 << 20):
            file.write(data)
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name"]
    command += ["-show_entries", "frame=stream_index,nb_samples,pict_type", "-of", "json"]
    answer = subprocess.run([*command, str(joined)], capture_output=True, check=True)
    assert answer.stderr == b"", answer.stderr.decode()
    value = json.loads(answer.stdout)
    counts: dict[str, list[int]] = {"video": [], "audio": []}
    for index, stream in enumerate(value["streams"]):
        frames = [row for row in value["frames"] if row["stream_index"] == index]
        number = sum(int(row.get("nb_samples", 1)) for row in frames)
        counts[stream["codec_type"]].append(number)
    return counts


def test_from_one_tap_to_a_sealed_hearing(shared_recorder: RecorderProcess, tmp_path: Path) -> None:
    recorder = shared_recorder
    idle = recorder.wait_until_ready()
    assert (idle["phase"], idle["hearing"], idle["lamp"]) == ("idle", None, "off")
    assert idle["storage"]["state"] == "ok"
    assert idle["storage"]["hours_left"] > 0

    body = hearing()
    started = recorder.post("/v1/hearings", body)
    assert started == {"hearing_id": body["hearing"]["id"], "part": 1, "kept_seconds": 0.0}
    state = recorder.wait_for_state(lambda s: s["proof"]["state"] == "good", "a proof")
    assert (state["phase"], state["lamp"] != "off") == ("recording", True)
    assert state["proof"]["age_seconds"] < 10
    assert state["hearing"]["tap_to_first_durable_ms"] > 0
    assert state["hearing"]["due"][0] == {"event": "court_enters", "of": ""}
    recorder.post("/v1/hearing/marks", {"type": "opening", "note": "ашылды"})
    recorder.post("/v1/hearing/marks", {"type": "attendance"})
    recorder.post("/v1/hearing/marks/undo")
    recorder.wait_for_state(seconds_at_least(3), "3 s of recording")
    recorder.post("/v1/hearing/recess", {"reason": "lunch"})
    state = recorder.state()
    assert (state["phase"], state["lamp"], state["hearing"]["parts"]) == ("recess", "off", 1)
    assert recorder.post("/v1/hearing/resume")["part"] == 2
    state = recorder.wait_for_state(seconds_at_least(2), "2 s of part 2")
    assert (state["phase"], state["hearing"]["part"]) == ("recording", 2)
    assert state["lamp"] != "off"
    assert state["hearing"]["seconds"] > state["hearing"]["part_seconds"] + 2.5
    marks = [(mark["type"], mark["withdrawn"]) for mark in state["hearing"]["marks"]]
    assert marks == [
        ("opening", False),
        ("attendance", True),
        ("recess", False),
        ("resumed", False),
    ]
    assert state["hearing"]["marks"][0]["note"] == "ашылды"
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")

    folder = recorder.hearing_folder(started["hearing_id"])
    report = verify(folder, recorder.court.ca)
    assert report.problems == []
    assert report.device == KIOSK
    assert len(report.parts) == 2
    for part in report.parts:
        found = ffprobe_counts(folder / f"part-{part.part:02d}", "main", tmp_path)
        assert found["video"] == [part.video_frames]
        channels = ffprobe_counts(folder / f"part-{part.part:02d}", "channels", tmp_path)
        assert channels["audio"] == list(part.samples.values())
        assert part.video_frames > 10 * part.seconds * 0.6
        assert all(n > 48000 * part.seconds * 0.9 for n in part.samples.values())
    assert report.parts[0].heads >= 1
    for number in (1, 2):
        first = read_chain(folder / f"part-{number:02d}" / "journal.jsonl").entries[0]
        opened = {name: device["name"] for name, device in first["inputs"].items()}
        microphones = {name: f"mic_{name}" for name in report.parts[0].samples}
        assert opened == {"camera": "virtual", **microphones}
    assert main(["verify", str(folder), "--ca", str(recorder.court.ca)]) == 0
    assert recorder.state()["hearing"] is None


def test_second_start_and_wrong_phases(shared_recorder: RecorderProcess) -> None:
    recorder = shared_recorder
    body = hearing()
    for path in ("marks", "marks/undo", "recess", "retire", "resume", "end"):
        with pytest.raises(ServiceRefusedError) as refused:
            recorder.post(f"/v1/hearing/{path}", {"type": "oath"})
        assert (refused.value.code, refused.value.status) == ("hearing_step_refused", 409)
    recorder.post("/v1/hearings", body)
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/hearings", hearing())
    assert (refused.value.code, refused.value.status) == ("already_recording", 409)
    assert refused.value.body["hearing_id"] == body["hearing"]["id"]
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/tests/camera", role="technician")
    assert refused.value.code == "already_recording"
    with pytest.raises(ServiceRefusedError) as refused:
        recorder.post("/v1/hearing/marks", {"type": "no such event"})
    assert refused.value.status == 400
    recorder.post("/v1/hearing/retire")
    assert recorder.state()["phase"] == "retired"
    assert recorder.state()["hearing"]["due"][0]["event"] == "announcement"
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    again = recorder.post("/v1/hearings", body)["hearing_id"]
    assert again != body["hearing"]["id"], "what is sealed is never touched"
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    assert verify(recorder.hearing_folder(again), recorder.court.ca).ok


def test_who_may_do_what(shared_recorder: RecorderProcess) -> None:
    recorder = shared_recorder

    def refused(path: str, token: str | None, body: Any = None) -> tuple[int, str]:
        with pytest.raises(ServiceRefusedError) as error:
            recorder.call("POST", path, body or {}, token)
        return error.value.status, error.value.code

    assert refused("/v1/sign-in", None, {"badge": "nobody's"}) == (401, "unknown_badge")
    assert refused("/v1/sign-in", None, {}) == (400, "bad_request")
    assert refused("/v1/hearings", None) == (401, "token_expired")
    assert refused("/v1/hearings", "forged.token") == (401, "token_expired")
    assert refused("/v1/hearings", recorder.sign_in("technician")) == (403, "sign_in_refused")
    assert refused("/v1/tests/clock", recorder.sign_in("secretary")) == (403, "sign_in_refused")
    answer = recorder.call("POST", "/v1/sign-in", {"person": "p-secretary", "pin": PIN})
    assert (answer["person"], answer["roles"]) == ("p-secretary", ["secretary"])
    assert recorder.paths.token_secret.stat().st_mode & 0o777 == 0o600
    assert "of user" in recorder.log.read_text()


def test_keys_of_unfinished_filings_open_for_the_court_alone(
    shared_recorder: RecorderProcess,
) -> None:
    recorder = shared_recorder
    wrapped = wrap_key(recorder.paths.public_keys, b"k" * 32)
    body = {"wrapped": base64.b64encode(wrapped).decode()}

    def refused(body: dict[str, Any], token: str | None) -> int:
        with pytest.raises(ServiceRefusedError) as error:
            recorder.call("POST", "/v1/filing-keys/open", body, token)
        return error.value.status

    assert refused(body, None) == 401
    assert refused(body, recorder.sign_in("technician")) == 403
    secretary = recorder.sign_in("secretary")
    assert refused({}, secretary) == 400
    assert refused({"wrapped": base64.b64encode(wrapped[:-1]).decode()}, secretary) == 410
    key = recorder.call("POST", "/v1/filing-keys/open", body, secretary)["key"]
    assert base64.b64decode(key) == b"k" * 32
    assert key not in recorder.log.read_text()
    (file,) = recorder.paths.escrow_keys.glob("*.key")
    assert file.stat().st_mode & 0o777 == 0o600


def test_events_and_devices(shared_recorder: RecorderProcess) -> None:
    recorder = shared_recorder
    recorder.wait_until_ready()
    found = events(recorder, 2.0)
    names = [name for name, _ in found]
    assert names.count("state") >= 2
    assert 1 <= names.count("levels") <= 4, "no screen shows them while no hearing is open"
    levels = next(value for name, value in found if name == "levels")
    assert set(levels) == {"judge", "witness"}
    assert set(levels["judge"]) == {"rms_db", "peak_db"}
    devices = {row["name"]: row for row in recorder.call("GET", "/v1/devices")["devices"]}
    assert set(devices) == {"camera", "judge", "witness", "panel"}
    assert devices["judge"]["library"] == "PyAudio"
    assert all(row["virtual"] and row["version"] for row in devices.values())


def test_devices_are_tested(shared_recorder: RecorderProcess) -> None:
    recorder = shared_recorder
    recorder.wait_until_ready()
    answer = {
        name: recorder.post(f"/v1/tests/{name}", {"seconds": 1.5}, role="technician")
        for name in ("camera", "microphones", "panel", "storage", "clock")
    }
    assert answer["camera"]["state"] == "passed", answer["camera"]
    assert answer["camera"]["measured"]["fps"] > 3
    assert answer["microphones"]["state"] == "passed", answer["microphones"]
    assert set(answer["microphones"]["measured"]) == {"judge", "witness"}
    assert answer["panel"]["state"] == "passed", answer["panel"]
    assert answer["panel"]["measured"]["button_pressed"] is False
    assert answer["storage"]["state"] == "passed", answer["storage"]
    assert answer["storage"]["measured"]["write_mb_s"] > 0
    assert answer["clock"]["measured"]["state"] in ("ok", "unsynchronised")
    assert recorder.state()["lamp"] == "off"


def test_questions_are_asked_while_it_records(shared_recorder: RecorderProcess) -> None:
    """An ad hoc hearing without a list: nothing is asked before the tap (R20, R21, R67)."""
    recorder = shared_recorder
    recorder.post("/v1/hearings", {"hearing": {"adhoc": True}})
    state = recorder.wait_for_state(lambda s: s["phase"] == "recording", "recording")
    assert {"format", "case_number", "kind"} <= set(state["hearing"]["open_questions"])
    for subject, value in (("format", "online"), ("case_number", "2-77"), ("kind", "civil")):
        recorder.post("/v1/hearing/statements", {"subject": subject, "value": value})
    shown = recorder.state()["hearing"]
    assert (shown["format"], shown["case_number"], shown["kind"]) == ("online", "2-77", "civil")
    assert "format_decided_by" in shown["open_questions"]
    assert not {"format", "case_number", "kind"} & set(shown["open_questions"])
    recorder.post("/v1/hearing/recess")
    assert "recess_reason" in recorder.state()["hearing"]["open_questions"]
    assert [name for name, _ in events(recorder, 2.0)].count("levels") > 4
    recorder.post("/v1/hearing/statements", {"subject": "recess_reason", "value": "lunch"})
    assert "recess_reason" not in recorder.state()["hearing"]["open_questions"]
    recorder.post("/v1/hearing/end")
    state = recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")


# -- crash and shutdown ----------------------------------------------------------------------------
def test_killed_it_resumes_by_itself_and_asks(recorder: RecorderProcess) -> None:
    recorder.wait_until_ready()
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.post("/v1/hearing/marks", {"type": "opening"})
    recorder.wait_for_state(seconds_at_least(3), "3 s of recording")
    recorder.kill()
    recorder.start()
    state = recorder.wait_for_state(
        lambda s: s["phase"] == "recording", "the hearing resumed by itself"
    )
    assert state["lamp"] != "off"
    assert state["hearing"]["id"] == hearing_id
    assert state["hearing"]["part"] == 2
    assert [mark["type"] for mark in state["hearing"]["marks"]] == ["opening"]
    assert state["recovered"]["hearing_id"] == hearing_id
    assert 0 < state["recovered"]["gap_seconds"] < 120
    assert {"recovered", "failure_reason"} <= set(state["hearing"]["open_questions"])
    lost = [row for row in state["hearing"]["interruptions"] if row["source"] == "recorder"]
    assert [row["seconds"] for row in lost] == [state["recovered"]["gap_seconds"]]
    page = recorder.call("GET", "/v1/hearing/interruptions?limit=1000")
    assert lost[0] in page["interruptions"]
    assert page["total"] >= sum(row["count"] for row in state["hearing"]["interruption_totals"])
    assert "recorder_recovered" in {alarm["code"] for alarm in state["alarms"]}
    recorder.post("/v1/hearing/statements", {"subject": "recovered", "value": "power cut"})
    assert recorder.state()["recovered"] is None
    recorder.wait_for_state(seconds_at_least(2), "2 s of part 2")
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    report = verify(recorder.hearing_folder(hearing_id), recorder.court.ca)
    assert report.problems == []
    assert report.parts[0].seconds > 2, "a kill costs at most a second"


def test_killed_in_recess_it_stays_stopped(recorder: RecorderProcess) -> None:
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.wait_for_state(seconds_at_least(1), "a second")
    recorder.post("/v1/hearing/retire")
    recorder.kill()
    recorder.start()
    state = recorder.state()
    assert (state["phase"], state["lamp"], state["recovered"]) == ("retired", "off", None)
    assert state["hearing"]["id"] == hearing_id
    recorder.post("/v1/hearing/resume")
    recorder.wait_for_state(seconds_at_least(1), "a second")
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    assert verify(recorder.hearing_folder(hearing_id), recorder.court.ca).problems == []


def test_ended_cleanly_by_sigterm_it_goes_on(recorder: RecorderProcess) -> None:
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.wait_for_state(seconds_at_least(1.5), "a second and a half")
    assert recorder.stop() == 0
    assert verify(recorder.hearing_folder(hearing_id) / "part-01", recorder.court.ca).problems == []
    recorder.start()
    state = recorder.wait_for_state(
        lambda s: s["phase"] == "recording", "the hearing resumed by itself"
    )
    assert state["hearing"]["part"] == 2
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    assert verify(recorder.hearing_folder(hearing_id), recorder.court.ca).problems == []


def test_killed_while_sealing_it_is_sealed_at_the_next_start(recorder: RecorderProcess) -> None:
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.wait_for_state(seconds_at_least(1), "a second")
    recorder.post("/v1/hearing/end")
    recorder.kill()
    recorder.start()
    folder = recorder.hearing_folder(hearing_id)
    wait_for(lambda: (folder / "SHA256SUMS.p7s").exists(), "the seal")
    assert verify(folder, recorder.court.ca).problems == []
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "an idle room")


# -- faults ----------------------------------------------------------------------------------------
def test_sound_goes_on_without_a_camera(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(camera="picamera2")
    recorder.start()
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    state = recorder.wait_for_state(
        lambda s: {"camera_absent"} <= {alarm["code"] for alarm in s["alarms"]}, "the alarm"
    )
    assert "override" in state["hearing"]["open_questions"]
    assert "camera" in state["hearing"]["not_ready"]
    recorder.wait_for_state(
        lambda s: all(m["state"] == "ok" for m in s["microphones"]), "the sound"
    )
    heard = recorder.state()["hearing"]["part_seconds"]
    recorder.wait_for_state(seconds_at_least(heard + 2), "two seconds of sound")
    recorder.wait_for_state(
        lambda s: (s["proof"]["state"], s["proof"]["source"]) == ("bad", "camera"),
        "a proof that lacks the camera alone",
    )
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    report = verify(recorder.hearing_folder(hearing_id), recorder.court.ca)
    assert report.problems == []
    assert all(number > 48000 for number in report.parts[0].samples.values())


def test_another_microphone_than_before_is_an_alarm_until_commissioning(
    make_recorder: MakeRecorder,
) -> None:
    recorder = make_recorder(camera="none")
    recorder.start()
    path = recorder.paths.known_inputs
    wait_for(lambda: len(read_json_or_none(path) or {}) == len(NAMES), "the first devices")
    assert recorder.stop() == 0
    known = read_json(path)
    known[NAMES[0]]["opened"]["name"] = "another stick"
    write_json(path, known)
    recorder.start()

    def replaced(state: dict[str, Any]) -> list[str]:
        rows = state["alarms"]
        return [row["source"] for row in rows if row["code"] == "microphone_replaced"]

    state = recorder.wait_for_state(replaced, "the alarm")
    assert replaced(state) == [NAMES[0]]
    row = {"check": "microphones", "measured": {}, "seconds": 1, "at": "2026-11-23T04:00:00.000Z"}
    runs = ((False, "passed"), (True, "failed"), (True, "passed"))
    for number, (commissioning, result) in enumerate(runs):
        assert replaced(recorder.state()) == [NAMES[0]]
        run = {"started": row["at"], "ended": f"2026-11-23T04:00:0{number}.000Z"}
        run |= {"commissioning": commissioning, "results": [row | {"state": result}]}
        recorder.post("/v1/reports", {"kind": "selftest", "selftest": run}, "technician")
    recorder.wait_for_state(lambda state: not replaced(state), "no alarm")
    wait_for(
        lambda: read_json(path)[NAMES[0]]["opened"]["name"] == f"mic_{NAMES[0]}", "the new ones"
    )


def test_not_enrolled_it_records_and_says_so(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(enrolled=False, microphones=None)
    recorder.start()
    assert "not_enrolled" in {alarm["code"] for alarm in recorder.state()["alarms"]}
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.wait_for_state(seconds_at_least(1), "a second")
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda s: s["phase"] == "idle", "the seal")
    folder = recorder.hearing_folder(hearing_id)
    assert verify(folder, recorder.paths.self_signed_certificate).problems == []
    assert not verify(folder, recorder.court.ca).ok


def test_little_space_is_an_alarm_and_no_obstacle(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder(microphones=None)
    settings = recorder.folder / "kiosk.toml"
    text = settings.read_text().replace("low_space_hours = 0", "low_space_hours = 48")
    settings.write_text(text.replace("bitrate = 300000", "bitrate = 10000000"))
    recorder.start()
    state = recorder.wait_for_state(
        lambda s: s["storage"]["state"] in ("ok", "low"), "a storage state"
    )
    if state["storage"]["hours_left"] < 48:
        assert "disk_low" in {alarm["code"] for alarm in state["alarms"]}
    assert recorder.post("/v1/hearings", hearing())["part"] == 1
