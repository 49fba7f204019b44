"""How the recorder hands copies of the microphones' blocks to the process that listens to them.

Each block is one packet of a socket that keeps packets apart. The recorder never waits: a packet
that finds no room is dropped, and the listener sees a hole.
"""

from __future__ import annotations

import struct

import numpy as np

from kiosk.hardware.audio.block import AudioBlock, Samples

HEADER = struct.Struct("<Hq")
"""Number of the microphone, recording clock of the first sample; s16 samples follow."""
MAX_BYTES = HEADER.size + 2 * 48_000
"""The longest packet: a second. A longer block is not sent."""


def pack_block(number: int, block: AudioBlock) -> bytes:
    """Return the packet for ``block`` of microphone ``number``."""
    return HEADER.pack(number, block.start_ns) + block.samples.astype("<i2", copy=False).tobytes()


def unpack_block(packet: bytes) -> tuple[int, int, Samples]:
    """Return number, start (recording clock) and samples.

    Raises:
        struct.error: it is shorter than a header; ValueError: half a sample.
    """
    number, start_ns = HEADER.unpack_from(packet)
    return number, start_ns, np.frombuffer(packet, "<i2", offset=HEADER.size)
