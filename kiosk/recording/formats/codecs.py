"""Audio encoders (libav): AAC for the mix, FLAC for each source's own samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from kiosk.recording.formats.flac_frame import renumber

MIX_RATE = 48_000
AAC_FRAME = 1024
FAST_CODER_BITRATE = 64_000
"""From here on libav's "fast" coder is better, and much faster, than "twoloop" (its manual)."""
_GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER; PyAV's name for it changed between versions


def _create_codec(name: str, rate: int, layout: str, sample_format: str) -> Any:
    codec: Any = av.CodecContext.create(name, "w")
    codec.sample_rate, codec.layout, codec.format = rate, layout, sample_format
    codec.time_base = Fraction(1, rate)
    return codec


def _audio_frame(samples: NDArray[Any], sample_format: str, rate: int, pts: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples[None, :], format=sample_format, layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
    return frame


@dataclass(frozen=True)
class AacPacket:
    """1024 samples of the mix; ``pts`` counts samples from the start of the part."""

    pts: int
    data: bytes


class AacEncoder:
    """Encodes the mix. The encoder's own delay (priming) is removed, so that times are right."""

    def __init__(self, bitrate: int) -> None:
        self._codec = _create_codec("aac", MIX_RATE, "mono", "fltp")
        self._codec.bit_rate = bitrate
        self._codec.flags |= _GLOBAL_HEADER
        if bitrate >= FAST_CODER_BITRATE:
            self._codec.options = {"aac_coder": "fast"}
        self._codec.open()
        self._pts = 0

    @property
    def config(self) -> bytes:
        """AudioSpecificConfig (ISO/IEC 14496-3)."""
        return bytes(self._codec.extradata)

    def encode(self, samples: NDArray[np.float32]) -> Iterator[AacPacket]:
        """Encode a whole number of :data:`AAC_FRAME` samples in -1..1."""
        for start in range(0, len(samples), AAC_FRAME):
            frame = _audio_frame(samples[start : start + AAC_FRAME], "fltp", MIX_RATE, self._pts)
            self._pts += AAC_FRAME
            yield from self._packets(frame)

    def flush(self) -> Iterator[AacPacket]:
        """Yield what the encoder still holds; it cannot be used afterwards."""
        yield from self._packets(None)

    def _packets(self, frame: av.AudioFrame | None) -> Iterator[AacPacket]:
        for packet in self._codec.encode(frame):
            if packet.size and packet.pts >= 0:  # below 0: priming
                yield AacPacket(packet.pts, bytes(packet))


FLAC_FRAMES_PER_SECOND = 20
"""Twice as many as by libav's default: less waits for the end of its frame when the power fails."""


class FlacCodec:
    """libav's encoder of one sample rate, for any number of :class:`FlacEncoder` in turn.

    It always reserves 7 MB, enough for eight channels of the longest frames.

    Attributes:
        frame_samples: samples per FLAC frame (the last one of a run may be shorter).
        stream_info: STREAMINFO block (34 bytes).
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pts = 0
        self._codec: Any = self._open()
        self.frame_samples: int = self._codec.frame_size
        self.stream_info = bytes(self._codec.extradata)

    def _open(self) -> Any:
        codec = _create_codec("flac", self._rate, "mono", "s16")
        frame_size = str(self._rate // FLAC_FRAMES_PER_SECOND)
        codec.options = {"compression_level": "5", "frame_size": frame_size}
        codec.open()
        return codec

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """Return the frame of :attr:`frame_samples` samples or fewer, with any number."""
        if self._codec is None:
            self._codec = self._open()
        frame = _audio_frame(samples, "s16", self._rate, self._pts)
        self._pts += len(samples)
        packets = self._codec.encode(frame)
        if len(samples) < self.frame_samples:  # libav takes nothing after a short frame
            packets += self._codec.encode(None)
            self._codec = None
        return b"".join(bytes(packet) for packet in packets if packet.size)


class FlacEncoder:
    """Encodes one run of samples without a hole."""

    def __init__(self, codec: FlacCodec) -> None:
        self._codec = codec
        self._number = 0

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """Encode exactly as many samples as a frame has, or fewer for the very last frame."""
        number, self._number = self._number, self._number + 1
        return renumber(self._codec.encode(samples), number)
