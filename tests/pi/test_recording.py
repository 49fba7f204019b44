"""A whole recording as on a Pi: the recorder's service, picamera2, PyAudio, Python 3.13."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import CameraSettings
from tests.support.virtual_courtroom import MICROPHONES, VirtualCourtroom

RATE = 48_000
EDGE_S = 0.5
"""What sources may differ by at both ends of a part: fragments do not end at one instant."""


@pytest.fixture
def room() -> Iterator[VirtualCourtroom]:
    """A courtroom with a real picamera2, its recorder running and ready."""
    with (
        tempfile.TemporaryDirectory(prefix="kp-") as name,
        VirtualCourtroom(Path(name) / "r", {"back_end": "picamera2"}) as made,
    ):
        made.start_recorder(60)
        made.wait_ready(60)
        made.sign_in()
        yield made


def test_a_hearing_in_two_parts_is_recorded_sealed_and_verified(room: VirtualCourtroom) -> None:
    room.microphones.speak("judge", "The court is in session.")
    room.start_hearing()
    room.wait_recorded(4.0)
    room.call("POST", "/v1/hearing/recess", {})
    room.call("POST", "/v1/hearing/resume", {})
    room.wait_recorded(room.seconds_recorded() + 4.0)
    state = room.state()
    devices = {entry["name"]: entry for entry in room.call("GET", "/v1/devices")["devices"]}
    report = room.verify(room.end_hearing())

    assert report["ok"], report["problems"]
    assert devices["camera"]["library"] == "picamera2"
    assert state["hearing"]["tap_to_first_durable_ms"] > 0
    assert len(report["parts"]) == 2
    # On a busy machine a camera drops pictures; it must have counted them.
    camera, second = state["camera"], state["hearing"]["part_seconds"]
    assert camera["frames"] + camera["dropped"] > (second - 2 * EDGE_S) * CameraSettings().fps
    assert report["parts"][1]["video_frames"] >= camera["frames"] > 0
    for part in report["parts"]:
        assert part["decoded"]
        assert set(part["samples"]) == set(MICROPHONES)
        for samples in part["samples"].values():
            assert abs(samples / RATE - part["seconds"]) < EDGE_S
