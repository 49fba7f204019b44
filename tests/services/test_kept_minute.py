"""The minute before a hearing, with a real recorder, real devices and a kill (S16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from kiosk.clocks import format_wall
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.ipc import ServiceRefusedError
from kiosk.recording.verify.hearing import verify
from tests.services.conftest import MakeRecorder
from tests.services.recorder_process import RecorderProcess, seconds_at_least
from tests.support.fake_media import join_run
from tests.support.headset_listener import write_beep
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

DUE = "5f1e7b86-3f51-4a5e-9a0e-0f7c54e7d001"
TONE = 900


def publish(recorder: RecorderProcess) -> None:
    row = {"id": DUE, "case_number": "2-15", "kind": "civil", "scheduled_at": format_wall()}
    recorder.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
    recorder.paths.schedule.write_text(json.dumps({"hearings": [row]}))


def kept(state: dict[str, Any]) -> float:
    return float((state["kept_before"] or {"seconds": 0})["seconds"])


def tone_share(part: Path, track: int) -> float:
    """Return which share of the sound's energy is at :data:`TONE`."""
    with av.open(str(join_run(part, "channels"))) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=track)]
        rate = container.streams.audio[track].rate
    samples = np.concatenate(frames).astype(float)
    power = np.abs(np.fft.rfft(samples - samples.mean())) ** 2
    place = round(TONE * len(samples) / rate)
    return float(power[place - 20 : place + 20].sum() / power.sum())


def test_what_was_said_before_the_tap_is_in_the_hearing_and_after_a_kill_nowhere(
    make_recorder: MakeRecorder, microphones: VirtualMicrophones, tmp_path: Path
) -> None:
    recorder = make_recorder(extra_settings="[hearing]\nkept_minute = 30\n")
    publish(recorder)
    recorder.start()
    recorder.wait_for_state(lambda state: kept(state) > 2, "two seconds that are kept")
    recorder.kill()
    media = [path for path in recorder.folder.rglob("*.m*") if path.suffix in (".m4s", ".mp4")]
    assert media == [], "it was in memory alone"
    assert not recorder.paths.hearings.exists() or not any(recorder.paths.hearings.iterdir())

    recorder.start()
    recorder.wait_until_ready()
    with pytest.raises(ServiceRefusedError):
        recorder.call("POST", "/v1/kept-minute/decline", {"hearing_id": DUE})  # nobody signed in
    recorder.wait_for_state(lambda state: kept(state) > 0.5, "sound that is kept")
    assert microphones.play("judge", write_beep(tmp_path / "beep.wav", TONE)).wait() == 0
    heard = kept(recorder.state())
    recorder.wait_for_state(lambda state: kept(state) > heard + 1, "a second more")
    body = {"hearing": {"id": DUE}, "with_minute_before": True}
    started = recorder.post("/v1/hearings", body)
    assert (started["part"], started["hearing_id"]) == (2, DUE)
    assert started["kept_seconds"] > heard
    assert "broken invariant" not in recorder.log.read_text(), "it is no recording without a tap"
    recorder.wait_for_state(seconds_at_least(2), "2 s of recording")
    recorder.post("/v1/hearing/end")
    folder = recorder.hearing_folder(DUE)
    wait_for(lambda: (folder / "SHA256SUMS.p7s").exists(), "the seal")
    report = verify(folder, recorder.court.ca)
    assert report.problems == []
    assert [part.video_frames > 0 for part in report.parts] == [False, True]
    names = list(microphones.names)
    share = {name: tone_share(folder / "part-01", names.index(name)) for name in names[:2]}
    assert share["judge"] > 0.5 > share[names[1]], "the beep, at its own microphone"
