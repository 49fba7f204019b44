"""The messages between a device's child and the recorder (no library: children import it)."""

from __future__ import annotations

import struct

FRAME = struct.Struct("<IB")
"""Before each message: length of the payload, kind."""
STATUS = ord("j")
"""Payload: a JSON object."""
AUDIO = ord("a")
"""Payload: :data:`AUDIO_HEADER` (arrival on the recording clock, channels), then s16 samples."""
AUDIO_HEADER = struct.Struct("<qH")
VIDEO = ord("v")
"""Payload: :data:`VIDEO_HEADER` (capture on the recording clock, session, key), then Annex B."""
VIDEO_HEADER = struct.Struct("<qIB")
