"""What the camera is asked for its picture, through the real picamera2 and libcamera."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from kiosk.hardware.camera import picture as pictures
from kiosk.hardware.camera.picture import Picture, wanted_controls
from kiosk.hardware.camera.preview import PreviewReader
from tests.pi.camera_probe import FPS, CameraProbe, config_of, seconds_of_packets
from tests.support.waiting import wait_for

PICTURES = (
    Picture(),
    Picture(focus="fixed", focus_dioptres=0.4, flicker_hz=0),
    Picture(focus="once", flicker_hz=60, exposure="short", brightness_ev=1.0, zoom=2.0),
    Picture(exposure="fixed", exposure_ms=20.0, gain=2.0, zoom=4.0, centre_x=0.0, centre_y=1.0),
)
VIEW = (0, 0, 1280, 720)


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[CameraProbe]:
    """A camera turned by half, that is asked for what it cannot do."""
    wanted = Picture(rotation=180, focus="once", exposure="fixed", zoom=2.0)
    made = CameraProbe(dataclasses.replace(config_of(tmp_path), picture=wanted))
    made.supervisor.start()
    try:
        wait_for(lambda: (made.status.get("holds") or {}).get("rotation"), "what holds", 30)
        yield made
    finally:
        made.supervisor.close()


def test_what_a_camera_cannot_is_said_by_name_and_stops_nothing(probe: CameraProbe) -> None:
    """Libcamera's virtual camera has no lens, no sensor and no scaler; it is asked all the same."""
    assert probe.status["cannot"] == ["focus", "flicker", "exposure", "zoom"]
    assert "failed" not in probe.status
    frames = probe.status["frames"]
    probe.supervisor.send_command(picture=dataclasses.asdict(Picture(focus="fixed", zoom=3.0)))
    probe.supervisor.send_command(focus=True)
    wait_for(lambda: probe.status["frames"] > frames + FPS, "pictures go on", 30)
    assert "failed" not in probe.status


def test_the_rotation_that_holds_is_the_one_that_libcamera_accepted(probe: CameraProbe) -> None:
    assert probe.status["holds"]["rotation"] == 180
    assert probe.status["holds"]["mirror"] is False
    assert probe.status["holds"]["zoom"] is None
    assert probe.status["holds"]["focus"] is None


def test_the_numbers_of_the_settings_are_libcamera_s_own() -> None:
    from libcamera import controls

    assert int(controls.AfModeEnum.Manual) == pictures.AF_MANUAL
    assert int(controls.AfModeEnum.Auto) == pictures.AF_AUTO
    assert int(controls.AfModeEnum.Continuous) == pictures.AF_CONTINUOUS
    assert int(controls.AfTriggerEnum.Start) == pictures.AF_START
    assert int(controls.AeFlickerModeEnum.Off) == pictures.FLICKER_OFF
    assert int(controls.AeFlickerModeEnum.Manual) == pictures.FLICKER_MANUAL
    assert int(controls.ExposureTimeModeEnum.Auto) == pictures.AUTOMATIC
    assert int(controls.ExposureTimeModeEnum.Manual) == pictures.MANUAL
    assert int(controls.AnalogueGainModeEnum.Auto) == pictures.AUTOMATIC
    assert int(controls.AnalogueGainModeEnum.Manual) == pictures.MANUAL
    assert int(controls.AeExposureModeEnum.Normal) == pictures.EXPOSURE_NORMAL
    assert int(controls.AeExposureModeEnum.Short) == pictures.EXPOSURE_SHORT
    states = [getattr(controls.AfStateEnum, name.capitalize()) for name in pictures.FOCUS_STATES]
    assert [int(state) for state in states] == [0, 1, 2, 3]


@pytest.mark.parametrize("wanted", PICTURES)
def test_libcamera_takes_each_control_with_a_value_of_its_own_type(wanted: Picture) -> None:
    """By picamera2's own conversion, into a list of controls of libcamera."""
    import libcamera
    from picamera2.controls import Controls

    names = (
        *("AfMode", "AfTrigger", "LensPosition", "AeFlickerMode", "AeFlickerPeriod"),
        *("ExposureTimeMode", "ExposureTime", "AnalogueGainMode", "AnalogueGain"),
        *("AeExposureMode", "ExposureValue", "ScalerCrop"),
    )
    known = {name: getattr(libcamera.controls, name) for name in names}
    offered = dict.fromkeys(names, (None, None, None)) | {"ScalerCrop": (None, VIEW, VIEW)}

    class Camera:
        camera_ctrl_info = {name: (known[name], None) for name in names}  # noqa: RUF012

    values = wanted_controls(wanted, offered)
    taken: dict[Any, Any] = Controls(Camera(), values).get_libcamera_controls()
    assert {key.name for key in taken} == set(values)
    wrong = {
        key.name
        for key, value in taken.items()
        if (key.type == libcamera.ControlType.Float) != isinstance(value, float)
    }
    assert wrong == set()
    if crop := taken.get(known["ScalerCrop"]):
        assert isinstance(crop, libcamera.Rectangle)


def test_a_web_cam_records_and_shows_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stream, and no control of the rate: picamera2's own encoder does not start then."""
    monkeypatch.setenv("CAMSHIM_ONE_STREAM", "1")
    monkeypatch.setenv("KIOSK_CAMERA_ALLOCATOR", "web_cam_allocator:WebCamAllocator")
    probe = CameraProbe(config_of(tmp_path))
    reader = PreviewReader(tmp_path / "preview")
    probe.supervisor.start()
    try:
        wait_for(lambda: probe.status.get("frames", 0) > 0, "the first picture", 30)
        assert probe.status["cannot"] == ["focus", "flicker", "exposure", "zoom", "rate"]
        probe.supervisor.send_command(encode=1)
        wait_for(seconds_of_packets(probe, 2), "2 s of packets", 30)
        frame = wait_for(reader.read, "a live picture", 30)
    finally:
        probe.supervisor.close()
        reader.close()
    assert "failed" not in probe.status
    assert max(frame.rgb) > 200
    with probe.lock:
        packets = list(probe.packets)
    times = [packet.captured_ns for packet in packets]
    assert packets[0].key
    assert times == sorted(set(times))
    data = io.BytesIO(b"".join(packet.data for packet in packets))
    with av.open(data, mode="r", format="h264") as container:
        decoded = list(container.decode(video=0))
    assert len(decoded) == len(packets)
    assert (decoded[0].width, decoded[0].height) == (1280, 720)
    assert float(decoded[-1].to_ndarray(format="gray").std()) > 20
