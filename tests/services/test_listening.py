"""What was said a moment ago is heard in the headset while the recording goes on undisturbed."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from tests.services.conftest import MakeRoom
from tests.services.room import Room
from tests.services.test_recorder import hearing, seconds_at_least
from tests.waiting import wait_for

RATE = 48_000
HEADSET = '[headset]\ndevice = "headset"\n'


def beep(path: Path, tone: float) -> Path:
    """Write half a second of a tone."""
    sound = (np.sin(np.arange(RATE // 2) * 2 * np.pi * tone / RATE) * 9000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    return path


class Ear:
    """Hears what comes out of the headset."""

    def __init__(self, microphones: VirtualMicrophones) -> None:
        self._heard = bytearray()
        self._process = microphones.worn()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(4096):  # type: ignore[attr-defined]
            self._heard += data

    def hears(self, tone: float) -> bool:
        """Say whether the tone was heard for a tenth of a second and more."""
        whole = len(self._heard) // 2 * 2
        samples = np.frombuffer(bytes(self._heard[:whole]), "<i2").astype(float)
        windows = samples[: len(samples) // 4800 * 4800].reshape(-1, 4800)
        place = np.exp(-2j * np.pi * tone * np.arange(4800) / RATE) / 4800
        return int((np.abs(windows @ place) > 1000).sum()) >= 2

    def close(self) -> None:
        """Stop hearing."""
        self._process.kill()
        self._process.wait()
        self._thread.join()


def refused(room: Room, body: object) -> str:
    with pytest.raises(ServiceRefusedError) as error:
        room.post("/v1/hearing/listen", body)
    return error.value.code


def test_the_last_seconds_are_heard_and_the_recording_goes_on(
    make_room: MakeRoom, microphones: VirtualMicrophones, tmp_path: Path
) -> None:
    room = make_room(more=HEADSET)
    room.start()
    room.until_ready()
    assert refused(room, {}) == "nothing_to_listen"
    room.post("/v1/hearings", hearing())
    room.until(seconds_at_least(2), "2 s")
    for name, tone in (("judge", 900), ("witness", 1700)):
        assert microphones.play(name, beep(tmp_path / f"{name}.wav", tone)).wait() == 0
    spoken = room.state()["hearing"]["part_seconds"]
    room.until(seconds_at_least(spoken + 2), "2 s more")
    for wrong in ({"seconds": 0}, {"seconds": "x"}, {"source": "nobody"}):
        assert refused(room, wrong) == "bad_request"

    ear = Ear(microphones)
    try:
        answer = room.post("/v1/hearing/listen", {"seconds": 30})["listening"]
        assert answer["source"] is None
        assert answer["of_seconds"] >= 4
        wait_for(lambda: ear.hears(900) and ear.hears(1700), "both beeps in the headset", 30)
    finally:
        ear.close()
    ear = Ear(microphones)
    try:
        room.post("/v1/hearing/listen", {"seconds": 30, "source": "witness"})
        assert room.state()["listening"]["source"] == "witness"
        wait_for(lambda: ear.hears(1700), "the witness's beep in the headset", 30)
        assert not ear.hears(900)
    finally:
        ear.close()
    token = room.sign_in()
    assert room.call("DELETE", "/v1/hearing/listen", None, token) == {"listening": None}
    assert room.state()["listening"] is None
    room.post("/v1/hearing/listen", {"seconds": 30})
    room.post("/v1/hearing/recess")
    room.until(lambda state: state["listening"] is None, "silence in the recess")
    state = room.state()
    assert state["hearing"]["part_seconds"] == 0
    kinds = {one["kind"] for one in state["hearing"]["interruptions"]}
    assert not kinds & {"absent", "muted", "write_failed"}


@pytest.mark.parametrize("more", ["", '[headset]\ndevice = "not there"\n'])
def test_an_absent_headset_is_said(make_room: MakeRoom, more: str) -> None:
    room = make_room(more=more, camera="none")
    room.start()
    room.post("/v1/hearings", hearing())
    room.until(seconds_at_least(2), "2 s")
    room.until(lambda state: state["hearing"]["tap_to_first_durable_ms"], "media on the disk")
    assert refused(room, {}) == "headset_absent"
    assert room.state()["listening"] is None
    assert room.state()["phase"] == "recording"
