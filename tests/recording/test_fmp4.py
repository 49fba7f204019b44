"""The boxes we write, read back by libav and byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from kiosk.recording.formats.codecs import AAC_FRAME, MIX_RATE, AacEncoder, FlacCodec, FlacEncoder
from kiosk.recording.formats.fmp4 import (
    H264Config,
    Sample,
    TrackRun,
    aac_track,
    flac_track,
    fragment,
    h264_sample,
    init_segment,
    nal_units,
    video_track,
)
from tests.support.fake_media import FPS, RATE, SIZE, flash_second, pictures, samples

WALL_NS = 1_790_000_000_250_000_000


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    while data:
        length, kind = struct.unpack_from(">I4s", data)
        assert length >= 8
        found.append((kind, data[8:length]))
        data = data[length:]
    return found


def coded_pictures() -> tuple[list[Sample], H264Config]:
    coded, config = [], None
    for number, packet in enumerate(flash_second()):
        data, found = h264_sample(packet)
        config = config or found
        coded.append(Sample(data, 90_000 // FPS, number == 0))
    assert config is not None
    return coded, config


def test_nal_units_of_both_start_codes() -> None:
    stream = b"\x00\x00\x00\x01\x67\x42\x00\x00\x01\x68\xce\x00\x00\x00\x01\x65\x88\x84"
    assert nal_units(stream) == [b"\x67\x42", b"\x68\xce", b"\x65\x88\x84"]


def test_parameter_sets_leave_the_sample() -> None:
    data, config = h264_sample(flash_second()[0])
    assert config is not None
    assert config.sps[0] & 0x1F == 7
    length = struct.unpack_from(">I", data)[0]
    assert data[4] & 0x1F in (5, 6)
    assert length <= len(data) - 4
    assert h264_sample(flash_second()[1])[1] is None


@pytest.mark.slow
def test_picture_and_mix_decode_at_their_places(tmp_path: Path) -> None:
    coded, config = coded_pictures()
    encoder = AacEncoder(96_000)
    wave = (np.sin(np.arange(48 * AAC_FRAME) * 0.05) * 0.3).astype(np.float32)
    sounds = [Sample(packet.data, AAC_FRAME) for packet in encoder.encode(wave)]
    data = init_segment(
        [
            video_track(1, "camera", SIZE, config),
            aac_track(2, "mix", MIX_RATE, encoder.config, 96_000),
        ]
    )
    data += fragment(1, [TrackRun(1, 9000, coded[:10], WALL_NS)])
    data += fragment(2, [TrackRun(1, 45_000, coded[10:], WALL_NS), TrackRun(2, 0, sounds, WALL_NS)])
    path = tmp_path / "joined.mp4"
    path.write_bytes(data)
    seen = pictures(path)
    assert len(seen) == FPS
    assert seen[0][0] == pytest.approx(0.1)
    assert seen[10][0] == pytest.approx(0.5)
    assert seen[0][1] > 200
    assert seen[5][1] < 60
    times, values = samples(path)
    assert times[0] == 0.0
    middle = slice(8 * AAC_FRAME, 30 * AAC_FRAME)
    assert (
        np.abs(values[middle] - wave[middle]).max() < 0.05
    )  # exact: the encoder's delay was removed


def test_flac_tracks_are_lossless_and_named(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    waves = [generator.integers(-20_000, 20_000, 3 * 4608 + 777).astype(np.int16) for _ in "ab"]
    runs, headers = [], []
    codec = FlacCodec(RATE)
    for number, wave in enumerate(waves, 1):
        encoder = FlacEncoder(codec)
        pieces = [
            wave[at : at + codec.frame_samples] for at in range(0, len(wave), codec.frame_samples)
        ]
        coded = [Sample(encoder.encode(piece), len(piece)) for piece in pieces]
        headers.append(flac_track(number, f"mic-{number}", RATE, codec.stream_info))
        runs.append(TrackRun(number, number * 100, coded, WALL_NS))
    path = tmp_path / "joined.mp4"
    path.write_bytes(init_segment(headers) + fragment(1, runs))
    for number, wave in enumerate(waves):
        times, values = samples(path, number)
        assert times[0] == pytest.approx((number + 1) * 100 / RATE)
        assert np.array_equal(np.round(values * 32768).astype(np.int16), wave)
    with av.open(str(path)) as container:
        assert [s.metadata["handler_name"] for s in container.streams] == ["mic-1", "mic-2"]


def test_every_fragment_says_when_it_was_captured() -> None:
    coded, _ = coded_pictures()
    kinds = boxes(fragment(7, [TrackRun(3, 1234, coded[:2], WALL_NS)]))
    assert [kind for kind, _ in kinds] == [b"prft", b"moof", b"mdat"]
    flags, track, ntp, media = struct.unpack(">IIQQ", kinds[0][1])
    assert flags == 1 << 24 | 24
    assert (track, media) == (3, 1234)
    assert (ntp >> 32) - 2_208_988_800 == WALL_NS // 10**9
    assert (ntp & 0xFFFFFFFF) / 2**32 == pytest.approx(0.25)
    assert kinds[2][1] == coded[0].data + coded[1].data
