"""Keeps the packets of a part in memory, between the sources and the part's writer."""

from __future__ import annotations

import threading
from collections import deque

from kiosk.hardware.audio.block import AudioBlock
from kiosk.hardware.camera.packet import VideoPacket
from kiosk.recording.capture.part_writer import PartWriter
from kiosk.recording.capture.pulse import RecordingPulse
from kiosk.recording.capture.track_writer import MAX_BACKLOG_BYTES
from kiosk.recording.formats.records import CAMERA


class PacketBuffer:
    """Queues packets from the sources, which never wait.

    While writing is held they wait here, up to a limit. Beyond it new ones are lost; the writer
    finds the gap in what follows (or the stop), and puts it into the ledger.

    Args:
        pulse: is told what comes.
    """

    def __init__(self, pulse: RecordingPulse) -> None:
        self._pulse = pulse
        self._lock = threading.Lock()
        self._items: deque[tuple[int, VideoPacket | tuple[str, AudioBlock]]] = deque()
        self._bytes = 0
        self._needs_key = False

    def video(self, packet: VideoPacket) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(CAMERA)
        if packet.key or not self._needs_key:  # after a loss others cannot be decoded
            self._needs_key = not self._add(len(packet.data), packet)

    def audio(self, name: str, block: AudioBlock) -> None:
        """See :class:`kiosk.hardware.sources.listener.SourceListener`."""
        self._pulse.receive(name)
        self._add(block.samples.nbytes, (name, block))

    def _add(self, size: int, item: VideoPacket | tuple[str, AudioBlock]) -> bool:
        """Queue a packet; return whether there is room for it."""
        with self._lock:
            has_room = self._bytes + size <= MAX_BACKLOG_BYTES
            if has_room:
                self._bytes += size
                self._items.append((size, item))
        return has_room

    def drain_into(self, writer: PartWriter) -> None:
        """Hand everything to the writer."""
        while True:
            with self._lock:
                if not self._items:
                    return
                size, item = self._items.popleft()
                self._bytes -= size
            if isinstance(item, VideoPacket):
                writer.add_video(item)
            else:
                writer.add_audio(*item)
