"""H.264 by libx264 with the options of picamera2's ``LibavH264Encoder``.

For cameras whose pictures picamera2's encoders do not take: web cams, and the virtual one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import VideoReformatter

from kiosk.hardware.camera.back_end import CameraConfig, PacketCallback


class SoftwareEncoder:
    """An encoder of pictures of any format and size; its packets have those of the settings."""

    def __init__(self, config: CameraConfig, emit: PacketCallback) -> None:
        codec: Any = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = config.width, config.height, "yuv420p"
        codec.framerate, codec.time_base = Fraction(config.fps), Fraction(1, 1_000_000)
        codec.bit_rate, codec.gop_size = config.bitrate, config.keyframe_interval
        codec.thread_count, codec.thread_type = config.encoder_threads, "FRAME"
        codec.options = {"preset": "ultrafast", "tune": "zerolatency", "deblock": "1"}
        self._codec, self._emit = codec, emit
        self._scaler = VideoReformatter()
        self._first_ns: int | None = None

    def encode(self, frame: av.VideoFrame, captured_ns: int) -> None:
        """Encode a picture and emit its packets."""
        if self._first_ns is None:
            self._first_ns = captured_ns
        frame = self._scaler.reformat(frame, self._codec.width, self._codec.height, "yuv420p")
        frame.pts = (captured_ns - self._first_ns) // 1000
        for packet in self._codec.encode(frame):
            self._emit(self._first_ns + packet.pts * 1000, packet.is_keyframe, bytes(packet))
