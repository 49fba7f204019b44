"""The camera as a source in its own process: what it does not give is noticed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk.config import CameraSettings, Settings
from kiosk.hardware.camera.preview import PreviewReader, PreviewWriter
from kiosk.hardware.sources.camera_source import STILL_NS, CameraSource
from kiosk.hardware.sources.sources import Sources
from tests.support.faulty_camera import CameraFaults
from tests.support.packet_list import PacketList
from tests.support.waiting import wait_for

PATIENCE = 30.0


@dataclass
class CameraRig:
    """A camera that gives pictures, and its faults."""

    sources: Sources
    faults: CameraFaults

    @property
    def camera(self) -> CameraSource:
        assert self.sources.camera is not None
        return self.sources.camera

    def wait_state(self, state: str) -> None:
        wait_for(lambda: self.camera.state == state, f"the camera {state}", PATIENCE)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CameraRig]:
    faults = CameraFaults(tmp_path)
    for name, value in faults.environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(camera=CameraSettings(back_end="virtual", width=320, height=180))
    with Sources(settings, tmp_path / "preview") as sources:
        assert sources.wait_ready(PATIENCE)
        yield CameraRig(sources, faults)


@pytest.mark.slow
def test_an_encoder_that_falls_silent_is_a_fault_and_its_child_is_replaced(rig: CameraRig) -> None:
    listener, camera = PacketList(), rig.camera
    camera.attach(listener)
    wait_for(lambda: listener.packets, "a packet", PATIENCE)
    before = camera.pid
    rig.faults.switch("silent")
    rig.wait_state("frozen")
    wait_for(lambda: camera.pid not in (before, None), "another child", PATIENCE)
    silent = len(listener.packets)
    rig.faults.switch("silent", on=False)
    rig.wait_state("ok")
    wait_for(lambda: len(listener.packets) > silent, "packets again", PATIENCE)
    assert listener.packets[silent].key


@pytest.mark.slow
def test_an_encoder_that_does_not_start_is_a_fault(rig: CameraRig) -> None:
    listener = PacketList()
    rig.faults.switch("refused")
    rig.camera.attach(listener)
    rig.wait_state("frozen")
    assert listener.packets == []
    rig.faults.switch("refused", on=False)
    rig.wait_state("ok")
    wait_for(lambda: listener.packets, "a packet", PATIENCE)


@pytest.mark.slow
def test_without_a_recording_nobody_waits_for_packets(
    rig: CameraRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.faults.switch("silent")
    listener = PacketList()
    rig.camera.attach(listener)
    rig.camera.stop_encoder()
    rig.camera.detach(listener)
    frames = rig.sources.describe_camera().frames
    wait_for(lambda: seconds_open(rig) > STILL_NS, "more time than a packet may take")
    assert "encodes nothing" not in caplog.text
    assert rig.sources.describe_camera().frames == frames


def seconds_open(rig: CameraRig) -> int:
    """Return the age of the newest live picture's camera, in ns of its pictures."""
    reader = PreviewReader(rig.sources.preview)
    frame = reader.read()
    reader.close()
    return 0 if frame is None else frame.number * 1_000_000_000 // rig.camera.fps


@pytest.mark.slow
def test_the_same_picture_for_ever_is_a_fault_and_one_restart_is_tried(
    rig: CameraRig, caplog: pytest.LogCaptureFixture
) -> None:
    before = rig.camera.pid
    rig.faults.switch("still")
    rig.wait_state("frozen")
    wait_for(lambda: rig.camera.pid not in (before, None), "a restart", PATIENCE)
    wait_for(lambda: rig.camera.still_since_ns is not None, "the same picture again", PATIENCE)
    assert rig.camera.state == "frozen"
    rig.faults.switch("still", on=False)
    rig.wait_state("ok")
    assert caplog.text.count("same picture") == 1, "not one restart after the other"
    assert rig.camera.still_since_ns is None


@pytest.mark.slow
def test_a_camera_that_opens_and_never_gives_a_picture_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = CameraFaults(tmp_path)
    for name, value in faults.environment.items():
        monkeypatch.setenv(name, value)
    faults.switch("empty")
    settings = Settings(camera=CameraSettings(back_end="virtual", width=320, height=180))
    with Sources(settings, tmp_path / "preview") as sources:
        rig = CameraRig(sources, faults)
        assert rig.camera.state == "starting"
        rig.wait_state("frozen")
        faults.switch("empty", on=False)
        rig.wait_state("ok")


@pytest.mark.parametrize("light", [0, 2, 250])
def test_a_still_room_has_the_noise_of_the_sensor(tmp_path: Path, light: int) -> None:
    """A covered lens, a dark room and a bright one: pictures never repeat."""
    random = np.random.default_rng(light)
    writer = PreviewWriter(tmp_path / "preview")
    for number in range(100):
        noise = random.normal(light, 1.0, (360, 640, 3))
        writer.write(np.clip(np.round(noise), 0, 255).astype(np.uint8).tobytes(), number, number)
    assert writer.repeats == 0
    writer.close()


@pytest.mark.slow
def test_a_dark_room_with_noise_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Through the real scaler: a hundred pictures of a closed lens."""
    random = np.random.default_rng(1)
    for number in range(50):
        noise = np.clip(random.normal(0, 1.5, (180, 320, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number:02d}.png")
    settings = Settings(
        camera=CameraSettings(back_end="virtual", width=320, height=180, virtual_scene=tmp_path)
    )
    with Sources(settings, tmp_path / "preview") as sources:
        assert sources.wait_ready(PATIENCE)
        assert sources.camera is not None
        rig = CameraRig(sources, CameraFaults(tmp_path))
        wait_for(lambda: seconds_open(rig) > 2 * STILL_NS, "ten seconds of pictures")
        assert sources.camera.still_since_ns is None
    assert "same picture" not in caplog.text
