"""What was said a moment ago is heard in the headset while the recording goes on undisturbed."""

from __future__ import annotations

import signal
import threading
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, hearing, seconds_at_least
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

RATE = 48_000
HEADSET = '[headset]\ndevice = "headset"\n'


def beep(path: Path, tone: float) -> Path:
    """Write half a second of a tone."""
    sound = (np.sin(np.arange(RATE // 2) * 2 * np.pi * tone / RATE) * 9000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    return path


class HeadsetListener:
    """Hears what comes out of the headset."""

    def __init__(self, microphones: VirtualMicrophones) -> None:
        self._received = bytearray()
        self._process = microphones.record_headset()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(4096):  # type: ignore[attr-defined]
            self._received += data

    def hears(self, tone: float) -> bool:
        """Say whether the tone was heard for a tenth of a second and more."""
        whole = len(self._received) // 2 * 2
        samples = np.frombuffer(bytes(self._received[:whole]), "<i2").astype(float)
        windows = samples[: len(samples) // 4800 * 4800].reshape(-1, 4800)
        place = np.exp(-2j * np.pi * tone * np.arange(4800) / RATE) / 4800
        return int((np.abs(windows @ place) > 1000).sum()) >= 2

    def close(self) -> None:
        """Stop hearing."""
        self._process.kill()
        self._process.wait()
        self._thread.join()


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
    for name, tone in (("judge", 900), ("witness", 1700)):
        assert microphones.play(name, beep(tmp_path / f"{name}.wav", tone)).wait() == 0
    spoken = recorder.state()["hearing"]["part_seconds"]
    recorder.wait_for_state(seconds_at_least(spoken + 2), "2 s more")
    for wrong in ({"seconds": 0}, {"seconds": "x"}, {"source": "nobody"}):
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
