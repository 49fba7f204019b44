"""FLAC frames of several tracks from one encoder are those that an encoder for each would make."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.recording.formats.codecs import FlacCodec, FlacEncoder
from kiosk.recording.formats.flac_frame import renumber

RANDOM = np.random.default_rng(5)


def noise(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return RANDOM.normal(0, 300, count).astype(np.int16)


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000, 11_025])
def test_tracks_that_share_an_encoder_get_the_bytes_of_encoders_of_their_own(rate: int) -> None:
    shared = FlacCodec(rate)
    tracks = [FlacEncoder(shared) for _ in range(3)]
    own = [FlacEncoder(FlacCodec(rate)) for _ in tracks]
    for _ in range(140):  # numbers from 128 on take two bytes: first in the shared encoder
        for one, other in zip(tracks, own, strict=True):
            samples = noise(shared.frame_samples)
            assert one.encode(samples) == other.encode(samples)


def test_the_last_short_frame_of_a_track_leaves_the_others_alone() -> None:
    shared = FlacCodec(48_000)
    first, second = FlacEncoder(shared), FlacEncoder(shared)
    other = FlacEncoder(FlacCodec(48_000))
    for size in (2400, 1000):
        first.encode(noise(size))
    for _ in range(3):
        samples = noise(2400)
        assert second.encode(samples) == other.encode(samples)


@pytest.mark.parametrize("numbers", [(0, 127, 128, 2047, 2048), (65_535, 65_536, 2**21, 2**31 - 1)])
def test_a_frame_that_gets_its_number_back_is_the_same_frame(numbers: tuple[int, ...]) -> None:
    frame = FlacEncoder(FlacCodec(48_000)).encode(noise(2400))
    for number in numbers:
        other = renumber(frame, number)
        assert (other == frame) == (number == 0)
        assert renumber(other, 0) == frame
