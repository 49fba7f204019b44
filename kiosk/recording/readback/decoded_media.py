"""Decodes fragments: key pictures into coarse grids of brightness, sound by track."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from kiosk.clocks import NS_PER_S
from kiosk.hardware.audio.block import sound_power
from kiosk.recording.readback.fragment_reader import ReadbackError

GRID = (16, 9)
"""Columns and rows of a grid."""
Grid = NDArray[np.float32]
_LUMA = np.asarray((0.299, 0.587, 0.114), np.float32)


def brightness_grid(rgb: NDArray[np.uint8]) -> Grid:
    """Return the mean brightness (0..255) of the fields of a picture (rows, columns, 3)."""
    columns, rows = GRID
    step = max(1, rgb.shape[0] // (rows * 4))
    small = rgb[::step, ::step].astype(np.float32) @ _LUMA
    height, width = small.shape[0] // rows * rows, small.shape[1] // columns * columns
    fields = small[:height, :width].reshape(rows, height // rows, columns, width // columns)
    return np.asarray(fields.mean(axis=(1, 3)), np.float32)


@dataclass(frozen=True)
class AudioSegment:
    """Sound without a hole: media time of the first sample, and samples (full scale: 1.0)."""

    start_ns: int
    samples: NDArray[np.float32]


@dataclass
class DecodedTrack:
    """A sound track: its handler's name, its rate, and the decoded sound."""

    name: str
    rate: int
    segments: list[AudioSegment] = field(default_factory=list)
    _frames: list[NDArray[np.float32]] = field(default_factory=list)
    _start_ns: int = 0
    _end_ns: int = 0

    @property
    def sample_count(self) -> int:
        """Number of samples."""
        return sum(len(segment.samples) for segment in self.segments)

    def add(self, start_ns: int, samples: NDArray[np.float32]) -> None:
        """Add a decoded frame."""
        if self._frames and abs(start_ns - self._end_ns) > NS_PER_S // 1000:
            self.close()
        if not self._frames:
            self._start_ns = start_ns
        self._frames.append(samples)
        self._end_ns = start_ns + len(samples) * NS_PER_S // self.rate

    def close(self) -> None:
        """End the current segment."""
        if self._frames:
            self.segments.append(AudioSegment(self._start_ns, np.concatenate(self._frames)))
            self._frames = []

    def power(self, from_ns: int, until_ns: int) -> float | None:
        """Return the power of the sound in ``[from_ns, until_ns)``, None if some is missing."""
        for segment in self.segments:
            first = round((from_ns - segment.start_ns) * self.rate / NS_PER_S)
            last = round((until_ns - segment.start_ns) * self.rate / NS_PER_S)
            if 0 <= first < last <= len(segment.samples):
                return sound_power(segment.samples[first:last])
        return None


@dataclass
class DecodedMedia:
    """Media decoded from an init file and fragments; times are media times in ns.

    Attributes:
        pictures: time and grid of each key picture.
        first_ns: time of the first packet of all, or None.
    """

    has_video: bool = False
    pictures: list[tuple[int, Grid]] = field(default_factory=list)
    tracks: list[DecodedTrack] = field(default_factory=list)
    first_ns: int | None = None

    def empty_streams(self) -> list[str]:
        """Return the names of the streams from which nothing decoded."""
        empty = ["picture"] if self.has_video and not self.pictures else []
        return empty + [track.name for track in self.tracks if not track.sample_count]


def decode(data: bytes) -> DecodedMedia:
    """Decode an init file and fragments.

    Only key pictures are decoded: one is enough to check the fragment, and it is cheap.

    Raises:
        ReadbackError: the bytes cannot be decoded.
    """
    media = DecodedMedia()
    try:
        with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
            for video in container.streams.video:
                video.codec_context.skip_frame = "NONKEY"
                media.has_video = True
            tracks = {
                stream.index: DecodedTrack(
                    stream.metadata.get("handler_name", ""), int(stream.rate or 1)
                )
                for stream in container.streams.audio
            }
            for packet in container.demux():
                if packet.size:
                    _decode_packet(packet, media, tracks)
    except (FFmpegError, AttributeError) as error:  # PyAV: a codec it does not know is None
        raise ReadbackError(f"not decodable: {error}") from error
    for track in tracks.values():
        track.close()
    media.tracks = list(tracks.values())
    return media


def _to_ns(pts: int, base: Fraction) -> int:
    return int(pts * base.numerator * NS_PER_S // base.denominator)


def _decode_packet(packet: Any, media: DecodedMedia, tracks: dict[int, DecodedTrack]) -> None:
    at_ns = _to_ns(packet.pts, packet.time_base)
    media.first_ns = at_ns if media.first_ns is None else min(media.first_ns, at_ns)
    for frame in packet.decode():
        at_ns = _to_ns(frame.pts, frame.time_base)
        if isinstance(frame, VideoFrame):
            small = frame.reformat(160, 90, "rgb24", interpolation="FAST_BILINEAR")
            media.pictures.append(
                (at_ns, brightness_grid(np.asarray(small.to_ndarray(), np.uint8)))
            )
        elif isinstance(frame, AudioFrame):
            values = frame.to_ndarray()[0]
            samples = values.astype(np.float32)
            tracks[packet.stream.index].add(
                at_ns, samples / 32768 if values.dtype == np.int16 else samples
            )
