"""Sharpness follows the lens, and neither light nor contrast nor the noise of the sensor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kiosk.hardware.camera.sharpness import LEAST_SHARE, luma_of, measure_sharpness
from kiosk.hardware.virtual.camera import CourtroomScene

SCENES = ("courtroom", "random")


def scene(name: str) -> Image.Image:
    """Return the painted courtroom, or detail of each size as photographs have it."""
    if name == "courtroom":
        return Image.fromarray(CourtroomScene(1280, 720).paint(1)[:720].copy())
    waves = np.fft.fft2(np.random.default_rng(7).normal(size=(720, 1280)))
    length = np.hypot(np.fft.fftfreq(720)[:, None], np.fft.fftfreq(1280)[None])
    length[0, 0] = 1
    picture = np.real(np.fft.ifft2(waves / length))
    grey = (picture - picture.mean()) / picture.std() * 45 + 110
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def pictures(
    name: str, *, blur: float = 0, noise: float = 2, contrast: float = 1, light: float = 0
) -> list[NDArray[np.uint8]]:
    """Return four live pictures: as many as come in two seconds while nothing is recorded."""
    random = np.random.default_rng(3)
    taken = scene(name).filter(ImageFilter.GaussianBlur(blur)) if blur else scene(name)
    small = np.asarray(taken.resize((640, 360), Image.Resampling.BOX)).astype(float)
    shown = small * contrast + light
    return [
        np.clip(np.round(shown + random.normal(0, noise, small.shape)), 0, 255).astype(np.uint8)
        for _ in range(4)
    ]


def share(name: str, **changes: float) -> float:
    """Return the sharpness as a share of that at commissioning."""
    then, now = measure_sharpness(pictures(name)), measure_sharpness(pictures(name, **changes))
    assert then
    assert now is not None
    return now / then


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize(
    "changes",
    [
        {"noise": 6},
        {"noise": 0},
        {"contrast": 0.5},
        {"contrast": 0.4, "noise": 5},
        {"contrast": 0.6, "light": 60},
        {"contrast": 0.8, "light": -10},
    ],
)
def test_light_contrast_and_noise_change_nothing(name: str, changes: dict[str, float]) -> None:
    assert 0.85 < share(name, **changes) < 1.15


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("blur", [1, 2, 4, 8])
@pytest.mark.parametrize("noise", [0, 2, 6])
def test_a_lens_out_of_focus_shows_in_light_and_in_the_dark(
    name: str, blur: float, noise: float
) -> None:
    """The noise of a dark room is fine detail, too: it must not pass for sharpness."""
    assert share(name, blur=blur, noise=noise) < LEAST_SHARE


@pytest.mark.parametrize("noise", [0, 3])
def test_where_there_is_nothing_to_see_nothing_is_said(noise: float) -> None:
    random = np.random.default_rng(1)
    wall = [
        np.clip(random.normal(120, noise, (360, 640)), 0, 255).astype(np.uint8) for _ in range(4)
    ]
    assert measure_sharpness(wall) is None
    assert measure_sharpness(wall[:1]) is None
    assert measure_sharpness([]) is None


def test_green_stands_for_the_brightness() -> None:
    rgb = bytes([1, 2, 3, 4, 5, 6])
    assert luma_of(rgb, 2, 1).tolist() == [[2, 5]]
