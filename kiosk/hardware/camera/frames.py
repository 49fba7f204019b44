"""Turns what a camera puts into memory into a frame: also the formats of web cams."""

from __future__ import annotations

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

WEB_CAM_FORMATS = ("MJPEG", "YUYV", "NV12", "YUV420")
"""Pixel formats that :func:`frame_of` reads, best first: over USB 2, a web cam sends 720 lines at
30 pictures a second as JPEG only."""
_PLANAR = {"YUV420": "yuv420p", "NV12": "nv12"}


class FrameReader:
    """Reads the pictures of one stream.

    Args:
        pixel_format: libcamera's name, one of :data:`WEB_CAM_FORMATS`.
        size: width and height in pixels.
        stride: bytes from one row to the next.
    """

    def __init__(self, pixel_format: str, size: tuple[int, int], stride: int) -> None:
        if pixel_format not in WEB_CAM_FORMATS:
            raise ValueError(f"pictures of the format {pixel_format} cannot be read")
        self._format, self._size, self._stride = pixel_format, size, stride
        self._decoder = av.CodecContext.create("mjpeg", "r") if pixel_format == "MJPEG" else None

    def read(self, data: NDArray[np.uint8]) -> av.VideoFrame | None:
        """Return the picture in ``data`` (bytes); None: a JPEG that came damaged, as USB does."""
        width, height = self._size
        if self._decoder is not None:
            if not data.size:  # no bytes would tell the decoder that it is the end
                return None
            try:
                frames = self._decoder.decode(av.Packet(data.tobytes()))
            except FFmpegError:
                return None
            return frames[0] if frames else None
        if self._format == "YUYV":
            rows = data[: height * self._stride].reshape(height, self._stride)[:, : 2 * width]
            pixels = np.ascontiguousarray(rows).reshape(height, width, 2)
            return av.VideoFrame.from_ndarray(pixels, format="yuyv422")
        return av.VideoFrame.from_ndarray(self._planar(data), format=_PLANAR[self._format])

    def _planar(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the planes below each other, without what pads the rows."""
        (width, height), stride = self._size, self._stride
        if stride == width:
            return data[: width * height * 3 // 2].reshape(height * 3 // 2, width)
        if self._format == "NV12":
            rows = data[: stride * height * 3 // 2].reshape(height * 3 // 2, stride)
            return np.ascontiguousarray(rows[:, :width])
        luma = data[: stride * height].reshape(height, stride)[:, :width]
        colour = data[stride * height : stride * height * 3 // 2].reshape(height, stride // 2)
        return np.concatenate([luma.ravel(), colour[:, : width // 2].ravel()]).reshape(-1, width)
