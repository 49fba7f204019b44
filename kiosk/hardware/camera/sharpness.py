"""Measures how sharp a picture is, independent of light, contrast and the sensor's noise.

The energy of the Laplacian at full resolution is compared with that at a quarter of it. Light and
contrast change both alike; a lens that is out of focus takes the fine detail first. The noise of
the sensor looks like fine detail: it is measured between pictures that follow each other, averaged,
and what remains of it is subtracted. The figure depends on the scene: only two of the same room and
framing can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE = 0.7
"""Share of the sharpness of commissioning below which a picture has become unsharp.

Measured on painted and on random scenes: a blur of one pixel of 1280 x 720 leaves 0.5 to 0.6; half
the light, half the contrast or five times the noise leave 0.9 and more.
"""
SHARPNESS_PICTURES = 8
"""So many pictures are enough to tell noise from detail; more only take memory."""
_COARSE = 4
_KERNEL_ENERGY = 20.0
"""Sum of the squares of the Laplacian's five weights: what it makes of noise of variance one."""
_LEAST_DETAIL = 0.5
"""Laplacian (grey levels) of a quarter of the resolution below which nothing is there to see."""
_SIGMA_OF_MEDIAN = 1 / 0.6745

Luma = NDArray[np.uint8]


def luma_of(rgb: bytes, width: int, height: int) -> Luma:
    """Return the green of an RGB24 picture, which stands for its brightness."""
    return np.frombuffer(rgb, np.uint8).reshape(height, width, 3)[:, :, 1].copy()


def measure_sharpness(pictures: Sequence[Luma]) -> float | None:
    """Return the sharpness in percent, or None where the pictures show no detail to judge by.

    Args:
        pictures: of one size, in the order in which they were taken; two or more, because one alone
            does not tell noise from detail.
    """
    if len(pictures) < 2:
        return None
    layers = [picture.astype(np.float32) for picture in pictures]
    steps = [np.median(np.abs(b - a)) for a, b in pairwise(layers)]
    noise = float(np.mean(steps) * _SIGMA_OF_MEDIAN) ** 2 / 2 / len(layers)
    mean: NDArray[np.float32] = np.mean(layers, axis=0, dtype=np.float32)
    fine = _laplacian_energy(mean) - _KERNEL_ENERGY * noise
    coarse = _laplacian_energy(_shrink(mean)) - _KERNEL_ENERGY * noise / _COARSE**2
    if coarse < _LEAST_DETAIL**2:
        return None
    return round(100 * float(np.sqrt(max(0.0, fine) / coarse)), 1)


def _laplacian_energy(picture: NDArray[np.float32]) -> float:
    """Return the mean square of the Laplacian."""
    middle = 4 * picture[1:-1, 1:-1]
    around = picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:]
    return float(np.mean((middle - around) ** 2))


def _shrink(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of squares of :data:`_COARSE` pixels."""
    height, width = (size // _COARSE for size in picture.shape)
    cut = picture[: height * _COARSE, : width * _COARSE]
    means: NDArray[np.float32] = cut.reshape(height, _COARSE, width, _COARSE).mean((1, 3))
    return means
