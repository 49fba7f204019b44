"""What was said a moment ago is heard in the headset while the recording goes on undisturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import PEOPLE, RecorderProcess, hearing, seconds_at_least
from tests.support.headset_listener import HeadsetListener, write_beep
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

HEADSET = '[headset]\ndevice = "headset"\n'


SCREEN = """
import http.client, socket, sys
connection = http.client.HTTPConnection("kiosk")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(sys.argv[1])
headers = {"Authorization": "Bearer " + sys.argv[2]}
connection.request("POST", "/v1/hearing/listen", sys.argv[3], headers)
print(connection.getresponse().status, flush=True)
sys.stdin.read()
"""


def stop_player(recorder: RecorderProcess) -> None:
    """Stop the process that plays, as it stands: it does not come to the end by itself."""
    parent = recorder.process.pid
    (player,) = (
        int(child)
        for children in Path(f"/proc/{parent}/task").glob("*/children")
        for child in children.read_text().split()
        if b"readback.playback" in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    os.kill(player, signal.SIGSTOP)


def refused(recorder: RecorderProcess, body: object) -> str:
    with pytest.raises(ServiceRefusedError) as error:
        recorder.post("/v1/hearing/listen", body)
    return error.value.code


def test_the_last_seconds_are_heard_and_the_recording_goes_on(
    make_recorder: MakeRecorder, microphones: VirtualMicrophones, tmp_path: Path
) -> None:
    recorder = make_recorder(extra_settings=HEADSET)
    recorder.start()
    recorder.wait_until_ready()
    assert refused(recorder, {}) == "nothing_to_listen"
    recorder.post("/v1/hearings", hearing())
    recorder.wait_for_state(seconds_at_least(2), "2 s")
    assert microphones.play("judge", write_beep(tmp_path / "judge.wav", 900)).wait() == 0
    judge_ended = recorder.state()["hearing"]["part_seconds"] + 0.5
    recorder.wait_for_state(seconds_at_least(judge_ended), "the judge's end")
    assert microphones.play("witness", write_beep(tmp_path / "witness.wav", 1700)).wait() == 0
    spoken = recorder.state()["hearing"]["part_seconds"]
    recorder.wait_for_state(seconds_at_least(spoken + 2), "2 s more")
    for wrong in ({"seconds": 0}, {"part_seconds": -1}, {"source": "nobody"}):
        assert refused(recorder, wrong) == "bad_request"

    listener = HeadsetListener(microphones)
    try:
        answer = recorder.post("/v1/hearing/listen", {"seconds": 30})["listening"]
        assert answer["source"] is None
        assert answer["of_seconds"] >= 4
        wait_for(lambda: listener.hears(900) and listener.hears(1700), "both beeps in the headset")
    finally:
        listener.close()
    listener = HeadsetListener(microphones)
    try:
        recorder.post("/v1/hearing/listen", {"seconds": 30, "source": "witness"})
        assert recorder.state()["listening"]["source"] == "witness"
        wait_for(lambda: listener.hears(1700), "the witness's beep in the headset")
        assert not listener.hears(900)
    finally:
        listener.close()
    listener = HeadsetListener(microphones)
    try:
        from_there = {"part_seconds": judge_ended, "seconds": 3}
        assert recorder.post("/v1/hearing/listen", from_there)["listening"]["of_seconds"] <= 3.1
        wait_for(lambda: listener.hears(1700), "what was said after the judge")
        assert not listener.hears(900)
    finally:
        listener.close()
    token = recorder.sign_in()
    assert recorder.call("DELETE", "/v1/hearing/listen", None, token) == {"listening": None}
    assert recorder.state()["listening"] is None
    recorder.post("/v1/hearing/listen", {"seconds": 30})
    recorder.post("/v1/hearing/recess")
    recorder.wait_for_state(lambda state: state["listening"] is None, "silence in the recess")
    state = recorder.state()
    assert state["hearing"]["part_seconds"] == 0
    kinds = {row["kind"] for row in state["hearing"]["interruptions"]}
    assert not kinds & {"absent", "muted", "write_failed"}


def test_a_place_of_an_ended_hearing_is_played_for_its_report(
    make_recorder: MakeRecorder, microphones: VirtualMicrophones, tmp_path: Path
) -> None:
    """Never while a hearing is recorded, and never of a closed part (S18, S19)."""
    recorder = make_recorder(extra_settings=HEADSET)
    recorder.start()
    recorder.wait_until_ready()
    hearing_id = recorder.post("/v1/hearings", hearing())["hearing_id"]
    recorder.wait_for_state(seconds_at_least(2), "2 s")
    assert microphones.play("judge", write_beep(tmp_path / "judge.wav", 900)).wait() == 0
    second = recorder.state()["hearing"]["part_seconds"] + 0.5
    recorder.wait_for_state(seconds_at_least(second), "the judge's end")
    assert microphones.play("witness", write_beep(tmp_path / "witness.wav", 1700)).wait() == 0
    ended = recorder.state()["hearing"]["part_seconds"]
    recorder.wait_for_state(seconds_at_least(ended + 1), "a second more")
    place = {"hearing_id": hearing_id, "part": 1, "part_seconds": second, "seconds": 10}
    assert refused(recorder, place) == "already_recording"
    recorder.post("/v1/hearing/end")
    recorder.wait_for_state(lambda state: state["phase"] == "idle", "the seal")

    token = recorder.sign_in()
    report = recorder.call("GET", f"/v1/minutes/{hearing_id}/quality", None, token)
    assert report["seconds"] > ended
    assert report["unchecked_seconds"] < report["seconds"], "the voice detector listened"
    assert not report["unreadable"]
    listener = HeadsetListener(microphones)
    try:
        played = recorder.post("/v1/hearing/listen", place | {"source": "witness"})["listening"]
        assert played["of_seconds"] >= 1
        assert recorder.state()["listening"]["source"] == "witness"
        wait_for(lambda: listener.hears(1700), "the witness's beep in the headset")
        assert not listener.hears(900)
    finally:
        listener.close()
    listener = HeadsetListener(microphones)
    try:
        recorder.post("/v1/hearing/listen", place | {"part_seconds": 0})
        wait_for(lambda: listener.hears(900) and listener.hears(1700), "both, from the begin")
    finally:
        listener.close()
    check_it_ends_with_its_listener(recorder, place | {"part_seconds": 0})
    for changed, code in (
        ({"part": None}, "bad_request"),
        ({"part_seconds": None}, "bad_request"),
        ({"part": 0}, "bad_request"),
        ({"hearing_id": "../.."}, "bad_request"),
        ({"part": 2}, "nothing_to_listen"),
        ({"part_seconds": 9e5}, "nothing_to_listen"),
    ):
        assert refused(recorder, place | changed) == code, changed
    part = recorder.hearing_folder(hearing_id) / "part-01" / "part.json"
    told = json.loads(part.read_text("utf-8"))
    part.write_text(json.dumps(told | {"closed": True}), "utf-8")
    assert refused(recorder, place) == "listening_refused"


def check_it_ends_with_its_listener(recorder: RecorderProcess, place: dict[str, Any]) -> None:
    """Nobody who may not ask for it hears the rest."""
    path = "/v1/hearing/listen"
    token = recorder.sign_in()
    assert recorder.call("POST", path, place, token)["listening"]
    stop_player(recorder)
    recorder.call("POST", "/v1/sign-in", {"badge": PEOPLE["technician"], "place": "command"})
    assert recorder.state()["listening"], "nobody else is at the screen"
    recorder.call("DELETE", "/v1/sign-in", None, token)
    assert recorder.state()["listening"] is None, "signed out"
    with pytest.raises(ServiceRefusedError, match="signed out"):
        recorder.call("POST", path, place, token)

    recorder.post(path, place)
    stop_player(recorder)
    token = recorder.sign_in()
    assert recorder.state()["listening"], "the same person"
    recorder.sign_in("judge")
    assert recorder.state()["listening"] is None, "another person"

    told = (str(recorder.paths.recorder_socket), token, json.dumps(place))
    with subprocess.Popen(
        [sys.executable, "-c", SCREEN, *told], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as screen:
        assert screen.stdout is not None
        assert screen.stdout.readline() == b"200\n"
        stop_player(recorder)
        assert recorder.state()["listening"]
        screen.kill()
    recorder.wait_for_state(lambda state: state["listening"] is None, "silence without a screen")


@pytest.mark.parametrize("extra_settings", ["", '[headset]\ndevice = "not there"\n'])
def test_an_absent_headset_is_said(make_recorder: MakeRecorder, extra_settings: str) -> None:
    recorder = make_recorder(extra_settings=extra_settings, camera="none")
    recorder.start()
    recorder.post("/v1/hearings", hearing())
    recorder.wait_for_state(seconds_at_least(2), "2 s")
    recorder.wait_for_state(
        lambda state: state["hearing"]["tap_to_first_durable_ms"], "media on the disk"
    )
    assert refused(recorder, {}) == "headset_absent"
    assert recorder.state()["listening"] is None
    assert recorder.state()["phase"] == "recording"


def test_a_call_of_the_secretary_is_heard_once_and_shown_until_she_is_coming(
    make_recorder: MakeRecorder, microphones: VirtualMicrophones
) -> None:
    recorder = make_recorder(extra_settings=f"{HEADSET}[panel]\ncall_pin = 22\n", camera="none")
    recorder.start()

    def is_called(state: dict[str, Any]) -> bool:
        return any(alarm["code"] == "secretary_called" for alarm in state["alarms"])

    assert not is_called(recorder.state())
    listener = HeadsetListener(microphones)
    try:
        recorder.process.send_signal(signal.SIGRTMIN)
        recorder.wait_for_state(is_called, "the call")
        wait_for(lambda: listener.hears(1000), "the tone in the headset")
    finally:
        listener.close()
    with pytest.raises(ServiceRefusedError, match="not signed in"):
        recorder.call("POST", "/v1/call/answer", {})
    assert recorder.post("/v1/call/answer", {}) == {"was_called": True}
    assert not is_called(recorder.state())
    assert recorder.post("/v1/call/answer", {}) == {"was_called": False}
