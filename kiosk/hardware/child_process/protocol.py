"""Messages between a device's child and the recorder (no library: children import it)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

FRAME = struct.Struct("<IB")
"""Header of each message: length of the payload, kind."""
STATUS = ord("j")
"""Payload: a JSON object."""
AUDIO = ord("a")
"""Payload: :data:`AUDIO_HEADER` (channels, blocks), for each block :data:`AUDIO_BLOCK` (arrival on
the recording clock, frames), then the s16 samples of all blocks."""
AUDIO_HEADER = struct.Struct("<HH")
AUDIO_BLOCK = struct.Struct("<qI")
VIDEO = ord("v")
"""Payload: :data:`VIDEO_HEADER` (capture on the recording clock, session, key), then Annex B."""
VIDEO_HEADER = struct.Struct("<qIB")


def pack_audio(channels: int, blocks: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the payload for ``blocks`` (arrival on the recording clock, interleaved samples)."""
    headers = [
        AUDIO_BLOCK.pack(arrival_ns, len(data) // (2 * channels)) for arrival_ns, data in blocks
    ]
    samples = [data for _, data in blocks]
    return b"".join((AUDIO_HEADER.pack(channels, len(blocks)), *headers, *samples))


def unpack_audio(payload: bytes) -> tuple[int, list[tuple[int, int, bytes]]]:
    """Return the number of channels, and arrival, frames and samples of each block."""
    channels, count = AUDIO_HEADER.unpack_from(payload)
    offset = AUDIO_HEADER.size + count * AUDIO_BLOCK.size
    blocks = []
    for number in range(count):
        header = AUDIO_BLOCK.unpack_from(payload, AUDIO_HEADER.size + number * AUDIO_BLOCK.size)
        arrival_ns, frames = header
        end = offset + 2 * channels * frames
        blocks.append((arrival_ns, frames, payload[offset:end]))
        offset = end
    return channels, blocks
