"""The camera driver over the real picamera2 and libcamera, in the child process it runs in."""

from __future__ import annotations

import importlib.metadata
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from kiosk.clocks import NS_PER_S
from kiosk.commands.devices import picture_lines
from kiosk.config import PathSettings, Settings
from kiosk.hardware.camera.listing import list_cameras
from kiosk.hardware.camera.preview import PreviewFrame, PreviewReader
from tests.pi.camera_probe import FPS, CameraProbe, config_of, seconds_of_packets
from tests.support.waiting import wait_for


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[CameraProbe]:
    """An open camera."""
    probe = CameraProbe(config_of(tmp_path))
    probe.supervisor.start()
    try:
        wait_for(lambda: probe.status.get("frames", 0) > 0, "the first picture", 30)
        yield probe
    finally:
        probe.supervisor.close()


def test_the_stack_is_the_pi_s_own() -> None:
    """Debian's numpy and libcamera below, PyAV from the lock file, Python 3.13."""
    import libcamera

    assert sys.version_info[:2] == (3, 13)
    assert Path(np.__file__).is_relative_to("/usr/lib/python3/dist-packages")
    assert Path(libcamera.__file__).is_relative_to("/usr/lib/python3/dist-packages")
    assert not Path(av.__file__).is_relative_to("/usr/lib/python3/dist-packages")


def test_the_child_says_truthfully_what_it_uses(camera: CameraProbe) -> None:
    assert camera.status["library"] == "picamera2"
    assert camera.status["version"] == importlib.metadata.version("picamera2")
    assert camera.status["back_end"] == "libx264"
    assert camera.status["opened"] == {"name": "Virtual0", "card": "Virtual Video Device"}


@pytest.mark.parametrize("name", ["Desk0", "unplugged"])
def test_of_several_cameras_the_settings_choose_one(tmp_path: Path, name: str) -> None:
    """The one above the desk is first where the courtroom's camera is unplugged."""
    probe = CameraProbe(config_of(tmp_path, name))
    probe.supervisor.start()
    try:
        wait_for(lambda: {"opened", "absent"} & set(probe.status), "an answer", 30)
    finally:
        probe.supervisor.close()
    if name == "Desk0":
        assert probe.status["opened"]["name"] == name
    else:
        assert probe.status["absent"] == f"libcamera does not find {name}"


def test_the_cameras_of_the_machine_are_listed_and_seen(tmp_path: Path) -> None:
    """`kiosk devices --pictures`: id and model of each, a picture of each that nobody uses."""
    cameras = list_cameras()
    assert {camera.id for camera in cameras} >= {"Virtual0", "Desk0"}
    settings = Settings(paths=PathSettings(data=tmp_path, run=tmp_path))
    lines = list(picture_lines(settings, tmp_path / "pictures"))
    assert len(lines) == len(cameras)
    for number, camera in enumerate(cameras, 1):
        path = tmp_path / "pictures" / f"camera-{number}.jpg"
        assert f"# {camera.id}: {path}" in lines
        assert path.read_bytes().startswith(b"\xff\xd8")


def test_three_seconds_decode_whole_and_are_timed_by_the_sensor(camera: CameraProbe) -> None:
    camera.supervisor.send_command(encode=1)
    wait_for(seconds_of_packets(camera, 3), "3 s of packets", 30)
    camera.supervisor.send_command(encode=0)
    with camera.lock:
        packets, received = list(camera.packets), list(camera.received_ns)
    assert packets[0].key
    assert {packet.session for packet in packets} == {1}
    times = [packet.captured_ns for packet in packets]
    assert times == sorted(set(times))
    # A picture comes after it was taken, and soon: the clocks are the same.
    ages = [now - taken for now, taken in zip(received, times, strict=True)]
    assert min(ages) >= 0
    assert sorted(ages)[len(ages) // 2] < NS_PER_S // 2
    stream = io.BytesIO(b"".join(packet.data for packet in packets))
    with av.open(stream, mode="r", format="h264") as container:
        pictures = list(container.decode(video=0))
    assert len(pictures) == len(packets)
    assert (pictures[0].width, pictures[0].height) == (1280, 720)
    # Colour bars, not a grey nothing.
    assert float(pictures[-1].to_ndarray(format="gray").std()) > 20


def test_a_key_frame_comes_as_often_as_asked(camera: CameraProbe) -> None:
    camera.supervisor.send_command(encode=1)

    def keys() -> list[int]:
        with camera.lock:
            return [number for number, packet in enumerate(camera.packets) if packet.key]

    wait_for(lambda: len(keys()) >= 3, "three key frames", 60)
    assert keys()[:3] == [0, 2 * FPS, 4 * FPS]


def test_an_encoder_started_again_begins_with_a_key_frame(camera: CameraProbe) -> None:
    for session in (1, 2):
        camera.supervisor.send_command(encode=session)
        wait_for(
            lambda wanted=session: any(p.session == wanted for p in camera.packets),  # type: ignore[misc]
            f"a packet of session {session}",
            30,
        )
    with camera.lock:
        second = [packet for packet in camera.packets if packet.session == 2]
    assert second[0].key


@pytest.mark.usefixtures("camera")
def test_the_live_picture_moves_on(tmp_path: Path) -> None:
    reader = PreviewReader(tmp_path / "preview")

    def newer_than(number: int) -> PreviewFrame | None:
        frame = reader.read()
        return frame if frame is not None and frame.number > number else None

    try:
        first = wait_for(lambda: newer_than(0), "a live picture", 30)
        later = wait_for(lambda: newer_than(first.number + 5), "a later live picture", 30)
    finally:
        reader.close()
    assert (later.width, later.height) == (640, 360)
    assert later.captured_ns > first.captured_ns
    assert float(np.frombuffer(later.rgb, dtype=np.uint8).std()) > 20
