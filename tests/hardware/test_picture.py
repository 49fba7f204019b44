"""What a camera is asked for its picture: of a Raspberry Pi's cameras, of web cams, and read back.

The tables are those of libcamera: ``src/ipa/rpi/common/ipa_base.cpp`` and
``src/libcamera/pipeline/uvcvideo/uvcvideo.cpp``.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hardware.camera.picture import (
    Picture,
    focus_once,
    holds_of,
    missing_abilities,
    wanted_controls,
)

VIEW = (256, 144, 3840, 2160)
PI_CAMERA: dict[str, tuple[Any, Any, Any]] = {
    "AfMode": (0, 2, 0),
    "AfTrigger": (0, 1, None),
    "LensPosition": (0.0, 15.0, 1.0),
    "AeFlickerMode": (0, 1, 0),
    "AeFlickerPeriod": (100, 1_000_000, None),
    "ExposureTimeMode": (0, 1, 0),
    "ExposureTime": (1, 66_666, 20_000),
    "AnalogueGainMode": (0, 1, 0),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "AeExposureMode": (0, 3, 0),
    "ExposureValue": (-8.0, 8.0, 0.0),
    "FrameDurationLimits": (33_333, 120_000, None),
    "ScalerCrop": ((0, 0, 64, 64), (0, 0, 4608, 2592), VIEW),
}
FIXED_LENS = {
    name: row for name, row in PI_CAMERA.items() if not name.startswith(("Af", "LensPosition"))
}
WEB_CAM = {
    "Brightness": (-1.0, 1.0, 0.0),
    "AeEnable": (False, True, True),
    "ExposureTimeMode": (0, 1, 0),
    "ExposureTime": (300, 200_000, 15_600),
    "AnalogueGain": (1.0, 3.0, 1.0),
}


@pytest.mark.parametrize(
    ("offered", "can_rotate", "missing"),
    [
        (PI_CAMERA, True, ()),
        (FIXED_LENS, True, ("focus",)),
        (WEB_CAM, False, ("focus", "flicker", "zoom", "rotation", "rate")),
        ({}, False, ("focus", "flicker", "exposure", "zoom", "rotation", "rate")),
    ],
)
def test_what_a_camera_cannot_is_named(
    offered: dict[str, Any], can_rotate: bool, missing: tuple[str, ...]
) -> None:
    assert missing_abilities(offered, can_rotate=can_rotate) == missing


def test_nothing_is_asked_that_a_camera_does_not_offer() -> None:
    """Picamera2 raises an error at each such control: the picture would stay away."""
    wanted = Picture(focus="fixed", exposure="fixed", exposure_ms=5, gain=16, zoom=3)
    assert wanted_controls(wanted, WEB_CAM) == {
        "ExposureTimeMode": 1,
        "ExposureTime": 5000,
        "AnalogueGain": 3.0,
    }
    assert wanted_controls(wanted, {}) == {}
    assert focus_once(WEB_CAM) == {}


def test_the_mains_frequency_gives_the_period_of_its_lamps() -> None:
    controls = wanted_controls(Picture(), PI_CAMERA)
    assert (controls["AeFlickerMode"], controls["AeFlickerPeriod"]) == (1, 10_000)
    assert wanted_controls(Picture(flicker_hz=60), PI_CAMERA)["AeFlickerPeriod"] == 8333
    daylight = wanted_controls(Picture(flicker_hz=0), PI_CAMERA)
    assert daylight["AeFlickerMode"] == 0
    assert "AeFlickerPeriod" not in daylight


def test_automatic_exposure_takes_back_what_was_fixed() -> None:
    fixed = wanted_controls(Picture(exposure="fixed", exposure_ms=20, gain=2), PI_CAMERA)
    assert (fixed["ExposureTimeMode"], fixed["ExposureTime"]) == (1, 20_000)
    assert (fixed["AnalogueGainMode"], fixed["AnalogueGain"]) == (1, 2.0)
    free = wanted_controls(Picture(exposure="short", brightness_ev=0.5), PI_CAMERA)
    assert (free["ExposureTimeMode"], free["AnalogueGainMode"]) == (0, 0)
    assert (free["AeExposureMode"], free["ExposureValue"]) == (1, 0.5)
    assert not {"ExposureTime", "AnalogueGain"} & set(free)


@pytest.mark.parametrize(
    ("picture", "flips"),
    [
        (Picture(), (False, False)),
        (Picture(mirror=True), (True, False)),
        (Picture(rotation=180), (True, True)),
        (Picture(rotation=180, mirror=True), (False, True)),
    ],
)
def test_half_a_turn_is_both_flips(picture: Picture, flips: tuple[bool, bool]) -> None:
    assert picture.flips == flips


@given(zoom=st.floats(1, 4), x=st.floats(0, 1), y=st.floats(0, 1))
def test_a_crop_keeps_the_picture_s_shape_inside_the_view_and_is_read_back(
    zoom: float, x: float, y: float
) -> None:
    wanted = Picture(zoom=zoom, centre_x=x, centre_y=y)
    crop = wanted_controls(wanted, PI_CAMERA)["ScalerCrop"]
    left, top, width, height = crop
    assert VIEW[0] <= left
    assert left + width <= VIEW[0] + VIEW[2]
    assert VIEW[1] <= top
    assert top + height <= VIEW[1] + VIEW[3]
    assert width / height == pytest.approx(16 / 9, rel=0.002)
    holds = holds_of({"ScalerCrop": crop}, PI_CAMERA, (0, False))
    assert holds.zoom == pytest.approx(zoom, abs=0.01)
    again = wanted_controls(
        Picture(zoom=zoom, centre_x=holds.centre_x or 0, centre_y=holds.centre_y or 0), PI_CAMERA
    )["ScalerCrop"]
    assert again == pytest.approx(crop, abs=5), "what is read back can be kept as a setting"


def test_a_pi_5_crops_both_its_streams_alike() -> None:
    """Picamera2 sets ``ScalerCrops`` there, which libcamera prefers to ``ScalerCrop``."""
    offered = PI_CAMERA | {"ScalerCrops": (VIEW, VIEW, VIEW)}
    controls = wanted_controls(Picture(zoom=2), offered, streams=2)
    assert controls["ScalerCrops"] == [(1216, 684, 1920, 1080)] * 2
    assert "ScalerCrop" not in controls


def test_what_holds_is_what_the_camera_says() -> None:
    metadata = {
        "AfState": 2,
        "LensPosition": 0.6234,
        "ExposureTime": 9998,
        "AnalogueGain": 1.12345,
        "FrameDuration": 40_000,
        "ScalerCrop": VIEW,
    }
    holds = holds_of(metadata, PI_CAMERA, (180, True))
    assert holds.as_json() == {
        "focus": "focused",
        "focus_dioptres": 0.62,
        "exposure_ms": 10.0,
        "gain": 1.12,
        "fps": 25.0,
        "zoom": 1.0,
        "centre_x": 0.5,
        "centre_y": 0.5,
        "rotation": 180,
        "mirror": True,
    }
    assert set(holds_of({}, WEB_CAM, None).as_json().values()) == {None}
