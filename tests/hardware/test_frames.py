"""Pictures of web cams, in the bytes that come from them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kiosk.hardware.camera.frames import FrameReader

WIDTH, HEIGHT = 64, 48


def colours() -> NDArray[np.uint8]:
    """Return a picture: red on the left, blue on the right, brighter below."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    light = np.linspace(80, 240, HEIGHT).astype(np.uint8)[:, None]
    rgb[:, : WIDTH // 2, 0], rgb[:, WIDTH // 2 :, 2] = light, light
    return rgb


def assert_same(reader: FrameReader, data: NDArray[np.uint8]) -> None:
    frame = reader.read(data)
    assert frame is not None
    found = frame.to_ndarray(format="rgb24").astype(int)
    inner = np.abs(found - colours())[:, 4 : WIDTH // 2 - 4]
    assert inner.max() < 24
    assert np.abs(found - colours())[:, WIDTH // 2 + 4 : -4].max() < 24


def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(colours()).save(stream, "JPEG", quality=95)
    return stream.getvalue()


@pytest.mark.parametrize("rest", [0, 5000])
def test_a_jpeg_is_read_whatever_stands_behind_it_in_its_buffer(rest: int) -> None:
    data = np.frombuffer(jpeg() + b"\xff\xd8old" * rest, np.uint8)
    assert_same(FrameReader("MJPEG", (WIDTH, HEIGHT), 0), data)


def test_a_damaged_jpeg_is_left_out_and_the_next_one_is_read() -> None:
    reader = FrameReader("MJPEG", (WIDTH, HEIGHT), 0)
    assert reader.read(np.frombuffer(jpeg()[:100], np.uint8)) is None
    assert reader.read(np.zeros(0, np.uint8)) is None
    assert reader.read(np.zeros(4000, np.uint8)) is None
    assert_same(reader, np.frombuffer(jpeg(), np.uint8))


@pytest.mark.parametrize("name", ["YUYV", "NV12", "YUV420"])
@pytest.mark.parametrize("padding", [0, 32])
def test_rows_may_be_padded(name: str, padding: int) -> None:
    import av

    formats = {"YUYV": "yuyv422", "NV12": "nv12", "YUV420": "yuv420p"}
    frame = av.VideoFrame.from_ndarray(colours(), format="rgb24").reformat(format=formats[name])
    array = frame.to_ndarray()
    if name == "YUYV":
        rows = [array.reshape(HEIGHT, 2 * WIDTH)]
    elif name == "NV12":
        rows = [array.reshape(HEIGHT * 3 // 2, WIDTH)]
    else:
        flat = array.ravel()
        rows = [flat[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)]
        rows.append(flat[WIDTH * HEIGHT :].reshape(HEIGHT, WIDTH // 2))
    padded = []
    for part in rows:
        share = padding // 2 if part.shape[1] == WIDTH // 2 else padding
        padded.append(np.pad(part, ((0, 0), (0, share)), constant_values=7).ravel())
    stride = (2 * WIDTH if name == "YUYV" else WIDTH) + padding
    assert_same(FrameReader(name, (WIDTH, HEIGHT), stride), np.concatenate(padded))


def test_a_format_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="R10_CSI2P"):
        FrameReader("R10_CSI2P", (WIDTH, HEIGHT), 0)
