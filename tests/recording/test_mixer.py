"""Interpolation of the mix: the fast and the general way give the same values."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.recording.capture import mixer

RATE = 48_000


def tone(count: int) -> mixer.Mono:
    """Return a tone of 1 kHz."""
    return np.asarray(np.sin(np.arange(count) * (2 * np.pi * 1000 / RATE)), np.float32)


@pytest.mark.parametrize("drift", [0.0, 100e-6, -100e-6, 500e-6, -500e-6])
@pytest.mark.parametrize("first", [1.0, 7.25, 100.999, 2000.5])
def test_values_between_samples_are_those_of_the_tone(drift: float, first: float) -> None:
    count = 4096
    last = first + count * (1 + drift)
    values = mixer.interpolate(tone(8000), first, last, count)
    places = first + np.arange(count) * (1 + drift)
    wanted = np.sin(places * (2 * np.pi * 1000 / RATE))
    assert np.abs(values - wanted).max() < 2e-3


def test_at_the_edge_the_general_way_is_taken() -> None:
    assert mixer.interpolate_regular(tone(100), 0.5, 50.5, 50) is None
    assert mixer.interpolate_regular(tone(100), 60.5, 110.5, 50) is None
    assert mixer.interpolate(tone(100), 60.5, 110.5, 50).shape == (50,)


def test_a_slip_of_a_sample_takes_the_general_way() -> None:
    assert mixer.interpolate_regular(tone(8000), 10.9, 10.9 + 4096 * 1.0005, 4096) is None
