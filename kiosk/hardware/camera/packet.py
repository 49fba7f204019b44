"""An encoded picture, and its message from the camera's child process to the recorder."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.hardware.child_process.protocol import VIDEO_HEADER


@dataclass(frozen=True)
class VideoPacket:
    """One encoded picture.

    Attributes:
        captured_ns: recording clock of its capture (beginning of exposure).
        session: number of the encoder's start; a session begins with a key frame.
        key: whether it is decodable by itself (its parameter sets are in ``data``).
        data: H.264 Annex B.
    """

    captured_ns: int
    session: int
    key: bool
    data: bytes


def pack_video(packet: VideoPacket) -> bytes:
    """Return the payload of a video message."""
    return VIDEO_HEADER.pack(packet.captured_ns, packet.session, packet.key) + packet.data


def unpack_video(payload: bytes) -> VideoPacket:
    """Return the packet in a video message."""
    captured_ns, session, key = VIDEO_HEADER.unpack_from(payload)
    return VideoPacket(captured_ns, session, bool(key), payload[VIDEO_HEADER.size :])
